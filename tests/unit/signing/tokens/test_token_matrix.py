"""Each JWS algorithm of KMS, judged by joserfc, PyJWT, openssl, cryptography and our own ways."""

from __future__ import annotations

import json
import shutil
import subprocess
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa
from joserfc import jws
from joserfc.jwk import OctKey, import_key

from kms_tui.backend.kms_facade import Kms
from kms_tui.signing.signature_forms import SignatureForm, read_signature
from kms_tui.signing.tokens.jwks import key_set
from kms_tui.signing.tokens.jws_algorithms import JWS_ALGORITHMS
from kms_tui.signing.tokens.token_errors import TokenError
from kms_tui.signing.tokens.token_keys import TokenKey, open_token_key
from kms_tui.signing.tokens.token_reading import Token, read_token
from kms_tui.signing.tokens.token_signing import TokenRequest, prepare, sign
from kms_tui.signing.tokens.token_verifying import Expected, verify, with_jwks, with_kms, with_public_key
from tests.unit.signing.tokens.conftest import KEYS, SECRETS

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
CLAIMS = {"sub": "ordérs", "n": 7, "nested": {"list": [1, 2.5, None, True]}}
ASYMMETRIC = [name for name in KEYS if not name.startswith("HS")]


def made(account: Kms, algorithm: str, claims: str = json.dumps(CLAIMS)) -> tuple[Token, TokenKey]:
    key = open_token_key(account, KEYS[algorithm])
    request = TokenRequest(claims=claims, expires_in="15m", algorithm=algorithm)
    return read_token(sign(prepare(request, key, NOW))), key


def joserfc_key(token: Token, key: TokenKey) -> Any:
    if key.public_key is None:
        return OctKey.import_key(SECRETS[int(token.algorithm[2:])])
    return import_key(dict(key.public_key.jwk()))


def test_the_table_has_every_algorithm_that_a_test_tries() -> None:
    assert set(KEYS) == set(JWS_ALGORITHMS)


@pytest.mark.parametrize("algorithm", KEYS)
def test_kms_finds_it_good(token_account: Kms, algorithm: str) -> None:
    token, key = made(token_account, algorithm)
    assert token.algorithm == algorithm
    assert {**token.claims} == {**CLAIMS, "iat": 1796040000, "exp": 1796040900}
    verdict = verify(token, with_kms(key), Expected(NOW))
    assert verdict.valid, verdict.checks
    spoiled = read_token(token.compact[:-8] + "AAAAAAA" + token.compact[-1])
    assert not verify(spoiled, with_kms(key), Expected(NOW)).valid


@pytest.mark.parametrize("algorithm", [name for name in KEYS if not name.startswith("ML")])
def test_joserfc_and_pyjwt_find_it_good(token_account: Kms, algorithm: str) -> None:
    token, key = made(token_account, algorithm)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # joserfc: EdDSA is deprecated
        read = jws.deserialize_compact(token.compact, joserfc_key(token, key), algorithms=[algorithm])
    assert json.loads(read.payload) == token.claims
    if algorithm == "Ed25519":
        return  # which PyJWT does not know
    other: Any = key.public_key.loaded() if key.public_key else SECRETS[int(algorithm[2:])]
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
    assert jwt.decode(token.compact, other, algorithms=[algorithm], options=options) == token.claims


@pytest.mark.parametrize("algorithm", [name for name in KEYS if name.startswith("ML")])
def test_cryptography_finds_ml_dsa_good(token_account: Kms, algorithm: str) -> None:
    token, key = made(token_account, algorithm)
    assert key.public_key is not None
    loaded = key.public_key.loaded()
    assert isinstance(loaded, mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey)
    loaded.verify(token.signature, token.signing_input)


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_the_public_key_and_a_jwks_find_it_good(token_account: Kms, algorithm: str) -> None:
    token, key = made(token_account, algorithm)
    assert key.public_key is not None
    assert verify(token, with_public_key(key.public_key, "the key"), Expected(NOW)).valid
    names = sorted({KEYS[name] for name in ASYMMETRIC})
    published = json.dumps(key_set(token_account, names, algorithm=algorithm).as_dict())
    verdict = verify(token, with_jwks(published), Expected(NOW))
    assert verdict.valid, verdict.checks


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
@pytest.mark.parametrize("algorithm", [name for name in ASYMMETRIC if name[:2] in ("RS", "PS", "ES")])
def test_openssl_finds_it_good(token_account: Kms, tmp_path: Path, algorithm: str) -> None:
    token, key = made(token_account, algorithm)
    assert key.public_key is not None
    read = read_signature(token.signature, key.spec)
    signature = read.write(SignatureForm.DER) if read else token.signature
    for name, content in (("k", key.public_key.pem.encode()), ("s", signature), ("m", token.signing_input)):
        (tmp_path / name).write_bytes(content)
    pss = ["-sigopt", "rsa_padding_mode:pss"] if algorithm.startswith("PS") else []
    command = ["openssl", "dgst", f"-sha{algorithm[2:5]}", "-verify", "k", *pss, "-signature", "s", "m"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "Verified OK" in done.stdout, done.stderr


@pytest.mark.parametrize("algorithm", KEYS)
def test_one_call_signs_a_token_of_any_size(token_account: Kms, calls: list[str], algorithm: str) -> None:
    key = open_token_key(token_account, KEYS[algorithm])
    opening = ["GetPublicKey"] if key.public_key else ["GetPublicKey", "DescribeKey"]
    assert calls == opening
    calls.clear()
    request = TokenRequest(claims=json.dumps({"long": "x" * 9000}), algorithm=algorithm)
    if JWS_ALGORITHMS[algorithm].signs_digests:
        token = read_token(sign(prepare(request, key, NOW)))
        assert calls == ["Sign"]
        assert verify(token, with_kms(key), Expected(NOW)).valid
        assert calls == ["Sign", "Verify"]
        return
    with pytest.raises(TokenError, match=f"{algorithm} signs whole messages: .* at most 4,096 bytes"):
        prepare(request, key, NOW)
    small = prepare(TokenRequest(claims='{"a": 1}', algorithm=algorithm), key, NOW)
    assert calls == []
    assert verify(read_token(sign(small)), with_kms(key), Expected(NOW)).valid
    assert len(calls) == 2


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA", "HS256"])
def test_tokens_of_other_libraries_are_taken(token_account: Kms, algorithm: str) -> None:
    """PyJWT signs with keys of ``cryptography``; ours do for it what they do for certificates."""
    from kms_tui.signing.kms_private_keys import private_key

    key = open_token_key(token_account, KEYS[algorithm])
    other: Any = private_key(key.signing_key) if key.signing_key else SECRETS[256]
    compact = jwt.encode({"sub": "x"}, other, algorithm=algorithm)
    assert verify(read_token(compact), with_kms(key), Expected(NOW)).valid
