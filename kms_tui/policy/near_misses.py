"""Statements and grants that would allow a request but for one element, and which one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kms_tui.kms.model import Grant
from kms_tui.policy import actions
from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.describe import MAX_QUOTED, listed, printable, shortened
from kms_tui.policy.document import Document, Statement
from kms_tui.policy.evaluation import AccessRequest, Unknown, action_mask, condition_holds, covers, named_via

MAX_NEAR_MISSES = 5
"""The most that one policy, or all grants, give."""


class Element(StrEnum):
    PRINCIPAL = "principal"
    ACTION = "action"
    RESOURCE = "resource"
    CONDITION = "condition"


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A statement of the policy ``source``, or what a grant amounts to, that one element keeps from matching.

    ``sentence`` goes on after the statement's name: "would match but for …".
    """

    source: str
    statement: Statement
    element: Element
    sentence: str
    grant: Grant | None = None


def near_misses(
    source: str, document: Document, request: AccessRequest, *, by_account: bool = True
) -> list[NearMiss]:
    """The Allow statements of a policy that would match but for one element, at most MAX_NEAR_MISSES.

    Without ``by_account`` a statement for the caller's account, whose other elements match, is left out.
    """
    found: list[NearMiss] = []
    if not document.is_valid:
        return found
    for statement in document.statements:
        if not statement.is_allow or len(found) == MAX_NEAR_MISSES:
            continue
        missed = _missed(document, statement, request)
        if len(missed) == 1 and (by_account or Element.PRINCIPAL not in missed):
            element = missed[0]
            found.append(NearMiss(source, statement, element, _sentence(element, statement, request)))
    return found


def missed_grant(grant: Grant, statement: Statement, request: AccessRequest) -> NearMiss | None:
    """The near miss of a grant that names the action: its grantee, or its constraints."""
    via = named_via(statement, request.caller, request.resolve("aws:userid"))
    failing = _failing(statement, request)
    if (via is None) == bool(failing):
        return None
    element = Element.CONDITION if failing else Element.PRINCIPAL
    return NearMiss(grant.grant_id, statement, element, _sentence(element, statement, request), grant)


def _missed(document: Document, statement: Statement, request: AccessRequest) -> list[Element]:
    missed: list[Element] = []
    action = actions.find(request.action)
    mask = action_mask(statement)
    if action is None or not mask & action.bit:
        # A statement about another service's actions misses by more than its action.
        missed += [Element.ACTION] if mask else [Element.ACTION, Element.RESOURCE]
    if not covers(document, statement, request.key_arn, request.resolve):
        missed.append(Element.RESOURCE)
    if len(missed) < 2 and named_via(statement, request.caller, request.resolve("aws:userid")) is None:
        missed.append(Element.PRINCIPAL)
    if len(missed) < 2 and _failing(statement, request):
        missed.append(Element.CONDITION)
    return missed


def _failing(statement: Statement, request: AccessRequest) -> list[ConditionTest]:
    return [test for test in statement.conditions if condition_holds(test, request) is False]


def _sentence(element: Element, statement: Statement, request: AccessRequest) -> str:
    return f"would match but for {'; '.join(_DIFFERENCES[element](statement, request))}"


def _principal(statement: Statement, request: AccessRequest) -> Iterator[str]:
    names = _texts([principal.label for principal in statement.principals])
    verb = "excepts" if statement.not_principal else "names"
    yield f"the principal: it {verb} {names}, the caller is {request.caller.arn}"


def _action(statement: Statement, request: AccessRequest) -> Iterator[str]:
    texts = [text.value for text in statement.actions]
    yield f"the action: {_has(statement.not_action, texts)}, wanted {request.action}"


def _resource(statement: Statement, request: AccessRequest) -> Iterator[str]:
    texts = [text.value for text in statement.resources]
    yield f"the resource: {_has(statement.not_resource, texts)}, wanted {request.key_arn}"


def _has(negated: bool, texts: Sequence[str]) -> str:
    return f"it has {'all but ' if negated else ''}{_texts(texts)}"


def _texts(texts: Sequence[str]) -> str:
    shown = [shortened(printable(text[: MAX_QUOTED + 1])) for text in texts[:3]]
    return listed([*shown, *texts[3:]], 3, "or")


def _condition(statement: Statement, request: AccessRequest) -> Iterator[str]:
    for test in _failing(statement, request):
        yield f"{test.key_text}: wanted {_wanted(test)}, got {_got(test, request)}"


def _wanted(test: ConditionTest) -> str:
    base = test.operator.base
    texts = [text.value for text in test.values]
    if base.family == "null":
        return "it to be absent" if test.asks_for_absence else "any value"
    if base.negated:
        return f"anything but {_texts(texts)}"
    comparison = _COMPARED.get(base.comparison.__name__, "") if base.comparison else ""
    return comparison + (_texts(texts) or "no value")


_COMPARED = {"lt": "less than ", "le": "at most ", "gt": "more than ", "ge": "at least "}


def _got(test: ConditionTest, request: AccessRequest) -> str:
    values = request.values(test)
    if values is None or isinstance(values, Unknown):
        return "none"
    return _texts(values) or "none"


_DIFFERENCES = {
    Element.PRINCIPAL: _principal,
    Element.ACTION: _action,
    Element.RESOURCE: _resource,
    Element.CONDITION: _condition,
}
