"""Who else gets in, and what a Deny stops besides what it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kms_tui.kms.arn import is_account_id
from kms_tui.kms.operations import Access
from kms_tui.policy import actions
from kms_tui.policy.actions import ACTIONS, PUT_KEY_POLICY, Action
from kms_tui.policy.condition_keys import ENCRYPTION_CONTEXT, ENCRYPTION_CONTEXT_KEYS, Presence
from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.describe import condition, listed, printable, quoted
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


# Source: the KMS developer guide (conditions-aws), the IAM user guide (confused-deputy) and AWS's data
# perimeter policy examples.

USED_BY_SERVICES = actions.mask_of(
    action for action in actions.ACTIONS.values() if action.access in (Access.USE, Access.GRANT)
)
"""What services do with keys: use, and grants that let them use it later."""
_NETWORK = frozenset(
    {"aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:sourcevpcarn"}
)
_OF_THE_CALLER = frozenset(
    {
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalaccount",
        "aws:principalarn",
    }
)
_SPARED = {
    "network": frozenset(
        {"aws:viaawsservice", "aws:principalisawsservice", "aws:calledvia", "kms:viaservice"}
    ),
    "caller": frozenset(
        {"aws:principalisawsservice", "aws:principalservicename", "aws:principalservicenameslist"}
    ),
}
"""Keys by which a Deny spares requests of services: those in the caller's name, and those in their own."""


def stopped_services(subject: PolicyUnderTest, each: Effective) -> Iterator[Remark]:
    """A Deny on the network, or on the caller's organization, that services of AWS run into as well."""
    statement = each.statement
    if statement.is_allow or not each.mask & USED_BY_SERVICES:
        return
    keys = {test.key for test in statement.conditions}
    for test in statement.conditions:
        if not _bites_where_absent(test) or (_has_null(statement, test) and test.key != "aws:sourceip"):
            continue
        if test.key in _NETWORK and not keys & _SPARED["network"]:
            sentence = (
                f"A service that uses the key for somebody comes from its own network, not from this "
                f"{printable(test.key_text)}, so this Deny stops it: add Bool aws:ViaAWSService false."
            )
        elif test.key in _OF_THE_CALLER and not keys & _SPARED["caller"] and _names_services(statement):
            sentence = (
                f"A service of AWS has no {printable(test.key_text)}, so this Deny stops it: add Bool "
                "aws:PrincipalIsAWSService false."
            )
        else:
            continue
        severity = Severity.WARN if _lets_services_in(subject, each) else Severity.INFO
        yield Remark("stops-services", severity, sentence, test.span, statement)
        return


def _bites_where_absent(test: ConditionTest) -> bool:
    """Whether a condition is true of a request without the key, or from elsewhere."""
    return test.operator.base.negated or test.asks_for_absence


def _has_null(statement: Statement, test: ConditionTest) -> bool:
    """Whether another condition asks if the key is there at all."""
    return any(
        other is not test and other.key == test.key and other.operator.base.family == "null"
        for other in statement.conditions
    )


def _names_services(statement: Statement) -> bool:
    """Whether a statement is about services, too; a named role or account never is one."""
    return statement.not_principal or any(
        principal.kind in (PrincipalKind.EVERYONE, PrincipalKind.SERVICE)
        for principal in statement.principals
    )


def _lets_services_in(subject: PolicyUnderTest, deny: Effective) -> bool:
    """Whether the policy means services to do what this Deny is about."""
    return any(
        each.statement.names(PrincipalKind.SERVICE)
        or any(
            test.key in ("kms:viaservice", "kms:grantisforawsresource") for test in each.statement.conditions
        )
        for each in subject.allows(deny.mask & USED_BY_SERVICES)
    )


def negated_deny(each: Effective) -> Iterator[Remark]:
    """A Deny that bites requests which never carry the key that it is about."""
    statement = each.statement
    if statement.is_allow or not _reaches_direct_requests(statement):
        return
    for test in statement.conditions:
        if test.operator.base.negated and _is_missed(each, test):
            key = quoted(test.key_text)
            sentence = (
                f"{key} is absent from some of these requests, and this Deny bites them all; add Null: false."
            )
            yield Remark("negated-deny", Severity.INFO, sentence, test.span, statement)


def _reaches_direct_requests(statement: Statement) -> bool:
    """Whether anything but a service for a resource of its own can meet the statement."""
    if not statement.not_principal and all(
        principal.kind is PrincipalKind.SERVICE for principal in statement.principals
    ):
        return False
    return not any(
        _needs_a_source(test) or (test.key == "aws:principalisawsservice" and _asks_for_true(test))
        for test in statement.conditions
    )


def _needs_a_source(test: ConditionTest) -> bool:
    """Whether a condition is true only where a service calls for a resource of its own."""
    return (
        test.key_info.presence is Presence.SERVICE
        and not test.operator.if_exists
        and not _bites_where_absent(test)
    )


def _asks_for_true(test: ConditionTest) -> bool:
    return (
        test.operator.base.family == "bool"
        and bool(test.values)
        and all(text.value.lower() == "true" for text in test.values)
    )


def _is_missed(each: Effective, test: ConditionTest) -> bool:
    """Whether some of the actions come without the key, other than by intent: to use a key only by way of a
    service, or only with an encryption context, is what such a Deny is for.
    """
    presence = test.key_info.presence
    if _has_null(each.statement, test):
        return False
    if presence is Presence.SERVICE:
        return True
    asked = each.mask & actions.KEY_ACTIONS
    if test.key == "kms:viaservice":
        return bool(asked & ~USED_BY_SERVICES & ~actions.LOOKING)
    if test.key.startswith(ENCRYPTION_CONTEXT) or test.key == ENCRYPTION_CONTEXT_KEYS:
        return any(not action.encryption_context for action in actions.in_mask(asked))
    return presence is Presence.OPERATION and bool(asked & (asked - 1))
