"""Asks IAM's Access Troubleshooter about a denial whose message has an authorization ID.

Source: botocore's iam-toolbox service model (GetRequestAuthorizationDetails). It is a preview that answers
for few services, and for about a day; what it does not say stays as the message has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from kms_tui.backend.account_reading.service_reads import MISSHAPEN
from kms_tui.backend.base import Services
from kms_tui.denials.message import ErrorMessage
from kms_tui.kms.errors import KmsTuiError
from kms_tui.policy.layers import Layer

SERVICE, OPERATION = "iam-toolbox", "GetRequestAuthorizationDetails"
_MOST_PAGES = 10
_LAYERS: Mapping[str, Layer] = {
    "RESOURCE_CONTROL_POLICY": Layer.RCP,
    "SERVICE_CONTROL_POLICY": Layer.SCP,
    "VPC_ENDPOINT": Layer.ENDPOINT,
    "RESOURCE": Layer.KEY_POLICY,
    "PRINCIPAL": Layer.IDENTITY,
    "PERMISSIONS_BOUNDARY": Layer.BOUNDARY,
    "SESSION": Layer.SESSION,
}
"""Its kind of check -> the layer."""
_DENIES = {"EXPLICIT_DENY": True, "IMPLICIT_DENY": False}


def troubleshot(services: Services | None, message: ErrorMessage) -> ErrorMessage:
    """The message with what the Access Troubleshooter knows of its request, or with a note why not."""
    if message.authorization_id is None or services is None or not services.offers(SERVICE):
        return message
    try:
        evaluations, context = _details(services, message.authorization_id)
        evaluation = next(each for each in evaluations if str(each["action"]).startswith("kms:"))
        return _filled(message, evaluation, {**context, **_context(evaluation.get("context"))})
    except KmsTuiError as error:
        return _noted(message, f"it gave no answer: {error}")
    except StopIteration:
        return _noted(message, "it knows no action of KMS in this request")
    except MISSHAPEN:
        return _noted(message, "it answered in an unknown form")


def _noted(message: ErrorMessage, why: str) -> ErrorMessage:
    return replace(message, notes=(*message.notes, f"IAM's Access Troubleshooter was asked; {why}."))


def _details(services: Services, authorization_id: str) -> tuple[list[Any], dict[str, Any]]:
    """All evaluations of the request, and its context."""
    evaluations: list[Any] = []
    context: dict[str, Any] = {}
    params: dict[str, Any] = {"authorizationId": authorization_id}
    for _ in range(_MOST_PAGES):
        answer = services.call(SERVICE, OPERATION, params)
        evaluations += answer["evaluations"]
        context |= _context(answer.get("requestContext"))
        if not answer.get("nextToken"):
            break
        params = {**params, "nextToken": answer["nextToken"]}
    return evaluations, context


def _context(given: object) -> dict[str, Any]:
    """Condition keys whose values are texts, or lists of them."""
    found: dict[str, Any] = {}
    for key, value in given.items() if isinstance(given, Mapping) else ():
        values = value if isinstance(value, list) else [value]
        if all(isinstance(each, str | bool | int | float) for each in values):
            texts = tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in values)
            found[str(key)] = texts[0] if not isinstance(value, list) else texts
    return found


def _filled(message: ErrorMessage, evaluation: Mapping[str, Any], context: dict[str, Any]) -> ErrorMessage:
    decided = next(_denying(evaluation), None)
    layer, explicit, policy = decided or (None, None, None)
    principal = context.get("aws:PrincipalArn")
    return replace(
        message,
        principal=message.principal or (principal if isinstance(principal, str) else None),
        action=message.action or str(evaluation["action"]),
        resource=message.resource or str(evaluation["resource"]) or None,
        layer=message.layer or layer,
        explicit=explicit if message.explicit is None else message.explicit,
        policy_arn=message.policy_arn or policy,
        context={**context, **message.context},
    )


def _denying(evaluation: Mapping[str, Any]) -> Iterator[tuple[Layer, bool, str | None]]:
    """The checks that deny, explicit ones first: their layer, whether explicit, and the policy's ARN."""
    checks = [each for each in evaluation.get("checks") or () if each["evaluatedEffect"] in _DENIES]
    for check in sorted(checks, key=lambda each: not _DENIES[each["evaluatedEffect"]]):
        layer = _LAYERS.get(check["checkType"])
        if layer is not None:
            matched = check.get("matchedPolicies") or ()
            arns = [str(each["uri"]) for each in matched if str(each["uri"]).startswith("arn:")]
            yield layer, _DENIES[check["evaluatedEffect"]], arns[0] if arns else None
