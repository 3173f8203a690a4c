"""GenerateMac and VerifyMac."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.client import KmsClient

SIZES = {"224": 28, "256": 32, "384": 48, "512": 64}


def hmac_key(kms: KmsClient, bits: str = "256") -> str:
    return kms.key(KeySpec=f"HMAC_{bits}", KeyUsage="GENERATE_VERIFY_MAC")


@pytest.mark.parametrize("bits", SIZES)
def test_a_mac_has_its_length_and_verifies(kms: KmsClient, bits: str) -> None:
    key_id, algorithm = hmac_key(kms, bits), f"HMAC_SHA_{bits}"
    made = kms("GenerateMac", KeyId=kms.alias(key_id), Message=b"m", MacAlgorithm=algorithm)
    assert len(made["Mac"]) == SIZES[bits]
    assert made["MacAlgorithm"] == algorithm
    verified = kms("VerifyMac", KeyId=key_id, Message=b"m", MacAlgorithm=algorithm, Mac=made["Mac"])
    assert verified["MacValid"] is True


def test_the_answers_name_the_key(kms: KmsClient) -> None:
    key_id = hmac_key(kms)
    given: dict[str, Any] = {"KeyId": key_id, "Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
    made = kms("GenerateMac", **given)
    verified = kms("VerifyMac", Mac=made["Mac"], **given)
    assert made["KeyId"] == verified["KeyId"] == kms.arn(key_id)


def test_the_same_message_has_the_same_mac_and_another_key_another(kms: KmsClient) -> None:
    first, second = hmac_key(kms), hmac_key(kms)
    macs = [
        kms("GenerateMac", KeyId=key_id, Message=b"m", MacAlgorithm="HMAC_SHA_256")["Mac"]
        for key_id in (first, first, second)
    ]
    assert macs[0] == macs[1] != macs[2]


@pytest.mark.parametrize("what", ["message", "mac", "short"])
def test_a_bad_mac_is_an_error_and_never_a_false(kms: KmsClient, what: str) -> None:
    key_id = hmac_key(kms)
    mac = kms("GenerateMac", KeyId=key_id, Message=b"m", MacAlgorithm="HMAC_SHA_256")["Mac"]
    given = {"message": mac, "mac": mac[:-1] + bytes([mac[-1] ^ 1]), "short": mac[:16]}[what]
    kms.refused(
        "VerifyMac",
        "KMSInvalidMacException",
        KeyId=key_id,
        Message=b"n" if what == "message" else b"m",
        MacAlgorithm="HMAC_SHA_256",
        Mac=given,
    )


@pytest.mark.parametrize("operation", ["GenerateMac", "VerifyMac"])
def test_an_algorithm_of_another_spec_is_refused(kms: KmsClient, operation: str) -> None:
    given: dict[str, Any] = {"Mac": bytes(64)} if operation == "VerifyMac" else {}
    kms.refused(
        operation,
        "InvalidKeyUsageException",
        "Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256.",
        KeyId=hmac_key(kms),
        Message=b"m",
        MacAlgorithm="HMAC_SHA_512",
        **given,
    )


@pytest.mark.parametrize("operation", ["GenerateMac", "VerifyMac"])
def test_a_key_of_another_usage_makes_no_mac(kms: KmsClient, operation: str) -> None:
    key_id = kms.key()
    given: dict[str, Any] = {"Mac": bytes(32)} if operation == "VerifyMac" else {}
    kms.refused(
        operation,
        "InvalidKeyUsageException",
        f"{kms.arn(key_id)} key usage is ENCRYPT_DECRYPT which is not valid for {operation}.",
        KeyId=key_id,
        Message=b"m",
        MacAlgorithm="HMAC_SHA_256",
        **given,
    )


def test_messages_up_to_4096_bytes_have_macs(kms: KmsClient) -> None:
    key_id = hmac_key(kms)
    kms("GenerateMac", KeyId=key_id, Message=bytes(4096), MacAlgorithm="HMAC_SHA_256")
    kms.refused(
        "GenerateMac", "ValidationException", KeyId=key_id, Message=bytes(4097), MacAlgorithm="HMAC_SHA_256"
    )


def test_a_disabled_key_makes_no_mac(kms: KmsClient) -> None:
    key_id = hmac_key(kms)
    kms("DisableKey", KeyId=key_id)
    message = f"{kms.arn(key_id)} is disabled."
    kms.refused(
        "GenerateMac", "DisabledException", message, KeyId=key_id, Message=b"m", MacAlgorithm="HMAC_SHA_256"
    )
