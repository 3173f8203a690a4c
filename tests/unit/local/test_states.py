"""Which operation each key state refuses, and with what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from kms_tui.backend.local import Store
from tests.contract.client import KmsClient

_OPERATIONS: Mapping[str, Mapping[str, Any]] = {
    "Encrypt": {"Plaintext": b"x"},
    "CreateAlias": {"AliasName": "alias/new"},
    "DisableKey": {},
    "EnableKey": {},
    "DisableKeyRotation": {},
    "EnableKeyRotation": {},
    "RotateKeyOnDemand": {},
    "ScheduleKeyDeletion": {},
    "TagResource": {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
    "UntagResource": {"TagKeys": ["a"]},
    "UpdateKeyDescription": {"Description": "x"},
    "DescribeKey": {},
    "GetKeyPolicy": {},
    "GetKeyRotationStatus": {},
    "ListAliases": {},
    "ListKeyPolicies": {},
    "ListResourceTags": {},
    "PutKeyPolicy": {
        "Policy": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*",'
        '"Principal":{"AWS":"arn:aws:iam::111122223333:root"}}]}'
    },
}

_REFUSED = {
    "Disabled": {"Encrypt", "DisableKeyRotation", "EnableKeyRotation", "RotateKeyOnDemand"},
    "PendingDeletion": {
        "Encrypt",
        "CreateAlias",
        "DisableKey",
        "EnableKey",
        "DisableKeyRotation",
        "EnableKeyRotation",
        "RotateKeyOnDemand",
        "ScheduleKeyDeletion",
        "TagResource",
        "UntagResource",
        "UpdateKeyDescription",
    },
    "Creating": {
        "Encrypt",
        "DisableKey",
        "EnableKey",
        "DisableKeyRotation",
        "EnableKeyRotation",
        "RotateKeyOnDemand",
    },
    "Updating": {"DisableKey", "EnableKey", "RotateKeyOnDemand", "ScheduleKeyDeletion"},
    "Unavailable": {"Encrypt"},
}
_REFUSED["PendingReplicaDeletion"] = _REFUSED["PendingDeletion"]

_ANSWERS = {
    "Disabled": ("DisabledException", "is disabled."),
    "PendingDeletion": ("KMSInvalidStateException", "is pending deletion."),
    "PendingReplicaDeletion": ("KMSInvalidStateException", "is pending replica deletion."),
    "Creating": ("KMSInvalidStateException", "is creating."),
    "Updating": ("KMSInvalidStateException", "is updating."),
    "Unavailable": ("KMSInvalidStateException", "is unavailable."),
}


def _put_in_state(store: Store, key_id: str, state: str) -> None:
    with store.write() as db:
        if state == "Unavailable":
            db.execute("UPDATE keys SET available = 0 WHERE key_id = ?", (key_id,))
        else:
            db.execute(
                "UPDATE keys SET state = ?, settles_to = 'Enabled', pending_window = 7 WHERE key_id = ?",
                (state, key_id),
            )


@pytest.mark.parametrize("state", _REFUSED)
@pytest.mark.parametrize("operation", _OPERATIONS)
def test_a_state_refuses_what_the_developer_guide_says(
    kms: KmsClient, store: Store, state: str, operation: str
) -> None:
    key_id = kms.key()
    _put_in_state(store, key_id, state)
    member = "TargetKeyId" if operation == "CreateAlias" else "KeyId"
    params = {member: key_id, **_OPERATIONS[operation]}
    if operation in _REFUSED[state]:
        code, words = _ANSWERS[state]
        kms.refused(operation, code, f"{kms.arn(key_id)} {words}", **params)
    else:
        kms(operation, **params)


def test_a_key_that_waits_for_its_material_refuses_use_and_switching(kms: KmsClient) -> None:
    key_id = kms.key(Origin="EXTERNAL")
    words = f"{kms.arn(key_id)} is pending import."
    kms.refused("Encrypt", "KMSInvalidStateException", words, KeyId=key_id, Plaintext=b"x")
    kms.refused("EnableKey", "KMSInvalidStateException", words, KeyId=key_id)
    kms.refused("DisableKey", "KMSInvalidStateException", words, KeyId=key_id)
    origin = f"{kms.arn(key_id)} origin is EXTERNAL which is not valid for this operation."
    for operation in ("EnableKeyRotation", "DisableKeyRotation", "GetKeyRotationStatus"):
        kms.refused(operation, "UnsupportedOperationException", origin, KeyId=key_id)
    kms("UpdateKeyDescription", KeyId=key_id, Description="x")
    kms("ScheduleKeyDeletion", KeyId=key_id)


def test_only_a_pending_deletion_can_be_cancelled(kms: KmsClient) -> None:
    key_id = kms.key()
    kms.refused(
        "CancelKeyDeletion",
        "KMSInvalidStateException",
        f"{kms.arn(key_id)} is not pending deletion.",
        KeyId=key_id,
    )


def test_the_state_is_told_before_what_the_key_could_never_do(kms: KmsClient) -> None:
    key_id = kms.key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    kms("DisableKey", KeyId=key_id)
    for operation in ("RotateKeyOnDemand", "EnableKeyRotation"):
        kms.refused(operation, "DisabledException", f"{kms.arn(key_id)} is disabled.", KeyId=key_id)
    algorithm = "ECDSA_SHA_256"
    kms.refused("Sign", "DisabledException", KeyId=key_id, Message=b"x", SigningAlgorithm=algorithm)


def test_the_usage_is_told_before_the_state(kms: KmsClient) -> None:
    key_id = kms.key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    kms("DisableKey", KeyId=key_id)
    words = f"{kms.arn(key_id)} key usage is SIGN_VERIFY which is not valid for Encrypt."
    kms.refused("Encrypt", "InvalidKeyUsageException", words, KeyId=key_id, Plaintext=b"x")


def test_a_disabled_key_still_shows_its_public_key(kms: KmsClient) -> None:
    key_id = kms.key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    kms("DisableKey", KeyId=key_id)
    assert kms("GetPublicKey", KeyId=key_id)["KeyId"] == kms.arn(key_id)
    kms("ScheduleKeyDeletion", KeyId=key_id)
    kms.refused("GetPublicKey", "KMSInvalidStateException", KeyId=key_id)


def test_switching_an_unavailable_key_shows_once_it_is_available_again(kms: KmsClient, store: Store) -> None:
    key_id = kms.key()
    _put_in_state(store, key_id, "Unavailable")
    kms("DisableKey", KeyId=key_id)
    assert kms.describe(key_id)["KeyState"] == "Unavailable"
    with store.write() as db:
        db.execute("UPDATE keys SET available = 1 WHERE key_id = ?", (key_id,))
    assert kms.describe(key_id)["KeyState"] == "Disabled"
