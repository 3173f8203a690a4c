"""A second judge of a key policy, IAM Access Analyzer, beside our own findings.

ValidatePolicy reads the text. CheckNoPublicAccess and CheckNoNewAccess are custom policy checks, for which
AWS charges (``PRICE_OF_A_CHECK``). Source: the Access Analyzer API reference and the IAM user guide
(access-analyzer-policy-validation, access-analyzer-custom-policy-checks).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kms_tui.backend.base import Services
from kms_tui.kms.errors import KmsTuiError
from kms_tui.policy.findings import CheckResult, Finding, Severity
from kms_tui.policy.policy_diff import EffectChange

SERVICE = "accessanalyzer"
PRICE_OF_A_CHECK = 0.002
"""US dollars for one custom policy check, 2026-11; ValidatePolicy is free."""
CUSTOM_CHECKS = 2

_PUBLIC_RULES = frozenset({"public", "public-via-service"})
_TOLD_TYPES = ("ERROR", "SECURITY_WARNING", "WARNING")
"""Finding types of ValidatePolicy that say something is wrong; SUGGESTION does not."""
_MAX_PAGES = 10

Ask = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One question, with the objections of both judges; no objection means that a judge has none.

    ``unread`` says why Access Analyzer gave no answer, or is "".
    """

    question: str
    ours: tuple[str, ...]
    theirs: tuple[str, ...] = ()
    unread: str = ""

    @property
    def differs(self) -> bool:
        """Whether exactly one of the two judges objects."""
        return not self.unread and bool(self.ours) != bool(self.theirs)


def second_opinion(
    services: Services, old: str, new: str, result: CheckResult | None, effects: Sequence[EffectChange]
) -> tuple[Comparison, ...]:
    """Both judges on the change of a key policy from ``old`` to ``new``.

    ``result`` and ``effects`` are our own findings. It makes three calls, and blocks. A call that is denied
    or fails leaves its question unread; nothing is raised for it.
    """
    findings = result.findings if result is not None else ()
    told = [finding for finding in findings if finding.severity is not Severity.INFO]
    public = tuple(finding.sentence for finding in told if finding.rule in _PUBLIC_RULES)
    other = tuple(_placed(finding) for finding in told if finding.rule not in _PUBLIC_RULES)
    widened = tuple(change.sentence for change in effects if change.widens)

    def ask(operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return services.call(SERVICE, operation, params)

    return (
        _compared("Is it written as it should be?", other, lambda: _validation(ask, new)),
        _compared("Does it let everyone in?", public, lambda: _public_access(ask, new)),
        _compared("Does it give access that was not there?", widened, lambda: _new_access(ask, old, new)),
    )


def _compared(question: str, ours: tuple[str, ...], theirs: Callable[[], tuple[str, ...]]) -> Comparison:
    try:
        return Comparison(question, ours, theirs())
    except KmsTuiError as error:
        return Comparison(question, ours, unread=str(error))


def _validation(ask: Ask, new: str) -> tuple[str, ...]:
    params: dict[str, Any] = {"policyDocument": new, "policyType": "RESOURCE_POLICY"}
    objections: list[str] = []
    for _ in range(_MAX_PAGES):
        answer = ask("ValidatePolicy", params)
        objections += [
            _finding(each) for each in answer.get("findings", ()) if each.get("findingType") in _TOLD_TYPES
        ]
        token = answer.get("nextToken")
        if not token:
            break
        params["nextToken"] = token
    return tuple(objections)


def _finding(finding: Mapping[str, Any]) -> str:
    """A finding of ValidatePolicy with its line, where it has one."""
    sentence = str(finding.get("findingDetails") or finding.get("issueCode") or "it objects")
    for location in finding.get("locations", ()):
        line = location.get("span", {}).get("start", {}).get("line")
        if isinstance(line, int):
            return f"line {line}: {sentence}"
    return sentence


def _placed(finding: Finding) -> str:
    return f"line {finding.line}: {finding.sentence}"


def _public_access(ask: Ask, new: str) -> tuple[str, ...]:
    return _reasons(ask("CheckNoPublicAccess", {"policyDocument": new, "resourceType": "AWS::KMS::Key"}))


def _new_access(ask: Ask, old: str, new: str) -> tuple[str, ...]:
    params = {"newPolicyDocument": new, "existingPolicyDocument": old, "policyType": "RESOURCE_POLICY"}
    return _reasons(ask("CheckNoNewAccess", params))


def _reasons(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """The reasons of a check that failed; none where it passed."""
    if answer.get("result") == "PASS":
        return ()
    told = tuple(_reason(each) for each in answer.get("reasons", ()))
    return told or (str(answer.get("message") or "The check failed without a reason."),)


def _reason(reason: Mapping[str, Any]) -> str:
    sentence = str(reason.get("description") or "no description")
    index = reason.get("statementIndex")
    if not isinstance(index, int):
        return sentence
    sid = reason.get("statementId")
    return f"statement {index + 1}{f' ({sid})' if sid else ''}: {sentence}"
