"""DeriveSharedSecret, Encapsulate and Decapsulate, against a library that is not KMS's."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, mlkem
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from tests.contract.client import KmsClient

CURVES: dict[str, tuple[ec.EllipticCurve, int]] = {
    "ECC_NIST_P256": (ec.SECP256R1(), 32),
    "ECC_NIST_P384": (ec.SECP384R1(), 48),
    "ECC_NIST_P521": (ec.SECP521R1(), 66),
}
KEM_SIZES = {"ML_KEM_768": 1088, "ML_KEM_1024": 1568}
ML_KEM: dict[str, Any] = {"EncapsulationAlgorithm": "ML_KEM"}


def agreement_key(kms: KmsClient, spec: str) -> str:
    return kms.key(KeySpec=spec, KeyUsage="KEY_AGREEMENT")


def kem_key(kms: KmsClient, spec: str = "ML_KEM_768") -> str:
    return kms.key(KeySpec=spec, KeyUsage="ENCAPSULATE_DECAPSULATE")


def spki(public: ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("spec", CURVES)
def test_both_sides_derive_the_same_secret(kms: KmsClient, spec: str) -> None:
    curve, size = CURVES[spec]
    key_id, peer = agreement_key(kms, spec), ec.generate_private_key(curve)
    answer = kms(
        "DeriveSharedSecret", KeyId=key_id, KeyAgreementAlgorithm="ECDH", PublicKey=spki(peer.public_key())
    )
    ours = load_der_public_key(kms("GetPublicKey", KeyId=key_id)["PublicKey"])
    assert isinstance(ours, ec.EllipticCurvePublicKey)
    assert answer["SharedSecret"] == peer.exchange(ec.ECDH(), ours)
    assert len(answer["SharedSecret"]) == size
    assert answer["KeyId"] == kms.arn(key_id)
    assert answer["KeyAgreementAlgorithm"] == "ECDH"
    assert answer["KeyOrigin"] == "AWS_KMS"


def test_two_keys_of_kms_derive_the_same_secret(kms: KmsClient) -> None:
    keys = [agreement_key(kms, "ECC_NIST_P256") for _ in range(2)]
    publics = [kms("GetPublicKey", KeyId=key_id)["PublicKey"] for key_id in keys]
    secrets = {
        kms("DeriveSharedSecret", KeyId=key_id, KeyAgreementAlgorithm="ECDH", PublicKey=public)[
            "SharedSecret"
        ]
        for key_id, public in zip(keys, reversed(publics), strict=True)
    }
    assert len(secrets) == 1


@pytest.mark.parametrize("what", ["another curve", "garbage"])
def test_a_public_key_that_does_not_fit_is_refused(kms: KmsClient, what: str) -> None:
    other = spki(ec.generate_private_key(ec.SECP384R1()).public_key())
    kms.refused(
        "DeriveSharedSecret",
        "ValidationException",
        KeyId=agreement_key(kms, "ECC_NIST_P256"),
        KeyAgreementAlgorithm="ECDH",
        PublicKey=other if what == "another curve" else b"garbage",
    )


def test_a_signing_key_derives_no_secret(kms: KmsClient) -> None:
    key_id = kms.key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    kms.refused(
        "DeriveSharedSecret",
        "InvalidKeyUsageException",
        f"{kms.arn(key_id)} key usage is SIGN_VERIFY which is not valid for DeriveSharedSecret.",
        KeyId=key_id,
        KeyAgreementAlgorithm="ECDH",
        PublicKey=spki(ec.generate_private_key(ec.SECP256R1()).public_key()),
    )


@pytest.mark.parametrize("spec", KEM_SIZES)
def test_an_encapsulated_secret_is_recovered(kms: KmsClient, spec: str) -> None:
    key_id = kem_key(kms, spec)
    sealed = kms("Encapsulate", KeyId=kms.alias(key_id), **ML_KEM)
    assert len(sealed["SharedSecret"]) == 32
    assert len(sealed["SharedSecretCiphertextBlob"]) == KEM_SIZES[spec]
    opened = kms(
        "Decapsulate", KeyId=key_id, SharedSecretCiphertextBlob=sealed["SharedSecretCiphertextBlob"], **ML_KEM
    )
    assert opened["SharedSecret"] == sealed["SharedSecret"]
    assert sealed["KeyId"] == opened["KeyId"] == kms.arn(key_id)
    assert sealed["EncapsulationAlgorithm"] == opened["EncapsulationAlgorithm"] == "ML_KEM"


def test_a_secret_encapsulated_outside_is_recovered(kms: KmsClient) -> None:
    key_id = kem_key(kms)
    public = load_der_public_key(kms("GetPublicKey", KeyId=key_id)["PublicKey"])
    assert isinstance(public, mlkem.MLKEM768PublicKey)
    secret, blob = public.encapsulate()
    opened = kms("Decapsulate", KeyId=key_id, SharedSecretCiphertextBlob=blob, **ML_KEM)
    assert opened["SharedSecret"] == secret


def test_a_tampered_encapsulation_yields_another_secret(kms: KmsClient) -> None:
    key_id = kem_key(kms)
    sealed = kms("Encapsulate", KeyId=key_id, **ML_KEM)
    blob = sealed["SharedSecretCiphertextBlob"]
    opened = kms(
        "Decapsulate", KeyId=key_id, SharedSecretCiphertextBlob=blob[:-1] + bytes([blob[-1] ^ 1]), **ML_KEM
    )
    assert len(opened["SharedSecret"]) == 32
    assert opened["SharedSecret"] != sealed["SharedSecret"]


@pytest.mark.parametrize("size", [1, 1087, 1089, 1568])
def test_an_encapsulation_of_the_wrong_length_is_refused(kms: KmsClient, size: int) -> None:
    kms.refused(
        "Decapsulate",
        "InvalidCiphertextException",
        KeyId=kem_key(kms),
        SharedSecretCiphertextBlob=bytes(size),
        **ML_KEM,
    )


@pytest.mark.parametrize("operation", ["Encapsulate", "Decapsulate"])
def test_a_key_of_another_usage_does_not_encapsulate(kms: KmsClient, operation: str) -> None:
    key_id = kms.key()
    given: dict[str, Any] = {"SharedSecretCiphertextBlob": bytes(1088)} if operation == "Decapsulate" else {}
    kms.refused(
        operation,
        "InvalidKeyUsageException",
        f"{kms.arn(key_id)} key usage is ENCRYPT_DECRYPT which is not valid for {operation}.",
        KeyId=key_id,
        **ML_KEM,
        **given,
    )
