"""Data keys, data key pairs, ReEncrypt, MACs, shared secrets, encapsulation, and GetKeyLastUsage."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from kms_tui.backend.local import LocalBackend
from tests.contract.client import KmsClient
from tests.unit.local.conftest import START, TestClock

_DRY = "The request would have succeeded, but the DryRun option is set."


@pytest.mark.parametrize(
    ("params", "size"),
    [
        ({"KeySpec": "AES_256"}, 32),
        ({"KeySpec": "AES_128"}, 16),
        ({"NumberOfBytes": 1}, 1),
        ({"NumberOfBytes": 1024}, 1024),
    ],
)
def test_a_data_key_comes_bare_and_sealed(kms: KmsClient, params: dict[str, Any], size: int) -> None:
    key_id = kms.key()
    answer = kms("GenerateDataKey", KeyId=key_id, EncryptionContext={"a": "b"}, **params)
    assert set(answer) == {"KeyId", "Plaintext", "CiphertextBlob", "KeyMaterialId"}
    assert len(answer["Plaintext"]) == size
    opened = kms("Decrypt", CiphertextBlob=answer["CiphertextBlob"], EncryptionContext={"a": "b"})
    assert (opened["Plaintext"], opened["KeyMaterialId"]) == (answer["Plaintext"], answer["KeyMaterialId"])
    assert answer["KeyId"] == kms.arn(key_id)


def test_a_data_key_may_come_sealed_only(kms: KmsClient) -> None:
    answer = kms("GenerateDataKeyWithoutPlaintext", KeyId=kms.key(), KeySpec="AES_256")
    assert set(answer) == {"KeyId", "CiphertextBlob", "KeyMaterialId"}
    assert len(kms("Decrypt", CiphertextBlob=answer["CiphertextBlob"])["Plaintext"]) == 32


@pytest.mark.parametrize("params", [{}, {"KeySpec": "AES_256", "NumberOfBytes": 32}])
@pytest.mark.parametrize("operation", ["GenerateDataKey", "GenerateDataKeyWithoutPlaintext"])
def test_a_data_key_needs_a_spec_or_a_size_but_not_both(
    kms: KmsClient, operation: str, params: dict[str, Any]
) -> None:
    words = "Please specify either number of bytes or key spec."
    kms.refused(operation, "ValidationException", words, KeyId=kms.key(), **params)


@pytest.mark.parametrize(
    ("spec", "usage", "words"),
    [
        ("RSA_2048", "ENCRYPT_DECRYPT", "You cannot generate a data key with an asymmetric CMK"),
        (
            "HMAC_256",
            "GENERATE_VERIFY_MAC",
            "{arn} key usage is GENERATE_VERIFY_MAC which is not valid for {operation}.",
        ),
    ],
)
def test_only_symmetric_encryption_keys_make_data_keys(
    kms: KmsClient, spec: str, usage: str, words: str
) -> None:
    key_id = kms.key(KeySpec=spec, KeyUsage=usage)
    for operation, size in (
        ("GenerateDataKey", {"KeySpec": "AES_256"}),
        ("GenerateDataKeyPair", {"KeyPairSpec": "RSA_2048"}),
    ):
        message = words.format(arn=kms.arn(key_id), operation=operation)
        kms.refused(operation, "InvalidKeyUsageException", message, KeyId=key_id, **size)


@pytest.mark.parametrize(
    "spec", ["RSA_2048", "ECC_NIST_P256", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", "ML_KEM_768"]
)
def test_a_data_key_pair_fits_together(kms: KmsClient, spec: str) -> None:
    key_id = kms.key()
    answer = kms("GenerateDataKeyPair", KeyId=key_id, KeyPairSpec=spec)
    private = load_der_private_key(answer["PrivateKeyPlaintext"], None)
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert public == answer["PublicKey"]
    opened = kms("Decrypt", CiphertextBlob=answer["PrivateKeyCiphertextBlob"])
    assert opened["Plaintext"] == answer["PrivateKeyPlaintext"]
    assert (answer["KeyPairSpec"], answer["KeyId"]) == (spec, kms.arn(key_id))


def test_a_data_key_pair_may_come_sealed_only(kms: KmsClient) -> None:
    answer = kms("GenerateDataKeyPairWithoutPlaintext", KeyId=kms.key(), KeyPairSpec="RSA_2048")
    assert "PrivateKeyPlaintext" not in answer
    assert isinstance(load_der_public_key(answer["PublicKey"]), rsa.RSAPublicKey)


def test_the_largest_data_key_pair_fits(kms: KmsClient) -> None:
    answer = kms("GenerateDataKeyPair", KeyId=kms.key(), KeyPairSpec="RSA_4096")
    assert kms("Decrypt", CiphertextBlob=answer["PrivateKeyCiphertextBlob"])["Plaintext"]


@pytest.mark.parametrize("spec", ["SM2", "ML_KEM_512"])
def test_pairs_that_cannot_be_made_here_are_refused_saying_so(kms: KmsClient, spec: str) -> None:
    refusal = kms.refused(
        "GenerateDataKeyPair", "UnsupportedOperationException", KeyId=kms.key(), KeyPairSpec=spec
    )
    assert spec in refusal.message


def test_re_encryption_changes_key_and_context(kms: KmsClient) -> None:
    source, destination = kms.key(), kms.key()
    sealed = kms("Encrypt", KeyId=source, Plaintext=b"x", EncryptionContext={"a": "1"})["CiphertextBlob"]
    answer = kms(
        "ReEncrypt",
        CiphertextBlob=sealed,
        SourceEncryptionContext={"a": "1"},
        DestinationKeyId=destination,
        DestinationEncryptionContext={"b": "2"},
    )
    assert answer == {
        "CiphertextBlob": answer["CiphertextBlob"],
        "SourceKeyId": kms.arn(source),
        "KeyId": kms.arn(destination),
        "SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "DestinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "SourceKeyMaterialId": kms.describe(source)["CurrentKeyMaterialId"],
        "DestinationKeyMaterialId": kms.describe(destination)["CurrentKeyMaterialId"],
    }
    opened = kms("Decrypt", CiphertextBlob=answer["CiphertextBlob"], EncryptionContext={"b": "2"})
    assert (opened["Plaintext"], opened["KeyId"]) == (b"x", kms.arn(destination))


def test_re_encryption_from_rsa_and_to_rsa(kms: KmsClient) -> None:
    symmetric, asymmetric = kms.key(), kms.key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    sealed = kms("Encrypt", KeyId=symmetric, Plaintext=b"x")["CiphertextBlob"]
    there = kms(
        "ReEncrypt",
        CiphertextBlob=sealed,
        DestinationKeyId=asymmetric,
        DestinationEncryptionAlgorithm="RSAES_OAEP_SHA_1",
    )
    assert "DestinationKeyMaterialId" not in there
    back = kms(
        "ReEncrypt",
        CiphertextBlob=there["CiphertextBlob"],
        SourceKeyId=asymmetric,
        SourceEncryptionAlgorithm="RSAES_OAEP_SHA_1",
        DestinationKeyId=symmetric,
    )
    assert "SourceKeyMaterialId" not in back
    assert kms("Decrypt", CiphertextBlob=back["CiphertextBlob"])["Plaintext"] == b"x"


def test_re_encryption_is_refused_like_its_halves(kms: KmsClient) -> None:
    source, other = kms.key(), kms.key()
    mac = kms.key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    sealed = kms("Encrypt", KeyId=source, Plaintext=b"x")["CiphertextBlob"]
    wrong = "The key ID in the request does not identify a CMK that can perform this operation."
    request = {"CiphertextBlob": sealed, "DestinationKeyId": other}
    kms.refused("ReEncrypt", "IncorrectKeyException", wrong, SourceKeyId=other, **request)
    kms.refused("ReEncrypt", "IncorrectKeyException", wrong, SourceKeyId=mac, **request)
    kms.refused("ReEncrypt", "InvalidCiphertextException", "", SourceEncryptionContext={"a": "b"}, **request)
    kms.refused(
        "ReEncrypt",
        "InvalidKeyUsageException",
        f"{kms.arn(mac)} key usage is GENERATE_VERIFY_MAC which is not valid for ReEncrypt.",
        CiphertextBlob=sealed,
        DestinationKeyId=mac,
    )
    kms.refused("ReEncrypt", "DryRunOperationException", _DRY, DryRun=True, **request)
    ignoring: dict[str, Any] = {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}
    kms.refused(
        "ReEncrypt", "DryRunOperationException", _DRY, SourceKeyId=source, DestinationKeyId=other, **ignoring
    )
    kms("DisableKey", KeyId=other)
    kms.refused("ReEncrypt", "DisabledException", f"{kms.arn(other)} is disabled.", **request)
    kms("EnableKey", KeyId=other)
    kms("DisableKey", KeyId=source)
    kms.refused("ReEncrypt", "DisabledException", f"{kms.arn(source)} is disabled.", **request)


@pytest.mark.parametrize(("bits", "size"), [(224, 28), (256, 32), (384, 48), (512, 64)])
def test_a_mac_verifies_and_a_changed_one_does_not(kms: KmsClient, bits: int, size: int) -> None:
    key_id = kms.key(KeySpec=f"HMAC_{bits}", KeyUsage="GENERATE_VERIFY_MAC")
    request = {"KeyId": key_id, "Message": b"message", "MacAlgorithm": f"HMAC_SHA_{bits}"}
    answer = kms("GenerateMac", **request)
    mac = answer["Mac"]
    assert answer == {"Mac": mac, "MacAlgorithm": f"HMAC_SHA_{bits}", "KeyId": kms.arn(key_id)}
    assert len(mac) == size
    valid = {"MacValid": True, "MacAlgorithm": f"HMAC_SHA_{bits}", "KeyId": kms.arn(key_id)}
    assert kms("VerifyMac", Mac=mac, **request) == valid
    for wrong in (mac[:-1], mac + b"x", bytes([mac[0] ^ 1, *mac[1:]])):
        kms.refused("VerifyMac", "KMSInvalidMacException", "", Mac=wrong, **request)
    kms.refused("GenerateMac", "DryRunOperationException", _DRY, DryRun=True, **request)


def test_a_mac_is_the_hmac_of_the_standard(kms: KmsClient, backend: LocalBackend) -> None:
    class Fixed:
        lazy = False

        def make(self, spec: str, key_id: str, material_id: str) -> bytes:
            return b"k" * 32

    backend.store.material = Fixed()
    key_id = kms.key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    mac = kms("GenerateMac", KeyId=key_id, Message=b"message", MacAlgorithm="HMAC_SHA_256")["Mac"]
    assert mac == hmac.new(b"k" * 32, b"message", hashlib.sha256).digest()


def test_a_mac_of_another_size_is_refused(kms: KmsClient) -> None:
    kms.refused(
        "GenerateMac",
        "InvalidKeyUsageException",
        "Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256.",
        KeyId=kms.key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC"),
        Message=b"x",
        MacAlgorithm="HMAC_SHA_512",
    )


_CURVES: dict[str, ec.EllipticCurve] = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
}


def _spki(key: Any) -> bytes:
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize("spec", _CURVES)
def test_both_sides_derive_the_same_secret(kms: KmsClient, spec: str) -> None:
    key_id = kms.key(KeySpec=spec, KeyUsage="KEY_AGREEMENT")
    peer = ec.generate_private_key(_CURVES[spec])
    answer = kms(
        "DeriveSharedSecret", KeyId=key_id, KeyAgreementAlgorithm="ECDH", PublicKey=_spki(peer.public_key())
    )
    ours: Any = load_der_public_key(kms("GetPublicKey", KeyId=key_id)["PublicKey"])
    assert answer == {
        "KeyId": kms.arn(key_id),
        "SharedSecret": peer.exchange(ec.ECDH(), ours),
        "KeyAgreementAlgorithm": "ECDH",
        "KeyOrigin": "AWS_KMS",
    }


@pytest.mark.parametrize(
    "public",
    [
        lambda: b"rubbish",
        lambda: _spki(ec.generate_private_key(ec.SECP384R1()).public_key()),
        lambda: _spki(rsa.generate_private_key(65537, 2048).public_key()),
    ],
)
def test_a_public_key_that_does_not_fit_is_refused(kms: KmsClient, public: Callable[[], bytes]) -> None:
    kms.refused(
        "DeriveSharedSecret",
        "ValidationException",
        KeyId=kms.key(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT"),
        KeyAgreementAlgorithm="ECDH",
        PublicKey=public(),
    )


def test_a_signing_key_agrees_on_nothing(kms: KmsClient) -> None:
    kms.refused(
        "DeriveSharedSecret",
        "InvalidKeyUsageException",
        KeyId=kms.key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY"),
        KeyAgreementAlgorithm="ECDH",
        PublicKey=b"x",
    )


@pytest.mark.parametrize(("spec", "size"), [("ML_KEM_768", 1088), ("ML_KEM_1024", 1568)])
def test_an_encapsulated_secret_is_recovered(kms: KmsClient, spec: str, size: int) -> None:
    key_id = kms.key(KeySpec=spec, KeyUsage="ENCAPSULATE_DECAPSULATE")
    request = {"KeyId": key_id, "EncapsulationAlgorithm": "ML_KEM"}
    made = kms("Encapsulate", **request)
    ciphertext = made["SharedSecretCiphertextBlob"]
    assert (len(made["SharedSecret"]), len(ciphertext)) == (32, size)
    assert kms("Decapsulate", SharedSecretCiphertextBlob=ciphertext, **request) == {
        "KeyId": kms.arn(key_id),
        "SharedSecret": made["SharedSecret"],
        "EncapsulationAlgorithm": "ML_KEM",
    }
    changed = bytes([ciphertext[0] ^ 1, *ciphertext[1:]])
    rejected = kms("Decapsulate", SharedSecretCiphertextBlob=changed, **request)["SharedSecret"]
    assert len(rejected) == 32
    assert rejected != made["SharedSecret"]
    for wrong in (ciphertext[:-1], ciphertext + b"x", b"x"):
        kms.refused(
            "Decapsulate", "InvalidCiphertextException", "", SharedSecretCiphertextBlob=wrong, **request
        )
    kms.refused("Encapsulate", "DryRunOperationException", _DRY, DryRun=True, **request)


def test_a_secret_encapsulated_elsewhere_is_recovered(kms: KmsClient) -> None:
    key_id = kms.key(KeySpec="ML_KEM_768", KeyUsage="ENCAPSULATE_DECAPSULATE")
    public = load_der_public_key(kms("GetPublicKey", KeyId=key_id)["PublicKey"])
    assert isinstance(public, mlkem.MLKEM768PublicKey)
    secret, ciphertext = public.encapsulate()
    opened = kms(
        "Decapsulate", KeyId=key_id, EncapsulationAlgorithm="ML_KEM", SharedSecretCiphertextBlob=ciphertext
    )
    assert opened["SharedSecret"] == secret


def test_the_last_use_of_a_key_is_told(kms: KmsClient, clock: TestClock) -> None:
    key_id = kms.key()
    dates = {"TrackingStartDate": START, "KeyCreationDate": START}
    assert kms("GetKeyLastUsage", KeyId=key_id) == {"KeyId": key_id, "KeyLastUsage": {}, **dates}
    clock.advance(days=3)
    sealed = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    clock.advance(days=3)
    kms("Decrypt", CiphertextBlob=sealed)
    clock.advance(days=3)
    kms("DescribeKey", KeyId=key_id)
    kms.refused("Decrypt", "InvalidCiphertextException", CiphertextBlob=sealed[:-1])
    kms.refused("Encrypt", "DryRunOperationException", KeyId=key_id, Plaintext=b"x", DryRun=True)
    answer = kms("GetKeyLastUsage", KeyId=kms.arn(key_id))
    event_id = answer["KeyLastUsage"].pop("CloudTrailEventId")
    assert answer["KeyLastUsage"] == {"Operation": "Decrypt", "Timestamp": START + timedelta(days=6)}
    events = kms.backend.inner
    assert isinstance(events, LocalBackend)
    assert events.store.one("SELECT operation FROM events WHERE event_id = ?", (event_id,)) == ("Decrypt",)


def test_re_encryption_is_a_use_of_both_keys(kms: KmsClient) -> None:
    source, destination = kms.key(), kms.key()
    sealed = kms("Encrypt", KeyId=source, Plaintext=b"x")["CiphertextBlob"]
    kms("ReEncrypt", CiphertextBlob=sealed, DestinationKeyId=destination)
    for key_id in (source, destination):
        assert kms("GetKeyLastUsage", KeyId=key_id)["KeyLastUsage"]["Operation"] == "ReEncrypt"


def test_last_usage_takes_no_alias(kms: KmsClient) -> None:
    kms.refused("GetKeyLastUsage", "InvalidArnException", KeyId=kms.alias(kms.key()))
