"""Denies that bite more than they say: AWS services that act for the account, and direct requests.

Source: the KMS developer guide (conditions-aws), the IAM user guide (confused-deputy) and AWS's data
perimeter policy examples.
"""

from __future__ import annotations

from collections.abc import Iterator

from kms_tui.kms.operations import Access
from kms_tui.policy import actions
from kms_tui.policy.condition_keys import ENCRYPTION_CONTEXT, ENCRYPTION_CONTEXT_KEYS, Presence
from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.describe import printable, quoted
from kms_tui.policy.document import Statement
from kms_tui.policy.findings import Remark, Severity
from kms_tui.policy.policy_under_test import Effective, PolicyUnderTest
from kms_tui.policy.principals import PrincipalKind

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
