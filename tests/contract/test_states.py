"""Enabled, disabled and pending deletion: how keys get there, and what they then refuse."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.contract.client import KmsClient


def test_a_disabled_key_says_so_and_can_be_enabled_again(kms: KmsClient) -> None:
    key_id = kms.key()
    assert kms("DisableKey", KeyId=key_id) == {}
    assert kms.describe(key_id)["KeyState"] == "Disabled"
    assert kms.describe(key_id)["Enabled"] is False
    assert kms("EnableKey", KeyId=kms.arn(key_id)) == {}
    assert kms.describe(key_id)["KeyState"] == "Enabled"
    assert kms.describe(key_id)["Enabled"] is True


@pytest.mark.parametrize(("operation", "state"), [("EnableKey", "Enabled"), ("DisableKey", "Disabled")])
def test_switching_twice_is_as_switching_once(kms: KmsClient, operation: str, state: str) -> None:
    key_id = kms.key()
    kms(operation, KeyId=key_id)
    kms(operation, KeyId=key_id)
    assert kms.describe(key_id)["KeyState"] == state


def test_a_deletion_is_thirty_days_away_by_default(kms: KmsClient) -> None:
    key_id = kms.key()
    answer = kms("ScheduleKeyDeletion", KeyId=key_id)
    due = answer["DeletionDate"] - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < due < timedelta(days=30, hours=1)


def test_scheduling_a_deletion_answers_the_arn_the_state_and_the_window(kms: KmsClient) -> None:
    key_id = kms.key()
    answer = kms("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=7)
    assert answer["KeyId"] == kms.arn(key_id)
    assert answer["KeyState"] == "PendingDeletion"
    assert answer["PendingWindowInDays"] == 7


@pytest.mark.parametrize("days", [7, 30])
def test_a_window_of_seven_to_thirty_days_is_kept(kms: KmsClient, days: int) -> None:
    key_id = kms.key()
    kms("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=days)
    due = kms.describe(key_id)["DeletionDate"] - datetime.now(UTC)
    assert abs(due - timedelta(days=days)) < timedelta(hours=1)


@pytest.mark.parametrize("days", [1, 6, 31, 365, 366])
def test_any_other_window_is_refused(kms: KmsClient, days: int) -> None:
    key_id = kms.key()
    kms.refused("ScheduleKeyDeletion", "ValidationException", KeyId=key_id, PendingWindowInDays=days)
    assert kms.describe(key_id)["KeyState"] == "Enabled"


def test_a_key_pending_deletion_tells_its_date(kms: KmsClient) -> None:
    key_id = kms.key()
    due = kms("ScheduleKeyDeletion", KeyId=key_id)["DeletionDate"]
    metadata = kms.describe(key_id)
    assert metadata["KeyState"] == "PendingDeletion"
    assert metadata["Enabled"] is False
    assert abs(metadata["DeletionDate"] - due) < timedelta(seconds=1)


def test_a_cancelled_deletion_leaves_the_key_disabled(kms: KmsClient) -> None:
    key_id = kms.key()
    kms("ScheduleKeyDeletion", KeyId=key_id)
    kms("CancelKeyDeletion", KeyId=key_id)
    metadata = kms.describe(key_id)
    assert metadata["KeyState"] == "Disabled"
    assert "DeletionDate" not in metadata
    assert metadata["Enabled"] is False


def test_cancelling_a_deletion_answers_the_arn(kms: KmsClient) -> None:
    key_id = kms.key()
    kms("ScheduleKeyDeletion", KeyId=key_id)
    assert kms("CancelKeyDeletion", KeyId=key_id)["KeyId"] == kms.arn(key_id)


@pytest.mark.parametrize("state", ["Enabled", "Disabled"])
def test_a_deletion_that_is_not_scheduled_cannot_be_cancelled(kms: KmsClient, state: str) -> None:
    key_id = kms.key()
    if state == "Disabled":
        kms("DisableKey", KeyId=key_id)
    error = kms.refused("CancelKeyDeletion", "KMSInvalidStateException", KeyId=key_id)
    assert error.message.startswith(f"{kms.arn(key_id)} is not pending deletion")


_ROOT = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"ROOT"},'
    '"Action":"kms:*","Resource":"*"}]}'
)

PENDING_REFUSES: Mapping[str, Mapping[str, Any]] = {
    "DisableKey": {},
    "DisableKeyRotation": {},
    "EnableKey": {},
    "EnableKeyRotation": {},
    "Encrypt": {"Plaintext": b"x"},
    "RotateKeyOnDemand": {},
    "ScheduleKeyDeletion": {},
    "TagResource": {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
    "UntagResource": {"TagKeys": ["a"]},
    "UpdateKeyDescription": {"Description": "x"},
}


@pytest.mark.parametrize("operation", PENDING_REFUSES)
def test_a_key_pending_deletion_refuses(kms: KmsClient, operation: str) -> None:
    key_id = kms.key()
    kms("ScheduleKeyDeletion", KeyId=key_id)
    message = f"{kms.arn(key_id)} is pending deletion."
    kms.refused(operation, "KMSInvalidStateException", message, KeyId=key_id, **PENDING_REFUSES[operation])


@pytest.mark.parametrize(
    "operation", ["DescribeKey", "GetKeyRotationStatus", "ListAliases", "ListKeyPolicies", "ListResourceTags"]
)
def test_a_key_pending_deletion_can_be_looked_at(kms: KmsClient, operation: str) -> None:
    key_id = kms.key()
    kms("ScheduleKeyDeletion", KeyId=key_id)
    kms(operation, KeyId=key_id)


def test_a_key_pending_deletion_takes_a_policy(kms: KmsClient) -> None:
    key_id = kms.key()
    kms("ScheduleKeyDeletion", KeyId=key_id)
    root = f"arn:aws:iam::{kms.backend.account_id}:root"
    kms("GetKeyPolicy", KeyId=key_id, PolicyName="default")
    kms("PutKeyPolicy", KeyId=key_id, PolicyName="default", Policy=_ROOT.replace("ROOT", root))


def test_a_key_pending_deletion_takes_no_new_alias_and_loses_those_it_has(kms: KmsClient) -> None:
    key_id, other = kms.key(), kms.key()
    first, second = kms.alias(key_id), kms.alias(key_id)
    kms("ScheduleKeyDeletion", KeyId=key_id)
    kms("UpdateAlias", AliasName=first, TargetKeyId=other)
    kms("DeleteAlias", AliasName=second)
    assert kms.describe(first)["KeyId"] == other


def test_no_alias_is_made_for_a_key_pending_deletion(kms: KmsClient) -> None:
    key_id = kms.key()
    kms("ScheduleKeyDeletion", KeyId=key_id)
    message = f"{kms.arn(key_id)} is pending deletion."
    kms.refused(
        "CreateAlias", "KMSInvalidStateException", message, AliasName="alias/late", TargetKeyId=key_id
    )


DISABLED_REFUSES: Mapping[str, Mapping[str, Any]] = {
    "DisableKeyRotation": {},
    "EnableKeyRotation": {},
    "Encrypt": {"Plaintext": b"x"},
    "RotateKeyOnDemand": {},
}


@pytest.mark.parametrize("operation", DISABLED_REFUSES)
def test_a_disabled_key_refuses(kms: KmsClient, operation: str) -> None:
    key_id = kms.key()
    kms("DisableKey", KeyId=key_id)
    message = f"{kms.arn(key_id)} is disabled."
    kms.refused(operation, "DisabledException", message, KeyId=key_id, **DISABLED_REFUSES[operation])


def test_a_disabled_key_can_still_be_looked_after(kms: KmsClient) -> None:
    key_id = kms.key()
    kms("DisableKey", KeyId=key_id)
    kms("UpdateKeyDescription", KeyId=key_id, Description="asleep")
    kms("TagResource", KeyId=key_id, Tags=[{"TagKey": "a", "TagValue": "b"}])
    kms.alias(key_id)
    kms("ScheduleKeyDeletion", KeyId=key_id)


def test_a_ciphertext_of_a_disabled_key_waits_until_the_key_is_enabled(kms: KmsClient) -> None:
    key_id = kms.key()
    blob = kms("Encrypt", KeyId=key_id, Plaintext=b"patience")["CiphertextBlob"]
    kms("DisableKey", KeyId=key_id)
    kms.refused("Decrypt", "DisabledException", f"{kms.arn(key_id)} is disabled.", CiphertextBlob=blob)
    kms("EnableKey", KeyId=key_id)
    assert kms("Decrypt", CiphertextBlob=blob)["Plaintext"] == b"patience"


def test_a_ciphertext_of_a_key_pending_deletion_is_refused(kms: KmsClient) -> None:
    key_id = kms.key()
    blob = kms("Encrypt", KeyId=key_id, Plaintext=b"patience")["CiphertextBlob"]
    kms("ScheduleKeyDeletion", KeyId=key_id)
    message = f"{kms.arn(key_id)} is pending deletion."
    kms.refused("Decrypt", "KMSInvalidStateException", message, CiphertextBlob=blob)


def test_the_state_is_judged_before_what_the_key_supports(kms: KmsClient) -> None:
    key_id = kms.key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    kms("DisableKey", KeyId=key_id)
    kms.refused("RotateKeyOnDemand", "DisabledException", f"{kms.arn(key_id)} is disabled.", KeyId=key_id)
