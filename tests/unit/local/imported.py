"""How tests import key material: parameters, wrapping, the import itself."""

from __future__ import annotations

import os
from typing import Any

from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tests.contract.client import KmsClient

FOREVER: dict[str, Any] = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
FIRST, SECOND = bytes(range(32)), bytes(range(32, 64))
_HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "256": hashes.SHA256()}


def external(kms: KmsClient, **params: Any) -> str:
    return kms.key(Origin="EXTERNAL", **params)


def wrapped_for(public_key: bytes, algorithm: str, material: bytes) -> bytes:
    public = load_der_public_key(public_key)
    assert isinstance(public, rsa.RSAPublicKey)
    chosen = _HASHES[algorithm.rpartition("_")[2]]
    scheme = padding.OAEP(padding.MGF1(chosen), chosen, None)
    if algorithm.startswith("RSAES"):
        return public.encrypt(material, scheme)
    aes_key = os.urandom(32)
    return public.encrypt(aes_key, scheme) + keywrap.aes_key_wrap_with_padding(aes_key, material)


def import_request(
    kms: KmsClient, key_id: str, material: bytes, algorithm: str = "RSA_AES_KEY_WRAP_SHA_256"
) -> dict[str, Any]:
    given = kms(
        "GetParametersForImport", KeyId=key_id, WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_2048"
    )
    return {
        "KeyId": key_id,
        "ImportToken": given["ImportToken"],
        "EncryptedKeyMaterial": wrapped_for(given["PublicKey"], algorithm, material),
    }


def import_material(kms: KmsClient, key_id: str, material: bytes = FIRST, **params: Any) -> Any:
    expiry = params if "ValidTo" in params else FOREVER | params
    return kms("ImportKeyMaterial", **import_request(kms, key_id, material), **expiry)


def rotated(kms: KmsClient, key_id: str) -> tuple[str, str]:
    """The ids of a key's two materials, the first of them rotated away."""
    first = import_material(kms, key_id)["KeyMaterialId"]
    second = import_material(kms, key_id, SECOND, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    kms("RotateKeyOnDemand", KeyId=key_id)
    return first, second
