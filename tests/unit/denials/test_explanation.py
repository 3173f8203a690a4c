"""The words of an explanation: what the message and the layers say together."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.denials.asked_request import AskedError, AskedRequest, closed_context
from kms_tui.denials.event_message import decoded_by
from kms_tui.denials.explanation import explained, explanation_lines
from kms_tui.denials.judging import Inquiry, LayerSource, judge
from kms_tui.denials.layer_files import LayerFiles
from kms_tui.denials.message import read_message
from kms_tui.denials.message_kinds import MessageKind
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.model import Grant
from kms_tui.policy.authorization import Outcome, authorize_request
from kms_tui.policy.evaluation import AccessRequest
from kms_tui.policy.layers import UNLIMITED, Layer, Layers, UnreadLayer, read_policy
from kms_tui.policy.principals import Caller
from tests.unit.denials.test_layer_reading import (
    ALLOW,
    DECRYPT,
    KEY,
    ROOT_POLICY,
    SESSION,
    AnsweringServices,
    KeyBackend,
    role_answers,
)
from tests.unit.denials.test_message import DECODED

REQUEST = AccessRequest(Caller.parse(SESSION), "kms:Decrypt", KEY, complete=True)
START = f"User: {SESSION} is not authorized to perform: kms:Decrypt on resource: {KEY}"
HIDDEN = UnreadLayer("organizations ListRoots was denied")


def layers(identity: object = None, **changes: object) -> Layers:
    known = replace(
        UNLIMITED,
        key_policy=read_policy(Layer.KEY_POLICY, "key policy", json.dumps(ROOT_POLICY)),
        grants=(),
        identity=(read_policy(Layer.IDENTITY, "own", json.dumps(identity)),) if identity else (),
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def notes(reason: str, judged: Layers) -> str:
    return " ".join(explained(REQUEST, judged, read_message(f"{START} {reason}")).all_notes())


def test_a_message_and_the_layers_that_agree_need_no_note() -> None:
    assert notes("because no identity-based policy allows the kms:Decrypt action", layers()) == ""


def test_what_was_changed_since_is_told() -> None:
    allowed = notes("because no identity-based policy allows the kms:Decrypt action", layers(ALLOW))
    assert "by the policies as they are now it is allowed" in allowed
    other = notes("with an explicit deny in a service control policy", layers())
    assert "AWS names the service control policy; by the policies as they are now it is another" in other


def test_the_root_statement_alone_may_be_named_by_either_layer() -> None:
    assert notes("because no resource-based policy allows the kms:Decrypt action", layers()) == ""


def test_an_unread_layer_is_named_in_the_cause() -> None:
    explanation = explained(REQUEST, layers(DECRYPT, scps=HIDDEN))
    assert "depends on the SCPs." in explanation.cause
    assert explanation.as_dict()["unread"] == ["scp"]
    assert "organizations ListRoots was denied" in "\n".join(explanation_lines(explanation))


def test_where_the_layers_do_not_tell_the_message_does() -> None:
    said = read_message(f"{START} because no service control policy allows the kms:Decrypt action")
    cause = explained(REQUEST, layers(DECRYPT, scps=HIDDEN), said).cause
    assert "no service control policy allows it. Whether" in cause


def test_a_known_layer_denies_whatever_the_unread_ones_say() -> None:
    explanation = explained(REQUEST, layers(scps=HIDDEN))
    assert explanation.judged is not None
    assert explanation.judged.outcome is Outcome.DENY
    fix = explanation.fixes[0].fix
    assert fix.suffices is None
    assert "Whether this is enough depends on what is not known." in fix.sentence


def test_the_state_of_a_key_is_no_matter_of_policies() -> None:
    explanation = explained(REQUEST, layers(ALLOW), key_state="Disabled")
    assert "kms:EnableKey" in explanation.fixes[0].fix.sentence
    assert "KMS refuses it all the same" in explanation.cause
    look = replace(REQUEST, action="kms:DescribeKey")
    assert explained(look, layers(ALLOW), key_state="Disabled").fixes == ()


def test_a_layer_that_nothing_depends_on_is_no_cause() -> None:
    shown = "\n".join(explanation_lines(explained(REQUEST, layers())))
    assert "  · grants " in shown
    assert "▶ ✗ IAM policies" in shown


def test_an_encryption_context_that_is_known_is_whole() -> None:
    statement = {
        **DECRYPT["Statement"][0],  # type: ignore[dict-item]
        "Condition": {"StringNotEquals": {"kms:EncryptionContext:table": "orders"}},
    }
    judged = layers({"Version": "2012-10-17", "Statement": [statement]})
    asked = AskedRequest(SESSION, "Decrypt", KEY, {"column": "address"})
    request = asked.request(lambda key: key)
    assert authorize_request(request, judged).outcome is Outcome.UNKNOWN
    assert authorize_request(closed_context(request, judged), judged).outcome is Outcome.ALLOW
    open_context = AskedRequest(SESSION, "Decrypt", KEY).request(lambda key: key)
    assert closed_context(open_context, judged) is open_context


@pytest.mark.parametrize(
    ("asked", "part", "sentence"),
    [
        (AskedRequest("", "Decrypt", KEY), "principal", "does not say who"),
        (AskedRequest("jane", "Decrypt", KEY), "principal", "jane is no principal"),
        (AskedRequest(SESSION, "", KEY), "action", "does not say what"),
        (AskedRequest(SESSION, "Decrpyt", KEY), "action", "Is kms:Decrypt meant?"),
        (AskedRequest(SESSION, "Decrypt", ""), "key", "Nothing says which key"),
        (AskedRequest(SESSION, "ListKeys", "", via="s3"), "via", "names a Region as well"),
        (AskedRequest(SESSION, "Decrypt", KEY, via="nosuch"), "via", "No service nosuch is known."),
        (AskedRequest(SESSION, "Decrypt", KEY, via="dynamobd"), "via", "is dynamodb meant?"),
        (AskedRequest(SESSION, "Decrypt", KEY, via="s3.us-east-1"), "via", "No service s3.us-east-1"),
    ],
)
def test_what_is_missing_is_told_with_its_part(asked: AskedRequest, part: str, sentence: str) -> None:
    with pytest.raises(AskedError) as error:
        asked.request(lambda key: key)
    assert error.value.part == part
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("via", "value"),
    [
        ("s3", "s3.eu-west-1.amazonaws.com"),
        ("SecretsManager", "secretsmanager.eu-west-1.amazonaws.com"),
        ("nosuch.eu-west-1.amazonaws.com", "nosuch.eu-west-1.amazonaws.com"),
        ("ec2.cn-north-1.amazonaws.com.cn", "ec2.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_a_service_is_known_by_its_name_or_given_whole(via: str, value: str) -> None:
    asked = AskedRequest(SESSION, "Decrypt", KEY, via=via).request(lambda key: key)
    assert asked.context["kms:ViaService"] == value


def test_an_action_without_a_key_needs_none() -> None:
    assert AskedRequest(SESSION, "kms:listkeys").request(lambda key: key).key_arn == "*"


def test_a_message_that_lacks_something_is_explained_without_layers() -> None:
    source = LayerSource(Kms(KeyBackend()), AnsweringServices(role_answers()))
    message = read_message(f"{START.partition(' on resource')[0]} on this resource")
    explanation = judge(Inquiry(message), source)
    assert explanation.judged is None
    assert "which key it is about" in " ".join(explanation.all_notes())
    with pytest.raises(AskedError):
        judge(Inquiry(asked=AskedRequest(SESSION, "Decrypt")), source)
    with pytest.raises(KmsTuiError, match="no policies to judge it by"):
        judge(Inquiry(asked=AskedRequest(SESSION, "Decrypt", KEY)), None)


def test_the_policy_in_the_editor_takes_the_place_of_the_keys() -> None:
    source = LayerSource(Kms(KeyBackend()), AnsweringServices(role_answers()))
    empty = json.dumps({**ROOT_POLICY, "Statement": [{**ROOT_POLICY["Statement"][0], "Action": "kms:Put*"}]})  # type: ignore[dict-item]
    asked = AskedRequest(SESSION, "Decrypt", KEY, complete=True)
    denied = judge(Inquiry(asked=asked, key_policy=empty), source)
    assert denied.judged is not None
    assert denied.judged.decisive is not None
    assert denied.judged.decisive.layer is Layer.KEY_POLICY


ENCODED = read_message(f"Encoded authorization failure message: {'a' * 60}")


def test_an_encoded_message_is_opened_where_permitted() -> None:
    services = AnsweringServices({"DecodeAuthorizationMessage": {"DecodedMessage": json.dumps(DECODED)}})
    services.offered = frozenset({"sts"})
    opened = decoded_by(services, ENCODED)
    assert (opened.kind, opened.action, opened.explicit) == (MessageKind.DENIED, "kms:Decrypt", True)
    for answer, said in (
        (ServiceError("AccessDenied", "no"), "DecodeAuthorizationMessage failed: AccessDenied: no"),
        ({"DecodedMessage": "[]"}, "answered in an unknown form"),
        ({}, "answered in an unknown form"),
    ):
        services.answers["DecodeAuthorizationMessage"] = answer
        closed = decoded_by(services, ENCODED)
        assert closed.kind is MessageKind.ENCODED
        assert said in closed.notes[-1]
    assert "This connection has no sts" in decoded_by(None, ENCODED).notes[-1]


def test_files_without_policies_are_told_from_none() -> None:
    assert LayerFiles().is_empty
    assert not LayerFiles(no_session_policy=True).is_empty


def test_thousands_of_grants_do_not_hold_a_proof_up() -> None:
    grants = tuple(
        Grant(f"{number:064x}", KEY, f"arn:aws:iam::111122223333:role/other-{number}", ("Decrypt",))
        for number in range(5_000)
    )
    begun = time.process_time()
    explanation = explained(REQUEST, layers(grants=grants))
    assert time.process_time() - begun < 5  # making each grant in each trial takes four times that
    assert all(each.proof.holds for each in explanation.fixes if each.proof is not None)
    assert explanation.layers is not None
    assert explanation.layers.grants == grants
