"""A token is taken out of what people paste; what is none gets one sentence."""

from __future__ import annotations

import base64
import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.signing.tokens.token_errors import TokenError, TokenField
from kms_tui.signing.tokens.token_reading import MAX_TOKEN, read_token


def part(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


HEADER, CLAIMS = {"alg": "ES256", "typ": "JWT", "kid": "k"}, {"sub": "orders"}
SIGNATURE = base64.urlsafe_b64encode(bytes(range(64))).decode().rstrip("=")
TOKEN = f"{part(HEADER)}.{part(CLAIMS)}.{SIGNATURE}"


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"\ufeff {TOKEN}\r\n",
        f'"{TOKEN}"',
        f"'Bearer {TOKEN}'",
        f"Bearer {TOKEN}",
        f"Authorization: bearer {TOKEN}",
        f'Bearer "{TOKEN}"',
        "\r\n".join(TOKEN[at : at + 40] for at in range(0, len(TOKEN), 40)),
        json.dumps({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300}),
        json.dumps({"protected": part(HEADER), "payload": part(CLAIMS), "signature": SIGNATURE}),
        json.dumps(
            {"payload": part(CLAIMS), "signatures": [{"protected": part(HEADER), "signature": SIGNATURE}]}
        ),
    ],
)
def test_a_token_is_taken_out_of_its_wrapping(text: str) -> None:
    token = read_token(text)
    assert (token.header, token.claims, token.signature) == (HEADER, CLAIMS, bytes(range(64)))
    assert (token.compact, token.key_id, token.algorithm) == (TOKEN, "k", "ES256")
    assert token.signing_input == f"{part(HEADER)}.{part(CLAIMS)}".encode()
    assert "orders" not in repr(token)


def of(header: object = HEADER, claims: object = CLAIMS, signature: str = SIGNATURE) -> str:
    return f"{part(header)}.{part(claims)}.{signature}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the text is empty"),
        ('""', "only what stands before one"),
        ("Bearer ", "it has 1 of the three parts"),
        ("hello", "it has 1 of the three parts"),
        ("a.b", "it has 2 of the three parts"),
        ("." * 9, "it has 10 of the three parts"),
        ("a.b.c.d.e", "an encrypted token"),
        (part({"alg": "dir", "enc": "A256GCM"}) + "..AAAA.AAAA.AAAA", "an encrypted token"),
        (of({"alg": "dir", "enc": "A256GCM"}), "an encrypted token"),
        ("x" * (MAX_TOKEN + 1), "too long for a token"),
        ("x" * 10_000_000, "too long for a token: 10,000,000 characters"),
        (f"{part(HEADER)}..{SIGNATURE}", "detached"),
        (of("{"), "The header cannot be read as JSON: line 1"),
        (of(claims="[1]"), "The payload must be a JSON object; here is a list"),
        (of(claims='"x"'), "here is a text"),
        (of(claims="null"), "here is null"),
        (of(claims='{"a": 1, "a": 2}'), 'the member "a" is given twice'),
        (of(claims='{"a": {"b": 1, "b": 2}}'), 'the member "b" is given twice'),
        (of(claims='{"a": NaN}'), "NaN is no JSON number"),
        (of(claims='{"a": 1e999}'), "larger than any double"),
        (of(claims='{"a": ' + "9" * 5000 + "}"), "more than 400 digits"),
        (of(claims='{"a": "\\ud800"}'), "half a character"),
        (of(claims='{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"), "nests too deep"),
        (f"{part(HEADER)}.{base64.urlsafe_b64encode(bytes([255, 254] * 3)).decode()}.AA", "not UTF-8"),
        (f"{part(HEADER)}.a+b/.AA", "The payload is not base64url"),
        (f"{part(HEADER)}==.{part(CLAIMS)}.AA", "leave out"),
        (f"{part(HEADER)}.{part(CLAIMS)}.A", "The signature is not base64url"),
        (of({}), "has no alg"),
        (of({"alg": 5}), "has no alg"),
        (of({"alg": "ES256", "kid": 5}), "The kid in the header is no text"),
        (of({"alg": "ES256", "b64": False, "crit": ["b64"]}), "b64: false"),
        (of({"alg": "ES256", "crit": ["exp"], "exp": 1}), "crit asks that exp be understood"),
        (of({"alg": "ES256", "crit": []}), "not a list of names"),
        (of({"alg": "ES256", "crit": "b64"}), "not a list of names"),
        (of({"alg": "ES256", "crit": ["b64"]}), "crit asks that b64"),
        ("{}", "holds no token"),
        (json.dumps({"access_token": TOKEN, "id_token": TOKEN}), "holds 2 tokens"),
        (json.dumps({"ciphertext": "x", "protected": "y"}), "an encrypted token"),
        (json.dumps({"payload": "x", "signatures": []}), "not one signature"),
        (json.dumps({"payload": "x", "signatures": [{}, {}]}), "not one signature"),
        (json.dumps({"payload": "x", "header": {"alg": "none"}, "signature": ""}), "unprotected header"),
        (json.dumps({"payload": 5, "protected": "x", "signature": ""}), "lacks its protected header"),
        ("\ud800.\udfff.x", "The header is not base64url"),
        ("a\0.b.c", "The header is not base64url"),
    ],
)
def test_what_is_no_token_gets_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(TokenError, match=sentence) as caught:
        read_token(text)
    assert caught.value.field is TokenField.TOKEN
    assert len(str(caught.value)) < 300


def test_an_extension_that_changes_nothing_is_taken() -> None:
    assert read_token(of({"alg": "ES256", "b64": True, "crit": ["b64"]})).algorithm == "ES256"


@settings(max_examples=60)
@given(st.one_of(st.text(max_size=80), st.lists(st.text(max_size=20), min_size=3, max_size=3).map(".".join)))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(TokenError):
        assert read_token(text).header
