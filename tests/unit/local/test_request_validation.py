"""Requests that the service's own front end would refuse, in its wording."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.validate import ParamValidator

from kms_tui.backend.local import LocalBackend
from kms_tui.backend.local.engine.request_validation import SHOWN, check_request, enum_values, request_of
from kms_tui.backend.service_model import operations
from kms_tui.kms.errors import ServiceError
from tests.contract.shapes import operation_model, service_model


def _refusal(operation: str, params: dict[str, Any]) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        check_request(operation, params)
    return caught.value


def _constraint(operation: str, **params: Any) -> str:
    error = _refusal(operation, params)
    assert error.code == "ValidationException"
    assert error.message.startswith("1 validation error detected: ")
    return error.message.removeprefix("1 validation error detected: ")


def test_every_operation_of_the_model_can_be_checked() -> None:
    names = set(service_model().operation_names)
    assert operations() == names
    for name in names:
        shape: Any = operation_model(name).input_shape
        assert request_of(name).members.keys() == shape.members.keys()


def test_a_missing_member_is_null() -> None:
    assert _constraint("DescribeKey") == (
        "Value null at 'keyId' failed to satisfy constraint: Member must not be null"
    )


def test_a_null_member_is_a_missing_one() -> None:
    assert check_request("CreateKey", {"Description": None}) == {}


def test_an_alias_in_place_of_a_key_is_told_before_what_is_missing() -> None:
    for alias in ("alias/a", "arn:aws:kms:eu-west-1:111122223333:alias/a"):
        error = _refusal("TagResource", {"KeyId": alias})
        assert error.code == "InvalidArnException"
        assert error.message == "Key Aliases are not supported for this operation."
    assert check_request("GetPublicKey", {"KeyId": "alias/a"}) == {"KeyId": "alias/a"}


def test_what_is_shown_of_an_enum_is_what_it_has() -> None:
    for name, shown in SHOWN.items():
        if name != "DataKeySpec":
            assert sorted(shown) == sorted(enum_values(name))


def test_an_empty_key_id_is_too_short_and_matches_no_pattern() -> None:
    assert _refusal("GetPublicKey", {"KeyId": ""}).message == (
        "2 validation errors detected: Value '' at 'keyId' failed to satisfy constraint: Member must have "
        "length greater than or equal to 1; Value '' at 'keyId' failed to satisfy constraint: Member must "
        r"satisfy regular expression pattern: ^\p{ASCII}+$"
    )


def test_a_value_outside_an_enum_is_named_with_the_enum() -> None:
    assert _constraint("CreateKey", KeyUsage="x") == (
        "Value 'x' at 'keyUsage' failed to satisfy constraint: Member must satisfy enum value set: "
        "[ENCRYPT_DECRYPT, SIGN_VERIFY, GENERATE_VERIFY_MAC, KEY_AGREEMENT, ENCAPSULATE_DECAPSULATE]"
    )


def test_several_problems_are_told_at_once() -> None:
    error = _refusal("CreateKey", {"KeyUsage": "x", "KeySpec": "y"})
    assert error.message.startswith("2 validation errors detected: Value 'x' at 'keyUsage' failed")
    assert "; Value 'y' at 'keySpec' failed" in error.message


@pytest.mark.parametrize(
    ("operation", "params", "words"),
    [
        (
            "DescribeKey",
            {"KeyId": "clé"},
            r"'clé' at 'keyId' …: Member must satisfy regular expression pattern: ^\p{ASCII}+$",
        ),
        ("Encrypt", {"KeyId": "x"}, "at 'plaintext' …: Member must not be null"),
        ("ListKeys", {"Limit": 0}, "'0' at 'limit' …: Member must have value greater than or equal to 1"),
        (
            "ListKeys",
            {"Limit": 1001},
            "'1001' at 'limit' …: Member must have value less than or equal to 1000",
        ),
        (
            "GetKeyPolicy",
            {"KeyId": "x", "PolicyName": "a-b"},
            r"'a-b' at 'policyName' …: Member must satisfy regular expression pattern: [\w]+",
        ),
        (
            "UntagResource",
            {"KeyId": "x", "TagKeys": ["a", ""]},
            "'[a, ]' at 'tagKeys' …: Member must satisfy constraint: [Member must have length less than or "
            "equal to 128, Member must have length greater than or equal to 1]",
        ),
        (
            "TagResource",
            {"KeyId": "x", "Tags": [{"TagKey": "a", "TagValue": ""}, {"TagKey": "", "TagValue": ""}]},
            "'' at 'tags.2.member.tagKey' …: Member must have length greater than or equal to 1",
        ),
        (
            "ListKeys",
            {"ResourceOwners": []},
            "'[]' at 'resourceOwners' …: Member must have length greater than or equal to 1",
        ),
        (
            "Decrypt",
            {"CiphertextBlob": bytes(6145)},
            "at 'ciphertextBlob' …: Member must have length less than or equal to 6144",
        ),
    ],
)
def test_constraints_are_told_in_the_services_words(
    operation: str, params: dict[str, Any], words: str
) -> None:
    assert _constraint(operation, **params) == "Value " + words.replace("…", "failed to satisfy constraint")


def test_a_sensitive_value_is_not_repeated() -> None:
    message = _constraint(
        "CreateCustomKeyStore",
        CustomKeyStoreName="x",
        CustomKeyStoreType="AWS_CLOUDHSM",
        KeyStorePassword="hunter",
    )
    assert message.startswith("Value at 'keyStorePassword' failed")
    assert "hunter" not in message


def test_a_pattern_covers_the_whole_value() -> None:
    assert "regular expression" in _constraint("CreateAlias", AliasName="alias/x\n", TargetKeyId="x")


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("DescribeKey", {"KeyId": 5}),
        ("ListKeys", {"Limit": "5"}),
        ("ListKeys", {"Limit": True}),
        ("CreateKey", {"MultiRegion": "yes"}),
        ("CreateKey", {"Tags": {"a": "b"}}),
        ("CreateKey", {"Tags": ["a"]}),
        ("Encrypt", {"KeyId": "x", "Plaintext": 5}),
        ("Encrypt", {"KeyId": "x", "Plaintext": b"x", "EncryptionContext": []}),
        ("Encrypt", {"KeyId": "x", "Plaintext": b"x", "EncryptionContext": {"a": 1}}),
        (
            "ImportKeyMaterial",
            {"KeyId": "x", "ImportToken": b"x", "EncryptedKeyMaterial": b"x", "ValidTo": []},
        ),
        ("DescribeKey", {"KeyId": "\ud800"}),
    ],
)
def test_a_value_of_the_wrong_type_does_not_serialise(operation: str, params: dict[str, Any]) -> None:
    assert _refusal(operation, params).code == "SerializationException"


@pytest.mark.parametrize("params", [{"Nonsense": 1}, {"Tags": [{"TagKey": "a", "TagValue": "", "More": ""}]}])
def test_an_unknown_member_is_refused_as_boto3_does(params: dict[str, Any]) -> None:
    error = _refusal("CreateKey", params)
    assert error.code == "ValidationException"
    assert error.message.startswith("Unknown parameter in")
    shape: Any = operation_model("CreateKey").input_shape
    report = ParamValidator().validate(params, shape).generate_report()
    assert report.startswith("Unknown parameter in")


def test_text_for_a_blob_is_its_utf_8() -> None:
    assert check_request("Encrypt", {"KeyId": "x", "Plaintext": "é"})["Plaintext"] == "é".encode()


@pytest.mark.parametrize(
    "value", [datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 2), 1772409600, "2026-03-02T00:00:00+00:00"]
)
def test_a_time_may_be_given_in_any_usual_form(value: Any) -> None:
    params = {"KeyId": "x", "ImportToken": b"x", "EncryptedKeyMaterial": b"x", "ValidTo": value}
    assert check_request("ImportKeyMaterial", params)["ValidTo"] == datetime(2026, 3, 2, tzinfo=UTC)


def test_all_patterns_of_the_model_mean_the_same_here() -> None:
    for name in service_model().shape_names:
        pattern = service_model().shape_for(name).metadata.get("pattern")
        if pattern:
            re.compile(pattern, re.ASCII)


def test_a_refused_request_is_recorded_as_any_other(backend: LocalBackend) -> None:
    with pytest.raises(ServiceError) as caught:
        backend.call("ListKeys", {"Limit": 0})
    assert caught.value.operation == "ListKeys"
    assert backend.store.rows("SELECT operation, error FROM events") == [("ListKeys", "ValidationException")]
