"""Which operations count as a use of a key: each that does cryptography with it, and no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kms_tui.kms.operations import CRYPTOGRAPHIC
from tests.contract.client import KmsClient

_SIGNATURE = {"SigningAlgorithm": "ECDSA_SHA_256", "MessageType": "DIGEST", "Message": b"x" * 32}
_MAC = {"MacAlgorithm": "HMAC_SHA_256", "Message": b"x"}
_KEM = {"EncapsulationAlgorithm": "ML_KEM"}
_SIGNING = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}
_AGREEING = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"}
_MAKING_MACS = {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}
_ENCAPSULATING = {"KeySpec": "ML_KEM_768", "KeyUsage": "ENCAPSULATE_DECAPSULATE"}

Made = Callable[[KmsClient, str], Mapping[str, Any]]


def _given(**params: Any) -> Made:
    return lambda kms, key_id: params


def _peer() -> bytes:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _answer_to(operation: str, member: str, **params: Any) -> Made:
    """Parameters that hold what another operation with the same key answered."""

    def made(kms: KmsClient, key_id: str) -> Mapping[str, Any]:
        return {member: kms(operation, KeyId=key_id, **params)[member], **params}

    return made


def sealed(kms: KmsClient, key_id: str) -> Mapping[str, Any]:
    return {"CiphertextBlob": kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]}


def _encapsulated(kms: KmsClient, key_id: str) -> Mapping[str, Any]:
    blob = kms("Encapsulate", KeyId=key_id, **_KEM)["SharedSecretCiphertextBlob"]
    return {"SharedSecretCiphertextBlob": blob, **_KEM}


USES: Mapping[str, tuple[Mapping[str, Any], Made]] = {
    "Encrypt": ({}, _given(Plaintext=b"x")),
    "Decrypt": ({}, sealed),
    "GenerateDataKey": ({}, _given(KeySpec="AES_256")),
    "GenerateDataKeyWithoutPlaintext": ({}, _given(KeySpec="AES_256")),
    "GenerateDataKeyPair": ({}, _given(KeyPairSpec="ECC_NIST_P256")),
    "GenerateDataKeyPairWithoutPlaintext": ({}, _given(KeyPairSpec="ECC_NIST_P256")),
    "Sign": (_SIGNING, _given(**_SIGNATURE)),
    "Verify": (_SIGNING, _answer_to("Sign", "Signature", **_SIGNATURE)),
    "GenerateMac": (_MAKING_MACS, _given(**_MAC)),
    "VerifyMac": (_MAKING_MACS, _answer_to("GenerateMac", "Mac", **_MAC)),
    "DeriveSharedSecret": (_AGREEING, _given(KeyAgreementAlgorithm="ECDH", PublicKey=_peer())),
    "Encapsulate": (_ENCAPSULATING, _given(**_KEM)),
    "Decapsulate": (_ENCAPSULATING, _encapsulated),
}
"""Operation -> the key it needs, and its parameters beside the key. ReEncrypt has two keys."""


def _last(kms: KmsClient, key_id: str) -> str | None:
    used: str | None = kms("GetKeyLastUsage", KeyId=key_id)["KeyLastUsage"].get("Operation")
    return used


@pytest.mark.parametrize("operation", USES)
def test_each_cryptographic_operation_is_a_use(kms: KmsClient, operation: str) -> None:
    spec, made = USES[operation]
    key_id = kms.key(**spec)
    params = made(kms, key_id)
    before = _last(kms, key_id)
    kms.refused(operation, "DryRunOperationException", KeyId=key_id, DryRun=True, **params)
    assert _last(kms, key_id) == before
    kms(operation, KeyId=key_id, **params)
    assert _last(kms, key_id) == operation


def test_reencryption_is_a_use_of_both_keys(kms: KmsClient) -> None:
    source, target = kms.key(), kms.key()
    kms("ReEncrypt", DestinationKeyId=target, **sealed(kms, source))
    assert (_last(kms, source), _last(kms, target)) == ("ReEncrypt", "ReEncrypt")


def test_no_cryptographic_operation_is_left_out() -> None:
    without_a_key = "GenerateRandom"
    assert {*USES, "ReEncrypt", without_a_key} == CRYPTOGRAPHIC


def test_looking_at_a_key_is_no_use_of_it(kms: KmsClient) -> None:
    key_id = kms.key(**_SIGNING)
    for operation in ("DescribeKey", "GetPublicKey", "GetKeyPolicy", "GetKeyRotationStatus", "ListAliases"):
        kms(operation, KeyId=key_id)
    assert _last(kms, key_id) is None
