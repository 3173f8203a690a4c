"""Rotation: automatic, on demand, and its history."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.contract.client import KmsClient
from tests.unit.local.conftest import START, TestClock


def _status(kms: KmsClient, key_id: str) -> dict[str, object]:
    return dict(kms("GetKeyRotationStatus", KeyId=key_id))


def test_rotation_is_off_until_it_is_switched_on(kms: KmsClient) -> None:
    key_id = kms.key()
    off = {"KeyId": kms.arn(key_id), "KeyRotationEnabled": False}
    assert _status(kms, key_id) == off
    assert kms("EnableKeyRotation", KeyId=key_id) == {}
    assert _status(kms, key_id) == {
        "KeyId": kms.arn(key_id),
        "KeyRotationEnabled": True,
        "RotationPeriodInDays": 365,
        "NextRotationDate": START + timedelta(days=365),
    }
    kms("DisableKeyRotation", KeyId=key_id)
    assert _status(kms, key_id) == off


@pytest.mark.parametrize("days", [90, 2560])
def test_the_period_is_from_90_to_2560_days(kms: KmsClient, days: int) -> None:
    key_id = kms.key()
    kms("EnableKeyRotation", KeyId=key_id, RotationPeriodInDays=days)
    assert _status(kms, key_id)["NextRotationDate"] == START + timedelta(days=days)


@pytest.mark.parametrize(
    ("days", "bound"), [(89, "greater than or equal to 90"), (2561, "less than or equal to 2560")]
)
def test_another_period_is_refused(kms: KmsClient, days: int, bound: str) -> None:
    kms.refused(
        "EnableKeyRotation",
        "ValidationException",
        f"1 validation error detected: Value '{days}' at 'rotationPeriodInDays' failed to satisfy "
        f"constraint: Member must have value {bound}",
        KeyId=kms.key(),
        RotationPeriodInDays=days,
    )


def test_rotation_happens_when_its_date_passes_as_often_as_it_should_have(
    kms: KmsClient, clock: TestClock
) -> None:
    key_id = kms.key()
    first = kms.describe(key_id)["CurrentKeyMaterialId"]
    kms("EnableKeyRotation", KeyId=key_id, RotationPeriodInDays=100)
    clock.advance(days=100, milliseconds=-1)
    assert kms.describe(key_id)["CurrentKeyMaterialId"] == first
    clock.advance(days=250)
    rotations = kms("ListKeyRotations", KeyId=key_id)["Rotations"]
    assert [(rotation["RotationDate"], rotation["RotationType"]) for rotation in rotations] == [
        (START + timedelta(days=days), "AUTOMATIC") for days in (100, 200, 300)
    ]
    assert kms.describe(key_id)["CurrentKeyMaterialId"] == rotations[-1]["KeyMaterialId"] != first
    assert _status(kms, key_id)["NextRotationDate"] == START + timedelta(days=400)


def test_old_ciphertext_opens_after_any_rotation_and_new_material_seals(
    kms: KmsClient, clock: TestClock
) -> None:
    key_id = kms.key()
    kms("EnableKeyRotation", KeyId=key_id)
    sealed = []
    for number in range(4):
        sealed.append(kms("Encrypt", KeyId=key_id, Plaintext=bytes([number]))["CiphertextBlob"])
        if number % 2:
            clock.advance(days=365)
        else:
            kms("RotateKeyOnDemand", KeyId=key_id)
    opened = [kms("Decrypt", CiphertextBlob=blob) for blob in sealed]
    assert [answer["Plaintext"] for answer in opened] == [bytes([number]) for number in range(4)]
    assert len({answer["KeyMaterialId"] for answer in opened}) == 4


def test_a_rotation_on_demand_leaves_the_schedule(kms: KmsClient, clock: TestClock) -> None:
    key_id = kms.key()
    kms("EnableKeyRotation", KeyId=key_id)
    before = _status(kms, key_id)
    clock.advance(days=10)
    assert kms("RotateKeyOnDemand", KeyId=key_id) == {"KeyId": kms.arn(key_id)}
    assert _status(kms, key_id) == before


def test_the_history_tells_each_material_once(kms: KmsClient, clock: TestClock) -> None:
    key_id = kms.key()
    first = kms.describe(key_id)["CurrentKeyMaterialId"]
    assert kms("ListKeyRotations", KeyId=key_id) == {"Rotations": [], "Truncated": False}
    clock.advance(days=1)
    kms("RotateKeyOnDemand", KeyId=key_id)
    current = kms.describe(key_id)["CurrentKeyMaterialId"]
    rotation = {
        "KeyId": key_id,
        "KeyMaterialId": current,
        "KeyMaterialState": "CURRENT",
        "RotationDate": START + timedelta(days=1),
        "RotationType": "ON_DEMAND",
    }
    assert kms("ListKeyRotations", KeyId=key_id)["Rotations"] == [rotation]
    everything = kms("ListKeyRotations", KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert everything == [
        {"KeyId": key_id, "KeyMaterialId": first, "KeyMaterialState": "NON_CURRENT"},
        rotation,
    ]


def test_the_history_comes_in_pages(kms: KmsClient) -> None:
    key_id = kms.key()
    for _ in range(5):
        kms("RotateKeyOnDemand", KeyId=key_id)
    whole = kms("ListKeyRotations", KeyId=key_id)["Rotations"]
    assert len(whole) == 5
    assert kms.all("ListKeyRotations", "Rotations", KeyId=key_id, Limit=2) == whole


def test_a_key_rotates_on_demand_25_times_whatever_its_automatic_rotations(
    kms: KmsClient, clock: TestClock
) -> None:
    key_id = kms.key()
    kms("EnableKeyRotation", KeyId=key_id, RotationPeriodInDays=90)
    clock.advance(days=91)
    for _ in range(25):
        kms("RotateKeyOnDemand", KeyId=key_id)
    kms.refused(
        "RotateKeyOnDemand",
        "LimitExceededException",
        "The on-demand rotations limit has been reached for the given keyId. "
        f"No more on-demand rotations can be performed for this key: {kms.arn(key_id)}",
        KeyId=key_id,
    )


def test_an_automatic_rotation_about_to_begin_is_a_conflict(kms: KmsClient, clock: TestClock) -> None:
    key_id = kms.key()
    kms("EnableKeyRotation", KeyId=key_id)
    clock.advance(days=365, minutes=-20)
    kms.refused("RotateKeyOnDemand", "ConflictException", KeyId=key_id)
    clock.advance(minutes=20)
    kms("RotateKeyOnDemand", KeyId=key_id)


@pytest.mark.parametrize(
    ("spec", "usage"), [("RSA_2048", "ENCRYPT_DECRYPT"), ("HMAC_256", "GENERATE_VERIFY_MAC")]
)
def test_other_keys_do_not_rotate(kms: KmsClient, spec: str, usage: str) -> None:
    key_id = kms.key(KeySpec=spec, KeyUsage=usage)
    assert _status(kms, key_id) == {"KeyId": kms.arn(key_id), "KeyRotationEnabled": False}
    for operation in ("EnableKeyRotation", "RotateKeyOnDemand", "ListKeyRotations"):
        kms.refused(operation, "UnsupportedOperationException", "", KeyId=key_id)
    assert kms("DisableKeyRotation", KeyId=key_id) == {}


def test_a_disabled_key_keeps_its_status_without_dates_and_does_not_rotate(
    kms: KmsClient, clock: TestClock
) -> None:
    key_id = kms.key()
    kms("EnableKeyRotation", KeyId=key_id, RotationPeriodInDays=100)
    kms("DisableKey", KeyId=key_id)
    assert _status(kms, key_id) == {"KeyId": kms.arn(key_id), "KeyRotationEnabled": True}
    clock.advance(days=350)
    assert kms("ListKeyRotations", KeyId=key_id)["Rotations"] == []
    kms("EnableKey", KeyId=key_id)
    (rotation,) = kms("ListKeyRotations", KeyId=key_id)["Rotations"]
    assert rotation["RotationDate"] == START + timedelta(days=350)
    assert _status(kms, key_id)["NextRotationDate"] == START + timedelta(days=450)


def test_a_key_enabled_before_its_date_goes_on_as_before(kms: KmsClient, clock: TestClock) -> None:
    key_id = kms.key()
    kms("EnableKeyRotation", KeyId=key_id)
    kms("DisableKey", KeyId=key_id)
    clock.advance(days=10)
    kms("EnableKey", KeyId=key_id)
    assert _status(kms, key_id)["NextRotationDate"] == START + timedelta(days=365)


def test_a_key_pending_deletion_says_off_and_gets_its_status_back(kms: KmsClient, clock: TestClock) -> None:
    key_id = kms.key()
    kms("EnableKeyRotation", KeyId=key_id)
    kms("ScheduleKeyDeletion", KeyId=key_id)
    assert _status(kms, key_id) == {"KeyId": kms.arn(key_id), "KeyRotationEnabled": False}
    kms("CancelKeyDeletion", KeyId=key_id)
    kms("EnableKey", KeyId=key_id)
    assert _status(kms, key_id)["KeyRotationEnabled"] is True


def test_aws_managed_keys_rotate_every_year(kms: KmsClient, clock: TestClock) -> None:
    key_id = kms.describe("alias/aws/s3")["KeyId"]
    assert _status(kms, key_id)["KeyRotationEnabled"] is True
    clock.advance(days=366)
    (rotation,) = kms("ListKeyRotations", KeyId=key_id)["Rotations"]
    assert rotation["RotationType"] == "AUTOMATIC"
