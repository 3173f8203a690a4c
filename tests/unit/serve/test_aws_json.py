"""AWS JSON 1.1 both ways, by the shapes of the service model."""

from __future__ import annotations

import base64
import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.session import get_session
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.backend.service_model import operations
from kms_tui.kms.errors import ServiceError
from kms_tui.serve import aws_json

MODEL = get_session().get_service_model("kms")
OPERATIONS = st.sampled_from(sorted(operations()))


def refused(operation: str, body: bytes | str | dict[str, Any]) -> str:
    """Expect SerializationException; its message."""
    if isinstance(body, dict):
        body = json.dumps(body)
    with pytest.raises(ServiceError) as caught:
        aws_json.parse(operation, body.encode() if isinstance(body, str) else body)
    assert caught.value.code == "SerializationException"
    return caught.value.message


def values(shape: Any) -> st.SearchStrategy[Any]:
    """Any value that boto3 could hold for a shape."""
    if shape.type_name == "structure":
        members = {name: values(member) for name, member in shape.members.items()}
        return st.fixed_dictionaries({}, optional=members)
    if shape.type_name == "list":
        return st.lists(values(shape.member), max_size=3)
    if shape.type_name == "map":
        return st.dictionaries(st.text(max_size=5), values(shape.value), max_size=3)
    scalars: dict[str, st.SearchStrategy[Any]] = {
        "string": st.text(max_size=8),
        "boolean": st.booleans(),
        "integer": st.integers(-(2**31), 2**31 - 1),
        "blob": st.binary(max_size=8),
        "timestamp": st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(
            lambda moment: moment.replace(tzinfo=UTC, microsecond=moment.microsecond // 1000 * 1000)
        ),
    }
    return scalars[shape.type_name]


@settings(deadline=None, max_examples=75)
@given(OPERATIONS, st.data())
def test_what_botocore_serialises_is_parsed_to_the_same_parameters(
    operation: str, data: st.DataObject
) -> None:
    model = MODEL.operation_model(operation)
    params = data.draw(values(model.input_shape))
    body = create_serializer("json", include_validation=False).serialize_to_request(params, model)["body"]
    parsed = aws_json.parse(operation, body)
    # The protocol sends timestamps in whole seconds; botocore's serialiser cuts the rest off.
    assert _in_seconds(parsed) == _in_seconds(params)


@settings(deadline=None, max_examples=75)
@given(OPERATIONS, st.data())
def test_what_is_serialised_botocore_parses_to_the_same_result(operation: str, data: st.DataObject) -> None:
    model = MODEL.operation_model(operation)
    shape: Any = model.output_shape
    result = data.draw(values(shape)) if shape else {}
    response = {"body": aws_json.serialize(operation, result), "headers": {}, "status_code": 200}
    parsed = create_parser("json").parse(response, shape)
    del parsed["ResponseMetadata"]
    assert parsed == result


def _in_seconds(value: Any) -> Any:
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, dict):
        return {name: _in_seconds(inner) for name, inner in value.items()}
    return [_in_seconds(inner) for inner in value] if isinstance(value, list) else value


def test_an_operation_without_output_has_an_empty_body() -> None:
    assert aws_json.serialize("EnableKey", {}) == b""


def test_timestamps_are_seconds_with_milliseconds_at_most() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_901, UTC)
    body = json.loads(aws_json.serialize("ScheduleKeyDeletion", {"DeletionDate": moment}))
    assert body == {"DeletionDate": 1767323045.679}


def test_members_that_the_model_does_not_know_or_that_are_none_stay_out_of_an_answer() -> None:
    assert (
        aws_json.serialize("GenerateRandom", {"ResponseMetadata": {}, "CiphertextForRecipient": None})
        == b"{}"
    )


def test_null_and_unknown_members_count_as_absent() -> None:
    assert aws_json.parse("ListKeys", b'{"Limit": null, "Marker": "m", "Later": {"x": 1}}') == {"Marker": "m"}


def test_a_number_with_a_fraction_loses_it_where_an_integer_is_wanted() -> None:
    assert aws_json.parse("ListKeys", b'{"Limit": 10.0}') == {"Limit": 10}


def test_an_integer_too_large_is_left_to_validation() -> None:
    assert aws_json.parse("ListKeys", b'{"Limit": 99999999999}') == {"Limit": 99999999999}


@pytest.mark.parametrize(
    ("operation", "params", "message"),
    [
        ("ListKeys", {"Limit": "1"}, "STRING_VALUE can not be converted to an Integer"),
        ("ListKeys", {"Limit": True}, "TRUE_VALUE can not be converted to an Integer"),
        ("ListKeys", {"Limit": [1]}, "Start of list found where not expected"),
        ("ListKeys", {"Limit": {"a": 1}}, "Start of structure or map found where not expected."),
        ("ListKeys", {"Marker": 1}, "NUMBER_VALUE can not be converted to a String"),
        ("ListKeys", {"Marker": False}, "FALSE_VALUE can not be converted to a String"),
        ("CreateKey", {"MultiRegion": 1}, "NUMBER_VALUE can not be converted to a Boolean"),
        ("CreateKey", {"Tags": "x"}, "Expected list or null"),
        ("CreateKey", {"Tags": {}}, "Start of structure or map found where not expected."),
        ("CreateKey", {"Tags": ["x"]}, "Expected null"),
        ("CreateKey", {"Tags": [[]]}, "Start of list found where not expected"),
        ("CreateKey", {"Tags": [None]}, "Expected null"),
        ("Encrypt", {"Plaintext": 5}, "NUMBER_VALUE can not be converted to a Blob"),
        ("Encrypt", {"Plaintext": "not base64!"}, ""),
        ("Encrypt", {"Plaintext": "YQ"}, ""),
        ("Encrypt", {"Plaintext": "é"}, ""),
        ("Encrypt", {"EncryptionContext": "x"}, "Expected map or null"),
        ("Encrypt", {"EncryptionContext": []}, "Start of list found where not expected"),
        ("Encrypt", {"EncryptionContext": {"a": 1}}, "NUMBER_VALUE can not be converted to a String"),
        ("Encrypt", {"EncryptionContext": {"a": None}}, ""),
        (
            "ImportKeyMaterial",
            {"ValidTo": "2026-01-01"},
            "STRING_VALUE can not be converted to milliseconds since epoch",
        ),
        ("ImportKeyMaterial", {"ValidTo": 1e300}, ""),
    ],
)
def test_a_value_of_another_type_is_refused_in_the_services_words(
    operation: str, params: dict[str, Any], message: str
) -> None:
    assert refused(operation, params) == message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b'"x"',
        b"1",
        b'{"Limit": 1,}',
        b'{"Limit": NaN}',
        b'{"Limit": 1e999}',
        b'{"Limit": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"Marker": "\xff"}',
        b'{"Marker": "\\ud800"}',
        b'{"Marker": "\x01"}',
        '{"Marker": "x"}'.encode("utf-16"),
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_is_no_json_object_is_refused_without_a_word(body: bytes) -> None:
    assert refused("ListKeys", body) == ""


def test_a_body_that_is_a_list_is_refused() -> None:
    assert refused("ListKeys", b"[]") == "Start of list found where not expected"


@settings(deadline=None, max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["KeyId", "Tags", "TagKey", "Plaintext", "x"]), inner, max_size=3
            )
        ),
        max_leaves=8,
    ),
    st.sampled_from(["CreateKey", "Encrypt", "CreateGrant", "ImportKeyMaterial"]),
)
def test_any_json_is_parsed_or_refused(value: Any, operation: str) -> None:
    with contextlib.suppress(ServiceError):
        parsed = aws_json.parse(operation, json.dumps(value).encode())
        shape: Any = MODEL.operation_model(operation).input_shape
        assert set(parsed) <= set(shape.members)


def test_errors_have_their_message_in_the_member_that_kms_uses() -> None:
    assert json.loads(aws_json.error_body("NotFoundException", "no")) == {
        "__type": "NotFoundException",
        "message": "no",
    }
    assert json.loads(aws_json.error_body("AccessDeniedException", "no")) == {
        "__type": "AccessDeniedException",
        "Message": "no",
    }
    assert json.loads(aws_json.error_body("InvalidCiphertextException", "")) == {
        "__type": "InvalidCiphertextException"
    }


def test_a_session_of_every_blob_survives_the_wire() -> None:
    blob = bytes(range(256))
    parsed = aws_json.parse("Encrypt", json.dumps({"Plaintext": base64.b64encode(blob).decode()}).encode())
    assert parsed == {"Plaintext": blob}


def test_times_before_1970_and_fractions_are_read() -> None:
    parsed = aws_json.parse("ImportKeyMaterial", b'{"ValidTo": -0.5}')
    assert parsed["ValidTo"] == datetime(1970, 1, 1, tzinfo=UTC) - timedelta(milliseconds=500)
