"""Encrypt and Decrypt, with symmetric and RSA keys."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.client import KmsClient

NO_ENCRYPTION = [
    ("RSA_2048", "SIGN_VERIFY"),
    ("ECC_NIST_P256", "SIGN_VERIFY"),
    ("ECC_NIST_P256", "KEY_AGREEMENT"),
    ("HMAC_256", "GENERATE_VERIFY_MAC"),
]
CONTEXTS = st.dictionaries(
    st.text("ab", min_size=1, max_size=2) | st.text(min_size=1, max_size=8),
    st.text("ab", max_size=2) | st.text(max_size=8),
    max_size=2,
)
"""Mostly of texts that are alike: what must not open is worth a try only where it is nearly the same."""


def encrypt(kms: KmsClient, key_id: str, plaintext: bytes, **params: Any) -> bytes:
    blob: bytes = kms("Encrypt", KeyId=key_id, Plaintext=plaintext, **params)["CiphertextBlob"]
    return blob


@pytest.mark.parametrize("size", [1, 16, 4095, 4096])
def test_what_was_encrypted_can_be_decrypted(kms: KmsClient, size: int) -> None:
    plaintext = bytes(range(256)) * 16
    blob = encrypt(kms, kms.key(), plaintext[:size])
    assert len(blob) <= 6144
    assert kms("Decrypt", CiphertextBlob=blob)["Plaintext"] == plaintext[:size]


def test_the_answers_name_the_key(kms: KmsClient) -> None:
    key_id = kms.key()
    sealed = kms("Encrypt", KeyId=kms.alias(key_id), Plaintext=b"x")
    opened = kms("Decrypt", CiphertextBlob=sealed["CiphertextBlob"])
    assert sealed["KeyId"] == opened["KeyId"] == kms.arn(key_id)


def test_the_answers_name_the_algorithm(kms: KmsClient) -> None:
    sealed = kms("Encrypt", KeyId=kms.key(), Plaintext=b"x")
    opened = kms("Decrypt", CiphertextBlob=sealed["CiphertextBlob"])
    assert sealed["EncryptionAlgorithm"] == opened["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"


def test_decrypt_names_the_material(kms: KmsClient) -> None:
    key_id = kms.key()
    opened = kms("Decrypt", CiphertextBlob=encrypt(kms, key_id, b"x"))
    assert opened["KeyMaterialId"] == kms.describe(key_id)["CurrentKeyMaterialId"]


def test_the_same_plaintext_never_encrypts_alike(kms: KmsClient) -> None:
    key_id = kms.key()
    assert encrypt(kms, key_id, b"x") != encrypt(kms, key_id, b"x")


@pytest.mark.parametrize("size", [0, 4097, 8192])
def test_a_plaintext_of_the_wrong_size_is_refused(kms: KmsClient, size: int) -> None:
    kms.refused("Encrypt", "ValidationException", KeyId=kms.key(), Plaintext=bytes(size))


def test_a_plaintext_too_large_is_not_repeated_in_the_message(kms: KmsClient) -> None:
    kms.refused(
        "Encrypt",
        "ValidationException",
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: "
        "Member must have length less than or equal to 4096",
        KeyId=kms.key(),
        Plaintext=bytes(4097),
    )


def test_the_right_context_opens(kms: KmsClient) -> None:
    context = {"team": "payments", "env": "prod"}
    blob = encrypt(kms, kms.key(), b"x", EncryptionContext=context)
    reordered = dict(reversed(context.items()))
    assert kms("Decrypt", CiphertextBlob=blob, EncryptionContext=reordered)["Plaintext"] == b"x"


@pytest.mark.parametrize(
    ("sealed", "offered"),
    [
        ({"a": "bc"}, {"ab": "c"}),
        ({"a": "bc"}, {"a": "b"}),
        ({"a": "b"}, {"A": "b"}),
        ({"a": "b"}, {}),
        ({}, {"a": "b"}),
        ({"a": "b"}, {"a": "b", "c": "d"}),
        ({"a": "b", "c": "d"}, {"a": "d", "c": "b"}),
        ({"a": ""}, {"": "a"}),
    ],
    ids=str,
)
def test_another_context_does_not_open(
    kms: KmsClient, sealed: dict[str, str], offered: dict[str, str]
) -> None:
    blob = encrypt(kms, kms.key(), b"x", EncryptionContext=sealed)
    kms.refused("Decrypt", "InvalidCiphertextException", "", CiphertextBlob=blob, EncryptionContext=offered)


@pytest.fixture
def key_id(kms: KmsClient) -> str:
    return kms.key()


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sealed=CONTEXTS, offered=CONTEXTS)
def test_a_context_opens_exactly_what_it_sealed(
    kms: KmsClient, key_id: str, sealed: dict[str, str], offered: dict[str, str]
) -> None:
    blob = encrypt(kms, key_id, b"x", EncryptionContext=sealed)
    assert kms("Decrypt", CiphertextBlob=blob, EncryptionContext=sealed)["Plaintext"] == b"x"
    if sealed != offered:
        kms.refused("Decrypt", "InvalidCiphertextException", CiphertextBlob=blob, EncryptionContext=offered)


@pytest.mark.parametrize("place", [0.0, 0.25, 0.5, 0.75, 0.999])
def test_a_tampered_ciphertext_does_not_open(kms: KmsClient, place: float) -> None:
    blob = bytearray(encrypt(kms, kms.key(), bytes(64)))
    blob[int(len(blob) * place)] ^= 1
    kms.refused("Decrypt", "InvalidCiphertextException", "", CiphertextBlob=bytes(blob))


@pytest.mark.parametrize("cut", [1, 16, 40])
def test_a_shortened_ciphertext_does_not_open(kms: KmsClient, cut: int) -> None:
    blob = encrypt(kms, kms.key(), bytes(64))
    kms.refused("Decrypt", "InvalidCiphertextException", "", CiphertextBlob=blob[:-cut])


@pytest.mark.parametrize("blob", [b"x", b"not a ciphertext", bytes(200), b"\xff" * 6144], ids=len)
def test_what_is_no_ciphertext_does_not_open(kms: KmsClient, blob: bytes) -> None:
    kms.refused("Decrypt", "InvalidCiphertextException", "", CiphertextBlob=blob)


@pytest.mark.parametrize("size", [0, 6145])
def test_a_ciphertext_of_the_wrong_size_is_refused(kms: KmsClient, size: int) -> None:
    kms.refused("Decrypt", "ValidationException", CiphertextBlob=bytes(size))


@pytest.mark.parametrize("by", ["id", "arn", "alias"])
def test_naming_the_right_key_opens(kms: KmsClient, by: str) -> None:
    key_id = kms.key()
    reference = {"id": key_id, "arn": kms.arn(key_id), "alias": kms.alias(key_id)}[by]
    blob = encrypt(kms, key_id, b"x")
    assert kms("Decrypt", CiphertextBlob=blob, KeyId=reference)["Plaintext"] == b"x"


@pytest.mark.parametrize("other", [{}, {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}], ids=str)
def test_naming_another_key_is_an_incorrect_key(kms: KmsClient, other: dict[str, str]) -> None:
    blob = encrypt(kms, kms.key(), b"x")
    kms.refused(
        "Decrypt",
        "IncorrectKeyException",
        "The key ID in the request does not identify a CMK that can perform this operation.",
        CiphertextBlob=blob,
        KeyId=kms.key(**other),
    )


def test_a_ciphertext_does_not_open_in_another_region(kms: KmsClient) -> None:
    blob = encrypt(kms, kms.key(), b"x")
    with pytest.raises(Exception, match="Exception"):
        kms.in_region("us-west-2")("Decrypt", CiphertextBlob=blob)


@pytest.mark.parametrize(("spec", "usage"), NO_ENCRYPTION, ids=map("-".join, NO_ENCRYPTION))
def test_a_key_of_another_usage_does_not_encrypt(kms: KmsClient, spec: str, usage: str) -> None:
    key_id = kms.key(KeySpec=spec, KeyUsage=usage)
    kms.refused(
        "Encrypt",
        "InvalidKeyUsageException",
        f"{kms.arn(key_id)} key usage is {usage} which is not valid for Encrypt.",
        KeyId=key_id,
        Plaintext=b"x",
    )


def test_a_symmetric_key_takes_no_rsa_algorithm(kms: KmsClient) -> None:
    kms.refused(
        "Encrypt",
        "InvalidKeyUsageException",
        "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.",
        KeyId=kms.key(),
        Plaintext=b"x",
        EncryptionAlgorithm="RSAES_OAEP_SHA_256",
    )


@pytest.fixture
def rsa(kms: KmsClient) -> str:
    return kms.key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")


@pytest.mark.parametrize(("algorithm", "largest"), [("RSAES_OAEP_SHA_1", 214), ("RSAES_OAEP_SHA_256", 190)])
def test_rsa_encrypts_up_to_what_its_padding_leaves(
    kms: KmsClient, rsa: str, algorithm: str, largest: int
) -> None:
    for size in (1, largest):
        blob = encrypt(kms, rsa, b"r" * size, EncryptionAlgorithm=algorithm)
        opened = kms("Decrypt", CiphertextBlob=blob, KeyId=rsa, EncryptionAlgorithm=algorithm)
        assert opened["Plaintext"] == b"r" * size
        assert opened["EncryptionAlgorithm"] == algorithm
        assert "KeyMaterialId" not in opened
    kms.refused(
        "Encrypt",
        "ValidationException",
        KeyId=rsa,
        Plaintext=b"r" * (largest + 1),
        EncryptionAlgorithm=algorithm,
    )


def test_an_rsa_ciphertext_is_as_long_as_its_modulus(kms: KmsClient, rsa: str) -> None:
    assert len(encrypt(kms, rsa, b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_256")) == 256


def test_a_tampered_rsa_ciphertext_does_not_open(kms: KmsClient, rsa: str) -> None:
    blob = bytearray(encrypt(kms, rsa, b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_256"))
    blob[-1] ^= 1
    kms.refused(
        "Decrypt",
        "InvalidCiphertextException",
        "",
        CiphertextBlob=bytes(blob),
        KeyId=rsa,
        EncryptionAlgorithm="RSAES_OAEP_SHA_256",
    )


def test_another_padding_does_not_open(kms: KmsClient, rsa: str) -> None:
    blob = encrypt(kms, rsa, b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    kms.refused(
        "Decrypt",
        "InvalidCiphertextException",
        CiphertextBlob=blob,
        KeyId=rsa,
        EncryptionAlgorithm="RSAES_OAEP_SHA_1",
    )


def test_an_rsa_ciphertext_does_not_open_without_its_key(kms: KmsClient, rsa: str) -> None:
    blob = encrypt(kms, rsa, b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    kms.refused("Decrypt", "InvalidCiphertextException", CiphertextBlob=blob)


def test_an_rsa_key_takes_no_symmetric_algorithm(kms: KmsClient, rsa: str) -> None:
    kms.refused(
        "Encrypt",
        "InvalidKeyUsageException",
        "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.",
        KeyId=rsa,
        Plaintext=b"x",
    )


def test_an_algorithm_that_does_not_exist_is_refused(kms: KmsClient) -> None:
    kms.refused(
        "Encrypt", "ValidationException", KeyId=kms.key(), Plaintext=b"x", EncryptionAlgorithm="ROT_13"
    )


@pytest.mark.parametrize("size", [1, 32, 1024])
def test_random_bytes_are_as_many_as_asked(kms: KmsClient, size: int) -> None:
    assert len(kms("GenerateRandom", NumberOfBytes=size)["Plaintext"]) == size


def test_random_bytes_differ(kms: KmsClient) -> None:
    first, second = (kms("GenerateRandom", NumberOfBytes=32)["Plaintext"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize("size", [0, 1025])
def test_random_bytes_are_1_to_1024(kms: KmsClient, size: int) -> None:
    kms.refused("GenerateRandom", "ValidationException", NumberOfBytes=size)
