"""The lockout guard: whether the account can always make a request that changes the key policy again.

It does not ask whether the text names the account. It considers the root user, and the users and roles that
an IAM administrator can create again; a statement for the account or for everyone must allow them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kms_tui.policy.actions import ACTIONS, PUT_KEY_POLICY
from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.describe import condition, listed, printable
from kms_tui.policy.document import Statement
from kms_tui.policy.evaluation import named_via
from kms_tui.policy.findings import Remark, Severity
from kms_tui.policy.json_reader import Span
from kms_tui.policy.operators import isoformat
from kms_tui.policy.policy_under_test import (
    EffectiveStatement,
    PolicyUnderTest,
    StatementAnalysis,
    applying,
    escaping,
    is_possible,
)
from kms_tui.policy.principals import Caller, PrincipalKind
from kms_tui.policy.request_setting import Origin
from kms_tui.policy.request_space import RequestSpace
from kms_tui.policy.search import Clause, Literal, solve

_PUT = ACTIONS[PUT_KEY_POLICY]
_ROOT = PrincipalKind.ACCOUNT
MAX_BLAMED = 40
"""Most statements or conditions that are searched for the one to blame."""


@dataclass(frozen=True, slots=True)
class ControlFailure:
    """Where control by an unremarkable caller fails: a statement, and the conditions that decide."""

    kind: PrincipalKind
    statement: Statement
    tests: tuple[ConditionTest, ...]
    only_later: bool


def account_control(subject: PolicyUnderTest) -> Iterator[Remark]:
    """Whether, and for which requests, the account keeps kms:PutKeyPolicy."""
    allows = [each for each in subject.allows(_PUT.bit) if subject.is_account_level(each.statement)]
    if not allows:
        yield _nobody(subject)
        return
    whole = next((each for each in allows if each.sure and not each.statement.conditions), None)
    if whole is not None:  # the conditions of the others take nothing away
        allows = [whole]
    denies = subject.denies(_PUT.bit)
    callers_by_kind = subject.analysis([*allows, *denies]).own_callers
    able = {callers[0].kind for callers in callers_by_kind if _can_change(subject, callers, allows, denies)}
    if not able:
        yield _blocked(subject, allows, denies)
        return
    if not any(each.sure for each in allows):
        statement = allows[0].statement
        sentence = "The account controls the key only if this Resource is its ARN, which is not known here."
        yield Remark(
            "resource-unknown", Severity.WARN, sentence, element_span(statement, "Resource"), statement
        )
    found = [_control_failure(subject, callers, allows, denies) for callers in callers_by_kind[:3]]
    failures = [failure for failure in found if failure is not None]
    if failures:
        yield _conditional(subject, able, failures)


def _can_change(
    subject: PolicyUnderTest,
    callers: Sequence[Caller],
    allows: Sequence[EffectiveStatement],
    denies: Sequence[EffectiveStatement],
) -> bool:
    """Whether one of these callers can make a request that works now."""
    for space in subject.analysis([*allows, *denies]).request_spaces(callers, Origin.OWN, _PUT):
        asked = applying(space, allows, any_principal=True)
        escapes = escaping(space, denies)
        if any(is_possible(space, literals, escapes) for literals in asked):
            return True
    return False


def _control_failure(
    subject: PolicyUnderTest,
    callers: Sequence[Caller],
    allows: Sequence[EffectiveStatement],
    denies: Sequence[EffectiveStatement],
) -> ControlFailure | None:
    """Why a plain request of the unremarkable caller does not work; None if all work."""
    space = subject.analysis([*allows, *denies]).space(callers, Origin.OWN, _PUT)
    kind = callers[0].kind
    for each in denies:
        literals = space.statement(each.statement)
        if literals is not None and _holds_plainly(space, literals):
            return _failure_at(space, each.statement, kind)
    failing = escaping(space, allows, any_principal=True)
    if solve(space.domains(plain=True), failing, space.budget) is None:
        return None
    return _failure_at(space, allows[0].statement, kind)


def _holds_plainly(space: RequestSpace, literals: Sequence[Literal]) -> bool:
    clauses: list[Clause] = [[literal] for literal in literals]
    return solve(space.domains(plain=True), clauses, space.budget) is not None


def _failure_at(space: RequestSpace, statement: Statement, kind: PrincipalKind) -> ControlFailure:
    """The conditions of the statement that are neither always true nor always false for a plain request."""
    open_tests: list[ConditionTest] = []
    literals = [space.condition(test) for test in statement.conditions]
    domains = space.domains(plain=True)
    for test, (variable, mask) in zip(statement.conditions, literals, strict=True):
        if domains[variable] & mask != domains[variable] or not statement.is_allow:
            open_tests.append(test)
    clock = all(test.key in ("aws:currenttime", "aws:epochtime") for test in open_tests)
    return ControlFailure(kind, statement, tuple(open_tests), bool(open_tests) and clock)


def _conditional(
    subject: PolicyUnderTest, able: set[PrincipalKind], failures: Sequence[ControlFailure]
) -> Remark:
    """Control is kept, but not always: by whom, until when, or under which conditions."""
    failure = failures[0]
    failing = {each.kind for each in failures}
    allows = failure.statement.is_allow
    clauses = [condition(test, holds=allows) for test in dict.fromkeys(failure.tests)]
    conditions = listed(clauses, word="and" if allows else "or")
    depends = f"it depends on {f'whether {conditions}' if conditions else 'this statement'}"
    span = failure.tests[0].span if failure.tests else failure.statement.span
    if able == {_ROOT}:
        rule, sentence = "root-only", "Only the root user of the account could change this policy again."
    elif _ROOT not in able:
        rule = "root-denied"
        sentence = f"The root user could not change this policy; for others {depends}."
    elif failure.only_later:
        rule = "until-date"
        later = [limit for test in failure.tests for limit in test.limits if limit > subject.now]
        when = f" until {isoformat(min(later))}" if later else ""
        sentence = f"The account keeps control{when} only: {depends}."
    else:
        rule = "conditional-control"
        who = "The account" if _ROOT in failing else "All but the root user of the account"
        sentence = f"{who} could change this policy only under conditions: {depends}."
    return Remark(rule, Severity.WARN, sentence, span, failure.statement)


def _nobody(subject: PolicyUnderTest) -> Remark:
    """No statement lets the account, or everyone, change the policy: name the nearest statement."""
    rule, severity = "no-account-control", Severity.REFUSE
    for statement in subject.document.statements:
        if statement.is_allow and subject.is_account_level(statement):
            return Remark(rule, severity, *_shortfall(subject, statement), statement)
    arn = f"arn:{subject.partition}:iam::{subject.account_id}:root"
    for each in subject.allows(_PUT.bit):
        names = listed([principal.label for principal in each.statement.principals], 3)
        sentence = (
            f"Only {printable(names)} could change this policy; once deleted, no one could. "
            f"Keep a statement that allows kms:* to {arn}."
        )
        return Remark(rule, severity, sentence, each.statement.span, each.statement)
    sentence = f"No statement lets the account change this policy again. Add one that allows kms:* to {arn}."
    return Remark(rule, severity, sentence, subject.document.end)


def _shortfall(subject: PolicyUnderTest, statement: Statement) -> tuple[str, Span]:
    """Why a statement for the account does not keep control, and where."""
    if not statement.actions:
        return (
            "The account's statement has no Action, so it allows nothing: no one could change this policy.",
            (statement.span),
        )
    if not statement.resources:
        return (
            "The account's statement has no Resource, so it allows nothing: no one could change this policy.",
            (statement.span),
        )
    if subject.covers(statement) is False:
        sentence = "The Resource of the account's statement is not this key: no one could change this policy."
        return sentence, element_span(statement, "Resource")
    sentence = (
        "The account's statement does not include kms:PutKeyPolicy: no one could change this policy again."
    )
    return sentence, element_span(statement, "Action")


def _blocked(
    subject: PolicyUnderTest, allows: Sequence[EffectiveStatement], denies: Sequence[EffectiveStatement]
) -> Remark:
    """A statement allows control, but no request succeeds: blame a Deny, or the Allow's own conditions."""
    for each in denies[:MAX_BLAMED]:
        callers_by_kind = subject.analysis([*allows, each]).own_callers
        if not any(_can_change(subject, callers, allows, [each]) for callers in callers_by_kind):
            statement = each.statement
            because = (
                f", where {listed([condition(test) for test in statement.conditions])},"
                if (statement.conditions)
                else ""
            )
            sentence = f"This Deny{because} leaves no one in the account who could change the policy again."
            return Remark("denied-control", Severity.REFUSE, sentence, statement.span, statement)
    statement = allows[0].statement
    analysis = subject.analysis([*allows, *denies])
    for test in statement.conditions[:MAX_BLAMED]:
        if _never(analysis, test):
            sentence = (
                f"No one in the account could change the policy again: this is never true: {condition(test)}."
            )
            return Remark("unmeetable-control", Severity.REFUSE, sentence, test.span, statement)
    sentence = "Together the conditions leave no one in the account who could change the policy again."
    return Remark("unmeetable-control", Severity.REFUSE, sentence, statement.span, statement)


def _never(analysis: StatementAnalysis, test: ConditionTest) -> bool:
    """Whether a condition is false for every PutKeyPolicy request that the account can make."""
    for callers in analysis.own_callers:
        for space in analysis.request_spaces(callers, Origin.OWN, _PUT):
            variable, mask = space.condition(test)
            if space.domains()[variable] & mask:
                return False
    return True


def element_span(statement: Statement, element: str) -> Span:
    """The place of an element's name or its Not form; else that of the statement."""
    return statement.elements.get(element) or statement.elements.get(f"Not{element}") or statement.span


def caller_loss(subject: PolicyUnderTest, caller_arn: str) -> Iterator[Remark]:
    """A finding if the caller itself could not change the policy again: PutKeyPolicy's own check."""
    try:
        caller = Caller.parse(caller_arn)
    except ValueError:
        return
    end = subject.document.end
    if caller.kind is PrincipalKind.SERVICE or caller.account != subject.account_id:
        sentence = "You call from another account, and kms:PutKeyPolicy does not work across accounts."
        yield Remark("caller-loses-access", Severity.WARN, sentence, end)
        return
    denies = subject.denies(_PUT.bit)
    allows = subject.allows(_PUT.bit)
    analysis = subject.analysis([*allows, *denies])
    callers = _likely(analysis, caller)
    for space in analysis.request_spaces(callers, Origin.OWN, _PUT, plain_callers=len(callers), any_id=True):
        escapes = escaping(space, denies)
        if any(is_possible(space, literals, escapes) for literals in applying(space, allows)):
            return
    denying = next((each.statement for each in denies if _admits(each.statement, callers)), None)
    sentence = "You yourself lose access by this policy: KMS will reject this save."
    yield Remark("caller-loses-access", Severity.WARN, sentence, denying.span if denying else end, denying)


def _likely(analysis: StatementAnalysis, caller: Caller) -> list[Caller]:
    """The caller; for a session also the mentioned roles of its name, since its ARN lacks the path."""
    if caller.kind is not PrincipalKind.SESSION:
        return [caller]
    named_roles = [role for callers in analysis.own_callers for role in callers if role.name == caller.name]
    return [caller, *(role for role in named_roles if role.kind is PrincipalKind.ROLE)]


def _admits(statement: Statement, callers: Sequence[Caller]) -> bool:
    return any(named_via(statement, caller) is not None for caller in callers)
