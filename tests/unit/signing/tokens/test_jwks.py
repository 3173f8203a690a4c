"""A JWKS of KMS keys: of named ones, and of the versions of an alias."""

from __future__ import annotations

import json

import pytest
from joserfc.jwk import KeySet as OtherKeySet

from kms_tui.backend.kms_facade import Kms
from kms_tui.signing.tokens.jwks import key_set
from kms_tui.signing.tokens.token_errors import TokenError, TokenField


def made(account: Kms, alias: str, spec: str = "ECC_NIST_P256", usage: str = "SIGN_VERIFY") -> str:
    key_id = str(account.call("CreateKey", KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"])
    account.create_alias(alias, key_id)
    return key_id


def test_each_key_has_kid_alg_and_use(token_account: Kms, calls: list[str]) -> None:
    names = ["alias/RSA_2048", "alias/ECC_NIST_P256", "alias/ECC_NIST_EDWARDS25519", "alias/ML_DSA_44"]
    found = key_set(token_account, [*names, names[0]])
    assert calls == ["GetPublicKey"] * 5
    assert [(key["kty"], key["alg"], key["use"]) for key in found.keys] == [
        ("RSA", "RS256", "sig"),
        ("EC", "ES256", "sig"),
        ("OKP", "EdDSA", "sig"),
        ("AKP", "ML-DSA-44", "sig"),
    ]
    assert found.notes == ("alias/RSA_2048 is a key that is in the set already.",)
    standard = {"keys": [dict(key) for key in found.keys if key["kty"] != "AKP"]}
    for key, other in zip(
        found.keys, OtherKeySet.import_key_set(json.loads(json.dumps(standard))).keys, strict=False
    ):
        assert key["kid"] == other.thumbprint()
    by_id = key_set(token_account, names[:2], kid="key-id", algorithm="PS512")
    assert [key["alg"] for key in by_id.keys] == ["PS512", "ES256"]
    assert len(str(by_id.keys[0]["kid"])) == 36
    by_kms_name = key_set(token_account, names[:1], algorithm="RSASSA_PSS_SHA_256")
    assert by_kms_name.keys[0]["alg"] == "PS256"
    with pytest.raises(TokenError, match="None of these keys has the algorithm HS256"):
        key_set(token_account, names, algorithm="HS256")


def test_the_versions_of_an_alias(token_account: Kms) -> None:
    first, second = made(token_account, "alias/login"), made(token_account, "alias/login-2025")
    made(token_account, "alias/loginer")
    made(token_account, "alias/login/old", "RSA_2048")
    made(token_account, "alias/login-mac", "HMAC_256", "GENERATE_VERIFY_MAC")
    token_account.disable(second)
    found = key_set(token_account, aliases=["alias/login"])
    assert [key["kty"] for key in found.keys] == ["EC", "RSA"]
    assert found.notes[0] == (
        "alias/login stands for alias/login, alias/login-2025, alias/login-mac, alias/login/old."
    )
    assert "alias/login-2025" in found.notes[1]
    assert "in the state Disabled" in found.notes[1]
    assert "is an HMAC key" in found.notes[2]
    assert first in str(token_account.describe("alias/login").arn)
    with pytest.raises(TokenError, match="There is no alias alias/nosuch") as caught:
        key_set(token_account, aliases=["alias/nosuch"])
    assert caught.value.field is TokenField.ALIAS
    with pytest.raises(TokenError, match="login is no alias"):
        key_set(token_account, aliases=["login"])
    with pytest.raises(TokenError, match="a JWKS is public"):
        key_set(token_account, ["alias/login-mac"])
