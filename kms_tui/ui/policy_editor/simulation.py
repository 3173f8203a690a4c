"""Whether the policy allows a principal an action: the answer in words, with the statements that decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kms_tui.kms.errors import KmsTuiError
from kms_tui.policy import AccessRequest, Caller, Decision, Document, Effect, Via, actions, evaluate
from kms_tui.policy.describe import condition
from kms_tui.policy.evaluation import ContextValue


class SimulationInputError(KmsTuiError):
    """A principal, action or context that cannot be understood; ``field`` says which."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class SimulationInput:
    """A request as it was typed. ``context`` has a ``key=value`` on each line; a key alone is absent.

    With ``complete`` every key that the context lacks is absent too, rather than open.
    """

    principal: str
    action: str
    context: str = ""
    complete: bool = False


@dataclass(frozen=True, slots=True)
class SimulationAnswer:
    """``word`` is allow, deny or depends; ``sentences`` give the reasons."""

    word: str
    sentences: tuple[str, ...]
    decision: Decision


_WORDS = {Effect.ALLOW: "allow", Effect.DENY: "deny", Effect.DEPENDS: "depends", Effect.NO_STATEMENT: "deny"}


def simulate(
    document: Document, question: SimulationInput, *, account_id: str, key_arn: str
) -> SimulationAnswer:
    """Judge the request by the policy; raises SimulationInputError."""
    request = AccessRequest(
        _caller(question.principal),
        _action(question.action),
        key_arn,
        context_of(question.context),
        question.complete,
    )
    if _is_stranger(request, account_id):
        return SimulationAnswer("deny", (_NOT_ACROSS,), Decision(Effect.NO_STATEMENT))
    decision = evaluate(document, request)
    word = _WORDS[decision.effect]
    if word == "allow" and _left_to_iam(decision, request, account_id):
        word = "depends"
    return SimulationAnswer(word, tuple(_sentences(decision, request, account_id)), decision)


_NOT_ACROSS = "The caller is of another account, and this action does not work across accounts."


def _is_stranger(request: AccessRequest, account_id: str) -> bool:
    """Whether the caller is of another account, and the action does not work across accounts."""
    action = actions.find(request.action)
    outside = request.caller.account not in ("", account_id)
    return outside and action is not None and not action.cross_account


def _left_to_iam(decision: Decision, request: AccessRequest, account_id: str) -> bool:
    """Whether IAM policies have to allow it too: those of the key's account, or of the caller's other one."""
    caller = request.caller
    if caller.is_root:
        return False
    return decision.via is Via.ACCOUNT or caller.account not in ("", account_id)


def _caller(text: str) -> Caller:
    try:
        return Caller.parse(text.strip())
    except ValueError as error:
        raise SimulationInputError(
            "principal", "Give the ARN of a user, role or session, an account id, or a service."
        ) from error


def _action(text: str) -> str:
    name = text.strip() if ":" in text else f"kms:{text.strip()}"
    found = actions.find(name)
    if found is not None:
        return found.name
    near = actions.nearest(name)
    raise SimulationInputError(
        "action", f"There is no action {name}." + (f" Is {near} meant?" if near else "")
    )


def context_of(text: str) -> Mapping[str, ContextValue]:
    """Lines of ``key=value`` as a request's context; a key given twice has several values."""
    values: dict[str, list[str]] = {}
    absent: dict[str, ContextValue] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        key, equals, value = line.partition("=")
        key = key.strip()
        if ":" not in key:
            raise SimulationInputError(
                "context", f"{key} is no condition key; write aws:SourceIp=203.0.113.7, say."
            )
        if equals:
            values.setdefault(key, []).append(value.strip())
        else:
            absent[key] = None
    return {**absent, **{key: tuple(given) if len(given) > 1 else given[0] for key, given in values.items()}}


def _sentences(decision: Decision, request: AccessRequest, account_id: str) -> list[str]:
    lines: list[str] = []
    if decision.effect is Effect.NO_STATEMENT:
        lines.append("No statement of the key policy says anything about it, so it is denied.")
        lines.append("A grant may still allow it.")
    elif decision.effect is Effect.DENY:
        lines.append("A Deny applies, whatever else allows it.")
    elif decision.effect is Effect.DEPENDS:
        lines += [f"if {condition(each.test, holds=each.wanted)}" for each in decision.conditions]
    outside = request.caller.account not in ("", account_id)
    if decision.may_be_allowed and outside:
        lines.append("The caller is of another account, whose IAM policies have to allow it too.")
    elif decision.may_be_allowed and _left_to_iam(decision, request, account_id):
        lines.append("The statement names the account, so an IAM policy of the caller has to allow it too.")
    return lines
