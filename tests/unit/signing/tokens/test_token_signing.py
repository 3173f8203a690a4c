"""What is asked of a token becomes header and claims; what is wrong names its field, unsigned."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.errors import ServiceError
from kms_tui.signing.tokens.jws_algorithms import algorithm_for
from kms_tui.signing.tokens.token_errors import TokenError, TokenField
from kms_tui.signing.tokens.token_keys import open_token_key
from kms_tui.signing.tokens.token_signing import TokenRequest, UnsignedToken, prepare, sign

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
P256 = "alias/ECC_NIST_P256"


def prepared(account: Kms, key: str = P256, **fields: Any) -> UnsignedToken:
    return prepare(TokenRequest(**{"claims": '{"sub": "x"}', **fields}), open_token_key(account, key), NOW)


def test_fields_become_claims(token_account: Kms) -> None:
    made = prepared(
        token_account,
        claims="",
        pairs=(
            "scope=read write",
            "a=b=c",
            "admin:=true",
            'list:=[1, "2"]',
            "empty=",
            "url=https://x?a=b",
            "https://e.x/roles:=[1]",
        ),
        expires_in="1h30m",
        issuer="https://login.example",
        subject="orders",
        audience=("api",),
    )
    assert made.claims == {
        "iss": "https://login.example",
        "sub": "orders",
        "aud": "api",
        "scope": "read write",
        "a": "b=c",
        "admin": True,
        "list": [1, "2"],
        "empty": "",
        "url": "https://x?a=b",
        "https://e.x/roles": [1],
        "iat": 1796040000,
        "exp": 1796045400,
    }
    assert prepared(token_account, audience=("a", "b")).claims["aud"] == ["a", "b"]
    assert prepared(token_account, claims='{"iat": 5}', expires_in="60").claims == {
        "iat": 5,
        "exp": 1796040060,
    }


def test_the_header_names_the_key(token_account: Kms) -> None:
    key = open_token_key(token_account, P256)
    assert key.public_key is not None
    for kid, expected in (
        ("", key.public_key.thumbprint),
        ("thumbprint", key.public_key.thumbprint),
        ("key-id", key.key_id),
        ("mine", "mine"),
    ):
        assert prepared(token_account, kid=kid).header == {"alg": "ES256", "typ": "JWT", "kid": expected}
    assert prepared(token_account, kid="none").header == {"alg": "ES256", "typ": "JWT"}
    mac = open_token_key(token_account, "alias/imported-HMAC_256")
    assert prepared(token_account, mac.asked_as).header["kid"] == mac.key_id
    made = prepared(token_account, header='{"typ": "at+jwt", "kid": "k", "alg": "ES256", "x": [1]}')
    assert made.header == {"alg": "ES256", "typ": "at+jwt", "kid": "k", "x": [1]}


def test_kms_names_of_algorithms_are_taken(token_account: Kms) -> None:
    assert prepared(token_account, algorithm="ECDSA_SHA_256").header["alg"] == "ES256"
    rsa = "alias/RSA_2048"
    assert prepared(token_account, rsa).header["alg"] == "RS256"
    assert prepared(token_account, rsa, algorithm="RSASSA_PSS_SHA_384").header["alg"] == "PS384"
    assert prepared(token_account, "alias/ECC_NIST_EDWARDS25519").header["alg"] == "EdDSA"


WRONG = [
    ({"claims": ""}, TokenField.CLAIMS, "There are no claims"),
    ({"claims": "{"}, TokenField.CLAIMS, "The claims cannot be read as JSON: line 1"),
    ({"claims": "[]"}, TokenField.CLAIMS, "The claims must be a JSON object; here is a list"),
    ({"claims": '{"a": NaN}'}, TokenField.CLAIMS, "NaN is no JSON number"),
    ({"claims": '{"a": 1, "a": 1}'}, TokenField.CLAIMS, 'the member "a" is given twice'),
    ({"claims": '{"a":' * 50_000}, TokenField.CLAIMS, "nests too deep"),
    ({"claims": '{"exp": "1796040000"}'}, TokenField.CLAIMS, r"The exp \(expiry\) is a text"),
    ({"claims": '{"exp": true}'}, TokenField.CLAIMS, r"The exp \(expiry\) is no number"),
    ({"claims": '{"exp": 1796040000000}'}, TokenField.CLAIMS, "in milliseconds, it seems"),
    ({"claims": '{"nbf": -1}'}, TokenField.CLAIMS, "before 1970"),
    ({"claims": '{"exp": 5, "nbf": 5}'}, TokenField.CLAIMS, "never be valid"),
    ({"claims": '{"iss": 5}'}, TokenField.CLAIMS, "The claim iss is no text"),
    ({"claims": '{"aud": [5]}'}, TokenField.CLAIMS, "The claim aud is neither"),
    ({"claims": json.dumps({"a": "x" * 1_000_000})}, TokenField.CLAIMS, "at most 1,048,576 characters"),
    ({"pairs": ("exp=5",)}, TokenField.CLAIMS, "is a text"),
    ({"pairs": ("x",)}, TokenField.CLAIM, "A claim is NAME=TEXT"),
    ({"pairs": ("=x",)}, TokenField.CLAIM, "A claim is NAME=TEXT"),
    ({"pairs": ("a:=x",)}, TokenField.CLAIM, "The claim a cannot be read as JSON"),
    ({"pairs": ('a:=1}, "b": {',)}, TokenField.CLAIM, "The claim a cannot be read as JSON"),
    ({"pairs": ("sub=y",)}, TokenField.CLAIM, "The claim sub is given twice"),
    ({"pairs": ("b=1", "b=2")}, TokenField.CLAIM, "The claim b is given twice"),
    ({"claims": '{"exp": 5}', "expires_in": "5m"}, TokenField.CLAIM, "The claim exp is given twice"),
    ({"issuer": "\udc80"}, TokenField.CLAIMS, "as UTF-8"),
    ({"pairs": ("a=\ud800",)}, TokenField.CLAIMS, "as UTF-8"),
    ({"expires_in": "soon"}, TokenField.EXPIRES_IN, "is a length of time"),
    ({"expires_in": "-5m"}, TokenField.EXPIRES_IN, "is a length of time"),
    ({"expires_in": "0"}, TokenField.EXPIRES_IN, "the moment that it is signed"),
    ({"expires_in": "999999999w"}, TokenField.EXPIRES_IN, "longer than 100 years"),
    ({"algorithm": "none"}, TokenField.ALGORITHM, "has no signature"),
    ({"algorithm": "RS256"}, TokenField.ALGORITHM, "is an ECC_NIST_P256 key: it has no RS256"),
    ({"algorithm": "HS256"}, TokenField.ALGORITHM, "it has no HS256"),
    ({"algorithm": "ES512K"}, TokenField.ALGORITHM, "There is no algorithm ES512K"),
    ({"header": "[]"}, TokenField.HEADER, "The header must be a JSON object; here is a list"),
    ({"header": '{"alg": "none"}'}, TokenField.HEADER, "another alg"),
    ({"header": '{"crit": ["x"]}'}, TokenField.HEADER, "crit is not made here"),
    ({"header": '{"b64": false}'}, TokenField.HEADER, "b64 is not made here"),
    ({"header": '{"typ": 5}'}, TokenField.HEADER, "'typ' in header must be a str"),
    ({"header": '{"kid": "a"}', "kid": "b"}, TokenField.KID, "The kid is given twice"),
    ({"kid": "\udc80"}, TokenField.KID, "as UTF-8"),
]


@pytest.mark.parametrize(("fields", "field", "sentence"), WRONG)
def test_what_is_wrong_names_its_field(
    token_account: Kms, calls: list[str], fields: dict[str, Any], field: TokenField, sentence: str
) -> None:
    with pytest.raises(TokenError, match=sentence) as caught:
        prepared(token_account, **fields)
    assert caught.value.field is field
    assert calls == ["GetPublicKey"]


@pytest.mark.parametrize(
    ("alias", "sentence"),
    [
        ("ENCRYPT_DECRYPT-SYMMETRIC_DEFAULT", "a symmetric encryption key: it signs no tokens"),
        ("ENCRYPT_DECRYPT-RSA_2048", "usage ENCRYPT_DECRYPT: it encrypts"),
        ("KEY_AGREEMENT-ECC_NIST_P256", "agrees on secrets"),
        ("imported-HMAC_224", "is an HMAC_224 key: JOSE has no algorithm for it"),
    ],
)
def test_keys_that_sign_no_tokens(token_account: Kms, alias: str, sentence: str) -> None:
    with pytest.raises(TokenError, match=sentence) as caught:
        prepared(token_account, f"alias/{alias}")
    assert caught.value.field is TokenField.KEY
    with pytest.raises(TokenError, match="its thumbprint would need its bytes"):
        prepared(token_account, "alias/imported-HMAC_256", kid="thumbprint")
    with pytest.raises(TokenError, match="an SM2 key: JOSE has no algorithm"):
        algorithm_for("SM2", "alias/sm2")


def test_errors_of_kms_pass(token_account: Kms) -> None:
    made = token_account.call("CreateKey", KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    unsigned = prepared(token_account, made["KeyMetadata"]["KeyId"])
    token_account.disable(unsigned.key.key_id)
    with pytest.raises(ServiceError, match="is disabled"):
        sign(unsigned)


def test_the_preview_shows_what_is_signed_and_what_to_know(token_account: Kms) -> None:
    preview = "\n".join(prepared(token_account).preview())
    assert '"sub": "x"' in preview
    assert '"alg": "ES256"' in preview
    assert "one call of Sign" in preview
    assert "no expiry" in preview
    assert (
        prepared(token_account, claims='{"exp": 5}').notes[0].startswith("The token is expired already: 56 y")
    )
    assert "many servers" in prepared(token_account, claims=json.dumps({"a": "x" * 7000})).notes[-1]
    assert prepared(token_account, expires_in="5m").notes == ()
    assert "GenerateMac" in "\n".join(prepared(token_account, "alias/imported-HMAC_256").preview())
