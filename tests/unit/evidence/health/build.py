"""Keys to be examined, in few words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from kms_tui.evidence.health.checks import chosen_checks
from kms_tui.evidence.health.examined import Examined, Settings
from kms_tui.evidence.health.health_report import Judging, KeyName
from kms_tui.kms.facts import Fact, Known
from kms_tui.kms.model import Key, KeyLastUsage, KeyRotationStatus, MultiRegion, Tag
from kms_tui.policy import default_policy

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACCOUNT, OTHER = "111122223333", "444455556666"
ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
ARN = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{ID}"
REPLICA = MultiRegion(False, f"arn:aws:kms:us-east-1:{ACCOUNT}:key/mrk-1", (ARN,))
ALL = Settings(unused_days=90, required_tags=("team",))


def days(number: float) -> timedelta:
    return timedelta(days=number)


def key(**members: Any) -> Key:
    """An enabled symmetric customer key, 400 days old."""
    given: dict[str, Any] = {
        "key_id": ID,
        "arn": ARN,
        "account_id": ACCOUNT,
        "manager": "CUSTOMER",
        "state": "Enabled",
        "spec": "SYMMETRIC_DEFAULT",
        "usage": "ENCRYPT_DECRYPT",
        "origin": "AWS_KMS",
        "created": NOW - days(400),
    }
    return Key(**given | members)


Facts = Mapping[str, Fact[Any]]
"""By their names in Examined."""


def healthy() -> dict[str, Fact[Any]]:
    """All that there is to know of a key in good shape."""
    return {
        "aliases": Known(("orders",)),
        "rotation": Known(KeyRotationStatus(enabled=True, period_days=365)),
        "policy": Known(default_policy(ACCOUNT, "aws")),
        "tags": Known((Tag("team", "orders"),)),
        "last_usage": Known(KeyLastUsage("Decrypt", NOW - days(1), "", NOW - days(399))),
        "primary_policy": Known(default_policy(ACCOUNT, "aws")),
    }


def judged(subject: Key, facts: Facts | None = None, settings: Settings = ALL) -> Judging:
    """The key held against the checks, healthy but for these facts."""
    judging = Judging(chosen_checks(settings), settings, NOW)
    judging.judge(
        KeyName("eu-west-1", "orders", subject.arn, subject.key_id),
        Examined(subject, **(healthy() | dict(facts or {}))),
    )
    return judging


def reasons(subject: Key, facts: Facts | None = None, settings: Settings = ALL) -> dict[str, str]:
    """Check id -> reason of each finding; nothing may be unknown."""
    judging = judged(subject, facts, settings)
    assert judging.gaps == []
    return {finding.check.id: finding.reason for finding in judging.findings}
