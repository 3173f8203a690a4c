"""Signatures, times, audience and issuer of a token, judged in words."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from kms_tui.backend.kms_facade import Kms
from kms_tui.public_key import PublicKey
from kms_tui.signing.tokens.claim_times import read_length, read_moment
from kms_tui.signing.tokens.token_errors import TokenError, TokenField
from kms_tui.signing.tokens.token_keys import open_token_key
from kms_tui.signing.tokens.token_reading import Token, read_token
from kms_tui.signing.tokens.token_verifying import (
    CheckState,
    Expected,
    TokenCheck,
    TokenVerdict,
    claim_checks,
    unchecked,
    verify,
    with_jwks,
    with_kms,
    with_public_key,
)

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
AT = int(NOW.timestamp())
P256 = ec.generate_private_key(ec.SECP256R1())
PUBLIC = PublicKey.of(P256.public_key())
JWK = {**PUBLIC.jwk(), "kid": "k"}


def token(headers: dict[str, Any] | None = None, key: Any = P256, algorithm: str = "ES256") -> Token:
    return read_token(jwt.encode({"sub": "x"}, key, algorithm=algorithm, headers=headers))


def signature_of(verdict: TokenVerdict) -> TokenCheck:
    return next(check for check in verdict.checks if check.name == "signature")


@pytest.mark.parametrize(
    ("claims", "state", "sentence"),
    [
        ({"exp": AT + 900}, CheckState.GOOD, "It expires in 15 min: 2026-11-30 12:15:00 UTC."),
        ({"exp": AT + 0.5}, CheckState.GOOD, "It expires in 0 s"),
        ({"exp": AT}, CheckState.GOOD, "It expired 0 s ago, which the leeway of 30 s allows."),
        ({"exp": AT - 29}, CheckState.GOOD, "It expired 29 s ago, which the leeway of 30 s allows."),
        ({"exp": AT - 30}, CheckState.BAD, "It expired 30 s ago: 2026-11-30 11:59:30 UTC."),
        ({"exp": AT - 3 * 3600}, CheckState.BAD, "It expired 3 h ago"),
        ({"exp": 0}, CheckState.BAD, "It expired 56 y ago"),
        ({}, CheckState.NOTE, "It has no expiry"),
        ({"exp": str(AT)}, CheckState.BAD, "The exp (expiry) is a text"),
        ({"exp": AT * 1000}, CheckState.BAD, "in milliseconds, it seems"),
        ({"exp": None}, CheckState.BAD, "is no number"),
        ({"exp": float("1e300")}, CheckState.BAD, "in milliseconds"),
        ({"exp": 10**300}, CheckState.BAD, "in milliseconds"),
        (
            {"exp": AT + 5, "nbf": AT + 330},
            CheckState.BAD,
            "It is not valid for another 5 min: 2026-11-30 12:05:30 UTC.",
        ),
        ({"exp": AT + 5, "nbf": AT + 9}, CheckState.BAD, "It was never valid"),
        ({"nbf": AT}, CheckState.GOOD, "It is valid since 0 s"),
        ({"nbf": AT + 30}, CheckState.GOOD, "It is valid in 30 s, which the leeway"),
        ({"nbf": "x"}, CheckState.BAD, "The nbf (not before) is a text"),
        ({"iat": AT - 90}, CheckState.NOTE, "It was issued 1 min ago"),
        ({"iat": AT + 90}, CheckState.NOTE, "issued 1 min from now"),
        ({"iat": []}, CheckState.BAD, "The iat (issued at) is no number"),
    ],
)
def test_times_are_judged_in_words(claims: dict[str, Any], state: CheckState, sentence: str) -> None:
    checks = claim_checks(claims, Expected(NOW, leeway=timedelta(seconds=30)))
    assert any(check.state is state and sentence in check.sentence for check in checks), checks


@pytest.mark.parametrize(
    ("claims", "audience", "issuer", "state", "sentence"),
    [
        ({"aud": "api"}, "api", "", CheckState.GOOD, "It is for api."),
        ({"aud": ["web", "api"]}, "api", "", CheckState.GOOD, "It is for api."),
        ({"aud": ["web"]}, "api", "", CheckState.BAD, "It is for web, not for api."),
        ({"aud": "x" * 10**6}, "api", "", CheckState.BAD, "x" * 128 + "…, not for api."),
        ({"iss": "x" * 10**6}, "", "me", CheckState.BAD, "x" * 128 + "…, not from me."),
        ({"aud": []}, "api", "", CheckState.BAD, "It is for nobody, not for api."),
        ({}, "api", "", CheckState.BAD, "It names no audience"),
        ({"aud": 5}, "", "", CheckState.BAD, "neither a text nor"),
        ({"aud": "api"}, "", "", CheckState.NOTE, "no audience was asked for"),
        ({"iss": "me"}, "", "me", CheckState.GOOD, "It is from me."),
        ({"iss": "me"}, "", "you", CheckState.BAD, "It is from me, not from you."),
        ({}, "", "you", CheckState.BAD, "It names no issuer"),
        ({"iss": 5}, "", "", CheckState.BAD, "Its iss is no text"),
        ({"iss": "me"}, "", "", CheckState.NOTE, "no issuer was asked for"),
    ],
)
def test_audience_and_issuer(
    claims: dict[str, Any], audience: str, issuer: str, state: CheckState, sentence: str
) -> None:
    checks = claim_checks(claims, Expected(NOW, audience=audience, issuer=issuer))
    assert any(check.state is state and sentence in check.sentence for check in checks), checks


def none_token(signature: str = "") -> Token:
    parts = [json.dumps({"alg": "none"}), json.dumps({"sub": "x"})]
    return read_token(
        ".".join([base64.urlsafe_b64encode(p.encode()).decode().rstrip("=") for p in parts] + [signature])
    )


def test_algorithms_that_are_not_the_keys(token_account: Kms, calls: list[str]) -> None:
    key = open_token_key(token_account, "alias/ECC_NIST_P256")
    assert key.public_key is not None
    public, jwks = with_public_key(key.public_key, "the key"), with_jwks(json.dumps({"keys": [JWK]}))
    hs256 = token(key=bytes(32), algorithm="HS256")
    rs256 = token(key=rsa.generate_private_key(65537, 2048), algorithm="RS256")
    for check in (public, with_kms(key)):
        for wrong, sentence in (
            (none_token(), "alg none: nobody signed it"),
            (none_token("AAAA"), "alg none: nobody signed it"),
            (hs256, "a MAC with a shared secret"),
            (rs256, "is an ECC_NIST_P256 key, which has ES256"),
        ):
            verdict = verify(wrong, check, Expected(NOW))
            assert not verdict.valid
            assert sentence in signature_of(verdict).sentence
    assert "and a JWKS holds none" in signature_of(verify(hs256, jwks, Expected(NOW))).sentence
    assert "alg none" in signature_of(verify(none_token(), jwks, Expected(NOW))).sentence
    mac = open_token_key(token_account, "alias/imported-HMAC_256")
    assert (
        "is an HMAC_256 key, which has HS256"
        in signature_of(verify(token(), with_kms(mac), Expected(NOW))).sentence
    )
    assert not {"Verify", "VerifyMac"} & set(calls)


def test_a_p256_signature_as_der_is_no_signature_of_a_token() -> None:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    made = token()
    r, s = (int.from_bytes(half) for half in (made.signature[:32], made.signature[32:]))
    der = base64.urlsafe_b64encode(encode_dss_signature(r, s)).decode().rstrip("=")
    spoiled = read_token(made.compact.rpartition(".")[0] + "." + der)
    assert not verify(spoiled, with_public_key(PUBLIC, "the key"), Expected(NOW)).valid
    assert verify(made, with_public_key(PUBLIC, "the key"), Expected(NOW)).valid


def test_the_kid_chooses_from_a_jwks() -> None:
    other = {**PublicKey.of(ec.generate_private_key(ec.SECP256R1()).public_key()).jwk(), "kid": "other"}
    okp = {**PublicKey.of(ed25519.Ed25519PrivateKey.generate().public_key()).jwk(), "kid": "ed"}
    oct_key = {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"}
    unknown = {"kty": "XYZ", "kid": "new"}

    def judged(keys: object, headers: dict[str, Any] | None = None) -> TokenCheck:
        check = with_jwks(json.dumps({"keys": keys}))
        return signature_of(verify(token(headers), check, Expected(NOW)))

    everything = [oct_key, unknown, okp, other, JWK]
    assert judged(everything, {"kid": "k"}).state is CheckState.GOOD
    assert judged(everything, {"kid": "other"}).state is CheckState.BAD
    assert judged([oct_key, unknown, okp, JWK]).state is CheckState.GOOD  # no kid: the one that ES256 can use
    assert signature_of(verify(token(), with_jwks(json.dumps(JWK)), Expected(NOW))).state is CheckState.GOOD
    assert "is for ES384 alone" in judged([{**JWK, "alg": "ES384"}], {"kid": "k"}).sentence
    for keys, headers, sentence, next_step in (
        (everything, None, "no kid, and the JWKS has 2 keys for ES256", "secret, new, ed, other, k"),
        ([okp], None, "no kid, and the JWKS has no key for ES256", "It has ed"),
        ([okp, other], {"kid": "k"}, "no key with the token's kid k", "It has ed, other."),
        ([JWK, JWK], {"kid": "k"}, "2 keys with the kid k", ""),
        ([oct_key], {"kid": "secret"}, "a symmetric key", "secret"),
        ([{**JWK, "use": "enc"}], {"kid": "k"}, "not for signatures", ""),
        ([], None, "has no keys", ""),
        ("x", None, "This is no JWKS", ""),
    ):
        with pytest.raises(TokenError, match=sentence) as caught:
            judged(keys, headers)
        assert caught.value.field is TokenField.JWKS
        assert next_step in caught.value.next_step
        assert "c2VjcmV0" not in f"{caught.value} {caught.value.next_step}"


def test_rsa_keys_of_other_sizes() -> None:
    for bits, refused in ((1024, True), (2560, False)):
        key = rsa.generate_private_key(65537, bits)
        public = PublicKey.of(key.public_key())
        assert public.spec == ""
        if refused:
            with pytest.raises(TokenError, match="has 1,024 bits; tokens need at least 2,048"):
                with_public_key(public, "the key")
        else:
            made = token(key=key, algorithm="PS256")
            assert verify(made, with_public_key(public, "the key"), Expected(NOW)).valid


def test_a_verdict_for_programs() -> None:
    verdict = verify(token({"kid": "k"}), with_public_key(PUBLIC, "the key"), Expected(NOW, audience="api"))
    made = json.loads(json.dumps(verdict.as_dict()))
    assert made["valid"] is False
    assert made["header"]["kid"] == "k"
    assert made["claims"] == {"sub": "x"}
    assert [(check["name"], check["state"]) for check in made["checks"]] == [
        ("signature", "good"),
        ("expiry", "note"),
        ("audience", "bad"),
    ]
    assert unchecked(token()).sentence == "Not checked: the token says ES256."


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("15m", 900), ("1h 30min", 5400), ("2D", 172_800), ("1w", 604_800), ("0s", 0)],
)
def test_lengths(text: str, seconds: int) -> None:
    assert read_length(text, TokenField.LEEWAY, "The leeway").total_seconds() == seconds


def test_moments() -> None:
    for text in ("2026-11-30T12:00:00Z", "2026-11-30 12:00", str(AT), "2026-11-30T13:00:00+01:00"):
        assert read_moment(text, TokenField.AT) == NOW
    for text in ("", "noon", "99999-01-01", "9" * 12):
        with pytest.raises(TokenError, match="This is no moment"):
            read_moment(text, TokenField.AT)
