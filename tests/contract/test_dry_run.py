"""DryRun: the answer is an error that says whether the request would have succeeded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.contract.client import KmsClient

Made = tuple[str, dict[str, Any]]
"""The key, and parameters with which the operation succeeds."""


def _encryption(**params: Any) -> Callable[[KmsClient], Made]:
    def make(kms: KmsClient) -> Made:
        key_id = kms.key()
        return key_id, {"KeyId": key_id, **params}

    return make


def _sealed(member: str) -> Callable[[KmsClient], Made]:
    def make(kms: KmsClient) -> Made:
        key_id = kms.key()
        blob = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
        return key_id, {"CiphertextBlob": blob, member: key_id}

    return make


def _signing(kms: KmsClient) -> Made:
    key_id = kms.key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    return key_id, {"KeyId": key_id, "Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}


def _signed(kms: KmsClient) -> Made:
    key_id, params = _signing(kms)
    return key_id, {**params, "Signature": kms("Sign", **params)["Signature"]}


def _mac(kms: KmsClient) -> Made:
    key_id = kms.key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    return key_id, {"KeyId": key_id, "Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}


def _maced(kms: KmsClient) -> Made:
    key_id, params = _mac(kms)
    return key_id, {**params, "Mac": kms("GenerateMac", **params)["Mac"]}


def _agreement(kms: KmsClient) -> Made:
    key_id = kms.key(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")
    peer = ec.generate_private_key(ec.SECP256R1()).public_key()
    public = peer.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key_id, {"KeyId": key_id, "KeyAgreementAlgorithm": "ECDH", "PublicKey": public}


def _kem(kms: KmsClient) -> Made:
    key_id = kms.key(KeySpec="ML_KEM_768", KeyUsage="ENCAPSULATE_DECAPSULATE")
    return key_id, {"KeyId": key_id, "EncapsulationAlgorithm": "ML_KEM"}


def _encapsulated(kms: KmsClient) -> Made:
    key_id, params = _kem(kms)
    blob = kms("Encapsulate", **params)["SharedSecretCiphertextBlob"]
    return key_id, {**params, "SharedSecretCiphertextBlob": blob}


MAKERS: dict[str, Callable[[KmsClient], Made]] = {
    "Encrypt": _encryption(Plaintext=b"x"),
    "Decrypt": _sealed("KeyId"),
    "ReEncrypt": _sealed("DestinationKeyId"),
    "GenerateDataKey": _encryption(KeySpec="AES_256"),
    "GenerateDataKeyWithoutPlaintext": _encryption(KeySpec="AES_256"),
    "GenerateDataKeyPair": _encryption(KeyPairSpec="ECC_NIST_P256"),
    "GenerateDataKeyPairWithoutPlaintext": _encryption(KeyPairSpec="ECC_NIST_P256"),
    "Sign": _signing,
    "Verify": _signed,
    "GenerateMac": _mac,
    "VerifyMac": _maced,
    "DeriveSharedSecret": _agreement,
    "Encapsulate": _kem,
    "Decapsulate": _encapsulated,
}
SUCCESS = "The request would have succeeded, but the DryRun option is set."


@pytest.mark.parametrize("operation", MAKERS)
def test_what_would_succeed_says_so_and_is_not_done(kms: KmsClient, operation: str) -> None:
    _, params = MAKERS[operation](kms)
    kms.refused(operation, "DryRunOperationException", SUCCESS, DryRun=True, **params)
    assert kms(operation, DryRun=False, **params)


@pytest.mark.parametrize("operation", MAKERS)
def test_what_would_fail_fails_as_without_the_option(kms: KmsClient, operation: str) -> None:
    key_id, params = MAKERS[operation](kms)
    kms("DisableKey", KeyId=key_id)
    kms.refused(operation, "DisabledException", f"{kms.arn(key_id)} is disabled.", DryRun=True, **params)


def test_permission_to_decrypt_can_be_tried_without_a_ciphertext(kms: KmsClient) -> None:
    kms.refused(
        "Decrypt",
        "DryRunOperationException",
        SUCCESS,
        KeyId=kms.key(),
        DryRun=True,
        DryRunModifiers=["IGNORE_CIPHERTEXT"],
    )
