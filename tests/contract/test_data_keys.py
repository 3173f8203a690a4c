"""GenerateDataKey, GenerateDataKeyPair, their variants without plaintext, and ReEncrypt."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from tests.contract.client import KmsClient

PAIRS = [
    "RSA_2048",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "ECC_NIST_EDWARDS25519",
    "ML_KEM_768",
]
KEYS = ["GenerateDataKey", "GenerateDataKeyWithoutPlaintext"]
KEY_PAIRS = ["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"]
CONTEXT = {"team": "payments"}
WRONG_LENGTH = "Please specify either number of bytes or key spec."


def decrypt(kms: KmsClient, blob: bytes, **params: Any) -> bytes:
    plaintext: bytes = kms("Decrypt", CiphertextBlob=blob, **params)["Plaintext"]
    return plaintext


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ({"KeySpec": "AES_128"}, 16),
        ({"KeySpec": "AES_256"}, 32),
        ({"NumberOfBytes": 1}, 1),
        ({"NumberOfBytes": 1024}, 1024),
    ],
    ids=str,
)
def test_a_data_key_has_its_length_and_is_what_its_ciphertext_opens_to(
    kms: KmsClient, given: dict[str, Any], size: int
) -> None:
    key_id = kms.key()
    answer = kms("GenerateDataKey", KeyId=key_id, EncryptionContext=CONTEXT, **given)
    assert len(answer["Plaintext"]) == size
    assert answer["KeyId"] == kms.arn(key_id)
    assert decrypt(kms, answer["CiphertextBlob"], EncryptionContext=CONTEXT) == answer["Plaintext"]


def test_a_data_key_without_plaintext_is_only_a_ciphertext(kms: KmsClient) -> None:
    key_id = kms.key()
    answer = kms("GenerateDataKeyWithoutPlaintext", KeyId=kms.alias(key_id), KeySpec="AES_256")
    assert "Plaintext" not in answer
    assert answer["KeyId"] == kms.arn(key_id)
    assert len(decrypt(kms, answer["CiphertextBlob"])) == 32


def test_data_keys_differ(kms: KmsClient) -> None:
    key_id = kms.key()
    made = {kms("GenerateDataKey", KeyId=key_id, KeySpec="AES_256")["Plaintext"] for _ in range(3)}
    assert len(made) == 3


@pytest.mark.parametrize("operation", KEYS)
def test_a_data_key_names_the_material_that_sealed_it(kms: KmsClient, operation: str) -> None:
    key_id = kms.key()
    answer = kms(operation, KeyId=key_id, KeySpec="AES_256")
    assert answer["KeyMaterialId"] == kms.describe(key_id)["CurrentKeyMaterialId"]


@pytest.mark.parametrize("operation", KEYS)
@pytest.mark.parametrize("given", [{}, {"KeySpec": "AES_256", "NumberOfBytes": 32}], ids=["none", "both"])
def test_a_data_key_is_measured_in_one_way(kms: KmsClient, operation: str, given: dict[str, Any]) -> None:
    kms.refused(operation, "ValidationException", WRONG_LENGTH, KeyId=kms.key(), **given)


@pytest.mark.parametrize("operation", KEYS)
@pytest.mark.parametrize(
    "given", [{"NumberOfBytes": 0}, {"NumberOfBytes": 1025}, {"KeySpec": "AES_512"}], ids=str
)
def test_a_data_key_of_another_length_is_refused(
    kms: KmsClient, operation: str, given: dict[str, Any]
) -> None:
    kms.refused(operation, "ValidationException", KeyId=kms.key(), **given)


def test_a_data_key_does_not_open_with_another_context(kms: KmsClient) -> None:
    answer = kms("GenerateDataKey", KeyId=kms.key(), KeySpec="AES_256", EncryptionContext=CONTEXT)
    kms.refused("Decrypt", "InvalidCiphertextException", CiphertextBlob=answer["CiphertextBlob"])


@pytest.mark.parametrize("spec", PAIRS)
def test_a_data_key_pair_is_one_and_its_ciphertext_opens_to_it(kms: KmsClient, spec: str) -> None:
    key_id = kms.key()
    answer = kms("GenerateDataKeyPair", KeyId=key_id, KeyPairSpec=spec, EncryptionContext=CONTEXT)
    assert answer["KeyPairSpec"] == spec
    assert answer["KeyId"] == kms.arn(key_id)
    private: PrivateKeyTypes = load_der_private_key(answer["PrivateKeyPlaintext"], None)
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert public == answer["PublicKey"]
    opened = decrypt(kms, answer["PrivateKeyCiphertextBlob"], EncryptionContext=CONTEXT)
    assert opened == answer["PrivateKeyPlaintext"]


def test_a_data_key_pair_without_plaintext_keeps_its_private_key_sealed(kms: KmsClient) -> None:
    answer = kms("GenerateDataKeyPairWithoutPlaintext", KeyId=kms.key(), KeyPairSpec="ECC_NIST_P256")
    assert "PrivateKeyPlaintext" not in answer
    private = load_der_private_key(decrypt(kms, answer["PrivateKeyCiphertextBlob"]), None)
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert public == answer["PublicKey"]


@pytest.mark.parametrize("operation", KEY_PAIRS)
def test_a_data_key_pair_names_the_material_that_sealed_it(kms: KmsClient, operation: str) -> None:
    key_id = kms.key()
    answer = kms(operation, KeyId=key_id, KeyPairSpec="ECC_NIST_P256")
    assert answer["KeyMaterialId"] == kms.describe(key_id)["CurrentKeyMaterialId"]


@pytest.mark.parametrize("operation", KEY_PAIRS)
def test_a_data_key_pair_of_an_unknown_spec_is_refused(kms: KmsClient, operation: str) -> None:
    kms.refused(operation, "ValidationException", KeyId=kms.key(), KeyPairSpec="RSA_1024")


@pytest.mark.parametrize("operation", KEYS + KEY_PAIRS)
@pytest.mark.parametrize("usage", ["ENCRYPT_DECRYPT", "SIGN_VERIFY"])
def test_only_symmetric_keys_make_data_keys(kms: KmsClient, operation: str, usage: str) -> None:
    key_id = kms.key(KeySpec="RSA_2048", KeyUsage=usage)
    spec = {"KeyPairSpec": "ECC_NIST_P256"} if operation in KEY_PAIRS else {"KeySpec": "AES_256"}
    kms.refused(operation, "InvalidKeyUsageException", KeyId=key_id, **spec)


@pytest.mark.parametrize("operation", KEYS + KEY_PAIRS)
def test_a_disabled_key_makes_no_data_keys(kms: KmsClient, operation: str) -> None:
    key_id = kms.key()
    kms("DisableKey", KeyId=key_id)
    spec = {"KeyPairSpec": "ECC_NIST_P256"} if operation in KEY_PAIRS else {"KeySpec": "AES_256"}
    kms.refused(operation, "DisabledException", f"{kms.arn(key_id)} is disabled.", KeyId=key_id, **spec)


@pytest.fixture
def sealed(kms: KmsClient) -> tuple[str, bytes]:
    """A key, and what it sealed under CONTEXT."""
    key_id = kms.key()
    answer = kms("Encrypt", KeyId=key_id, Plaintext=b"moving", EncryptionContext=CONTEXT)
    return key_id, answer["CiphertextBlob"]


def test_a_ciphertext_moves_to_another_key_and_context(kms: KmsClient, sealed: tuple[str, bytes]) -> None:
    source, blob = sealed
    destination = kms.key()
    answer = kms(
        "ReEncrypt",
        CiphertextBlob=blob,
        SourceEncryptionContext=CONTEXT,
        DestinationKeyId=kms.alias(destination),
        DestinationEncryptionContext={"moved": "yes"},
    )
    assert answer["SourceKeyId"] == kms.arn(source)
    assert answer["KeyId"] == kms.arn(destination)
    opened = kms("Decrypt", CiphertextBlob=answer["CiphertextBlob"], EncryptionContext={"moved": "yes"})
    assert opened["Plaintext"] == b"moving"
    assert opened["KeyId"] == kms.arn(destination)


def test_moving_a_ciphertext_names_the_materials_and_algorithms(
    kms: KmsClient, sealed: tuple[str, bytes]
) -> None:
    source, blob = sealed
    destination = kms.key()
    answer = kms(
        "ReEncrypt", CiphertextBlob=blob, SourceEncryptionContext=CONTEXT, DestinationKeyId=destination
    )
    assert answer["SourceKeyMaterialId"] == kms.describe(source)["CurrentKeyMaterialId"]
    assert answer["DestinationKeyMaterialId"] == kms.describe(destination)["CurrentKeyMaterialId"]
    assert answer["SourceEncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    assert answer["DestinationEncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"


def test_a_ciphertext_moves_to_the_newest_material_of_its_own_key(
    kms: KmsClient, sealed: tuple[str, bytes]
) -> None:
    key_id, blob = sealed
    kms("RotateKeyOnDemand", KeyId=key_id)
    answer = kms("ReEncrypt", CiphertextBlob=blob, SourceEncryptionContext=CONTEXT, DestinationKeyId=key_id)
    assert answer["SourceKeyMaterialId"] != answer["DestinationKeyMaterialId"]


def test_a_ciphertext_moves_from_a_symmetric_key_to_an_rsa_key_and_back(
    kms: KmsClient, sealed: tuple[str, bytes]
) -> None:
    _, blob = sealed
    rsa, symmetric = kms.key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT"), kms.key()
    there = kms(
        "ReEncrypt",
        CiphertextBlob=blob,
        SourceEncryptionContext=CONTEXT,
        DestinationKeyId=rsa,
        DestinationEncryptionAlgorithm="RSAES_OAEP_SHA_256",
    )
    assert "DestinationKeyMaterialId" not in there
    assert len(there["CiphertextBlob"]) == 256
    back = kms(
        "ReEncrypt",
        CiphertextBlob=there["CiphertextBlob"],
        SourceKeyId=rsa,
        SourceEncryptionAlgorithm="RSAES_OAEP_SHA_256",
        DestinationKeyId=symmetric,
    )
    assert back["SourceEncryptionAlgorithm"] == "RSAES_OAEP_SHA_256"
    assert decrypt(kms, back["CiphertextBlob"]) == b"moving"


def test_a_ciphertext_does_not_move_with_the_wrong_context(kms: KmsClient, sealed: tuple[str, bytes]) -> None:
    _, blob = sealed
    kms.refused(
        "ReEncrypt", "InvalidCiphertextException", "", CiphertextBlob=blob, DestinationKeyId=kms.key()
    )


def test_a_ciphertext_does_not_move_from_another_key(kms: KmsClient, sealed: tuple[str, bytes]) -> None:
    _, blob = sealed
    kms.refused(
        "ReEncrypt",
        "IncorrectKeyException",
        "The key ID in the request does not identify a CMK that can perform this operation.",
        CiphertextBlob=blob,
        SourceKeyId=kms.key(),
        SourceEncryptionContext=CONTEXT,
        DestinationKeyId=kms.key(),
    )


def test_a_ciphertext_does_not_move_to_a_key_of_another_usage(
    kms: KmsClient, sealed: tuple[str, bytes]
) -> None:
    _, blob = sealed
    kms.refused(
        "ReEncrypt",
        "InvalidKeyUsageException",
        CiphertextBlob=blob,
        SourceEncryptionContext=CONTEXT,
        DestinationKeyId=kms.key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC"),
    )


@pytest.mark.parametrize("which", ["source", "destination"])
def test_a_ciphertext_does_not_move_while_a_key_is_disabled(
    kms: KmsClient, sealed: tuple[str, bytes], which: str
) -> None:
    source, blob = sealed
    destination = kms.key()
    disabled = source if which == "source" else destination
    kms("DisableKey", KeyId=disabled)
    kms.refused(
        "ReEncrypt",
        "DisabledException",
        f"{kms.arn(disabled)} is disabled.",
        CiphertextBlob=blob,
        SourceEncryptionContext=CONTEXT,
        DestinationKeyId=destination,
    )
