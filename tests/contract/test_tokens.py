"""A token made with a key of each backend is good for another library, and for the backend itself."""

from __future__ import annotations

from datetime import UTC, datetime

import jwt
import pytest

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.signing.public_key_reading import read_public_key
from kms_tui.signing.signing_key import SigningKey
from kms_tui.signing.tokens.jose import serialize
from kms_tui.signing.tokens.jws_algorithms import JWS_ALGORITHMS
from kms_tui.signing.tokens.token_keys import TokenKey, jws_form, open_token_key
from kms_tui.signing.tokens.token_reading import read_token
from kms_tui.signing.tokens.token_signing import TokenRequest, prepare, sign
from kms_tui.signing.tokens.token_verifying import Expected, verify, with_kms, with_public_key

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(("spec", "algorithm"), [("RSA_2048", "RS256"), ("ECC_NIST_P256", "ES256")])
def test_a_token_signed_raw_is_good_with_the_public_key(backend: Backend, spec: str, algorithm: str) -> None:
    """With others' KMS too, which signs no digests."""
    kms, chosen = Kms(backend), JWS_ALGORITHMS[algorithm]
    made = kms.call("CreateKey", KeySpec=spec, KeyUsage="SIGN_VERIFY")
    key_id = made["KeyMetadata"]["KeyId"]
    public = read_public_key(bytes(kms.call("GetPublicKey", KeyId=key_id)["PublicKey"])).key

    def sign_raw(signing_input: bytes) -> bytes:
        answer = kms.call("Sign", KeyId=key_id, Message=signing_input, SigningAlgorithm=chosen.kms)
        return jws_form(bytes(answer["Signature"]), spec)

    compact = serialize({"alg": algorithm}, b'{"sub":"x"}', chosen, sign_raw)
    token = read_token(compact)
    assert jwt.decode(compact, public.pem, algorithms=[algorithm]) == {"sub": "x"}
    assert verify(token, with_public_key(public, "the key"), Expected(NOW)).valid
    signing_key = SigningKey(kms, key_id, key_id, public, (chosen.kms,))
    key = TokenKey(kms, key_id, key_id, spec, signing_key)
    assert key.verify(token.signing_input, token.signature, chosen)
    assert not key.verify(b"x", token.signature, chosen)


@pytest.mark.parametrize(("spec", "algorithm"), [("RSA_2048", "PS256"), ("ECC_NIST_P256", "ES256")])
@pytest.mark.parametrize("size", [5, 5000])
def test_a_token_is_good_elsewhere_and_here(backend: Backend, spec: str, algorithm: str, size: int) -> None:
    kms = Kms(backend)
    made = kms.call("CreateKey", KeySpec=spec, KeyUsage="SIGN_VERIFY")
    key = open_token_key(kms, made["KeyMetadata"]["Arn"])
    request = TokenRequest(pairs=("sub=" + "x" * size,), algorithm=algorithm)
    compact = sign(prepare(request, key, NOW))
    assert key.public_key is not None
    assert jwt.decode(compact, key.public_key.pem, algorithms=[algorithm]) == {"sub": "x" * size}
    assert verify(read_token(compact), with_kms(key), Expected(NOW)).valid
    header, _, signature = compact.split(".")
    other = read_token(f"{header}.e30.{signature}")
    assert not verify(other, with_kms(key), Expected(NOW)).valid
