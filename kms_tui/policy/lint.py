"""Findings on single statements: misspelt, useless, deprecated or risky parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from kms_tui.policy import (
    actions,
    condition_keys,
    dead_statements,
    evaluation,
    exposure,
    sample_values,
    wildcard,
)
from kms_tui.policy.actions import CREATE_GRANT, DECRYPT, PUT_KEY_POLICY
from kms_tui.policy.condition_keys import ENCRYPTION_CONTEXT, ENCRYPTION_CONTEXT_KEYS, Presence
from kms_tui.policy.conditions import ConditionTest, Text
from kms_tui.policy.describe import listed, quoted
from kms_tui.policy.document import CURRENT_VERSION, QUOTA_BYTES, Statement
from kms_tui.policy.findings import Remark, Severity
from kms_tui.policy.json_reader import Span
from kms_tui.policy.lockout import element_span
from kms_tui.policy.operators import FOR_ALL
from kms_tui.policy.policy_under_test import EffectiveStatement, PolicyUnderTest
from kms_tui.policy.principals import PrincipalKind

MAX_SUGGESTIONS = 12
"""Misspelt names for which the nearest name is searched; each search costs milliseconds."""


def lint(subject: PolicyUnderTest) -> Iterator[Remark]:
    """Every finding except the guard's own."""
    yield from _version(subject)
    suggestions = iter(range(MAX_SUGGESTIONS))
    names = iter(range(MAX_SUGGESTIONS))
    for each in subject.effective:
        yield from dead_statements.services(subject, each, names)
        yield from exposure.stopped_services(subject, each)
        yield from exposure.negated_deny(each)
        yield from _use_and_control(subject, each)
    yield from dead_statements.redundant(subject)
    for statement in subject.document.statements:
        yield from dead_statements.dead_conditions(subject, statement)
        yield from _scope(subject, statement)
        yield from _actions(subject, statement, suggestions)
        yield from _principals(subject, statement)
        for test in statement.conditions:
            yield from _condition(subject, statement, test, suggestions)


def size(bytes_used: int) -> Iterator[Remark]:
    """The size of the policy against the quota."""
    whole = Span(0, 0)
    if bytes_used > QUOTA_BYTES:
        sentence = f"The policy has {bytes_used:,} bytes; KMS takes at most {QUOTA_BYTES:,} (LimitExceeded)."
        yield Remark("size-limit", Severity.REFUSE, sentence, whole)
    else:
        yield Remark("size", Severity.INFO, f"The policy has {bytes_used:,} of {QUOTA_BYTES:,} bytes.", whole)


def _version(subject: PolicyUnderTest) -> Iterator[Remark]:
    document = subject.document
    if not document.version:
        sentence = 'The policy has no Version: add "2012-10-17", or policy variables are plain text.'
        yield Remark("no-version", Severity.WARN, sentence, Span(0, 1))
    if document.version == CURRENT_VERSION:
        return
    for statement in document.statements:
        texts = [*statement.resources, *(text for test in statement.conditions for text in test.values)]
        for text in texts:
            if "${" in text.value:
                sentence = 'Policy variables are plain text without Version "2012-10-17".'
                yield Remark("variable-without-version", Severity.INFO, sentence, text.span, statement)
                break


def _scope(subject: PolicyUnderTest, statement: Statement) -> Iterator[Remark]:
    """Statements without effect that KMS saves, and Resource elements that say more than needed."""
    for element, present in (("Action", statement.actions), ("Resource", statement.resources)):
        if not present:
            sentence = f"The statement has no {element}: KMS saves it, and it has no effect."
            yield Remark(f"no-{element.lower()}", Severity.WARN, sentence, statement.span, statement)
    if not statement.resources:
        return
    span = element_span(statement, "Resource")
    if subject.covers(statement) is False:
        sentence = 'This Resource does not match the key, so the statement has no effect; write "*".'
        yield Remark("other-resource", Severity.WARN, sentence, span, statement)
    elif statement.not_resource or any(text.value != "*" for text in statement.resources):
        sentence = 'In a key policy, write Resource "*", which means this key.'
        yield Remark("resource-not-star", Severity.INFO, sentence, span, statement)
    if statement.not_action and statement.is_allow and statement.actions:
        sentence = "NotAction in an Allow also allows every action that KMS adds later."
        yield Remark(
            "not-action-allow", Severity.WARN, sentence, element_span(statement, "Action"), statement
        )


def _actions(subject: PolicyUnderTest, statement: Statement, suggestions: Iterator[int]) -> Iterator[Remark]:
    for text in statement.actions:
        mask = subject.matching(text.value)
        if not mask:
            yield _unknown_action(statement, text, suggestions)
        elif not mask & actions.KEY_ACTIONS and statement.is_allow:
            name = actions.canonical(text.value)
            sentence = f"{quoted(name)} takes no key: only an IAM policy can allow it."
            yield Remark("iam-only-action", Severity.INFO, sentence, text.span, statement)
    if statement.is_allow and not statement.not_action:
        yield from _unbound_grants(subject, statement)
        yield from _useless_context(statement)


def _unknown_action(statement: Statement, text: Text, suggestions: Iterator[int]) -> Remark:
    sentence = f"KMS has no action {quoted(text.value)}."
    if actions.lowered(text.value) == "kms:reencrypt":
        sentence += " ReEncrypt asks for kms:ReEncryptFrom and kms:ReEncryptTo."
    elif len(text.value) < 64 and next(suggestions, None) is not None:
        near = actions.nearest(text.value)
        sentence += f" Did you mean {near}?" if near else ""
    return Remark("unknown-action", Severity.WARN, sentence, text.span, statement)


def _unbound_grants(subject: PolicyUnderTest, statement: Statement) -> Iterator[Remark]:
    """CreateGrant without GrantIsForAWSResource, for principals that cannot change the policy."""
    bit = actions.ACTIONS[CREATE_GRANT].bit
    bound = ("kms:grantisforawsresource", "kms:viaservice", "kms:grantoperations", "kms:granteeprincipal")
    administers = evaluation.action_mask(statement, subject.matching) & actions.ACTIONS[PUT_KEY_POLICY].bit
    if administers or any(test.key in bound for test in statement.conditions):
        return
    for text in statement.actions:
        if subject.matching(text.value) & bit:
            sentence = (
                "A principal that may create grants can pass on any use; add kms:GrantIsForAWSResource."
            )
            yield Remark("unbound-grants", Severity.INFO, sentence, text.span, statement)
            return


def _use_and_control(subject: PolicyUnderTest, each: EffectiveStatement) -> Iterator[Remark]:
    """A user or role that may use the key and change its policy."""
    statement = each.statement
    put, decrypt = actions.ACTIONS[PUT_KEY_POLICY].bit, actions.ACTIONS[DECRYPT].bit
    if not statement.is_allow or not (each.mask & put and each.mask & decrypt):
        return
    who = next((principal for principal in statement.principals if principal.is_identity), None)
    if who is not None and not statement.not_principal:
        sentence = (
            f"{quoted(who.label)} may both use the key and change this policy; give these to different roles."
        )
        yield Remark("use-and-control", Severity.INFO, sentence, who.span, statement)


def _useless_context(statement: Statement) -> Iterator[Remark]:
    """Actions without the encryption context that a condition needs."""
    tests = [test for test in statement.conditions if test.key.startswith(ENCRYPTION_CONTEXT)]
    tests += [test for test in statement.conditions if test.key == ENCRYPTION_CONTEXT_KEYS]
    if not tests:
        return
    names: list[str] = []
    for text in statement.actions:
        if not wildcard.has_wildcard(text.value):
            action = actions.find(text.value)
            if action is not None and not action.encryption_context:
                names.append(action.name)
    if names:
        sentence = f"{listed(names, 3)} has no encryption context, so this condition is about an absent key."
        yield Remark("no-encryption-context", Severity.INFO, sentence, tests[0].span, statement)


def _principals(subject: PolicyUnderTest, statement: Statement) -> Iterator[Remark]:
    if statement.not_principal:
        span = element_span(statement, "Principal")
        sentence = 'NotPrincipal is error-prone; use Principal "*" with a condition on aws:PrincipalArn.'
        yield Remark("not-principal", Severity.WARN, sentence, span, statement)
    for principal in statement.principals:
        if principal.kind is PrincipalKind.UNIQUE_ID:
            sentence = (
                f"{quoted(principal.text)} is the unique id of a user or role that has been deleted; "
                "a new one has another id."
            )
            yield Remark("stale-unique-id", Severity.WARN, sentence, principal.span, statement)
        elif (
            principal.account not in ("", subject.account_id)
            and statement.is_allow
            and not statement.not_action
        ):
            yield from _not_cross_account(statement, principal.label, principal.span)


def _not_cross_account(statement: Statement, label: str, span: Span) -> Iterator[Remark]:
    """Actions for another account's principal that do not work across accounts."""
    named = (actions.find(text.value) for text in statement.actions)
    useless = [action.name for action in named if action is not None and not action.cross_account]
    if useless:
        sentence = f"{listed(useless, 3)} does not work for a principal of another account."
        yield Remark("not-cross-account", Severity.INFO, sentence, span, statement)


def _condition(
    subject: PolicyUnderTest, statement: Statement, test: ConditionTest, suggestions: Iterator[int]
) -> Iterator[Remark]:
    info = test.key_info
    if info.presence is Presence.UNKNOWN:
        near = (
            condition_keys.nearest(test.key_text)
            if len(test.key) < 64 and next(suggestions, None) is not None
            else ""
        )
        sentence = f"There is no condition key {quoted(test.key_text)}; it is always absent."
        sentence += f" Did you mean {near}?" if near else ""
        yield Remark("unknown-condition-key", Severity.WARN, sentence, test.span, statement)
    if test.operator.qualifier == FOR_ALL and statement.is_allow and not _is_always_there(statement, test):
        sentence = f"ForAllValues is also true when {quoted(test.key_text)} is absent; add Null: false."
        yield Remark("for-all-values-allow", Severity.WARN, sentence, test.span, statement)
    for rule_id, rule in _CONDITION_RULES.items():
        sentence = rule(statement, test)
        if sentence:
            yield Remark(rule_id, Severity.INFO, sentence, test.span, statement)


def _is_always_there(statement: Statement, test: ConditionTest) -> bool:
    """Whether every request that the statement covers has the condition's key."""
    if test.key == "kms:grantoperations":
        return evaluation.action_mask(statement) == actions.ACTIONS[CREATE_GRANT].bit
    return any(other.key == test.key and other.asks_for_presence for other in statement.conditions)


def _wildcard_without_like(statement: Statement, test: ConditionTest) -> str:
    if test.operator.base.family != "string":
        return ""
    text = next((text.value for text in test.values if "*" in text.value), None)
    return f"{quoted(text)} holds a *, which only a Like operator treats as a wildcard." if text else ""


def _private_address(statement: Statement, test: ConditionTest) -> str:
    if test.key != "aws:sourceip" or test.operator.base.family != "ip":
        return ""
    private = next((text.value for text in test.values if sample_values.is_private(text.value)), None)
    return f"{quoted(private)} is private: aws:SourceIp is always a public address." if private else ""


def _empty_condition(statement: Statement, test: ConditionTest) -> str:
    return (
        "" if test.values else f"The list of values for {quoted(test.key_text)} is empty: none ever matches."
    )


_CONDITION_RULES: Mapping[str, Callable[[Statement, ConditionTest], str]] = {
    "wildcard-without-like": _wildcard_without_like,
    "private-address": _private_address,
    "empty-condition": _empty_condition,
}
