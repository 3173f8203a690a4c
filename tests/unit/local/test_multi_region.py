"""Multi-Region keys: replication, a new primary, and deletion in order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.backend.local.store.seeded_material import SeededMaterial
from kms_tui.backend.local.store.sources import SeededIds
from tests.contract.client import KmsClient
from tests.unit.local.conftest import ACCOUNT, REGION, START, TestClock

_TAG = {"TagKey": "a", "TagValue": "b"}


@pytest.fixture
def us(kms: KmsClient) -> KmsClient:
    return kms.in_region("us-east-1")


@pytest.fixture
def key_id(kms: KmsClient) -> str:
    """A multi-Region key with a replica in us-east-1."""
    key_id = kms.key(MultiRegion=True)
    kms("ReplicateKey", KeyId=key_id, ReplicaRegion="us-east-1")
    return key_id


def test_a_replica_shares_what_makes_ciphertext_interoperable_and_nothing_else(
    kms: KmsClient, us: KmsClient
) -> None:
    policy = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":'
        '"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}'
    )
    key_id = kms.key(MultiRegion=True, Description="original", Tags=[_TAG], Policy=policy)
    kms("EnableKeyRotation", KeyId=key_id)
    answer = kms("ReplicateKey", KeyId=key_id, ReplicaRegion="us-east-1")
    metadata = answer["ReplicaKeyMetadata"]
    assert (metadata["KeyState"], metadata["Enabled"]) == ("Creating", False)
    assert (metadata["KeyId"], metadata["Arn"]) == (key_id, us.arn(key_id))
    assert metadata["Description"] == ""
    assert "ReplicaTags" not in answer
    assert "CurrentKeyMaterialId" not in metadata
    assert answer["ReplicaPolicy"] != policy
    assert metadata["MultiRegionConfiguration"] == {
        "MultiRegionKeyType": "REPLICA",
        "PrimaryKey": {"Arn": kms.arn(key_id), "Region": "eu-west-1"},
        "ReplicaKeys": [{"Arn": us.arn(key_id), "Region": "us-east-1"}],
    }
    described = us.describe(key_id)
    assert (described["KeyState"], described["Enabled"]) == ("Enabled", True)
    assert described["CurrentKeyMaterialId"] == kms.describe(key_id)["CurrentKeyMaterialId"]
    status = kms("GetKeyRotationStatus", KeyId=key_id)
    assert us("GetKeyRotationStatus", KeyId=key_id) == {**status, "KeyId": us.arn(key_id)}
    assert kms.describe(key_id)["MultiRegionConfiguration"]["MultiRegionKeyType"] == "PRIMARY"


def test_a_replica_may_have_its_own_policy_tags_and_description(kms: KmsClient, us: KmsClient) -> None:
    policy = (
        '{"Version":"2012-10-17","Statement":[{"Sid":"replica","Effect":"Allow","Principal":{"AWS":'
        '"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}'
    )
    key_id = kms.key(MultiRegion=True)
    answer = kms(
        "ReplicateKey",
        KeyId=kms.arn(key_id),
        ReplicaRegion="us-east-1",
        Policy=policy,
        Tags=[_TAG],
        Description="copy",
    )
    assert (answer["ReplicaPolicy"], answer["ReplicaTags"]) == (policy, [_TAG])
    assert us("GetKeyPolicy", KeyId=key_id)["Policy"] == policy
    assert us("ListResourceTags", KeyId=key_id)["Tags"] == [_TAG]
    assert us.describe(key_id)["Description"] == "copy"
    assert kms("ListResourceTags", KeyId=key_id)["Tags"] == []


def test_ciphertext_opens_in_every_related_region(kms: KmsClient, us: KmsClient, key_id: str) -> None:
    sealed = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    opened = us("Decrypt", CiphertextBlob=sealed)
    assert (opened["Plaintext"], opened["KeyId"]) == (b"x", us.arn(key_id))
    back = us("Encrypt", KeyId=key_id, Plaintext=b"y")["CiphertextBlob"]
    assert kms("Decrypt", CiphertextBlob=back, KeyId=key_id)["Plaintext"] == b"y"


def test_rotation_reaches_every_related_region(
    kms: KmsClient, us: KmsClient, key_id: str, clock: TestClock
) -> None:
    sealed = us("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    kms("EnableKeyRotation", KeyId=key_id, RotationPeriodInDays=90)
    clock.advance(days=90)
    kms("RotateKeyOnDemand", KeyId=key_id)
    assert us.describe(key_id)["CurrentKeyMaterialId"] == kms.describe(key_id)["CurrentKeyMaterialId"]
    assert us("ListKeyRotations", KeyId=key_id) == kms("ListKeyRotations", KeyId=key_id)
    assert len(us("ListKeyRotations", KeyId=key_id)["Rotations"]) == 2
    fresh = kms("Encrypt", KeyId=key_id, Plaintext=b"y")["CiphertextBlob"]
    assert us("Decrypt", CiphertextBlob=fresh)["Plaintext"] == b"y"
    assert us("Decrypt", CiphertextBlob=sealed)["Plaintext"] == b"x"


def test_shared_properties_are_changed_on_the_primary_only(us: KmsClient, key_id: str) -> None:
    words = f"{us.arn(key_id)} is not a multi-region primary key."
    for operation in ("EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand"):
        us.refused(operation, "UnsupportedOperationException", words, KeyId=key_id)
    us.refused(
        "ReplicateKey", "UnsupportedOperationException", words, KeyId=key_id, ReplicaRegion="eu-west-2"
    )
    us.refused(
        "UpdatePrimaryRegion", "UnsupportedOperationException", words, KeyId=key_id, PrimaryRegion="us-east-1"
    )


def test_a_single_region_key_is_not_replicated(kms: KmsClient) -> None:
    key_id = kms.key()
    kms.refused(
        "ReplicateKey",
        "UnsupportedOperationException",
        f"{kms.arn(key_id)} is not a multi-region primary key.",
        KeyId=key_id,
        ReplicaRegion="us-east-1",
    )


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_region_has_one_key_of_a_set(kms: KmsClient, key_id: str, region: str) -> None:
    kms.refused("ReplicateKey", "AlreadyExistsException", KeyId=key_id, ReplicaRegion=region)


def test_keys_do_not_leave_their_partition(kms: KmsClient) -> None:
    kms.refused(
        "ReplicateKey", "ValidationException", KeyId=kms.key(MultiRegion=True), ReplicaRegion="cn-north-1"
    )


def test_a_replica_of_a_key_for_imported_material_waits_for_it(kms: KmsClient, us: KmsClient) -> None:
    key_id = kms.key(MultiRegion=True, Origin="EXTERNAL")
    kms.refused("ReplicateKey", "KMSInvalidStateException", KeyId=key_id, ReplicaRegion="us-east-1")


def test_a_replica_becomes_the_primary(kms: KmsClient, us: KmsClient, key_id: str) -> None:
    assert kms("UpdatePrimaryRegion", KeyId=key_id, PrimaryRegion="us-east-1") == {}
    configuration = kms.describe(key_id)["MultiRegionConfiguration"]
    assert configuration == {
        "MultiRegionKeyType": "REPLICA",
        "PrimaryKey": {"Arn": us.arn(key_id), "Region": "us-east-1"},
        "ReplicaKeys": [{"Arn": kms.arn(key_id), "Region": "eu-west-1"}],
    }
    assert us.describe(key_id)["MultiRegionConfiguration"]["MultiRegionKeyType"] == "PRIMARY"
    assert us.describe(key_id)["KeyState"] == kms.describe(key_id)["KeyState"] == "Enabled"
    us("RotateKeyOnDemand", KeyId=key_id)


def test_a_primary_moves_only_to_where_a_replica_is(kms: KmsClient, key_id: str) -> None:
    kms.refused("UpdatePrimaryRegion", "NotFoundException", KeyId=key_id, PrimaryRegion="eu-west-2")


def test_transient_states_last_as_long_as_the_store_was_told(clock: TestClock) -> None:
    with open_store(clock=clock, ids=SeededIds("x"), transition_millis=5000) as store:
        kms = KmsClient(LocalBackend(store, account_id=ACCOUNT, region=REGION))
        us = kms.in_region("us-east-1")
        key_id = kms.key(MultiRegion=True)
        kms("ReplicateKey", KeyId=key_id, ReplicaRegion="us-east-1")
        us.refused(
            "Encrypt",
            "KMSInvalidStateException",
            f"{us.arn(key_id)} is creating.",
            KeyId=key_id,
            Plaintext=b"x",
        )
        clock.advance(seconds=5)
        us("Encrypt", KeyId=key_id, Plaintext=b"x")
        us("DisableKey", KeyId=key_id)
        us("EnableKey", KeyId=key_id)
        kms("UpdatePrimaryRegion", KeyId=key_id, PrimaryRegion="us-east-1")
        for client in (kms, us):
            metadata = client.describe(key_id)
            assert (metadata["KeyState"], metadata["Enabled"]) == ("Updating", True)
            client("Encrypt", KeyId=key_id, Plaintext=b"x")
        clock.advance(seconds=5)
        assert kms.describe(key_id)["KeyState"] == us.describe(key_id)["KeyState"] == "Enabled"


def test_a_primary_is_deleted_after_its_replicas(
    kms: KmsClient, us: KmsClient, key_id: str, clock: TestClock
) -> None:
    answer = kms("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=10)
    assert answer == {
        "KeyId": kms.arn(key_id),
        "KeyState": "PendingReplicaDeletion",
        "PendingWindowInDays": 10,
    }
    metadata = kms.describe(key_id)
    assert metadata["PendingDeletionWindowInDays"] == 10
    assert "DeletionDate" not in metadata
    clock.advance(days=100)
    assert kms.describe(key_id)["KeyState"] == "PendingReplicaDeletion"
    us("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=7)
    clock.advance(days=8)
    us.refused("DescribeKey", "NotFoundException", KeyId=key_id)
    metadata = kms.describe(key_id)
    assert metadata["KeyState"] == "PendingDeletion"
    assert metadata["DeletionDate"] == START + timedelta(days=117)
    clock.advance(days=9)
    kms.refused("DescribeKey", "NotFoundException", KeyId=key_id)


def test_the_deletion_of_a_primary_with_replicas_can_be_cancelled(
    kms: KmsClient, us: KmsClient, key_id: str
) -> None:
    kms("ScheduleKeyDeletion", KeyId=key_id)
    kms("CancelKeyDeletion", KeyId=key_id)
    assert kms.describe(key_id)["KeyState"] == "Disabled"
    assert us.describe(key_id)["KeyState"] == "Enabled"


def test_use_of_related_keys_is_tracked_apart(kms: KmsClient, us: KmsClient, key_id: str) -> None:
    us("Encrypt", KeyId=key_id, Plaintext=b"x")
    assert us("GetKeyLastUsage", KeyId=key_id)["KeyLastUsage"]["Operation"] == "Encrypt"
    assert kms("GetKeyLastUsage", KeyId=key_id)["KeyLastUsage"] == {}


@pytest.fixture
def lazy(clock: TestClock) -> Iterator[KmsClient]:
    with open_store(clock=clock, ids=SeededIds("x"), material=SeededMaterial("x")) as store:
        yield KmsClient(LocalBackend(store, account_id=ACCOUNT, region=REGION))


def test_material_made_on_first_use_is_the_same_in_every_region(lazy: KmsClient) -> None:
    key_id = lazy.key(MultiRegion=True)
    lazy("ReplicateKey", KeyId=key_id, ReplicaRegion="us-east-1")
    us = lazy.in_region("us-east-1")
    sealed = us("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    assert lazy("Decrypt", CiphertextBlob=sealed)["Plaintext"] == b"x"
