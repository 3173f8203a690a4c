"""A Region decides the partition: of ARNs, of the caller, and of where keys can go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kms_tui.backend.local import LocalBackend, Store, open_default, open_ephemeral
from kms_tui.backend.regions import kms_regions, regions_of
from kms_tui.kms.arn import PARTITIONS, arn_partition, partition_of
from kms_tui.kms.errors import KmsTuiError, ServiceError
from tests.contract.client import KmsClient
from tests.unit.local.conftest import ACCOUNT

_REGIONS = {
    "us-east-1": "aws",
    "cn-north-1": "aws-cn",
    "us-gov-west-1": "aws-us-gov",
    "us-iso-east-1": "aws-iso",
    "us-isob-east-1": "aws-iso-b",
    "eu-isoe-west-1": "aws-iso-e",
    "us-isof-south-1": "aws-iso-f",
    "eusc-de-east-1": "aws-eusc",
}


@pytest.fixture(params=_REGIONS)
def kms(request: pytest.FixtureRequest, store: Store) -> KmsClient:
    return KmsClient(LocalBackend(store, account_id=ACCOUNT, region=request.param))


def test_every_arn_is_of_the_regions_partition(kms: KmsClient) -> None:
    backend, partition = kms.backend, _REGIONS[kms.backend.region]
    key_id = kms.key()
    alias = kms.alias(key_id)
    root = f"arn:{partition}:iam::{ACCOUNT}:root"
    assert backend.partition == partition
    assert backend.caller().arn == f"arn:{partition}:iam::{ACCOUNT}:user/administrator"
    arn = f"arn:{partition}:kms:{backend.region}:{ACCOUNT}:key/{key_id}"
    assert kms.describe(arn)["Arn"] == kms("ListKeys")["Keys"][0]["KeyArn"] == arn
    assert kms.describe(f"arn:{partition}:kms:{backend.region}:{ACCOUNT}:{alias}")["KeyId"] == key_id
    policy = json.loads(kms("GetKeyPolicy", KeyId=key_id)["Policy"])
    assert policy["Statement"][0]["Principal"] == {"AWS": root}
    kms("CreateGrant", KeyId=key_id, GranteePrincipal=root, Operations=["Encrypt"])
    assert kms("ListGrants", KeyId=key_id)["Grants"][0]["IssuingAccount"] == root
    other = next(each for each in PARTITIONS if each != partition)
    code = "InvalidArnException"
    kms.refused("DescribeKey", code, KeyId=arn.replace(f"arn:{partition}:", f"arn:{other}:"))


def test_a_named_caller_is_of_the_regions_partition(store: Store) -> None:
    for region, partition in _REGIONS.items():
        arn = f"arn:{partition}:iam::{ACCOUNT}:role/app"
        backend = LocalBackend(store, account_id=ACCOUNT, region=region, caller_arn=arn)
        assert backend.caller().arn == arn
    with pytest.raises(KmsTuiError, match="is of the partition aws; this KMS is of aws-cn") as caught:
        LocalBackend(
            store, account_id=ACCOUNT, region="cn-north-1", caller_arn=f"arn:aws:iam::{ACCOUNT}:root"
        )
    assert caught.value.next_step == ("Give a principal of aws-cn, or with --region a Region of aws.")


def test_each_partition_has_an_administrator_of_its_own(store: Store) -> None:
    ordinary = LocalBackend(store, account_id=ACCOUNT, region="eu-west-1")
    there = ordinary.in_region("us-gov-west-1")
    assert there.partition == "aws-us-gov"
    assert there.caller().arn == f"arn:aws-us-gov:iam::{ACCOUNT}:user/administrator"
    assert (
        KmsClient(there)
        .describe(KmsClient(there).key())["Arn"]
        .startswith("arn:aws-us-gov:kms:us-gov-west-1:")
    )
    back = there.in_region("eu-west-1")
    assert (back.partition, back.caller()) == ("aws", ordinary.caller())


@pytest.mark.parametrize(
    "caller", [f"arn:aws:iam::{ACCOUNT}:user/ada", f"arn:aws:sts::{ACCOUNT}:assumed-role/app/i-1"]
)
def test_a_caller_is_not_known_in_another_partition(store: Store, caller: str) -> None:
    backend = LocalBackend(store, account_id=ACCOUNT, region="eu-west-1", caller_arn=caller)
    assert backend.in_region("us-west-2").caller().arn == caller
    with pytest.raises(ServiceError, match="The security token included in the request is invalid") as caught:
        backend.in_region("cn-north-1")
    assert caught.value.code == "UnrecognizedClientException"


def test_a_service_is_known_in_every_partition(store: Store) -> None:
    backend = LocalBackend(store, account_id=ACCOUNT, region="eu-west-1", caller_arn="logs.amazonaws.com")
    assert backend.in_region("cn-north-1").partition == "aws-cn"


@pytest.mark.parametrize("region", ["moon", "us-gov-west", "eu-west-1-lax-1", ""])
def test_a_region_of_no_partition_has_ordinary_arns(store: Store, region: str) -> None:
    assert partition_of(region) == ""
    assert arn_partition(region) == "aws"
    backend = LocalBackend(store, account_id=ACCOUNT, region="us-gov-west-1")
    assert backend.in_region(region).partition == "aws-us-gov"


@pytest.mark.parametrize(
    ("home", "region"),
    [
        ("eu-west-1", "eu-west-9"),
        ("eu-west-1", "us-gov-west-1"),
        ("eu-west-1", "aws-global-1"),
        ("us-gov-west-1", "us-east-1"),
        ("us-gov-west-1", "us-gov-north-1"),
        ("cn-north-1", "cn-south-1"),
        ("eusc-de-east-1", "eu-central-1"),
    ],
)
def test_a_key_goes_only_where_its_partition_has_a_region(store: Store, home: str, region: str) -> None:
    kms = KmsClient(LocalBackend(store, account_id=ACCOUNT, region=home))
    kms.refused(
        "ReplicateKey",
        "ValidationException",
        f"ReplicaRegion {region} is no Region of the partition {partition_of(home)}.",
        KeyId=kms.key(MultiRegion=True),
        ReplicaRegion=region,
    )


@pytest.mark.parametrize(
    ("home", "region"),
    [
        ("us-gov-west-1", "us-gov-east-1"),
        ("cn-north-1", "cn-northwest-1"),
        ("us-iso-east-1", "us-iso-west-1"),
    ],
)
def test_a_key_is_replicated_within_its_partition(store: Store, home: str, region: str) -> None:
    kms = KmsClient(LocalBackend(store, account_id=ACCOUNT, region=home))
    key_id = kms.key(MultiRegion=True)
    answer = kms("ReplicateKey", KeyId=key_id, ReplicaRegion=region)
    arn = f"arn:{partition_of(home)}:kms:{region}:{ACCOUNT}:key/{key_id}"
    assert answer["ReplicaKeyMetadata"]["Arn"] == arn
    replicas = kms.describe(key_id)["MultiRegionConfiguration"]["ReplicaKeys"]
    assert replicas == [{"Arn": arn, "Region": region}]


def test_regions_are_of_the_partition_that_their_names_say() -> None:
    for partition in PARTITIONS:
        regions = regions_of(partition)
        assert {partition_of(region) for region in regions} == {partition}
        assert set(kms_regions(partition)) <= regions
    assert regions_of("aws-moon") == frozenset()


def test_a_store_is_opened_in_any_partition(tmp_path: Path) -> None:
    caller = f"arn:aws-us-gov:iam::{ACCOUNT}:role/app"
    for backend in (
        open_default(tmp_path / "store.db", region="us-gov-east-1", caller_arn=caller),
        open_ephemeral(region="us-gov-east-1", caller_arn=caller),
    ):
        assert (backend.partition, backend.caller().arn) == ("aws-us-gov", caller)
        backend.store.close()
    with pytest.raises(KmsTuiError, match="is of the partition aws-us-gov; this KMS is of aws"):
        open_default(tmp_path / "other.db", caller_arn=caller)
    assert not (tmp_path / "other.db").exists()


def test_events_tell_callers_of_the_partition_that_they_had(store: Store) -> None:
    """As in a store that was served for GovCloud before Regions decided the partition."""
    backend = LocalBackend(store, account_id=ACCOUNT, region="us-gov-west-1")
    backend.call("CreateKey", {})
    caller = f"arn:aws:iam::{ACCOUNT}:user/administrator"
    with store.write() as db:
        db.execute("UPDATE events SET caller = ?", (caller,))
    (event,) = backend.services.call("cloudtrail", "LookupEvents", {})["Events"]
    assert json.loads(event["CloudTrailEvent"])["userIdentity"]["arn"] == caller
