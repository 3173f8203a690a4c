"""Who else gets in (everyone, other accounts with administration, services for customers that are not ours),
and what the account itself would no longer be able to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kms_tui.kms.arn import is_account_id
from kms_tui.policy import actions
from kms_tui.policy.actions import ACTIONS, PUT_KEY_POLICY, Action
from kms_tui.policy.describe import condition, listed, printable
from kms_tui.policy.document import Statement
from kms_tui.policy.findings import Remark, Severity
from kms_tui.policy.lockout import MAX_BLAMED, element_span
from kms_tui.policy.policy_under_test import (
    FRESH_ROLE,
    Effective,
    Inquiry,
    PolicyUnderTest,
    applying,
    escaping,
    is_possible,
)
from kms_tui.policy.principals import Caller, Principal, PrincipalKind
from kms_tui.policy.search import solve
from kms_tui.policy.setting import Origin

_PUT = ACTIONS[PUT_KEY_POLICY]
MAX_ACCOUNTS = 20
"""Of the other accounts that conditions mention, as many are tried."""


def exposures(subject: PolicyUnderTest) -> Iterator[Remark]:
    """Public access, administration from outside, and services without a source condition."""
    for each in subject.allows(actions.KEY_ACTIONS):
        statement = each.statement
        if statement.names(PrincipalKind.EVERYONE) and _is_public(subject, each):
            yield _public(statement)
        else:
            yield from _outside(subject, each)
        if statement.names(PrincipalKind.SERVICE):
            yield from _unbound_service(subject, each)


def _is_public(subject: PolicyUnderTest, each: Effective) -> bool:
    account = subject.unmentioned_account
    role = Caller.parse(f"arn:{subject.partition}:iam::{account}:{FRESH_ROLE}")
    service = Caller(PrincipalKind.SERVICE, "zz-service.amazonaws.com", name="zz-service.amazonaws.com")
    others = subject.inquiry([each]).identities(PrincipalKind.ROLE, account)
    return any(
        _gets(subject, each, callers, Origin.STRANGER, actions.KEY_ACTIONS)
        for callers in ([role, *others], [service])
    )


def _gets(
    subject: PolicyUnderTest, each: Effective, callers: Sequence[Caller], origin: Origin, mask: int
) -> list[Action]:
    """The actions of the mask that one of these callers gets from the statement, every Deny considered."""
    found: list[Action] = []
    known: dict[tuple[object, ...], bool] = {}
    for action in actions.in_mask(mask & each.mask):
        denies = subject.denies(action.bit)
        key = (action == _PUT, action.encryption_context, *map(id, denies))
        if key not in known:
            known[key] = _reaches(subject, each, callers, origin, action, denies)
        if known[key]:
            found.append(action)
    return found


def _reaches(
    subject: PolicyUnderTest,
    each: Effective,
    callers: Sequence[Caller],
    origin: Origin,
    action: Action,
    denies: Sequence[Effective],
) -> bool:
    inquiry = subject.inquiry([each, *denies])
    for world in inquiry.worlds(callers, origin, action, plain_callers=len(callers)):
        asked = applying(world, [each])
        if asked and is_possible(world, asked[0], escaping(world, denies)):
            return True
    return False


def _public(statement: Statement) -> Remark:
    keys = {test.key for test in statement.conditions}
    if "kms:viaservice" in keys:
        sentence = (
            "kms:ViaService alone admits everyone who can use that service, in any account; add "
            "kms:CallerAccount."
        )
        rule = "public-via-service"
    else:
        limits = "its conditions do not limit" if keys else "no condition limits"
        sentence = f'Anyone in any account gets these actions: {limits} who "*" is.'
        rule = "public"
    who = next(principal for principal in statement.principals if principal.kind is PrincipalKind.EVERYONE)
    return Remark(rule, Severity.WARN, sentence, who.span, statement)


def _outside(subject: PolicyUnderTest, each: Effective) -> Iterator[Remark]:
    """Administration of the key by another account."""
    for reach in _reaching(subject, each, actions.CHANGING):
        names = listed([action.name for action in reach.actions], 3)
        sentence = f"Another account is given administration of this key: {reach.who} gets {names}."
        yield Remark("external-administration", Severity.WARN, sentence, reach.principal.span, each.statement)
        return


@dataclass(frozen=True, slots=True)
class Reach:
    """What a statement gives to another account; ``who`` is for people."""

    who: str
    actions: tuple[Action, ...]
    principal: Principal
    statement: Statement


def reaching(subject: PolicyUnderTest) -> Iterator[Reach]:
    """What other accounts are given that works across accounts; public statements are not among it."""
    for each in subject.allows(actions.CROSS_ACCOUNT):
        if not (each.statement.names(PrincipalKind.EVERYONE) and _is_public(subject, each)):
            yield from _reaching(subject, each, actions.CROSS_ACCOUNT)


def _reaching(subject: PolicyUnderTest, each: Effective, mask: int) -> Iterator[Reach]:
    for principal in each.statement.principals:
        for caller in _outsiders(subject, each, principal):
            got = _gets(subject, each, [caller], Origin.OTHER, mask)
            if got:
                yield Reach(_who(subject, principal, caller), tuple(got), principal, each.statement)
                break


def _who(subject: PolicyUnderTest, principal: Principal, caller: Caller) -> str:
    if principal.kind is not PrincipalKind.EVERYONE:
        return printable(principal.label)
    met = caller.account == subject.unmentioned_account
    return "whoever meets its conditions" if met else f"account {caller.account}"


def _outsiders(subject: PolicyUnderTest, each: Effective, principal: Principal) -> list[Caller]:
    """Callers of other accounts that a principal stands for."""
    if principal.kind is PrincipalKind.EVERYONE:
        inquiry = subject.inquiry([each])
        accounts = [*_mentioned_accounts(inquiry), subject.unmentioned_account]
        return [caller for account in accounts for caller in _of_account(inquiry, account)]
    if principal.account in ("", subject.account_id) or principal.kind is PrincipalKind.PROVIDER:
        return []
    if principal.kind is PrincipalKind.ACCOUNT:
        return _of_account(subject.inquiry([each]), principal.account)
    return [Caller.parse(principal.text)]


def _of_account(inquiry: Inquiry, account: str) -> list[Caller]:
    arn = f"arn:{inquiry.subject.partition}:iam::{account}:"
    roles = inquiry.identities(PrincipalKind.ROLE, account)
    return [Caller.parse(arn + FRESH_ROLE), Caller.parse(f"{arn}root"), *roles]


def _mentioned_accounts(inquiry: Inquiry) -> list[str]:
    """Other accounts that conditions on the caller's account or ARN mention."""
    found: dict[str, None] = {}
    for key in ("aws:principalaccount", "kms:calleraccount", "aws:principalarn"):
        for test in inquiry.tests.get(key, ()):
            for text in test.values:
                parts = text.value.split(":", 5)
                account = parts[4] if len(parts) > 5 else text.value
                if is_account_id(account) and account != inquiry.subject.account_id:
                    found[account] = None
    return list(found)[:MAX_ACCOUNTS]


WITHOUT_SOURCE = frozenset({"events.amazonaws.com"})
"""Services that send no source keys: EventBridge to an encrypted topic (SNS guide, sns-key-management)."""


def _unbound_service(subject: PolicyUnderTest, each: Effective) -> Iterator[Remark]:
    """Service principals that anyone's resources can put to work on this key."""
    mask = actions.KEY_ACTIONS & ~actions.LOOKING
    unbound = [
        principal
        for principal in each.statement.principals
        if principal.kind is PrincipalKind.SERVICE
        and _gets(subject, each, [Caller.parse(principal.text)], Origin.STRANGER, mask)
    ]
    asked = [principal for principal in unbound if principal.name not in WITHOUT_SOURCE]
    if asked:
        names = listed([printable(principal.text) for principal in asked])
        sentence = (
            f"{names} may use the key for anyone's resources: add a condition on aws:SourceArn or "
            "aws:SourceAccount."
        )
        yield Remark("unbound-service", Severity.WARN, sentence, asked[0].span, each.statement)
    for principal in unbound:
        if principal not in asked:
            sentence = (
                f"{printable(principal.text)} may use the key for anyone's resources. To an encrypted SNS "
                "topic it sends no source keys, so no condition on them would let it through."
            )
            yield Remark("no-source-keys", Severity.INFO, sentence, principal.span, each.statement)
            return


def remaining(subject: PolicyUnderTest, *, unconditional: bool) -> Iterator[Remark]:
    """What the account as a whole would be left without.

    With ``unconditional`` an action that it keeps only under conditions counts as missing; that is for
    policies whose control of the key does not itself turn on conditions.
    """
    yield from _denied_to_all(subject)
    allows = [each for each in subject.allows(actions.ALL) if subject.is_account_level(each.statement)]
    if not any(each.mask & _PUT.bit for each in allows):
        return
    lacking = _lacking(subject, allows, unconditional)
    if lacking:
        statement = next(each.statement for each in allows if each.mask & _PUT.bit)
        names = listed([action.name for action in lacking], 3)
        sentence = (
            f"The account is left with less than all key actions: this does not always give it {names}."
        )
        span = element_span(statement, "Action")
        yield Remark("less-than-full-control", Severity.WARN, sentence, span, statement)


def _lacking(subject: PolicyUnderTest, allows: Sequence[Effective], unconditional: bool) -> list[Action]:
    """The actions of full control that the account does not keep."""
    given = 0
    for each in allows:
        if not (unconditional and each.statement.conditions):
            given |= each.mask
    lacking: list[Action] = []
    known: dict[tuple[int, ...], bool] = {}
    for action in actions.in_mask(actions.FULL_CONTROL & ~given):
        covering = [each for each in allows if each.mask & action.bit]
        key = tuple(map(id, covering))
        if key not in known:
            known[key] = _always_allowed(subject, covering)
        if not known[key]:
            lacking.append(action)
    return lacking


def _always_allowed(subject: PolicyUnderTest, covering: Sequence[Effective]) -> bool:
    """Whether in every plain circumstance one of these Allow statements applies to the account."""
    inquiry = subject.inquiry(covering)
    for callers in inquiry.own_callers[:3]:
        world = inquiry.world(callers, Origin.OWN, _PUT)
        failing = escaping(world, covering, any_principal=True)
        if solve(world.domains(plain=True), failing, world.budget) is not None:
            return False
    return True


def _denied_to_all(subject: PolicyUnderTest) -> Iterator[Remark]:
    """Use, grants or administration denied to everyone; guards on deletion and disabling are fine."""
    blamed: dict[Statement, list[Action]] = {}
    known: dict[tuple[object, ...], bool] = {}
    mask = actions.KEY_ACTIONS & ~actions.GUARDED_MASK & ~_PUT.bit
    candidates = [each for each in subject.denies(mask) if _could_cover_all(each.statement)]
    for action in actions.in_mask(mask) if candidates else ():
        denies = [each for each in candidates if each.mask & action.bit]
        if denies:
            key = (action.encryption_context, *map(id, denies))
            if key not in known:
                known[key] = not _escapable(subject, denies, action)
            if known[key]:
                blamed.setdefault(_to_blame(subject, denies, action), []).append(action)
    for statement, denied in blamed.items():
        names = listed([action.name for action in denied], 3)
        where = listed([condition(test) for test in statement.conditions], 2)
        sentence = f"{names} would be denied to everyone in the account" + (
            f", where {where}." if where else "."
        )
        span = element_span(statement, "Action")
        yield Remark("denied-to-all", Severity.WARN, sentence, span, statement)


def _to_blame(subject: PolicyUnderTest, denies: Sequence[Effective], action: Action) -> Statement:
    """The Deny that nobody escapes; the last one where it takes several of them."""
    alone = (each for each in denies[:MAX_BLAMED] if not _escapable(subject, [each], action))
    return next(alone, denies[-1]).statement


def _could_cover_all(statement: Statement) -> bool:
    """Whether it names more than single identities."""
    return statement.not_principal or any(not principal.is_identity for principal in statement.principals)


def _escapable(subject: PolicyUnderTest, denies: Sequence[Effective], action: Action) -> bool:
    """Whether some request of the account escapes these Denies."""
    inquiry = subject.inquiry(denies)
    for callers in inquiry.own_callers:
        for world in inquiry.worlds(callers, Origin.OWN, action):
            escapes = escaping(world, denies)
            if solve(world.domains(), escapes, world.budget) is not None:
                return True
    return False
