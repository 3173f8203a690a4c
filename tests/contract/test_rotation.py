"""Automatic and on-demand rotation, and its history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.client import KmsClient

ROTATING_NOT = [
    ("RSA_2048", "ENCRYPT_DECRYPT"),
    ("ECC_NIST_P256", "SIGN_VERIFY"),
    ("HMAC_256", "GENERATE_VERIFY_MAC"),
]


def test_rotation_is_off_until_it_is_switched_on(kms: KmsClient) -> None:
    key_id = kms.key()
    status = kms("GetKeyRotationStatus", KeyId=key_id)
    assert status["KeyRotationEnabled"] is False
    assert "RotationPeriodInDays" not in status
    assert "NextRotationDate" not in status


def test_rotation_can_be_switched_on_and_off(kms: KmsClient) -> None:
    key_id = kms.key()
    assert kms("EnableKeyRotation", KeyId=key_id) == {}
    assert kms("GetKeyRotationStatus", KeyId=key_id)["KeyRotationEnabled"] is True
    assert kms("DisableKeyRotation", KeyId=kms.arn(key_id)) == {}
    assert kms("GetKeyRotationStatus", KeyId=key_id)["KeyRotationEnabled"] is False


def test_the_status_names_its_key(kms: KmsClient) -> None:
    key_id = kms.key()
    assert kms("GetKeyRotationStatus", KeyId=key_id)["KeyId"] == kms.arn(key_id)


@pytest.mark.parametrize(("given", "days"), [({}, 365), ({"RotationPeriodInDays": 90}, 90)])
def test_the_period_sets_the_next_date(kms: KmsClient, given: dict[str, int], days: int) -> None:
    key_id = kms.key()
    kms("EnableKeyRotation", KeyId=key_id, **given)
    status = kms("GetKeyRotationStatus", KeyId=key_id)
    assert status["RotationPeriodInDays"] == days
    assert abs(status["NextRotationDate"] - datetime.now(UTC) - timedelta(days=days)) < timedelta(hours=25)


def test_the_period_can_be_changed(kms: KmsClient) -> None:
    key_id = kms.key()
    kms("EnableKeyRotation", KeyId=key_id)
    kms("EnableKeyRotation", KeyId=key_id, RotationPeriodInDays=2560)
    assert kms("GetKeyRotationStatus", KeyId=key_id)["RotationPeriodInDays"] == 2560


def test_rotation_switched_off_tells_no_period(kms: KmsClient) -> None:
    key_id = kms.key()
    kms("EnableKeyRotation", KeyId=key_id)
    kms("DisableKeyRotation", KeyId=key_id)
    status = kms("GetKeyRotationStatus", KeyId=key_id)
    assert "RotationPeriodInDays" not in status
    assert "NextRotationDate" not in status


@pytest.mark.parametrize("days", [1, 89, 2561])
def test_a_period_outside_90_to_2560_days_is_refused(kms: KmsClient, days: int) -> None:
    key_id = kms.key()
    kms.refused("EnableKeyRotation", "ValidationException", KeyId=key_id, RotationPeriodInDays=days)
    assert kms("GetKeyRotationStatus", KeyId=key_id)["KeyRotationEnabled"] is False


@pytest.mark.parametrize("operation", ["EnableKeyRotation", "RotateKeyOnDemand"])
@pytest.mark.parametrize(("spec", "usage"), ROTATING_NOT, ids=map("-".join, ROTATING_NOT))
def test_keys_that_are_not_symmetric_cannot_rotate(
    kms: KmsClient, spec: str, usage: str, operation: str
) -> None:
    key_id = kms.key(KeySpec=spec, KeyUsage=usage)
    kms.refused(operation, "UnsupportedOperationException", KeyId=key_id)


@pytest.mark.parametrize(("spec", "usage"), ROTATING_NOT, ids=map("-".join, ROTATING_NOT))
def test_the_status_of_a_key_that_cannot_rotate_is_off(kms: KmsClient, spec: str, usage: str) -> None:
    key_id = kms.key(KeySpec=spec, KeyUsage=usage)
    assert kms("GetKeyRotationStatus", KeyId=key_id)["KeyRotationEnabled"] is False


def test_a_key_for_imported_material_has_no_rotation_status(kms: KmsClient) -> None:
    key_id = kms.key(Origin="EXTERNAL")
    for operation in ("GetKeyRotationStatus", "EnableKeyRotation", "DisableKeyRotation"):
        kms.refused(operation, "UnsupportedOperationException", KeyId=key_id)


def test_a_key_pending_deletion_does_not_rotate(kms: KmsClient) -> None:
    key_id = kms.key()
    kms("EnableKeyRotation", KeyId=key_id)
    kms("ScheduleKeyDeletion", KeyId=key_id)
    assert kms("GetKeyRotationStatus", KeyId=key_id)["KeyRotationEnabled"] is False


def test_rotating_on_demand_is_written_into_the_history(kms: KmsClient) -> None:
    key_id = kms.key()
    assert kms("RotateKeyOnDemand", KeyId=key_id)["KeyId"] in (key_id, kms.arn(key_id))
    (rotation,) = kms("ListKeyRotations", KeyId=key_id)["Rotations"]
    assert rotation["RotationType"] == "ON_DEMAND"
    assert abs(datetime.now(UTC) - rotation["RotationDate"]) < timedelta(minutes=1)


def test_a_key_that_never_rotated_has_no_history(kms: KmsClient) -> None:
    assert kms("ListKeyRotations", KeyId=kms.key())["Rotations"] == []


def test_rotating_on_demand_makes_new_material(kms: KmsClient) -> None:
    key_id = kms.key()
    before = kms.describe(key_id)["CurrentKeyMaterialId"]
    kms("RotateKeyOnDemand", KeyId=key_id)
    after = kms.describe(key_id)["CurrentKeyMaterialId"]
    assert before != after
    (rotation,) = kms("ListKeyRotations", KeyId=key_id)["Rotations"]
    assert rotation["KeyMaterialId"] == after
    assert rotation["KeyMaterialState"] == "CURRENT"


def test_the_whole_history_has_the_first_material_without_a_date(kms: KmsClient) -> None:
    key_id = kms.key()
    first = kms.describe(key_id)["CurrentKeyMaterialId"]
    kms("RotateKeyOnDemand", KeyId=key_id)
    rotations = kms("ListKeyRotations", KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert len(rotations) == 2
    oldest = next(rotation for rotation in rotations if rotation["KeyMaterialId"] == first)
    assert oldest["KeyMaterialState"] == "NON_CURRENT"
    assert "RotationDate" not in oldest
    assert "RotationType" not in oldest


def test_old_ciphertext_opens_after_rotation_with_its_own_material(kms: KmsClient) -> None:
    key_id = kms.key()
    first = kms.describe(key_id)["CurrentKeyMaterialId"]
    old = kms("Encrypt", KeyId=key_id, Plaintext=b"old")["CiphertextBlob"]
    kms("RotateKeyOnDemand", KeyId=key_id)
    second = kms.describe(key_id)["CurrentKeyMaterialId"]
    new = kms("Encrypt", KeyId=key_id, Plaintext=b"new")["CiphertextBlob"]
    opened = [kms("Decrypt", CiphertextBlob=blob) for blob in (old, new)]
    assert [answer["Plaintext"] for answer in opened] == [b"old", b"new"]
    assert [answer["KeyMaterialId"] for answer in opened] == [first, second]


def test_rotating_on_demand_leaves_the_schedule_alone(kms: KmsClient) -> None:
    key_id = kms.key()
    kms("EnableKeyRotation", KeyId=key_id)
    before = kms("GetKeyRotationStatus", KeyId=key_id)["NextRotationDate"]
    kms("RotateKeyOnDemand", KeyId=key_id)
    assert kms("GetKeyRotationStatus", KeyId=key_id)["NextRotationDate"] == before


def test_rotating_on_demand_ends_after_25_times(kms: KmsClient) -> None:
    key_id = kms.key()
    for _ in range(25):
        kms("RotateKeyOnDemand", KeyId=key_id)
    kms.refused("RotateKeyOnDemand", "LimitExceededException", KeyId=key_id)
    assert len(kms.all("ListKeyRotations", "Rotations", KeyId=key_id)) == 25
