"""Checks of the key policy: the lockout guard's own findings, in its own words."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import lru_cache

from kms_tui.evidence.health.examined import Examined, Settings, Unsure, Verdict, known
from kms_tui.kms.arn import Arn
from kms_tui.kms.model import Key
from kms_tui.policy import CheckResult, Severity, parse
from kms_tui.policy.access import Standing, action_words
from kms_tui.policy.describe import listed, quoted
from kms_tui.policy.exposure import OutsideAccess
from kms_tui.policy.guard import check, outside_access
from kms_tui.policy.policy_diff import effect_changes, uncompared_parties
from kms_tui.policy.search import TooComplexError

_TOO_COMPLEX = Unsure("the policy is too complex to judge")
_UNJUDGED = frozenset({"too-complex", "too-complex-for-findings", "no-account"})
"""Rules with which the guard says that it could not judge."""
_PUBLIC = frozenset({"public", "public-via-service"})
_CONDITIONAL = frozenset(
    {"root-only", "root-denied", "until-date", "conditional-control", "less-than-full-control"}
)

_UNDER_CONDITIONS = (Standing.CONDITIONAL, Standing.DENIED_SOMETIMES)


def public(examined: Examined, _settings: Settings, now: datetime) -> Verdict:
    return _found(examined, now, _PUBLIC)


def external_administration(examined: Examined, _settings: Settings, now: datetime) -> Verdict:
    return _found(examined, now, {"external-administration"})


def unbound_service(examined: Examined, _settings: Settings, now: datetime) -> Verdict:
    return _found(examined, now, {"unbound-service"})


def conditional_control(examined: Examined, _settings: Settings, now: datetime) -> Verdict:
    return _found(examined, now, _CONDITIONAL)


def no_control(examined: Examined, _settings: Settings, now: datetime) -> Verdict:
    """The guard refuses a policy that leaves the account unable to change it."""
    refused = {
        finding.rule
        for finding in _judged(examined, now).findings
        if finding.severity is Severity.REFUSE and finding.rule not in _UNJUDGED
    }
    return _found(examined, now, refused)


def cross_account(examined: Examined, _settings: Settings, now: datetime) -> Verdict:
    key = examined.key
    try:
        given = outside_access(
            known(examined.policy),
            account_id=key.account_id,
            partition=Arn.parse(key.arn).partition,
            key_arn=key.arn,
            now=now.timestamp(),
        )
    except TooComplexError:
        return _TOO_COMPLEX
    if not given:
        return None
    sentences = [f"{_who(reach)} gets {action_words(reach.actions)}" for reach in given]
    return f"{_statements([reach.statement.label for reach in given])}: {listed(sentences, 3)}."


def replica_differs(examined: Examined, _settings: Settings, now: datetime) -> Verdict:
    """Compares the effects, each policy in its own region: names of services and ARNs may differ."""
    key = examined.key
    assert key.multi_region is not None
    home = Arn.parse(key.multi_region.primary_arn).region
    primary, own = known(examined.primary_policy).replace(home, key.region), known(examined.policy)
    if primary == own:
        return None
    documents = parse(primary), parse(own)
    if not all(document.is_valid for document in documents):
        return Unsure("one of the two policies cannot be parsed")
    changes = effect_changes(
        *documents, account_id=key.account_id, partition=Arn.parse(key.arn).partition, key_arn=key.arn
    )
    sentences = [
        change.sentence
        for change in changes
        if change.before is not change.after or change.after in _UNDER_CONDITIONS
    ]
    if sentences:
        return f"Compared with its primary in {home}: {listed(sentences, 3)}."
    left_out = uncompared_parties(
        *documents, account_id=key.account_id, partition=Arn.parse(key.arn).partition
    )
    return Unsure(f"the policies name {left_out:,} parties more than are compared") if left_out else None


def _who(reach: OutsideAccess) -> str:
    return f"{reach.who} of {reach.principal.account}" if reach.principal.is_identity else reach.who


def _statements(labels: Collection[str]) -> str:
    return listed([quoted(label) for label in dict.fromkeys(labels)], 3)


def _found(examined: Examined, now: datetime, rules: Collection[str]) -> Verdict:
    """The sentence of the first finding of these rules, its statement, and the number of further ones."""
    findings = _judged(examined, now).findings
    found = [finding for finding in findings if finding.rule in rules]
    if not found:
        return _TOO_COMPLEX if any(finding.rule in _UNJUDGED for finding in findings) else None
    first, more = found[0], len(found) - 1
    where = ""
    if first.statement is not None:
        where = f"{quoted(first.sid) if first.sid else f'Statement {first.statement + 1}'}: "
    also = f" {more} more like it." if more else ""
    return f"{where}{first.sentence}{also}"


def _judged(examined: Examined, now: datetime) -> CheckResult:
    return _judge(known(examined.policy), examined.key, now.timestamp())


@lru_cache(maxsize=8)
def _judge(text: str, key: Key, now: float) -> CheckResult:
    """Cached: several checks in a row judge the same policy."""
    return check(
        text, account_id=key.account_id, partition=Arn.parse(key.arn).partition, key_arn=key.arn, now=now
    )
