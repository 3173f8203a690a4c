"""What IAM's Access Troubleshooter adds to a message, and what becomes of it where it does not answer."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from kms_tui.denials.message import read_message
from kms_tui.denials.troubleshooter import OPERATION, SERVICE, troubleshot
from kms_tui.kms.errors import ServiceError
from kms_tui.policy.layers import Layer
from tests.unit.denials.test_layer_reading import KEY, SESSION, Answer, AnsweringServices

SCP = "arn:aws:organizations::999988887777:policy/o-a1b2c3d4e5/service_control_policy/p-2kgnabcd"
MESSAGE = read_message(
    f"User: {SESSION} is not authorized to perform: kms:Decrypt on this resource (Authorization ID: "
    f"0abc123def456)"
)


def details() -> dict[str, Any]:
    return {
        "requestContext": {"aws:PrincipalArn": SESSION, "aws:SecureTransport": True, "odd": {"a": 1}},
        "evaluations": [
            {"action": "s3:GetObject", "resource": "arn:aws:s3:::b"},
            {
                "action": "kms:Decrypt",
                "resource": KEY,
                "context": {"kms:EncryptionContext:table": "orders", "kms:EncryptionContextKeys": ["table"]},
                "checks": [
                    {"checkType": "PRINCIPAL", "evaluatedEffect": "IMPLICIT_DENY"},
                    {
                        "checkType": "SERVICE_CONTROL_POLICY",
                        "evaluatedEffect": "EXPLICIT_DENY",
                        "matchedPolicies": [{"uri": SCP}],
                    },
                    {"checkType": "RESOURCE", "evaluatedEffect": "ALLOW"},
                ],
            },
        ],
        "policies": [],
    }


def asked(answer: Answer) -> AnsweringServices:
    return AnsweringServices({OPERATION: answer}, offered=frozenset({SERVICE}))


def test_the_names_are_those_of_the_service_model() -> None:
    model: Any = botocore.session.Session().get_service_model(SERVICE)
    shape = model.operation_model(OPERATION)
    assert set(details()) <= set(shape.output_shape.members)
    evaluation = shape.output_shape.members["evaluations"].member
    assert set(details()["evaluations"][1]) <= set(evaluation.members)
    check = evaluation.members["checks"].member
    assert {"checkType", "evaluatedEffect", "matchedPolicies"} <= set(check.members)


def test_it_fills_in_what_the_message_does_not_say() -> None:
    services = asked(details())
    found = troubleshot(services, MESSAGE)
    assert services.calls == [(SERVICE, OPERATION, {"authorizationId": "0abc123def456"})]
    assert (found.resource, found.layer, found.explicit, found.policy_arn) == (KEY, Layer.SCP, True, SCP)
    assert found.context["kms:EncryptionContextKeys"] == ("table",)
    assert found.context["aws:SecureTransport"] == "true"
    assert "odd" not in found.context


def test_what_the_message_says_stays() -> None:
    message = read_message(
        f"User: {SESSION} is not authorized to perform: kms:Decrypt on resource: {KEY} because no "
        f"session policy "
        "allows the kms:Decrypt action. Authorization ID: 0abc123def456"
    )
    found = troubleshot(asked(details()), message)
    assert (found.layer, found.explicit) == (Layer.SESSION, False)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (ServiceError("AccessDeniedException", "no"), "it gave no answer: AccessDeniedException: no"),
        (ServiceError("ResourceNotFoundException", "gone"), "it gave no answer"),
        ({}, "an unknown form"),
        ({"evaluations": [7]}, "an unknown form"),
        ({"evaluations": [{"action": "s3:GetObject"}]}, "it knows no action of KMS"),
    ],
)
def test_without_an_answer_the_message_stays_with_a_note(answer: Answer, said: str) -> None:
    found = troubleshot(asked(answer), MESSAGE)
    assert said in found.notes[-1]
    assert found.as_dict() == MESSAGE.as_dict()


def test_it_is_asked_only_with_an_id_and_where_it_is_offered() -> None:
    services = asked(details())
    plain = read_message(f"User: {SESSION} is not authorized to perform: kms:Decrypt")
    assert troubleshot(services, plain) is plain
    assert troubleshot(None, MESSAGE) is MESSAGE
    assert troubleshot(AnsweringServices({}), MESSAGE) is MESSAGE
    assert services.calls == []
