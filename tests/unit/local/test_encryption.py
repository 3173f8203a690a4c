"""Encrypt and Decrypt by symmetric and RSA keys, GenerateRandom."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.backend.local.engine import ciphertext_blob
from tests.contract.client import KmsClient
from tests.unit.local.conftest import ACCOUNT, REGION, TestClock

_RSA_LIMITS = [
    ("RSA_2048", "RSAES_OAEP_SHA_1", 214),
    ("RSA_2048", "RSAES_OAEP_SHA_256", 190),
    ("RSA_3072", "RSAES_OAEP_SHA_1", 342),
    ("RSA_3072", "RSAES_OAEP_SHA_256", 318),
]
_WRONG_KEY = "The key ID in the request does not identify a CMK that can perform this operation."


def test_the_ciphertext_names_its_key_so_decrypt_needs_none(kms: KmsClient) -> None:
    key_id = kms.key()
    sealed = kms("Encrypt", KeyId=key_id, Plaintext=b"attack at dawn")
    assert set(sealed) == {"CiphertextBlob", "KeyId", "EncryptionAlgorithm"}
    assert sealed["KeyId"] == kms.arn(key_id)
    assert kms("Decrypt", CiphertextBlob=sealed["CiphertextBlob"]) == {
        "KeyId": kms.arn(key_id),
        "Plaintext": b"attack at dawn",
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "KeyMaterialId": kms.describe(key_id)["CurrentKeyMaterialId"],
    }


def test_the_same_plaintext_never_gives_the_same_ciphertext(kms: KmsClient) -> None:
    key_id = kms.key()
    sealed = {kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"] for _ in range(20)}
    assert len(sealed) == 20


@pytest.mark.parametrize("kind", ["id", "arn", "alias", "alias arn"])
def test_the_key_may_be_given_in_four_ways(kms: KmsClient, kind: str) -> None:
    key_id = kms.key()
    alias = kms.alias(key_id)
    reference = {"id": key_id, "arn": kms.arn(key_id), "alias": alias, "alias arn": kms.alias_arn(alias)}[
        kind
    ]
    sealed = kms("Encrypt", KeyId=reference, Plaintext=b"x")["CiphertextBlob"]
    assert kms("Decrypt", KeyId=reference, CiphertextBlob=sealed)["Plaintext"] == b"x"


def test_the_largest_plaintext_is_4096_bytes(kms: KmsClient) -> None:
    key_id = kms.key()
    sealed = kms("Encrypt", KeyId=key_id, Plaintext=bytes(4096))["CiphertextBlob"]
    assert len(sealed) <= 6144
    assert kms("Decrypt", CiphertextBlob=sealed)["Plaintext"] == bytes(4096)
    kms.refused(
        "Encrypt",
        "ValidationException",
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: "
        "Member must have length less than or equal to 4096",
        KeyId=key_id,
        Plaintext=bytes(4097),
    )


def test_another_context_does_not_open(kms: KmsClient) -> None:
    key_id = kms.key()
    context = {"tenant": "a", "purpose": "b"}
    sealed = kms("Encrypt", KeyId=key_id, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
    swapped = dict(reversed(context.items()))
    assert kms("Decrypt", CiphertextBlob=sealed, EncryptionContext=swapped)["Plaintext"] == b"x"
    others: list[dict[str, str]] = [
        {},
        {"tenant": "a"},
        {"tenant": "b", "purpose": "a"},
        {**context, "c": ""},
    ]
    for other in others:
        kms.refused(
            "Decrypt", "InvalidCiphertextException", "", CiphertextBlob=sealed, EncryptionContext=other
        )


def test_contexts_are_never_confused(kms: KmsClient) -> None:
    sealed = kms("Encrypt", KeyId=kms.key(), Plaintext=b"x", EncryptionContext={"a": "bc"})["CiphertextBlob"]
    kms.refused("Decrypt", "InvalidCiphertextException", CiphertextBlob=sealed, EncryptionContext={"ab": "c"})


_FEW = st.text("ab\0", max_size=2) | st.text(max_size=4)
"""Mostly texts that are alike, so that pairs of them run into each other: "ab" and "" as "a" and "b"."""
_CONTEXTS = st.dictionaries(_FEW, _FEW, max_size=3)


@settings(deadline=None, max_examples=200)
@given(_CONTEXTS, _CONTEXTS)
def test_two_contexts_are_encoded_alike_only_if_they_are_equal(
    one: dict[str, str], two: dict[str, str]
) -> None:
    assert (ciphertext_blob.encoded(one) == ciphertext_blob.encoded(two)) == (one == two)


@pytest.mark.parametrize("with_key", [False, True])
def test_a_change_of_any_bit_is_noticed(kms: KmsClient, with_key: bool) -> None:
    key_id = kms.key()
    sealed = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    key = {"KeyId": key_id} if with_key else {}
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1 << position % 8
        kms.refused("Decrypt", "InvalidCiphertextException", "", CiphertextBlob=bytes(changed), **key)


@pytest.mark.parametrize("rubbish", [b"x", b"\x01KT\x01", bytes(200), b"\x01KT\x01" + bytes(200)])
def test_rubbish_is_no_ciphertext(kms: KmsClient, rubbish: bytes) -> None:
    kms.refused("Decrypt", "InvalidCiphertextException", "", CiphertextBlob=rubbish)


def test_a_cut_ciphertext_is_no_ciphertext(kms: KmsClient) -> None:
    sealed = kms("Encrypt", KeyId=kms.key(), Plaintext=b"x")["CiphertextBlob"]
    for length in range(1, len(sealed)):
        kms.refused("Decrypt", "InvalidCiphertextException", "", CiphertextBlob=sealed[:length])


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"},
        {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
    ],
)
def test_another_key_is_the_incorrect_key_whatever_its_usage(kms: KmsClient, other: dict[str, str]) -> None:
    sealed = kms("Encrypt", KeyId=kms.key(), Plaintext=b"x")["CiphertextBlob"]
    kms.refused("Decrypt", "IncorrectKeyException", _WRONG_KEY, KeyId=kms.key(**other), CiphertextBlob=sealed)


def test_the_ciphertext_of_a_key_that_is_gone_does_not_tell(kms: KmsClient, clock: TestClock) -> None:
    key_id = kms.key()
    sealed = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    kms("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=7)
    kms.refused("Decrypt", "KMSInvalidStateException", CiphertextBlob=sealed)
    clock.advance(days=7)
    kms.refused("Decrypt", "AccessDeniedException", CiphertextBlob=sealed)
    kms.refused("Decrypt", "NotFoundException", CiphertextBlob=sealed, KeyId=key_id)


def test_ciphertext_of_another_region_does_not_open(kms: KmsClient) -> None:
    sealed = kms("Encrypt", KeyId=kms.key(), Plaintext=b"x")["CiphertextBlob"]
    words = (
        "User: arn:aws:iam::111122223333:user/administrator is not authorized to perform: kms:Decrypt on the "
        "resource associated with this ciphertext because the resource does not exist in this Region, no "
        "resource-based policies allow access, or a resource-based policy explicitly denies access"
    )
    kms.in_region("us-east-1").refused("Decrypt", "AccessDeniedException", words, CiphertextBlob=sealed)


def test_keys_of_other_usages_do_not_encrypt(kms: KmsClient) -> None:
    key_id = kms.key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    kms.refused(
        "Encrypt",
        "InvalidKeyUsageException",
        f"{kms.arn(key_id)} key usage is SIGN_VERIFY which is not valid for Encrypt.",
        KeyId=key_id,
        Plaintext=b"x",
        EncryptionAlgorithm="RSAES_OAEP_SHA_256",
    )


@pytest.mark.parametrize(("spec", "algorithm", "limit"), _RSA_LIMITS)
def test_rsa_keys_encrypt_as_much_as_oaep_allows(
    kms: KmsClient, spec: str, algorithm: str, limit: int
) -> None:
    key_id = kms.key(KeySpec=spec, KeyUsage="ENCRYPT_DECRYPT")
    sealed = kms("Encrypt", KeyId=key_id, Plaintext=bytes(limit), EncryptionAlgorithm=algorithm)
    assert len(sealed["CiphertextBlob"]) == int(spec[4:]) // 8
    opened = kms(
        "Decrypt", KeyId=key_id, CiphertextBlob=sealed["CiphertextBlob"], EncryptionAlgorithm=algorithm
    )
    assert opened == {"KeyId": kms.arn(key_id), "Plaintext": bytes(limit), "EncryptionAlgorithm": algorithm}
    kms.refused(
        "Encrypt",
        "ValidationException",
        f"Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {limit} bytes.",
        KeyId=key_id,
        Plaintext=bytes(limit + 1),
        EncryptionAlgorithm=algorithm,
    )


def test_rsa_needs_its_key_and_the_right_algorithm(kms: KmsClient) -> None:
    key_id = kms.key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    sha256 = {"EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    sealed = kms("Encrypt", KeyId=key_id, Plaintext=b"x", **sha256)["CiphertextBlob"]
    kms.refused("Decrypt", "ValidationException", CiphertextBlob=sealed, **sha256)
    kms.refused("Decrypt", "InvalidCiphertextException", CiphertextBlob=sealed)
    kms.refused("Decrypt", "InvalidCiphertextException", CiphertextBlob=sealed, KeyId=key_id)
    mac_key = kms.key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    kms.refused("Decrypt", "InvalidKeyUsageException", CiphertextBlob=sealed, KeyId=mac_key)
    kms.refused(
        "Encrypt",
        "InvalidKeyUsageException",
        "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.",
        Plaintext=b"x",
        KeyId=key_id,
    )
    wrong = {"EncryptionAlgorithm": "RSAES_OAEP_SHA_1"}
    kms.refused("Decrypt", "InvalidCiphertextException", CiphertextBlob=sealed, KeyId=key_id, **wrong)
    other = kms.key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    kms.refused("Decrypt", "InvalidCiphertextException", CiphertextBlob=sealed, KeyId=other, **sha256)


def test_rsa_takes_no_encryption_context(kms: KmsClient) -> None:
    kms.refused(
        "Encrypt",
        "ValidationException",
        KeyId=kms.key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT"),
        Plaintext=b"x",
        EncryptionAlgorithm="RSAES_OAEP_SHA_256",
        EncryptionContext={"a": "b"},
    )


def test_a_dry_run_checks_everything_and_does_nothing(kms: KmsClient) -> None:
    key_id = kms.key()
    words = "The request would have succeeded, but the DryRun option is set."
    kms.refused("Encrypt", "DryRunOperationException", words, KeyId=key_id, Plaintext=b"x", DryRun=True)
    sealed = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    kms.refused("Decrypt", "DryRunOperationException", words, CiphertextBlob=sealed, DryRun=True)
    kms.refused("Decrypt", "InvalidCiphertextException", CiphertextBlob=sealed[:-1], DryRun=True)
    ignoring: dict[str, Any] = {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}
    kms.refused("Decrypt", "DryRunOperationException", words, KeyId=key_id, **ignoring)
    kms("DisableKey", KeyId=key_id)
    kms.refused("Decrypt", "DisabledException", KeyId=key_id, **ignoring)
    kms.refused("Encrypt", "DisabledException", KeyId=key_id, Plaintext=b"x", DryRun=True)


def test_decrypt_without_ciphertext_is_for_dry_runs_only(kms: KmsClient) -> None:
    words = (
        "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: "
        "Member must not be null"
    )
    kms.refused("Decrypt", "ValidationException", words, KeyId=kms.key())
    kms.refused("Decrypt", "ValidationException", words, KeyId=kms.key(), DryRun=True)


@pytest.mark.parametrize("size", [1, 1024])
def test_random_bytes_are_as_many_as_asked_for(kms: KmsClient, size: int) -> None:
    assert len(kms("GenerateRandom", NumberOfBytes=size)["Plaintext"]) == size


def test_random_bytes_differ(kms: KmsClient) -> None:
    assert kms("GenerateRandom", NumberOfBytes=32) != kms("GenerateRandom", NumberOfBytes=32)


def test_random_bytes_need_a_number_from_1_to_1024(kms: KmsClient) -> None:
    kms.refused("GenerateRandom", "ValidationException", "NumberOfBytes is required.")
    for size in (0, 1025):
        kms.refused("GenerateRandom", "ValidationException", NumberOfBytes=size)


def test_a_store_in_memory_cannot_open_what_another_sealed() -> None:
    with open_store() as one, open_store() as two:
        kms = KmsClient(LocalBackend(one, account_id=ACCOUNT, region=REGION))
        sealed = kms("Encrypt", KeyId=kms.key(), Plaintext=b"x")["CiphertextBlob"]
        other = KmsClient(LocalBackend(two, account_id=ACCOUNT, region=REGION))
        other.refused("Decrypt", "AccessDeniedException", CiphertextBlob=sealed)
