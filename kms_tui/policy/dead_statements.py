"""Findings on what has no effect: values that never match, services that never meet a statement, statements
that another one includes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kms_tui.policy import actions, evaluation, forms
from kms_tui.policy.condition_keys import Presence
from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.describe import listed, printable, quoted
from kms_tui.policy.document import Statement
from kms_tui.policy.findings import Remark, Severity
from kms_tui.policy.operators import FOR_ALL, Spelled
from kms_tui.policy.policy_under_test import EffectiveStatement, PolicyUnderTest, applying
from kms_tui.policy.principals import Caller, PrincipalKind
from kms_tui.policy.request_setting import Origin

MAX_COMPARED = 40
"""Largest number of statements that are compared for redundancy."""


def dead_conditions(subject: PolicyUnderTest, statement: Statement) -> Iterator[Remark]:
    """Values that never match, and statements that therefore have no effect."""
    mask = evaluation.action_mask(statement, subject.matching) & actions.KEY_ACTIONS
    is_dead = False
    for test in statement.conditions:
        found = forms.dead_values(test)
        if not is_dead and mask and not mask & carrying_actions(test) and needs_its_key(test):
            is_dead = True
            yield _never_carried(statement, test)
        elif not is_dead and found and _never_holds(test, len(found)):
            is_dead = True
            yield _dead_statement(statement, test, _because(test, found[0]))
        elif found:
            sentence = f"{_because(test, found[0])}: this value never matches."
            yield Remark("dead-value", Severity.INFO, sentence, test.span, statement)
        else:
            yield from _operator_type(statement, test)


def carrying_actions(test: ConditionTest) -> int:
    """The actions whose requests can have a condition's key."""
    named = [actions.ACTIONS[actions.PREFIX + name] for name in test.key_info.actions]
    return actions.mask_of(named) if named else actions.ALL


def needs_its_key(test: ConditionTest) -> bool:
    """Whether a condition is false for every request without its key."""
    if test.operator.base.family == "null":
        return test.asks_for_presence
    return not _is_met_without(test.operator)


def _never_carried(statement: Statement, test: ConditionTest) -> Remark:
    named = listed([actions.PREFIX + name for name in test.key_info.actions], 3)
    because = f"{printable(test.key_text)} is in requests for {named} only"
    return _dead_statement(statement, test, because)


def _never_holds(test: ConditionTest, dead_count: int) -> bool:
    """Whether a condition with this number of dead values is false for every request."""
    return dead_count == len(test.values) and not _is_met_without(test.operator)


def _is_met_without(operator: Spelled) -> bool:
    """Whether an operator may be true without a matching value."""
    return operator.base.negated or operator.if_exists or operator.qualifier == FOR_ALL


def _because(test: ConditionTest, value: forms.DeadValue) -> str:
    key = printable(test.key_text)
    if forms.is_mismatch(test):
        return f"{test.operator.base.name} cannot read {key}, which is {value.words}"
    words = value.words + (f", as in {value.example}" if value.example else "")
    if test.operator.base.family in ("string", "like"):
        return f"{key} is {words}, and never {quoted(value.value)}"
    return f"{test.operator.base.name} needs {words}; {quoted(value.value)} is not"


def _dead_statement(statement: Statement, test: ConditionTest, because: str) -> Remark:
    if statement.is_allow:
        sentence = f"This Allow gives nothing, as its condition is never true: {because}."
        return Remark("dead-allow", Severity.WARN, sentence, test.span, statement)
    sentence = f"This Deny protects nothing, as its condition is never true: {because}."
    return Remark("dead-deny", Severity.WARN, sentence, test.span, statement)


def _operator_type(statement: Statement, test: ConditionTest) -> Iterator[Remark]:
    """Operators of another type than the key's, and multivalued keys without a set operator."""
    info, operator = test.key_info, test.operator
    if info.presence is Presence.UNKNOWN or operator.base.family == "null":
        return
    if info.multivalued and not operator.qualifier:
        sentence = (
            f"{printable(test.key_text)} can have several values: put ForAnyValue: or ForAllValues: before "
            f"{operator.base.name}."
        )
        yield Remark("needs-set-operator", Severity.INFO, sentence, test.span, statement)
    wanted = _OPERATORS.get(info.kind)
    if wanted and _is_other_type(operator, info.kind):
        sentence = f"{operator.base.name} compares {printable(test.key_text)} as another type; use {wanted}."
        yield Remark("operator-type", Severity.INFO, sentence, test.span, statement)


_OPERATORS = {
    "bool": "Bool",
    "numeric": "a Numeric operator",
    "date": "a Date operator",
    "time": "a Date or Numeric operator",
    "ip": "IpAddress or NotIpAddress",
}
"""Kind of key -> the operators for it."""


def _is_other_type(operator: Spelled, kind: str) -> bool:
    return operator.base.family in ("string", "like") and kind in _OPERATORS


def services(
    subject: PolicyUnderTest, each: EffectiveStatement, suggestions: Iterator[int]
) -> Iterator[Remark]:
    """Unknown service principals, and those that never meet the statement's conditions."""
    statement = each.statement
    yield from _via_services(subject, statement, suggestions)
    for principal in statement.principals:
        if principal.kind is not PrincipalKind.SERVICE:
            continue
        fault = _fault(subject, principal.text, suggestions)
        if fault:
            sentence = f"{quoted(principal.text)} is not a service principal: {fault}"
            yield Remark("unknown-service", Severity.WARN, sentence, principal.span, statement)
        elif _may_be_never(statement) and not _is_met_by_service(subject, each, principal.text):
            keys = [test.key_text for test in statement.conditions if _is_of_a_principal(test)]
            because = f": it has no {listed([printable(key) for key in keys], 2, 'or')}" if keys else ""
            word = "gives it nothing" if statement.is_allow else "does not apply to it"
            sentence = f"{printable(principal.text)} never meets these conditions, so this {word}{because}."
            yield Remark("service-never", Severity.WARN, sentence, principal.span, statement)


def _fault(subject: PolicyUnderTest, host: str, suggestions: Iterator[int]) -> str:
    from kms_tui.policy import principals  # a long table, and not every policy names a service

    if len(host) >= 100:
        return ""
    return principals.service_fault(host, subject.partition, subject.region, suggestions)


def _via_services(
    subject: PolicyUnderTest, statement: Statement, suggestions: Iterator[int]
) -> Iterator[Remark]:
    """Values of kms:ViaService that name an unknown service, or one of another partition."""
    for test in statement.conditions:
        if test.key != "kms:viaservice" or forms.dead_values(test):
            continue
        for text in test.values:
            host = _in_a_region(text.value, subject.region or "us-east-1")
            fault = _fault(subject, host, suggestions) if host else ""
            if fault:
                sentence = f"{quoted(text.value)} is not a service for {printable(test.key_text)}: {fault}"
                yield Remark("unknown-service", Severity.WARN, sentence, text.span, statement)


def _in_a_region(text: str, region: str) -> str:
    """A value of kms:ViaService with the Region for the label with wildcards; "" where more is open."""
    service, *labels = text.split(".")
    labels = [region if set(label) & set("*?") else label for label in labels]
    host = ".".join([service, *labels])
    return "" if set(host) & set("*?$") or labels.count(region) > 1 else host


def _may_be_never(statement: Statement) -> bool:
    """Whether a service may fail conditions that others can meet. It can meet those about the source or the
    operation; the guides do not say what kms:CallerAccount is for a service.
    """
    of_services = (Presence.SERVICE, Presence.OPERATION)
    if all(test.key_info.presence in of_services for test in statement.conditions):
        return False
    return not any(
        test.key == "kms:calleraccount" or _never_holds(test, len(forms.dead_values(test)))
        for test in statement.conditions
    )


def _is_of_a_principal(test: ConditionTest) -> bool:
    return test.key_info.follows_caller or test.key_info.presence is Presence.IDENTITY


def _is_met_by_service(subject: PolicyUnderTest, each: EffectiveStatement, host: str) -> bool:
    """Whether a request of the service, for anyone's resource, meets the statement's conditions."""
    caller = Caller.parse(host)
    asked = actions.in_mask(each.mask & actions.KEY_ACTIONS)
    analysis = subject.analysis([each])
    for action in {action.encryption_context: action for action in asked}.values():
        for space in analysis.request_spaces([caller], Origin.OTHER, action, plain_callers=1):
            if applying(space, [each]):
                return True
    return not asked


class _Content(NamedTuple):
    """The content of a statement, for comparison with others."""

    statement: Statement
    mask: int
    who: frozenset[tuple[PrincipalKind, str]]
    conditions: frozenset[tuple[str, str, frozenset[str]]]

    def covers(self, other: _Content) -> bool:
        """Whether this includes all of the other; of two equal ones, the first does."""
        one, two = self.statement, other.statement
        if other.mask & ~self.mask or not other.who <= self.who or not self.conditions <= other.conditions:
            return False
        if one.effect != two.effect or _resources(one) != _resources(two):
            return False
        same = self.mask == other.mask and self.who == other.who and self.conditions == other.conditions
        return one.index < two.index if same else one is not two


def _resources(statement: Statement) -> tuple[bool, list[str]]:
    return statement.not_resource, [text.value for text in statement.resources]


def redundant(subject: PolicyUnderTest) -> Iterator[Remark]:
    """Statements that another one includes."""
    contents = [
        _Content(each.statement, each.mask, _who(each.statement), _conditions_of(each.statement))
        for each in subject.effective[: MAX_COMPARED + 1]
        if each.mask and not each.statement.not_principal
    ]
    if len(contents) > MAX_COMPARED:
        return
    for content in contents:
        wider = next((other for other in contents if other.covers(content)), None)
        if wider is not None:
            sentence = f"{quoted(wider.statement.label)} already includes all of this."
            yield Remark("redundant", Severity.INFO, sentence, content.statement.span, content.statement)


def _who(statement: Statement) -> frozenset[tuple[PrincipalKind, str]]:
    return frozenset(
        (principal.kind, principal.account if principal.kind is PrincipalKind.ACCOUNT else principal.text)
        for principal in statement.principals
    )


def _conditions_of(statement: Statement) -> frozenset[tuple[str, str, frozenset[str]]]:
    """The conditions; a statement with fewer includes more."""
    return frozenset(
        (test.operator.text, test.key, frozenset(text.value for text in test.values))
        for test in statement.conditions
    )
