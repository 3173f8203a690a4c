"""What a web identity token tells: the provider, the claims as condition keys, session tags."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.backend.local.principals.web_identity import WebIdentity, read_token
from kms_tui.kms.errors import ServiceError

_CLAIMS = {"iss": "https://oidc.example/id/A1", "sub": "system:serviceaccount:default:app", "aud": "sts"}


def _token(claims: Any, header: Any = None) -> str:
    parts = [json.dumps(each).encode() for each in (header or {"alg": "RS256"}, claims)]
    return ".".join([urlsafe_b64encode(part).decode().rstrip("=") for part in parts] + ["c2ln"])


def _read(**changes: Any) -> WebIdentity:
    return read_token(_token({**_CLAIMS, **changes}))


def test_the_provider_is_named_as_trust_policies_name_it() -> None:
    assert _read().provider_arn("aws-cn", "111122223333") == (
        "arn:aws-cn:iam::111122223333:oidc-provider/oidc.example/id/A1"
    )
    assert _read(iss="https://accounts.google.com").provider_arn("aws", "1") == "accounts.google.com"
    by_id = read_token(_token({"sub": "someone", "aud": "app"}), "www.amazon.com")
    assert by_id.provider_arn("aws", "1") == "www.amazon.com"


def test_claims_are_condition_keys_of_the_request_and_some_of_the_session() -> None:
    found = _read(amr=["pwd", "mfa"], email_verified=True, level=7, nested={"a": 1}, nothing=None)
    prefix = "oidc.example/id/A1:"
    assert found.request_context() == {
        f"{prefix}iss": _CLAIMS["iss"],
        f"{prefix}sub": _CLAIMS["sub"],
        f"{prefix}aud": "sts",
        f"{prefix}amr": ("pwd", "mfa"),
        f"{prefix}email_verified": "true",
        f"{prefix}level": "7",
    }
    assert set(found.session_context()) == {f"{prefix}sub", f"{prefix}aud", f"{prefix}amr"}


def test_the_audience_is_the_authorized_party_where_there_is_one() -> None:
    assert _read(aud=["first", "second"]).audience == "first"
    assert _read(azp="party").audience == "party"


def test_a_token_brings_session_tags_and_a_source_identity() -> None:
    tags = {
        "principal_tags": {"Project": ["k"], "Plain": "p", "Wrong": 7},
        "transitive_tag_keys": ["Project", 7],
    }
    found = _read(**{"https://aws.amazon.com/tags": tags, "https://aws.amazon.com/source_identity": "ada"})
    assert found.tags == [{"Key": "Project", "Value": "k"}, {"Key": "Plain", "Value": "p"}]
    assert (found.transitive_tag_keys, found.source_identity) == (["Project"], "ada")
    odd_ones: list[Any] = ["x", [], {"principal_tags": []}, {"principal_tags": 1, "transitive_tag_keys": "x"}]
    for odd in odd_ones:
        found = _read(**{"https://aws.amazon.com/tags": odd})
        assert (found.tags, found.transitive_tag_keys, found.source_identity) == ([], [], "")


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("", "is not a valid JWT"),
        ("a.b", "is not a valid JWT"),
        (_token([]), "is not a valid JWT"),
        (_token({"a": 1}, header=[1]), "is not a valid JWT"),
        (f"e30.{'W' * 4000}.x", "is not a valid JWT"),
        (_token({**_CLAIMS, "iss": None}), "Missing a required claim: iss"),
        (_token({**_CLAIMS, "sub": ["x"]}), "Missing a required claim: sub"),
        (_token({**_CLAIMS, "sub": "a\x1b[31m"}), "Missing a required claim: sub"),
        (_token({**_CLAIMS, "aud": []}), "Missing a required claim: aud"),
    ],
)
def test_what_is_no_token_is_refused(token: str, said: str) -> None:
    with pytest.raises(ServiceError, match=said) as caught:
        read_token(token)
    assert caught.value.code == "InvalidIdentityToken"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from([*_CLAIMS, "azp", "amr", "https://aws.amazon.com/tags"]), _JSON))
def test_any_claims_are_read_or_refused(claims: dict[str, Any]) -> None:
    try:
        found = read_token(_token({**_CLAIMS, **claims}))
    except ServiceError:
        return
    values = found.request_context().values()
    assert all(isinstance(value, str | tuple) for value in values)
    assert all(isinstance(tag["Value"], str) for tag in found.tags)
