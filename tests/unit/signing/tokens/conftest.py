"""The account with a key for each JWS algorithm; the bytes of its HMAC keys are known."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.model import Secret
from kms_tui.public_key import PublicKey

SECRETS = {bits: bytes(range(bits // 8)) for bits in (224, 256, 384, 512)}
KEYS: Mapping[str, str] = {
    **{f"{family}{bits}": "alias/RSA_2048" for family in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": "alias/ECC_NIST_P256",
    "ES384": "alias/ECC_NIST_P384",
    "ES512": "alias/ECC_NIST_P521",
    "ES256K": "alias/ECC_SECG_P256K1",
    "EdDSA": "alias/ECC_NIST_EDWARDS25519",
    "Ed25519": "alias/ECC_NIST_EDWARDS25519",
    **{f"HS{bits}": f"alias/imported-HMAC_{bits}" for bits in (256, 384, 512)},
    **{f"ML-DSA-{level}": f"alias/ML_DSA_{level}" for level in (44, 65, 87)},
}
"""JWS algorithm -> the alias of a key that has it."""


@pytest.fixture(scope="session")
def token_account(signing_account: Kms) -> Kms:
    """The account of signing keys, with HMAC keys of imported material."""
    for bits, secret in SECRETS.items():
        made = signing_account.call(
            "CreateKey", KeySpec=f"HMAC_{bits}", KeyUsage="GENERATE_VERIFY_MAC", Origin="EXTERNAL"
        )
        key_id = made["KeyMetadata"]["KeyId"]
        parameters = signing_account.call(
            "GetParametersForImport",
            KeyId=key_id,
            WrappingAlgorithm="RSAES_OAEP_SHA_256",
            WrappingKeySpec="RSA_2048",
        )
        signing_account.call(
            "ImportKeyMaterial",
            KeyId=key_id,
            ImportToken=parameters["ImportToken"],
            EncryptedKeyMaterial=PublicKey.from_api(parameters).wrap(Secret(secret), "RSAES_OAEP_SHA_256"),
            ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
        )
        signing_account.create_alias(f"alias/imported-HMAC_{bits}", key_id)
    return signing_account
