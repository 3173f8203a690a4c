"""Multi-Region keys: CreateKey, ReplicateKey, UpdatePrimaryRegion, and the deletion of primaries."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.contract.client import KmsClient

OTHER, THIRD = "us-west-2", "ap-south-1"


@pytest.fixture
def primary(kms: KmsClient) -> str:
    return kms.key(MultiRegion=True, Description="primary", Tags=[{"TagKey": "a", "TagValue": "b"}])


@pytest.fixture
def other(kms: KmsClient) -> KmsClient:
    return kms.in_region(OTHER)


def replicate(kms: KmsClient, key_id: str, region: str = OTHER, **params: Any) -> Any:
    return kms("ReplicateKey", KeyId=key_id, ReplicaRegion=region, **params)


def test_a_multi_region_key_has_an_id_of_its_own_form(kms: KmsClient, primary: str) -> None:
    assert re.fullmatch("mrk-[0-9a-f]{32}", primary)
    assert kms.describe(primary)["MultiRegion"] is True


def test_a_multi_region_key_begins_as_a_primary_without_replicas(kms: KmsClient, primary: str) -> None:
    assert kms.describe(primary)["MultiRegionConfiguration"] == {
        "MultiRegionKeyType": "PRIMARY",
        "PrimaryKey": {"Arn": kms.arn(primary), "Region": kms.backend.region},
        "ReplicaKeys": [],
    }


def test_a_replica_is_creating_at_first(kms: KmsClient, other: KmsClient, primary: str) -> None:
    metadata = replicate(kms, primary)["ReplicaKeyMetadata"]
    assert metadata["KeyId"] == primary
    assert metadata["Arn"] == other.arn(primary)
    assert metadata["KeyState"] == "Creating"
    assert metadata["Enabled"] is False


def test_primary_and_replica_know_each_other(kms: KmsClient, other: KmsClient, primary: str) -> None:
    replicate(kms, primary)
    related = {
        "PrimaryKey": {"Arn": kms.arn(primary), "Region": kms.backend.region},
        "ReplicaKeys": [{"Arn": other.arn(primary), "Region": OTHER}],
    }
    here, there = (side.describe(primary)["MultiRegionConfiguration"] for side in (kms, other))
    assert here == {"MultiRegionKeyType": "PRIMARY", **related}
    assert there == {"MultiRegionKeyType": "REPLICA", **related}


def test_a_replica_has_policy_tags_and_description_of_its_own(
    kms: KmsClient, other: KmsClient, primary: str
) -> None:
    answer = replicate(kms, primary)
    assert "ReplicaTags" not in answer or answer["ReplicaTags"] == []
    assert json.loads(answer["ReplicaPolicy"])["Statement"][0]["Action"] == "kms:*"
    assert other.describe(primary)["Description"] == ""
    assert other("ListResourceTags", KeyId=primary)["Tags"] == []
    assert other.all("ListAliases", "Aliases", KeyId=primary) == []


def test_a_replica_takes_the_description_and_tags_given(
    kms: KmsClient, other: KmsClient, primary: str
) -> None:
    tags = [{"TagKey": "c", "TagValue": "d"}]
    assert replicate(kms, primary, Description="replica", Tags=tags)["ReplicaTags"] == tags
    assert other.describe(primary)["Description"] == "replica"


@pytest.mark.parametrize("direction", ["primary to replica", "replica to primary"])
def test_a_ciphertext_opens_in_every_related_region(
    kms: KmsClient, other: KmsClient, primary: str, direction: str
) -> None:
    replicate(kms, primary)
    source, target = (kms, other) if direction == "primary to replica" else (other, kms)
    blob = source("Encrypt", KeyId=primary, Plaintext=b"x")["CiphertextBlob"]
    opened = target("Decrypt", CiphertextBlob=blob)
    assert opened["Plaintext"] == b"x"
    assert opened["KeyId"] == target.arn(primary)


def test_a_replica_has_the_material_of_its_primary(kms: KmsClient, other: KmsClient) -> None:
    key_id = kms.key(MultiRegion=True, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    replicate(kms, key_id)
    given: dict[str, Any] = {"KeyId": key_id, "Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
    assert kms("GenerateMac", **given)["Mac"] == other("GenerateMac", **given)["Mac"]


def test_rotation_is_the_primarys_and_reaches_the_replicas(
    kms: KmsClient, other: KmsClient, primary: str
) -> None:
    replicate(kms, primary)
    kms("RotateKeyOnDemand", KeyId=primary)
    assert kms.describe(primary)["CurrentKeyMaterialId"] == other.describe(primary)["CurrentKeyMaterialId"]
    other.refused("RotateKeyOnDemand", "UnsupportedOperationException", KeyId=primary)
    other.refused("EnableKeyRotation", "UnsupportedOperationException", KeyId=primary)


def test_a_region_has_one_replica(kms: KmsClient, primary: str) -> None:
    replicate(kms, primary)
    kms.refused("ReplicateKey", "AlreadyExistsException", KeyId=primary, ReplicaRegion=OTHER)


def test_a_replica_is_not_replicated(kms: KmsClient, other: KmsClient, primary: str) -> None:
    replicate(kms, primary)
    other.refused(
        "ReplicateKey",
        "UnsupportedOperationException",
        f"{other.arn(primary)} is not a multi-region primary key.",
        KeyId=primary,
        ReplicaRegion=THIRD,
    )


def test_a_key_of_one_region_is_not_replicated(kms: KmsClient) -> None:
    kms.refused("ReplicateKey", "UnsupportedOperationException", KeyId=kms.key(), ReplicaRegion=OTHER)


@pytest.mark.parametrize("region", ["eu-west-9", "us-gov-west-1", "cn-north-1"])
def test_a_key_goes_to_regions_of_its_partition_only(kms: KmsClient, primary: str, region: str) -> None:
    kms.refused("ReplicateKey", "ValidationException", KeyId=primary, ReplicaRegion=region)


def test_a_disabled_primary_is_not_replicated(kms: KmsClient, primary: str) -> None:
    kms("DisableKey", KeyId=primary)
    kms.refused("ReplicateKey", "DisabledException", KeyId=primary, ReplicaRegion=OTHER)


def test_the_primary_moves_to_a_replicas_region(kms: KmsClient, other: KmsClient, primary: str) -> None:
    replicate(kms, primary)
    assert kms("UpdatePrimaryRegion", KeyId=primary, PrimaryRegion=OTHER) == {}
    here, there = (side.describe(primary)["MultiRegionConfiguration"] for side in (kms, other))
    assert here["MultiRegionKeyType"] == "REPLICA"
    assert there["MultiRegionKeyType"] == "PRIMARY"
    assert here["PrimaryKey"] == {"Arn": other.arn(primary), "Region": OTHER}
    assert here["ReplicaKeys"] == [{"Arn": kms.arn(primary), "Region": kms.backend.region}]


def test_the_primary_does_not_move_where_there_is_no_replica(kms: KmsClient, primary: str) -> None:
    kms.refused("UpdatePrimaryRegion", "NotFoundException", KeyId=primary, PrimaryRegion=OTHER)


def test_a_replica_does_not_move_the_primary(kms: KmsClient, other: KmsClient, primary: str) -> None:
    replicate(kms, primary)
    other.refused("UpdatePrimaryRegion", "UnsupportedOperationException", KeyId=primary, PrimaryRegion=THIRD)


def test_a_primary_with_replicas_waits_for_their_deletion(
    kms: KmsClient, other: KmsClient, primary: str
) -> None:
    replicate(kms, primary)
    answer = kms("ScheduleKeyDeletion", KeyId=primary, PendingWindowInDays=7)
    assert answer["KeyState"] == "PendingReplicaDeletion"
    assert "DeletionDate" not in answer
    metadata = kms.describe(primary)
    assert metadata["KeyState"] == "PendingReplicaDeletion"
    assert metadata["PendingDeletionWindowInDays"] == 7
    assert "DeletionDate" not in metadata
    assert other.describe(primary)["KeyState"] == "Enabled"


def test_a_replica_is_deleted_by_itself(kms: KmsClient, other: KmsClient, primary: str) -> None:
    replicate(kms, primary)
    assert "DeletionDate" in other("ScheduleKeyDeletion", KeyId=primary)
    assert other.describe(primary)["KeyState"] == "PendingDeletion"
    assert kms.describe(primary)["KeyState"] == "Enabled"
