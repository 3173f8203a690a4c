"""The lockout guard: can the account always arrange a request that changes the key policy again?

Not: does the text name the account. Counted are the root user, and the users and roles that an IAM
administrator can create again; allowed must they be by a statement whose principal is the account or
everyone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kms_tui.policy.actions import ACTIONS, PUT_KEY_POLICY
from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.describe import condition, listed, printable
from kms_tui.policy.document import Statement
from kms_tui.policy.evaluation import named
from kms_tui.policy.findings import Remark, Severity
from kms_tui.policy.json_reader import Span
from kms_tui.policy.operators import isoformat
from kms_tui.policy.policy_under_test import (
    Effective,
    Inquiry,
    PolicyUnderTest,
    applying,
    escaping,
    is_possible,
)
from kms_tui.policy.principals import Caller, PrincipalKind
from kms_tui.policy.request_space import RequestSpace
from kms_tui.policy.search import Clause, Literal, solve
from kms_tui.policy.setting import Origin

_PUT = ACTIONS[PUT_KEY_POLICY]
_ROOT = PrincipalKind.ACCOUNT
MAX_BLAMED = 40
"""Among as many statements or conditions the one to blame is looked for."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Where control of an unremarkable caller fails: a statement, and the conditions on which it turns."""

    kind: PrincipalKind
    statement: Statement
    tests: tuple[ConditionTest, ...]
    only_later: bool


def control(subject: PolicyUnderTest) -> Iterator[Remark]:
    """Whether, and under which circumstances, the account keeps kms:PutKeyPolicy."""
    allows = [each for each in subject.allows(_PUT.bit) if subject.is_account_level(each.statement)]
    if not allows:
        yield _nobody(subject)
        return
    denies = subject.denies(_PUT.bit)
    callers_by_kind = subject.inquiry([*allows, *denies]).own_callers
    able = {callers[0].kind for callers in callers_by_kind if _can(subject, callers, allows, denies)}
    if not able:
        yield _blocked(subject, allows, denies)
        return
    if not any(each.sure for each in allows):
        statement = allows[0].statement
        sentence = "The account controls the key only if this Resource is its ARN, which is not known here."
        yield Remark(
            "resource-unknown", Severity.WARN, sentence, element_span(statement, "Resource"), statement
        )
    found = [_turn(subject, callers, allows, denies) for callers in callers_by_kind[:3]]
    turns = [turn for turn in found if turn is not None]
    if turns:
        yield _conditional(subject, able, turns)


def _can(
    subject: PolicyUnderTest,
    callers: Sequence[Caller],
    allows: Sequence[Effective],
    denies: Sequence[Effective],
) -> bool:
    """Whether one of these callers has a request that works now."""
    for world in subject.inquiry([*allows, *denies]).worlds(callers, Origin.OWN, _PUT):
        asked = applying(world, allows, any_principal=True)
        escapes = escaping(world, denies)
        if any(is_possible(world, literals, escapes) for literals in asked):
            return True
    return False


def _turn(
    subject: PolicyUnderTest,
    callers: Sequence[Caller],
    allows: Sequence[Effective],
    denies: Sequence[Effective],
) -> Turn | None:
    """A plain request of the unremarkable caller that does not work; None if all do."""
    world = subject.inquiry([*allows, *denies]).world(callers, Origin.OWN, _PUT)
    kind = callers[0].kind
    for each in denies:
        literals = world.statement(each.statement)
        if literals is not None and _holds_plainly(world, literals):
            return _turned(world, each.statement, kind)
    failing = escaping(world, allows, any_principal=True)
    if solve(world.domains(plain=True), failing, world.budget) is None:
        return None
    return _turned(world, allows[0].statement, kind)


def _holds_plainly(world: RequestSpace, literals: Sequence[Literal]) -> bool:
    clauses: list[Clause] = [[literal] for literal in literals]
    return solve(world.domains(plain=True), clauses, world.budget) is not None


def _turned(world: RequestSpace, statement: Statement, kind: PrincipalKind) -> Turn:
    """The conditions of the statement that are neither always true nor always false for a plain request."""
    open_tests: list[ConditionTest] = []
    domains = world.domains(plain=True)
    for test in statement.conditions:
        variable, mask = world.condition(test)
        if domains[variable] & mask != domains[variable] or not statement.is_allow:
            open_tests.append(test)
    clock = all(test.key in ("aws:currenttime", "aws:epochtime") for test in open_tests)
    return Turn(kind, statement, tuple(open_tests), bool(open_tests) and clock)


def _conditional(subject: PolicyUnderTest, able: set[PrincipalKind], turns: Sequence[Turn]) -> Remark:
    """Control is kept, but not always: say by whom, until when, or under which conditions."""
    turn = turns[0]
    failing = {each.kind for each in turns}
    allows = turn.statement.is_allow
    told = [condition(test, holds=allows) for test in dict.fromkeys(turn.tests)]
    conditions = listed(told, word="and" if allows else "or") or "this statement"
    span = turn.tests[0].span if turn.tests else turn.statement.span
    if able == {_ROOT}:
        rule, sentence = "root-only", "Only the root user of the account could change this policy again."
    elif _ROOT not in able:
        rule = "root-denied"
        sentence = f"The root user could not change this policy; control turns on {conditions}."
    elif turn.only_later:
        rule = "until-date"
        later = [limit for test in turn.tests for limit in test.limits if limit > subject.now]
        when = f" until {isoformat(min(later))}" if later else ""
        sentence = f"The account keeps control{when} only: it turns on {conditions}."
    else:
        rule = "conditional-control"
        who = "The account" if _ROOT in failing else "All but the root user of the account"
        sentence = f"{who} could change this policy only under conditions: it turns on {conditions}."
    return Remark(rule, Severity.WARN, sentence, span, turn.statement)


def _nobody(subject: PolicyUnderTest) -> Remark:
    """No statement gives the account, or everyone, the right to change the policy: say which comes near."""
    rule, severity = "no-account-control", Severity.REFUSE
    for statement in subject.document.statements:
        if statement.is_allow and subject.is_account_level(statement):
            return Remark(rule, severity, *_falls_short(subject, statement), statement)
    arn = f"arn:{subject.partition}:iam::{subject.account_id}:root"
    for each in subject.allows(_PUT.bit):
        names = listed([principal.label for principal in each.statement.principals], 3)
        sentence = (
            f"Only {printable(names)} could change this policy: once that is gone, nobody could. "
            f"Keep a statement that allows kms:* to {arn}."
        )
        return Remark(rule, severity, sentence, each.statement.span, each.statement)
    sentence = f"No statement lets the account change this policy again. Add one that allows kms:* to {arn}."
    return Remark(rule, severity, sentence, subject.document.end)


def _falls_short(subject: PolicyUnderTest, statement: Statement) -> tuple[str, Span]:
    """Why a statement for the account does not keep control, and where."""
    if not statement.actions:
        return (
            "The account's statement has no Action, so it allows nothing: nobody could change this policy.",
            (statement.span),
        )
    if not statement.resources:
        return (
            "The account's statement has no Resource, so it allows nothing: nobody could change this policy.",
            (statement.span),
        )
    if subject.covers(statement) is False:
        sentence = "The Resource of the account's statement is not this key: nobody could change this policy."
        return sentence, element_span(statement, "Resource")
    sentence = (
        "The account's statement does not include kms:PutKeyPolicy: nobody could change this policy again."
    )
    return sentence, element_span(statement, "Action")


def _blocked(subject: PolicyUnderTest, allows: Sequence[Effective], denies: Sequence[Effective]) -> Remark:
    """Control is allowed on paper, but no request gets through: blame a Deny, or the Allow's own
    conditions.
    """
    for each in denies[:MAX_BLAMED]:
        callers_by_kind = subject.inquiry([*allows, each]).own_callers
        if not any(_can(subject, callers, allows, [each]) for callers in callers_by_kind):
            statement = each.statement
            because = (
                f", where {listed([condition(test) for test in statement.conditions])},"
                if (statement.conditions)
                else ""
            )
            sentence = f"This Deny{because} leaves nobody in the account who could change the policy again."
            return Remark("denied-control", Severity.REFUSE, sentence, statement.span, statement)
    statement = allows[0].statement
    inquiry = subject.inquiry([*allows, *denies])
    for test in statement.conditions[:MAX_BLAMED]:
        if _never(inquiry, test):
            sentence = (
                f"Nobody in the account could change the policy again: it is never so that {condition(test)}."
            )
            return Remark("unmeetable-control", Severity.REFUSE, sentence, test.span, statement)
    sentence = "Together the conditions leave nobody in the account who could change the policy again."
    return Remark("unmeetable-control", Severity.REFUSE, sentence, statement.span, statement)


def _never(inquiry: Inquiry, test: ConditionTest) -> bool:
    """Whether a condition is false for every request for control that the account can make."""
    for callers in inquiry.own_callers:
        for world in inquiry.worlds(callers, Origin.OWN, _PUT):
            variable, mask = world.condition(test)
            if world.domains()[variable] & mask:
                return False
    return True


def element_span(statement: Statement, element: str) -> Span:
    """The place of an element's name (or of its Not form); of the statement where it has neither."""
    return statement.elements.get(element) or statement.elements.get(f"Not{element}") or statement.span


def loss(subject: PolicyUnderTest, caller_arn: str) -> Iterator[Remark]:
    """Whether the caller itself could still change the policy, as PutKeyPolicy's own check asks."""
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
    inquiry = subject.inquiry([*allows, *denies])
    callers = _likely(inquiry, caller)
    for world in inquiry.worlds(callers, Origin.OWN, _PUT, plain_callers=len(callers), any_id=True):
        escapes = escaping(world, denies)
        if any(is_possible(world, literals, escapes) for literals in applying(world, allows)):
            return
    denying = next((each.statement for each in denies if _admits(each.statement, callers)), None)
    sentence = "You yourself lose access by this policy: KMS will reject this save."
    yield Remark("caller-loses-access", Severity.WARN, sentence, denying.span if denying else end, denying)


def _likely(inquiry: Inquiry, caller: Caller) -> list[Caller]:
    """The caller; of a session also as the roles of that name which the policy mentions, as its ARN lacks
    the path.
    """
    if caller.kind is not PrincipalKind.SESSION:
        return [caller]
    named_roles = [role for callers in inquiry.own_callers for role in callers if role.name == caller.name]
    return [caller, *(role for role in named_roles if role.kind is PrincipalKind.ROLE)]


def _admits(statement: Statement, callers: Sequence[Caller]) -> bool:
    return any(named(statement, caller) is not None for caller in callers)
