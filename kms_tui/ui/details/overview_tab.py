"""Overview: what this key is, what state it is in, and who keeps control of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.cost import Prices, cost_if_kept, monthly_cost
from kms_tui.inventory.row_health import EXPIRES_SOON
from kms_tui.kms.facts import LOADING, NOT_APPLICABLE, UNASKED, Fact, Failed, Known, read_fact
from kms_tui.kms.keyspecs import spec_title
from kms_tui.kms.model import Grant, ImportParameters, Key, KeyOrigin, KeyRotationStatus, KeyState
from kms_tui.kms.operations import Access
from kms_tui.ui.base.host import host_of
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.base.words import ORIGIN_WORDS, STATE_WORDS, USAGE_WORDS, fact_content, when_words
from kms_tui.ui.details.detail_tab import DetailTab
from kms_tui.ui.widgets.charts import Moment, dated_line
from kms_tui.ui.widgets.facts_table import FactRow, FactsTable
from kms_tui.ui.widgets.text_widgets import Static

if TYPE_CHECKING:
    from kms_tui.policy.access import AccessRow

_STATE_COLOURS = {
    KeyState.ENABLED: "$success",
    KeyState.DISABLED: "$warning",
    KeyState.PENDING_DELETION: "$error",
    KeyState.PENDING_REPLICA_DELETION: "$error",
}


@dataclass(frozen=True, slots=True)
class PolicySummary:
    """The guard's verdict on the policy, who may use the key, and who may change it.

    ``users`` counts the grants in where ``grants`` are known; NOT_APPLICABLE where anyone may use the key.
    """

    verdict: str
    users: str
    who_can_change: str
    grants: Fact[list[Grant]] = UNASKED


@dataclass(frozen=True, slots=True)
class OverviewFacts:
    """What the overview reads, each fact by itself, so that one refusal hides no other."""

    key: Fact[Key]
    rotation: Fact[KeyRotationStatus]
    policy: Fact[PolicySummary]
    rotations: Fact[int]
    """How often the key has rotated: the first two rotations add to its price."""
    held_import: ImportParameters | None = None
    """The kept import token of the key."""


class OverviewTab(DetailTab[OverviewFacts]):
    TITLE = "Overview"

    def compose(self) -> ComposeResult:
        yield Static(id="overview-facts")

    def read(self, kms: Kms, subject: Subject) -> OverviewFacts:
        key = read_fact(lambda: kms.describe(subject.key_id))
        customer = isinstance(key, Known) and not key.value.is_aws_managed
        rotates = customer and isinstance(key, Known) and can_report_rotation(key.value)
        return OverviewFacts(
            key,
            read_fact(lambda: kms.rotation_status(subject.key_id)) if rotates else NOT_APPLICABLE,
            read_fact(lambda: judged(kms, subject, self._grants(subject))) if customer else UNASKED,
            self._rotations(kms, subject, key) if customer else NOT_APPLICABLE,
            self._held_import(key),
        )

    def _grants(self, subject: Subject) -> Fact[list[Grant]]:
        """The grants that another tab has read: the overview makes no call for them."""
        return self.session.grants_of(subject.arn) if self.session is not None else UNASKED

    def _held_import(self, key: Fact[Key]) -> ImportParameters | None:
        """The kept import token; read here, on the thread, since it may come from a file."""
        if self.session is None or not isinstance(key, Known) or key.value.origin != KeyOrigin.EXTERNAL:
            return None
        return self.session.held_import(key.value.arn)

    def _rotations(self, kms: Kms, subject: Subject, key: Fact[Key]) -> Fact[int]:
        if not isinstance(key, Known) or not key.value.may_have_rotated or key.value.pending_deletion:
            return NOT_APPLICABLE
        return read_fact(lambda: len(kms.rotations(subject.key_id)))

    def present(self, subject: Subject, fact: Fact[OverviewFacts]) -> None:
        known: Fact[Key] = Known(subject.key) if subject.key else LOADING
        facts = fact.value if isinstance(fact, Known) else OverviewFacts(known, LOADING, LOADING, LOADING)
        if isinstance(facts.key, Failed) and isinstance(known, Known):
            facts = replace(facts, key=known)  # The list has read it already.
        self.query_one("#overview-facts", Static).update(FactsTable(self._rows(facts)))

    def _rows(self, facts: OverviewFacts) -> Iterable[FactRow]:
        if not isinstance(facts.key, Known):
            yield "Key", fact_content(facts.key, lambda key: safe(key.key_id))
            return
        key = facts.key.value
        assert self.session is not None
        now = self.session.now()
        yield "State", _state(key, now)
        yield "Spec", Content(spec_title(key.spec)) + Content.styled(f"  {key.spec}", "$foreground-muted")
        yield "Usage", safe(USAGE_WORDS.get(key.usage, key.usage) or "not told by this endpoint")
        yield "Origin", safe(ORIGIN_WORDS.get(key.origin, key.origin))
        if key.description:
            yield "Description", safe(key.description)
        if key.created:
            yield "Created", Content(when_words(key.created, now))
        if (life := _life(key, facts.rotation, now)) is not None:
            yield "Life", life
        if key.valid_to:
            soon = key.valid_to - now < EXPIRES_SOON
            yield "Expires", Content.styled(when_words(key.valid_to, now), "$warning" if soon else "")
        if facts.held_import is not None:
            until = when_words(facts.held_import.valid_to, now, time=True)
            yield "Import token", Content.styled(f"kept until {until}; I goes on with it", "$accent")
        if key.multi_region:
            yield "Multi-Region", _multi_region(key)
        absent = "every year, by AWS" if key.is_aws_managed else "–"
        yield (
            "Rotation",
            fact_content(facts.rotation, lambda status: rotation_content(status, now), absent=absent),
        )
        yield "Policy", fact_content(facts.policy, _policy)
        if isinstance(facts.policy, Known):
            who = facts.policy.value.who_can_change.replace(_ACCOUNT_IN_FULL, "The account")
            yield "May change it", safe(who)
        if key.manager:
            yield "Cost", _cost(key, facts.rotations, host_of(self).config.price_table)
        yield "ARN", safe(key.arn.replace(":key/", ":\nkey/"), newlines=True)


def judged(kms: Kms, subject: Subject, grants: Fact[list[Grant]]) -> PolicySummary:
    """The policy of a key and its grants in a few words; raises KmsTuiError."""
    from kms_tui import policy
    from kms_tui.policy import access, guard

    text = kms.key_policy(subject.key_id)
    account, partition, arn = kms.account_id, kms.partition, subject.arn
    document = policy.parse(text, partition=partition)
    facts = access.access_facts(document, account_id=account, partition=partition, key_arn=arn, grants=grants)
    return PolicySummary(
        guard.check(text, account_id=account, partition=partition, key_arn=arn).verdict,
        users_words(facts.rows, with_grants=isinstance(grants, Known)),
        facts.who_can_change,
        NOT_APPLICABLE if any(map(_lets_anyone, facts.rows)) else grants,
    )


_ACCOUNT_IN_FULL = "The account (its root user and IAM administrators)"
_VERDICTS = {
    "ok": ("root keeps control", ""),
    "warn": ("root keeps control, with warnings", "$warning"),
    "refuse": ("the account may be locked out", "$error"),
}


def _policy(facts: PolicySummary) -> Content:
    words, colour = _VERDICTS[facts.verdict]
    told = Content.styled(words, colour) + safe(f"; {facts.users}")
    if isinstance(facts.grants, Known) or facts.grants is NOT_APPLICABLE:
        return told
    if facts.grants is UNASKED:
        return told + Content.styled("; grants not read", "$foreground-muted")
    return told + Content("; grants ") + fact_content(facts.grants, lambda _: Content())


def _lets_anyone(row: AccessRow) -> bool:
    return row.public and bool(row.cells[Access.USE].allowed)


def users_words(rows: Sequence[AccessRow], *, with_grants: bool) -> str:
    """Who may use the key beside the account, by the rows of the access matrix, and by what."""
    from kms_tui.policy.access import users_of
    from kms_tui.policy.describe import listed

    wide: list[tuple[str, bool]] = []
    for row in rows:
        use = row.cells[Access.USE]
        if not (use.allowed or use.conditional):
            continue
        if row.public:
            return "anyone may use it" + ("" if use.allowed else " under conditions")
        if row.party.insider is not None or row.party.is_part:
            wide.append((_label(row), not use.allowed))
    count = users_of(row for row in rows if not row.party.is_part)
    ending = f"by {'policy or grant' if with_grants else 'the policy'}"
    if len(wide) == 1 and not count:
        ((who, has_conditions),) = wide
        return f"{who} may use it {'under conditions, ' if has_conditions else ''}{ending}"
    named = [f"{who} (under conditions)" if has_conditions else who for who, has_conditions in wide]
    if count or not wide:
        named.append(("nobody else", "one principal")[count] if count < 2 else f"{count:,} principals")
    return f"{listed(named, 3)} may use it {ending}"


def _label(row: AccessRow) -> str:
    from kms_tui.policy.principals import PrincipalKind

    if row.party.insider is not None:
        return "anyone who meets its conditions" if row.outside else "anyone in the account"
    return row.party.text if row.party.kind is PrincipalKind.EVERYONE else row.label


def can_report_rotation(key: Key) -> bool:
    """GetKeyRotationStatus answers for keys of AWS_KMS origin; only symmetric ones can rotate."""
    return key.spec == "SYMMETRIC_DEFAULT" and key.origin == "AWS_KMS"


def _life(key: Key, rotation: Fact[KeyRotationStatus], now: datetime) -> Content | None:
    """The key from its creation to what comes next, on a time line; None where nothing is to come."""
    if key.created is None:
        return None
    moments = [Moment(key.created, "●")]
    if isinstance(rotation, Known) and rotation.value.next_date is not None:
        moments.append(Moment(rotation.value.next_date, "○"))
    if key.valid_to is not None:
        moments.append(Moment(key.valid_to, "◆", "$warning"))
    if key.deletion_date is not None:
        moments.append(Moment(key.deletion_date, "▲", "$error"))
    return dated_line(moments, now) if len(moments) > 1 else None


def _state(key: Key, now: datetime) -> Content:
    word = Content.styled(STATE_WORDS.get(key.state, key.state), _STATE_COLOURS.get(KeyState(key.state), ""))
    if key.deletion_date:
        return word + Content.styled(f": deleted {when_words(key.deletion_date, now)}", "$error")
    return word


def rotation_content(status: KeyRotationStatus, now: datetime) -> Content:
    """Automatic rotation: off, or its period and next date."""
    if not status.enabled:
        return Content.styled("off", "$warning")
    every = f"every {status.period_days} days" if status.period_days else "on"
    return Content(f"{every}; next {when_words(status.next_date, now)}" if status.next_date else every)


def _cost(key: Key, rotations: Fact[int], prices: Prices) -> Content:
    count = rotations.value if isinstance(rotations, Known) else None
    cost = monthly_cost(key, count, prices)
    if key.is_aws_managed:
        return Content(cost.reason)
    if key.pending_deletion:
        return Content(f"{cost.reason};\n{cost_if_kept(key, count, prices)} a month if that is cancelled")
    words = Content(f"{cost} a month: {cost.reason}")
    if cost.at_least:
        words += Content("\nhow often it rotated: ") + fact_content(rotations, lambda _: Content())
    if key.multi_region and key.multi_region.is_primary and (replicas := len(key.multi_region.replica_arns)):
        which = "its replica" if replicas == 1 else f"each of its {replicas} replicas"
        words += Content(f"\n{which} is charged by itself")
    return words


def _multi_region(key: Key) -> Content:
    assert key.multi_region is not None
    if key.multi_region.is_primary:
        regions = ", ".join(arn.split(":")[3] for arn in key.multi_region.replica_arns) or "none yet"
        return Content(f"primary; replicas: {regions}")
    return Content(f"replica of the primary in {key.multi_region.primary_arn.split(':')[3]}")
