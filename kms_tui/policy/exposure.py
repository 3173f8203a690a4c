"""Findings on unintended access, and on a Deny that stops more than it seems to."""

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
from kms_tui.policy.json_reader import Span
from kms_tui.policy.lockout import MAX_BLAMED, element_span
from kms_tui.policy.policy_under_test import (
    EffectiveStatement,
    PolicyUnderTest,
    StatementAnalysis,
    applying,
    escaping,
    is_possible,
)
from kms_tui.policy.principals import Caller, Principal, PrincipalKind
from kms_tui.policy.request_setting import FRESH_ROLE, FRESH_SERVICE, FRESH_USER, Origin
from kms_tui.policy.search import solve

_PUT = ACTIONS[PUT_KEY_POLICY]
EVERYONE = Principal(PrincipalKind.EVERYONE, "*", Span(0, 0))
MAX_ACCOUNTS = 20
"""Most accounts mentioned in conditions that are tried."""


def exposures(subject: PolicyUnderTest) -> Iterator[Remark]:
    """Public access, administration from outside, and services without a source condition."""
    for each in subject.allows(actions.KEY_ACTIONS):
        statement = each.statement
        if statement.names(PrincipalKind.EVERYONE) and _is_public(subject, each):
            yield _public(statement)
        else:
            yield from _external_administration(subject, each)
        if statement.names(PrincipalKind.SERVICE):
            yield from _unbound_service(subject, each)


def _is_public(subject: PolicyUnderTest, each: EffectiveStatement) -> bool:
    return any(
        _allowed_actions(subject, each, callers, Origin.STRANGER, actions.KEY_ACTIONS)
        for callers in _strangers(subject, each)
    )


def _strangers(subject: PolicyUnderTest, each: EffectiveStatement) -> Iterator[Sequence[Caller]]:
    """Roles, users and the root user of an account that the policy does not mean; and a service.

    The roles and users have also the names that the conditions mention.
    """
    account = subject.unmentioned_account
    arn = f"arn:{subject.partition}:iam::{account}:"
    analysis = subject.analysis([each])
    yield [Caller.parse(arn + FRESH_ROLE), *analysis.identities(PrincipalKind.ROLE, account)]
    yield [FRESH_SERVICE]
    if not analysis.tests.keys().isdisjoint(_OF_A_KIND_OF_CALLER):
        yield [Caller.parse(arn + FRESH_USER), *analysis.identities(PrincipalKind.USER, account)]
        yield [Caller.parse(f"{arn}root")]


_OF_A_KIND_OF_CALLER = ("aws:username", "aws:userid", "aws:principalarn", "aws:principaltype")
"""Keys by whose values users and the root user differ from roles."""


def _allowed_actions(
    subject: PolicyUnderTest, each: EffectiveStatement, callers: Sequence[Caller], origin: Origin, mask: int
) -> list[Action]:
    """The actions of the mask that the statement gives to one of these callers, after every Deny."""
    found: list[Action] = []
    known: dict[tuple[object, ...], bool] = {}
    for action in actions.in_mask(mask & each.mask):
        denies = subject.denies(action.bit)
        key = (action is _PUT, action.encryption_context, *map(id, denies))
        if key not in known:
            known[key] = _is_allowed(subject, each, callers, origin, action, denies)
        if known[key]:
            found.append(action)
    return found


def _is_allowed(
    subject: PolicyUnderTest,
    each: EffectiveStatement,
    callers: Sequence[Caller],
    origin: Origin,
    action: Action,
    denies: Sequence[EffectiveStatement],
) -> bool:
    analysis = subject.analysis([each, *denies])
    for space in analysis.request_spaces(callers, origin, action, plain_callers=len(callers)):
        asked = applying(space, [each])
        if asked and is_possible(space, asked[0], escaping(space, denies)):
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


def _external_administration(subject: PolicyUnderTest, each: EffectiveStatement) -> Iterator[Remark]:
    """Administration of the key by another account."""
    for reach in _outside_access(subject, each, actions.CHANGING):
        names = listed([action.name for action in reach.actions], 3)
        sentence = f"Another account is given administration of this key: {reach.who} gets {names}."
        yield Remark("external-administration", Severity.WARN, sentence, reach.principal.span, each.statement)
        return


@dataclass(frozen=True, slots=True)
class OutsideAccess:
    """Access that a statement gives to another account; ``who`` is for people."""

    who: str
    actions: tuple[Action, ...]
    principal: Principal
    statement: Statement


def outside_access(subject: PolicyUnderTest) -> Iterator[OutsideAccess]:
    """Access of other accounts with actions that work across accounts; without public statements."""
    for each in subject.allows(actions.CROSS_ACCOUNT):
        if not (each.statement.names(PrincipalKind.EVERYONE) and _is_public(subject, each)):
            yield from _outside_access(subject, each, actions.CROSS_ACCOUNT)


def _outside_access(subject: PolicyUnderTest, each: EffectiveStatement, mask: int) -> Iterator[OutsideAccess]:
    for principal in each.statement.principals:
        for caller in outsiders(subject, each, principal):
            got = _allowed_actions(subject, each, [caller], Origin.OTHER, mask)
            if got:
                yield OutsideAccess(_who(subject, principal, caller), tuple(got), principal, each.statement)
                break


def _who(subject: PolicyUnderTest, principal: Principal, caller: Caller) -> str:
    if principal.kind is not PrincipalKind.EVERYONE:
        return printable(principal.label)
    met = caller.account == subject.unmentioned_account
    return "anyone who meets its conditions" if met else f"account {caller.account}"


def outsiders(subject: PolicyUnderTest, each: EffectiveStatement, principal: Principal) -> list[Caller]:
    """Callers of other accounts that a principal names."""
    if principal.kind is PrincipalKind.EVERYONE:
        analysis = subject.analysis([each])
        accounts = [*_mentioned_accounts(analysis), subject.unmentioned_account]
        return [caller for account in accounts for caller in _of_account(analysis, account)]
    if principal.account in ("", subject.account_id) or principal.kind is PrincipalKind.PROVIDER:
        return []
    if principal.kind is PrincipalKind.ACCOUNT:
        return _of_account(subject.analysis([each]), principal.account)
    return [Caller.parse(principal.text)]


def _of_account(analysis: StatementAnalysis, account: str) -> list[Caller]:
    arn = f"arn:{analysis.subject.partition}:iam::{account}:"
    roles = analysis.identities(PrincipalKind.ROLE, account)
    users = analysis.identities(PrincipalKind.USER, account)
    fresh = (FRESH_ROLE, "root", *([FRESH_USER] if "aws:principaltype" in analysis.tests or users else []))
    return [*(Caller.parse(arn + name) for name in fresh), *roles, *users]


def _mentioned_accounts(analysis: StatementAnalysis) -> list[str]:
    """Other accounts that conditions on the caller's account or ARN mention."""
    found: dict[str, None] = {}
    for key in ("aws:principalaccount", "kms:calleraccount", "aws:principalarn"):
        for test in analysis.tests.get(key, ()):
            for text in test.values:
                parts = text.value.split(":", 5)
                account = parts[4] if len(parts) > 5 else text.value
                if is_account_id(account) and account != analysis.subject.account_id:
                    found[account] = None
    return list(found)[:MAX_ACCOUNTS]


WITHOUT_SOURCE = frozenset({"events.amazonaws.com"})
"""Services that send no source keys: EventBridge to an encrypted topic (SNS guide, sns-key-management)."""


def _unbound_service(subject: PolicyUnderTest, each: EffectiveStatement) -> Iterator[Remark]:
    """Service principals that may use this key for anyone's resources."""
    mask = actions.KEY_ACTIONS & ~actions.LOOKING
    unbound = [
        principal
        for principal in each.statement.principals
        if principal.kind is PrincipalKind.SERVICE
        and _allowed_actions(subject, each, [Caller.parse(principal.text)], Origin.STRANGER, mask)
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


def lost_actions(subject: PolicyUnderTest, *, unconditional: bool) -> Iterator[Remark]:
    """The actions that the account as a whole would lose.

    With ``unconditional`` an action that it keeps only under conditions counts as lost; that is for policies
    that give control of the key without conditions.
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


def _lacking(
    subject: PolicyUnderTest, allows: Sequence[EffectiveStatement], unconditional: bool
) -> list[Action]:
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


def _always_allowed(subject: PolicyUnderTest, covering: Sequence[EffectiveStatement]) -> bool:
    """Whether one of these Allow statements applies to every plain request of the account."""
    analysis = subject.analysis(covering)
    for callers in analysis.own_callers[:3]:
        space = analysis.space(callers, Origin.OWN, _PUT)
        failing = escaping(space, covering, any_principal=True)
        if solve(space.domains(plain=True), failing, space.budget) is not None:
            return False
    return True


def _denied_to_all(subject: PolicyUnderTest) -> Iterator[Remark]:
    """Use, grants or administration denied to everyone; denied deletion and disabling are fine."""
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
                blamed.setdefault(_blamed_deny(subject, denies, action), []).append(action)
    for statement, denied in blamed.items():
        names = listed([action.name for action in denied], 3)
        where = listed([condition(test) for test in statement.conditions], 2)
        sentence = f"{names} would be denied to everyone in the account" + (
            f" where {where}." if where else "."
        )
        span = element_span(statement, "Action")
        yield Remark("denied-to-all", Severity.WARN, sentence, span, statement)


def _blamed_deny(subject: PolicyUnderTest, denies: Sequence[EffectiveStatement], action: Action) -> Statement:
    """The Deny that no request escapes; the last one if only several together stop all."""
    alone = (each for each in denies[:MAX_BLAMED] if not _escapable(subject, [each], action))
    return next(alone, denies[-1]).statement


def _could_cover_all(statement: Statement) -> bool:
    """Whether it names others than single identities."""
    return statement.not_principal or any(not principal.is_identity for principal in statement.principals)


def _escapable(subject: PolicyUnderTest, denies: Sequence[EffectiveStatement], action: Action) -> bool:
    """Whether a request of the account escapes these Denies."""
    analysis = subject.analysis(denies)
    for callers in analysis.own_callers:
        for space in analysis.request_spaces(callers, Origin.OWN, action):
            escapes = escaping(space, denies)
            if solve(space.domains(), escapes, space.budget) is not None:
                return True
    return False


# Source: the KMS developer guide (conditions-aws), the IAM user guide (confused-deputy) and AWS's data
# perimeter policy examples.

USED_BY_SERVICES = actions.mask_of(
    action for action in actions.ACTIONS.values() if action.access in (Access.USE, Access.GRANT)
)
"""The actions of services: use, and grants for later use."""
_NETWORK = frozenset(
    {"aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:sourcevpcarn"}
)
_OF_THE_CALLER = frozenset(
    {"aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn"}
)
_EXCEPTIONS = {
    "network": frozenset(
        {"aws:viaawsservice", "aws:principalisawsservice", "aws:calledvia", "kms:viaservice"}
    ),
    "caller": frozenset(
        {"aws:principalisawsservice", "aws:principalservicename", "aws:principalservicenameslist"}
    ),
}
"""Keys that except services from a Deny: for requests in the caller's name, and in their own."""


def stopped_services(subject: PolicyUnderTest, each: EffectiveStatement) -> Iterator[Remark]:
    """A Deny on the network, or on the caller's organization, that stops AWS services, too."""
    statement = each.statement
    if statement.is_allow or not each.mask & USED_BY_SERVICES:
        return
    keys = {test.key for test in statement.conditions}
    for test in statement.conditions:
        if not _holds_without_key(test) or (_has_null(statement, test) and test.key != "aws:sourceip"):
            continue
        if test.key in _NETWORK and not keys & _EXCEPTIONS["network"]:
            sentence = (
                f"A service that uses the key for someone calls from its own network, not from this "
                f"{printable(test.key_text)}, so this Deny stops it: add Bool aws:ViaAWSService false."
            )
        elif test.key in _OF_THE_CALLER and not keys & _EXCEPTIONS["caller"] and _names_services(statement):
            sentence = (
                f"An AWS service has no {printable(test.key_text)}, so this Deny stops it: add Bool "
                "aws:PrincipalIsAWSService false."
            )
        else:
            continue
        severity = Severity.WARN if _lets_services_in(subject, each) else Severity.INFO
        yield Remark("stops-services", severity, sentence, test.span, statement)
        return


def _holds_without_key(test: ConditionTest) -> bool:
    """Whether a condition is true for a request without the key."""
    return test.operator.base.negated or test.asks_for_absence


def _has_null(statement: Statement, test: ConditionTest) -> bool:
    """Whether another condition checks that the key is present."""
    return any(
        other is not test and other.key == test.key and other.operator.base.family == "null"
        for other in statement.conditions
    )


def _names_services(statement: Statement) -> bool:
    """Whether a statement also covers services; a named role or account never is one."""
    return statement.not_principal or any(
        principal.kind in (PrincipalKind.EVERYONE, PrincipalKind.SERVICE)
        for principal in statement.principals
    )


def _lets_services_in(subject: PolicyUnderTest, deny: EffectiveStatement) -> bool:
    """Whether the policy lets services do the denied actions."""
    return any(
        each.statement.names(PrincipalKind.SERVICE)
        or any(
            test.key in ("kms:viaservice", "kms:grantisforawsresource") for test in each.statement.conditions
        )
        for each in subject.allows(deny.mask & USED_BY_SERVICES)
    )


def negated_deny(each: EffectiveStatement) -> Iterator[Remark]:
    """A Deny that also applies to requests that never have its condition key."""
    statement = each.statement
    if statement.is_allow or not _reaches_direct_requests(statement):
        return
    for test in statement.conditions:
        if test.operator.base.negated and _is_missed(each, test):
            key = quoted(test.key_text)
            sentence = (
                f"{key} is absent from some of these requests, and this Deny stops them all; add Null: false."
            )
            yield Remark("negated-deny", Severity.INFO, sentence, test.span, statement)


def _reaches_direct_requests(statement: Statement) -> bool:
    """Whether requests other than a service's for its own resource can meet the statement."""
    if not statement.not_principal and all(
        principal.kind is PrincipalKind.SERVICE for principal in statement.principals
    ):
        return False
    return not any(
        _needs_a_source(test) or (test.key == "aws:principalisawsservice" and _asks_for_true(test))
        for test in statement.conditions
    )


def _needs_a_source(test: ConditionTest) -> bool:
    """Whether a condition is true only for a service that calls for its own resource."""
    return (
        test.key_info.presence is Presence.SERVICE
        and not test.operator.if_exists
        and not _holds_without_key(test)
    )


def _asks_for_true(test: ConditionTest) -> bool:
    return (
        test.operator.base.family == "bool"
        and bool(test.values)
        and all(text.value.lower() == "true" for text in test.values)
    )


def _is_missed(each: EffectiveStatement, test: ConditionTest) -> bool:
    """Whether requests for some of the actions lack the key, and not by intent.

    It is intent where a Deny limits use to requests through a service, or with an encryption context.
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
