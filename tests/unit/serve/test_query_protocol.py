"""Forms to parameters, by the model of STS, and what is wrong with them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import botocore.session
import pytest
from botocore.parsers import QueryParser
from botocore.serialize import create_serializer
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.backend.local.principals.sts_operations import OPERATIONS
from kms_tui.kms.errors import ServiceError
from kms_tui.serve.http_messages import HttpRequest
from kms_tui.serve.query_protocol import QueryCall, answer, parameters, query_call, refusal

_MODEL = botocore.session.get_session().get_service_model("sts")
_ROLE = {"RoleArn": "arn:aws:iam::111122223333:role/app", "RoleSessionName": "s-1"}


def call_of(action: str, params: dict[str, Any]) -> QueryCall:
    """What botocore sends for an action, as the server receives it."""
    operation = _MODEL.operation_model(action)
    prepared = create_serializer("query").serialize_to_request(params, operation)
    return query_call(HttpRequest("POST", "/", "", {}, urlencode(prepared["body"]).encode()))


def fields(action: str, **named: str) -> QueryCall:
    return QueryCall(action, "2011-06-15", named)


def read_or_refused(call: QueryCall) -> tuple[dict[str, Any], str]:
    """The parameters, or the code in the answer that refuses them."""
    try:
        return parameters(call), ""
    except ServiceError as error:
        code = ElementTree.fromstring(refusal(error, "id").body)[0][1].text
        return {}, code or "none"


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("AssumeRole", _ROLE),
        (
            "AssumeRole",
            {
                **_ROLE,
                "PolicyArns": [
                    {"arn": f"arn:aws:iam::111122223333:policy/p{number}"} for number in range(10)
                ],
                "Policy": '{"Version": "2012-10-17"}',
                "DurationSeconds": 900,
                "Tags": [{"Key": f"Straße {number}", "Value": "ü &=+%"[:2]} for number in range(50)],
                "TransitiveTagKeys": [f"Straße {number}" for number in range(50)],
                "ExternalId": "a/b:c",
                "SerialNumber": "arn:aws:iam::111122223333:mfa/ada",
                "TokenCode": "000000",
                "SourceIdentity": "ada",
            },
        ),
        ("GetSessionToken", {}),
        ("GetSessionToken", {"DurationSeconds": 129600}),
        ("AssumeRoleWithWebIdentity", {**_ROLE, "WebIdentityToken": "a.b.c", "ProviderId": "www.amazon.com"}),
        ("GetAccessKeyInfo", {"AccessKeyId": "AKIAEXAMPLEEXAMPLE00"}),
    ],
)
def test_what_botocore_sends_comes_back_in_its_shapes(action: str, params: dict[str, Any]) -> None:
    found = parameters(call_of(action, params))
    if "Tags" in params:
        assert found["Tags"] == [{"Key": each["Key"], "Value": each["Value"]} for each in params["Tags"]]
    assert found == params


@pytest.mark.parametrize(
    ("call", "problems"),
    [
        (
            fields("AssumeRole"),
            [
                "Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
                "Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null",
            ],
        ),
        (
            fields("AssumeRole", **_ROLE, DurationSeconds="1e3"),
            ["Value '1e3' at 'durationSeconds' failed to satisfy constraint: Member must be an integer"],
        ),
        (
            fields("AssumeRole", **_ROLE, **{"Tags.member.1.Key": "a"}),
            ["Value null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null"],
        ),
        (
            fields("AssumeRole", **_ROLE, **{f"Tags.member.{number}.Key": "" for number in range(51)}),
            [
                "Value at 'tags' failed to satisfy constraint: "
                "Member must have length less than or equal to 50"
            ],
        ),
        (
            fields("AssumeRoleWithWebIdentity", **_ROLE, WebIdentityToken="a"),
            [
                "Value at 'webIdentityToken' failed to satisfy constraint: "
                "Member must have length greater than or equal to 4"
            ],
        ),
    ],
)
def test_all_problems_are_told_and_no_token_is(call: QueryCall, problems: list[str]) -> None:
    with pytest.raises(ServiceError) as caught:
        parameters(call)
    assert caught.value.code == "ValidationError"
    many = "errors" if len(problems) > 1 else "error"
    assert caught.value.message == f"{len(problems)} validation {many} detected: {'; '.join(problems)}"


def test_lists_are_in_the_order_of_their_numbers_and_what_is_unknown_is_absent() -> None:
    named = {f"TransitiveTagKeys.member.{number}": f"k{number}" for number in (10, 2, 1)}
    odd = {"TransitiveTagKeys.member.x": "no", "Nothing": "x", "TransitiveTagKeys.other": "y", "": ""}
    found = parameters(fields("AssumeRole", **_ROLE, **named, **odd))
    assert found == {**_ROLE, "TransitiveTagKeys": ["k1", "k2", "k10"]}


_NAMES = st.lists(
    st.sampled_from(["Tags", "member", "1", "2", "Key", "Value", "RoleArn", "PolicyArns", "arn", "", "x"]),
    min_size=1,
    max_size=9,
).map(".".join)


@settings(max_examples=150)
@given(st.sampled_from(sorted(OPERATIONS)), st.dictionaries(_NAMES, st.text(max_size=6), max_size=8))
def test_any_other_form_is_refused_in_words_or_read(action: str, named: dict[str, str]) -> None:
    body = urlencode({**named, "Action": action, "Version": "2011-06-15"}, errors="replace").encode()
    call = query_call(HttpRequest("POST", "/", "", {}, body))
    found, code = read_or_refused(call)
    assert code in ("", "ValidationError")
    shape = _MODEL.operation_model(action).input_shape
    assert set(found) <= set(shape.members if shape else ())


def test_a_result_is_read_by_botocore() -> None:
    result = {
        "Credentials": {
            "AccessKeyId": "ASIAX",
            "SecretAccessKey": "a<b&c",
            "SessionToken": "t",
            "Expiration": datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
        },
        "PackedPolicySize": 7,
    }
    response = answer("AssumeRole", result, "id-1")
    shape = _MODEL.operation_model("AssumeRole").output_shape
    assert shape is not None
    parsed = QueryParser().parse({"body": response.body, "headers": {}, "status_code": 200}, shape)
    assert parsed.pop("ResponseMetadata")["RequestId"] == "id-1"
    assert parsed == result
