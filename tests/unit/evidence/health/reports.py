"""Reports of several accounts, with everything that a report may hold, and with names that mean harm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from kms_tui.evidence.health.checks import chosen_checks
from kms_tui.evidence.health.compliance_packs import Pack
from kms_tui.evidence.health.examined import Examined, Settings
from kms_tui.evidence.health.health_report import Acceptance, Judging, KeyName, Report
from kms_tui.kms.arn import AccountRegion
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.facts import Denied, Known
from kms_tui.kms.model import KeyRotationStatus
from kms_tui.policy import default_policy
from tests.unit.evidence.health.build import ACCOUNT, NOW, OTHER, healthy, key

HOSTILE = "<script>alert(1)</script>\"'&\x00\x1b[31m\u202e](http://x){0}\ud800\ufffe|`=1"
REFUSED = Denied(ServiceError("AccessDeniedException", "not allowed", operation="GetKeyPolicy"))
PUBLIC = (
    '{"Version":"2012-10-17","Statement":'
    '[{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}]}'
)
PLACES = (
    AccountRegion(ACCOUNT, "eu-west-1"),
    AccountRegion(ACCOUNT, "us-east-1"),
    AccountRegion(OTHER, "eu-west-1"),
)
LOST = AccountRegion("999988887777", "eu-west-1")
"""An account whose keys could not be listed."""


class Estate:
    """Keys are added one by one; ``report`` is what the checks make of them."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.judging = Judging(chosen_checks(self.settings), self.settings, NOW)
        self.keys = 0

    def add(self, place: AccountRegion, *aliases: str, state: str = "Enabled", **facts: Any) -> str:
        """A key in good shape but for these facts; its ARN."""
        self.keys += 1
        key_id = f"{self.keys:08x}-12ab-34cd-56ef-1234567890ab"
        arn = f"arn:aws:kms:{place.region}:{place.account}:key/{key_id}"
        described = key(
            key_id=key_id,
            arn=arn,
            account_id=place.account,
            state=state,
            description=HOSTILE,
            deletion_date=NOW + timedelta(days=9),
        )
        given = healthy() | {"policy": Known(default_policy(place.account, "aws"))}
        given |= {"aliases": Known(aliases)} | facts
        name = KeyName(
            place.region, aliases[0] if aliases else key_id, arn, key_id, place.account, aliases, described
        )
        self.judging.judge(name, Examined(described, **given))
        return arn

    def report(self, packs: Iterable[Pack] = (), *, aws_managed: int = 3, complete: bool = True) -> Report:
        findings, gaps = self.judging.in_order()
        return Report(
            NOW,
            self.settings,
            self.keys,
            aws_managed,
            findings,
            gaps,
            self.judging.tallies(),
            self.judging.places(),
            complete,
            tuple(packs),
        )


ROTATION_OFF = Known(KeyRotationStatus(enabled=False))


def estate(*, lost: bool = True) -> Estate:
    """Two accounts of three, with a finding of each severity, a gap, and one account that was not listed."""
    made = Estate()
    for place in PLACES:
        made.judging.open(place)
    made.add(PLACES[0], "orders")
    made.add(PLACES[0], "backups", state="PendingDeletion")
    made.add(PLACES[0], HOSTILE, rotation=ROTATION_OFF)
    made.add(PLACES[1], "orders", rotation=ROTATION_OFF)
    made.add(PLACES[1], "secret", policy=REFUSED)
    made.add(PLACES[2], "assets", policy=Known(PUBLIC))
    made.add(PLACES[2])
    if lost:
        error = ServiceError("AccessDeniedException", f"not allowed {HOSTILE}", operation="AssumeRole")
        made.judging.unlisted(LOST, Denied(error))
    return made


ACCEPTED = Acceptance("Kim <kim@example.com>", "only tests, [see](http://x) {0}", date(2027, 3, 31))


def accepting(report: Report, check: str) -> Report:
    """The report with the findings of a check accepted."""
    findings = (
        replace(each, accepted=ACCEPTED) if each.check.id == check else each for each in report.findings
    )
    return replace(report, findings=tuple(findings))
