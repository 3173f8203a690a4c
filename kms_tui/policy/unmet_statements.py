"""Findings on statements that no request of their principals meets, found by a search of the requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kms_tui.policy import actions, exposure
from kms_tui.policy.actions import PUT_KEY_POLICY, Action
from kms_tui.policy.condition_keys import ENCRYPTION_CONTEXT, Presence
from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.dead_statements import carrying_actions, dead_conditions, needs_its_key
from kms_tui.policy.describe import condition
from kms_tui.policy.document import Statement
from kms_tui.policy.findings import Remark, Severity
from kms_tui.policy.policy_under_test import EffectiveStatement, PolicyUnderTest, applying
from kms_tui.policy.principals import Caller, PrincipalKind
from kms_tui.policy.request_setting import FRESH_SERVICE, Origin
from kms_tui.policy.search import solve


def never_applying(subject: PolicyUnderTest) -> Iterator[Remark]:
    """Statements that no request of their principals meets, though each value alone may be right.

    Those that the guard calls dead for a value, or for a service, are not repeated.
    """
    for each in subject.effective:
        statement = each.statement
        if not statement.conditions or _is_plainly_met(subject, each):
            continue
        callers = _callers(subject, each)
        if not callers or _is_told(subject, statement) or _is_met(subject, each, callers):
            continue
        alone = (
            test
            for test in statement.conditions
            if not _is_met(subject, replace(each, statement=replace(statement, conditions=(test,))), callers)
        )
        blamed = next(alone, None)
        if blamed is not None and _is_for_other_keys(statement, blamed):
            continue
        what = "This Allow gives nothing" if statement.is_allow else "This Deny protects nothing"
        which = "all its conditions" if blamed is None else f"its condition that {condition(blamed)}"
        sentence = f"{what}: no request of its principals meets {which}."
        span = statement.conditions[0].span if blamed is None else blamed.span
        yield Remark("never-applies", Severity.INFO, sentence, span, statement)


_PLAIN_OPERATORS = ("StringEquals", "StringLike", "ArnEquals", "ArnLike", "Bool")
_MANY = (PrincipalKind.EVERYONE, PrincipalKind.ACCOUNT)
_OWN_KINDS = (*_MANY, PrincipalKind.USER, PrincipalKind.ROLE)


def _is_plainly_met(subject: PolicyUnderTest, each: EffectiveStatement) -> bool:
    """Whether no search is needed, as for most statements: they are for identities of the account, and ask
    once each for what any request of these may have beside the others.
    """
    statement = each.statement
    keys = [test.key for test in statement.conditions]
    if len({*keys}) < len(keys) or statement.not_principal:
        return False
    if any(
        who.kind not in _OWN_KINDS or who.account not in ("", subject.account_id)
        for who in statement.principals
    ):
        return False
    has_context = any(key.startswith(ENCRYPTION_CONTEXT) for key in keys)
    if not any(action.encryption_context or not has_context for action in _actions_with_keys(each)):
        return False
    return all(_is_plain(subject, statement, test) for test in statement.conditions)


def _is_plain(subject: PolicyUnderTest, statement: Statement, test: ConditionTest) -> bool:
    """Whether some request meets a condition, whatever the other plain ones ask for."""
    values = [text.value for text in test.values]
    if test.operator.text not in _PLAIN_OPERATORS or not values or any("$" in value for value in values):
        return False
    match test.key:
        case "kms:viaservice":
            ending = f".{subject.region}.amazonaws.com"
            return bool(subject.region) and any(value.endswith(ending) for value in values)
        case "kms:calleraccount":
            return subject.account_id in values
        case "kms:grantisforawsresource":
            return "true" in values
        case "aws:principalarn":
            role = f"arn:{subject.partition}:iam::{subject.account_id}:role/"
            many = all(who.kind in _MANY for who in statement.principals)
            return many and any(value.startswith(role) and value != role for value in values)
        case _:
            return test.key.startswith(ENCRYPTION_CONTEXT)


def _actions_with_keys(each: EffectiveStatement) -> Sequence[Action]:
    """The key actions of a statement whose requests can have every key that its conditions need."""
    mask = each.mask & actions.KEY_ACTIONS
    for test in each.statement.conditions:
        if needs_its_key(test):
            mask &= carrying_actions(test)
    return actions.in_mask(mask)


_OF_MANY_TEXTS = ("aws:resourceaccount", "aws:requestedregion", "aws:securetransport", "kms:multiregion")


def _is_for_other_keys(statement: Statement, test: ConditionTest) -> bool:
    """Whether it is a Deny about what no request to this key has: one text may guard many keys."""
    return not statement.is_allow and test.key in _OF_MANY_TEXTS


def _is_told(subject: PolicyUnderTest, statement: Statement) -> bool:
    """Whether another finding says, or may say, that the statement never applies."""
    if any(test.key_info.presence is Presence.UNKNOWN for test in statement.conditions):
        return True
    return any(remark.rule in ("dead-allow", "dead-deny") for remark in dead_conditions(subject, statement))


_UNKNOWN_CALLERS = (PrincipalKind.UNIQUE_ID, PrincipalKind.PROVIDER)


def _callers(subject: PolicyUnderTest, each: EffectiveStatement) -> list[tuple[Sequence[Caller], Origin]]:
    """Whom a statement means; empty where that is not known, or ``services`` judges it."""
    statement = each.statement
    kinds = {principal.kind for principal in statement.principals}
    if statement.not_principal:
        kinds = {PrincipalKind.EVERYONE}
    of_a_path = PrincipalKind.SESSION in kinds and any(
        test.key == "aws:principalarn" for test in statement.conditions
    )
    if kinds & {*_UNKNOWN_CALLERS} or kinds == {PrincipalKind.SERVICE} or of_a_path:
        return []
    analysis = subject.analysis([each])
    own = [(callers, Origin.OWN) for callers in analysis.own_callers]
    if PrincipalKind.EVERYONE in kinds:
        others = exposure.outsiders(subject, each, exposure.EVERYONE)
        return [*own, (others, Origin.OTHER), ([FRESH_SERVICE], Origin.OTHER)]
    found: list[tuple[Sequence[Caller], Origin]] = []
    for principal in statement.principals:
        if principal.kind is PrincipalKind.SERVICE:
            found.append(([Caller.parse(principal.text)], Origin.OTHER))
        elif principal.account != subject.account_id:
            found.append((exposure.outsiders(subject, each, principal), Origin.OTHER))
        elif principal.kind is PrincipalKind.ACCOUNT:
            found += own
        else:
            found.append(([Caller.parse(principal.text)], Origin.OWN))
    return found


def _is_met(
    subject: PolicyUnderTest, each: EffectiveStatement, callers: Sequence[tuple[Sequence[Caller], Origin]]
) -> bool:
    """Whether a request of one of these callers, now or later, meets the statement."""
    if not each.mask & actions.KEY_ACTIONS:
        return True
    asked = {
        (action.encryption_context, action.name == PUT_KEY_POLICY): action
        for action in _actions_with_keys(each)
    }
    analysis = subject.analysis([each])
    for one, origin in callers:
        for action in asked.values():
            for space in analysis.request_spaces(one, origin, action, any_id=True):
                for literals in applying(space, [each]):
                    domains = [variable.all for variable in space.variables]
                    if solve(domains, [[literal] for literal in literals], space.budget) is not None:
                        return True
    return False
