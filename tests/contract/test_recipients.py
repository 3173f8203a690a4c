"""Recipient: in place of a secret, a ciphertext for the enclave that sent its attestation document."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kms_tui.backend.local.attestation.attestation_making import attestation_document
from tests.contract.client import KmsClient

KEY = rsa.generate_private_key(65537, 2048).public_key()


def recipient() -> dict[str, Any]:
    document = attestation_document(KEY, {0: bytes(48)})
    return {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": document}


@pytest.mark.parametrize(
    ("operation", "params", "secret"),
    [
        ("GenerateDataKey", {"KeySpec": "AES_256"}, "Plaintext"),
        ("GenerateDataKeyPair", {"KeyPairSpec": "ECC_NIST_P256"}, "PrivateKeyPlaintext"),
    ],
)
def test_a_data_key_comes_for_the_recipient_alone(
    kms: KmsClient, operation: str, params: dict[str, Any], secret: str
) -> None:
    answer = kms(operation, KeyId=kms.key(), Recipient=recipient(), **params)
    assert answer["CiphertextForRecipient"]
    assert not answer.get(secret)


def test_a_plaintext_comes_for_the_recipient_alone(kms: KmsClient) -> None:
    sealed = kms("Encrypt", KeyId=kms.key(), Plaintext=b"x")["CiphertextBlob"]
    answer = kms("Decrypt", CiphertextBlob=sealed, Recipient=recipient())
    assert answer["CiphertextForRecipient"]
    assert not answer.get("Plaintext")


def test_random_bytes_come_for_the_recipient_alone(kms: KmsClient) -> None:
    answer = kms("GenerateRandom", NumberOfBytes=8, Recipient=recipient())
    assert answer["CiphertextForRecipient"]
    assert not answer.get("Plaintext")


def test_a_shared_secret_comes_for_the_recipient_alone(kms: KmsClient) -> None:
    peer = ec.generate_private_key(ec.SECP256R1()).public_key()
    answer = kms(
        "DeriveSharedSecret",
        KeyId=kms.key(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT"),
        KeyAgreementAlgorithm="ECDH",
        PublicKey=peer.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        Recipient=recipient(),
    )
    assert answer["CiphertextForRecipient"]
    assert not answer.get("SharedSecret")


def test_what_is_no_attestation_document_is_refused(kms: KmsClient) -> None:
    document = recipient() | {"AttestationDocument": b"x"}
    kms.refused("GenerateRandom", "ValidationException", NumberOfBytes=8, Recipient=document)
