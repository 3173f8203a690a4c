"""What a scan says when services answer, refuse, stumble or answer nonsense."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.local import LocalBackend
from kms_tui.evidence.scan_task import Use
from kms_tui.evidence.scanners import SCANNERS
from kms_tui.evidence.scans import ScanRun, UnmatchedUse
from kms_tui.kms.errors import EndpointError, KmsTuiError, NotOfferedError, ServiceError, UnavailableError
from tests.unit.evidence.world import (
    ACCOUNT,
    NOW,
    REGION,
    FakeServices,
    arn_of,
    denied,
    local_backend,
    new_key,
    scan,
    section,
    throttled,
)


@pytest.fixture
def kms() -> LocalBackend:
    return local_backend()


@pytest.fixture
def key(kms: LocalBackend) -> str:
    return new_key(kms, "orders")


def volumes(*keys: str, token: str = "") -> Mapping[str, Any]:
    named = [{"VolumeId": f"vol-{number}", "KmsKeyId": key} for number, key in enumerate(keys)]
    return {"Volumes": named, "NextToken": token} if token else {"Volumes": named}


def encrypted(algorithm: str, key: str = "") -> Mapping[str, Any]:
    rule = {"SSEAlgorithm": algorithm} | ({"KMSMasterKeyID": key} if key else {})
    return {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]}}


def buckets(*names: str) -> Mapping[str, Any]:
    return {"Buckets": [{"Name": name} for name in names]}


def test_one_scan_serves_all_keys(kms: LocalBackend, key: str) -> None:
    other = new_key(kms)
    found = scan(kms, FakeServices({"DescribeVolumes": volumes(arn_of(key), arn_of(other), arn_of(key))}))
    assert [use.resource for use in found.uses(key)] == ["vol-0", "vol-2"]
    assert [use.resource for use in found.uses(other)] == ["vol-1"]
    assert found.unchecked == ()
    assert (found.region, found.started, found.checked) == (REGION, NOW, 3)


def test_an_alias_counts_for_the_key_that_it_points_at(kms: LocalBackend, key: str) -> None:
    parameters = {"Parameters": [{"Name": "/db", "Type": "SecureString", "KeyId": "alias/orders"}]}
    found = scan(kms, FakeServices({"DescribeParameters": parameters}))
    assert found.uses(key) == [Use("SSM SecureStrings", "/db", "alias/orders")]


def test_foreign_deleted_and_unnamed_keys_are_a_group_of_their_own(kms: LocalBackend, key: str) -> None:
    gone = "00000000-0000-0000-0000-000000000000"
    foreign = arn_of(key, account="444455556666")
    found = scan(kms, FakeServices({"DescribeVolumes": volumes(arn_of(gone), foreign, "alias/none")}))
    assert found.uses(key) == ()
    assert found.unmatched == (
        UnmatchedUse(Use("EBS volumes", "vol-0", arn_of(gone)), "a key that does not exist, or no longer"),
        UnmatchedUse(Use("EBS volumes", "vol-1", foreign), "a key of account 444455556666"),
        UnmatchedUse(Use("EBS volumes", "vol-2", "alias/none"), "an alias that does not exist"),
    )


def test_every_bucket_is_asked_and_only_kms_encryption_counts(kms: LocalBackend, key: str) -> None:
    rules = {"a": encrypted("aws:kms", key), "b": encrypted("AES256"), "c": encrypted("aws:kms:dsse")}
    services = FakeServices(
        {"ListBuckets": buckets(*rules), "GetBucketEncryption": lambda params: rules[params["Bucket"]]}
    )
    kms.call("DescribeKey", {"KeyId": "alias/aws/s3"})
    found = scan(kms, services)
    assert [use.resource for use in found.uses(key)] == ["a"]
    managed = kms.call("DescribeKey", {"KeyId": "alias/aws/s3"})["KeyMetadata"]["KeyId"]
    assert found.uses(managed) == [
        Use("S3 buckets", "c", "alias/aws/s3", purpose="default encryption", by_default=True)
    ]
    assert section(found, "S3 buckets").checked == 3


def test_buckets_of_other_regions_are_not_of_this_scan(kms: LocalBackend, key: str) -> None:
    listed = [{"Name": "here", "BucketRegion": REGION}, {"Name": "there", "BucketRegion": "us-east-1"}]
    seen: list[Mapping[str, Any]] = []

    def list_buckets(params: Mapping[str, Any]) -> Mapping[str, Any]:
        seen.append(params)
        return {"Buckets": [*listed, {"Name": "unsaid"}]}

    def encryption(params: Mapping[str, Any]) -> Mapping[str, Any]:
        if params["Bucket"] == "unsaid":
            raise ServiceError("PermanentRedirect", "The bucket is in another region.", status=301)
        return encrypted("aws:kms", key)

    services = FakeServices({"ListBuckets": list_buckets, "GetBucketEncryption": encryption})
    found = scan(kms, services)
    assert seen[0]["BucketRegion"] == REGION
    assert [use.resource for use in found.uses(key)] == ["here"]
    assert section(found, "S3 buckets").is_checked
    assert services.calls["GetBucketEncryption"] == 2


def test_a_database_names_a_key_for_each_purpose(kms: LocalBackend, key: str) -> None:
    database = {
        "DBInstanceIdentifier": "reporting",
        "KmsKeyId": arn_of(key),
        "PerformanceInsightsKMSKeyId": arn_of(key),
        "MasterUserSecret": {"KmsKeyId": arn_of(key)},
    }
    found = scan(kms, FakeServices({"DescribeDBInstances": {"DBInstances": [database]}}))
    assert [use.purpose for use in found.uses(key)] == [
        "storage",
        "Performance Insights",
        "master user's secret",
    ]


def test_pages_are_followed(kms: LocalBackend, key: str) -> None:
    pages = {"": volumes(key, token="2"), "2": volumes(key, token="3"), "3": volumes(key)}
    services = FakeServices({"DescribeVolumes": lambda params: pages[params.get("NextToken", "")]})
    found = scan(kms, services)
    assert len(found.uses(key)) == 3
    assert section(found, "EBS volumes").calls == services.calls["DescribeVolumes"] == 3


# What is not checked


@pytest.mark.parametrize(
    "error",
    [
        denied("DescribeVolumes"),
        throttled("DescribeVolumes"),
        EndpointError("ec2.example refuses connections."),
        UnavailableError("ec2", "DescribeVolumes"),
    ],
)
def test_a_service_that_does_not_answer_is_not_checked_and_costs_nothing_else(
    kms: LocalBackend, key: str, error: KmsTuiError
) -> None:
    functions = {"Functions": [{"FunctionName": "bill", "KMSKeyArn": arn_of(key)}]}
    found = scan(kms, FakeServices({"DescribeVolumes": error, "ListFunctions": functions}))
    (unchecked,) = found.unchecked
    assert (unchecked.title, unchecked.listed, unchecked.checked) == ("EBS volumes", 0, 0)
    assert [failed.error for failed in unchecked.failed_calls] == [error]
    assert [use.resource for use in found.uses(key)] == ["bill"]


def test_a_page_that_fails_leaves_what_came_before_and_is_not_checked(kms: LocalBackend, key: str) -> None:
    def pages(params: Mapping[str, Any]) -> Mapping[str, Any]:
        if params.get("NextToken"):
            raise throttled("DescribeVolumes")
        return volumes(key, token="2")

    found = scan(kms, FakeServices({"DescribeVolumes": pages}))
    (unchecked,) = found.unchecked
    assert (unchecked.checked, unchecked.is_whole_list) == (1, False)
    assert len(found.uses(key)) == 1


def test_an_item_that_fails_is_counted_and_named(kms: LocalBackend, key: str) -> None:
    def encryption(params: Mapping[str, Any]) -> Mapping[str, Any]:
        if params["Bucket"] == "legal":
            raise denied("GetBucketEncryption")
        return encrypted("aws:kms", key)

    services = FakeServices({"ListBuckets": buckets("lake", "legal"), "GetBucketEncryption": encryption})
    found = scan(kms, services)
    (unchecked,) = found.unchecked
    assert (unchecked.listed, unchecked.checked, unchecked.unchecked) == (2, 1, 1)
    assert [failed.resource for failed in unchecked.failed_calls] == ["legal"]
    assert [use.resource for use in found.uses(key)] == ["lake"]


def test_whoever_is_refused_again_and_again_is_not_asked_a_thousand_times(kms: LocalBackend) -> None:
    services = FakeServices(
        {
            "ListBuckets": buckets(*(f"b{number}" for number in range(1000))),
            "GetBucketEncryption": denied("GetBucketEncryption"),
        }
    )
    found = scan(kms, services)
    assert services.calls["GetBucketEncryption"] < 20
    (unchecked,) = found.unchecked
    assert (unchecked.listed, unchecked.checked) == (1000, 0)


def test_a_service_that_repeats_itself_is_not_followed_for_ever(kms: LocalBackend, key: str) -> None:
    services = FakeServices({"DescribeVolumes": volumes(key, token="again")})
    found = scan(kms, services)
    assert services.calls["DescribeVolumes"] == 2
    assert len(found.uses(key)) == 1
    assert "again and again" in str(found.unchecked[0].failed_calls[0].error)


@pytest.mark.parametrize(
    "answer",
    [
        {"Volumes": None},
        {"Volumes": ["text", 7, {}, {"VolumeId": None}]},
        {"Volumes": {"VolumeId": 3}, "NextToken": 7},
        {"volumes": []},
    ],
)
def test_an_answer_of_another_shape_breaks_nothing(kms: LocalBackend, answer: Mapping[str, Any]) -> None:
    found = scan(kms, FakeServices({"DescribeVolumes": answer}))
    assert (found.unmatched, [each for each in found.sections if not each.is_over]) == ((), [])


@pytest.mark.parametrize(
    "junk", [None, 7, "text", True, ["a", 7, None, {}], {"x": {"y": 1}}, [[[]]], [{"Name": []}]]
)
def test_junk_in_place_of_any_list_or_structure_ends_no_scan(kms: LocalBackend, junk: object) -> None:
    """Whatever a service answers, its kind ends, and no other is touched."""

    class Junk(FakeServices):
        def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
            members = {
                path.partition(".")[0].partition("[")[0]
                for scanner in SCANNERS
                for path in (scanner.listing.items, *(place.within for place in scanner.keys))
            }
            return dict.fromkeys(members, junk)

    unpaced = [replace(scanner, rate=1_000_000.0) for scanner in SCANNERS]
    found = ScanRun(Kms(kms), Junk(), lambda: NOW, unpaced).run()
    assert [each.title for each in found.sections if not each.is_over] == []
    assert {each.title for each in found.sections} == {each.title for each in SCANNERS if not each.home}


def test_a_fault_of_the_programs_own_ends_no_scan_and_reads_as_no_zero(
    kms: LocalBackend, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", seen.append)

    def fault(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise ZeroDivisionError

    functions = {"Functions": [{"FunctionName": "bill", "KMSKeyArn": arn_of(key)}]}
    found = scan(kms, FakeServices({"DescribeVolumes": fault, "ListFunctions": functions}))
    assert [each.title for each in found.unchecked] == ["EBS volumes"]
    assert [use.resource for use in found.uses(key)] == ["bill"]
    for thread in threading.enumerate():
        if thread.name.startswith("kms-tui scan"):
            thread.join()
    assert [each.exc_type for each in seen] == [ZeroDivisionError]


def test_a_cancelled_scan_ends_at_once_and_says_what_it_did_not_get_to(kms: LocalBackend, key: str) -> None:
    hangs, let_go = threading.Event(), threading.Event()

    def hang(_: Mapping[str, Any]) -> Mapping[str, Any]:
        hangs.set()
        let_go.wait(10)
        return volumes(arn_of(key))

    run = ScanRun(Kms(kms), FakeServices({"DescribeVolumes": hang}), lambda: NOW)

    def cancel() -> None:
        assert hangs.wait(10)
        run.cancel()

    threading.Thread(target=cancel, daemon=True).start()
    found = run.run()
    let_go.set()
    assert found.is_cancelled
    assert "EBS volumes" in {each.title for each in found.unchecked}
    assert found.uses(key) == ()


def test_a_global_services_keys_are_looked_for_in_their_region(key: str, kms: LocalBackend) -> None:
    zones = {
        "ListHostedZones": {"HostedZones": [{"Id": "/hostedzone/Z1", "Name": "example.org."}]},
        "GetDNSSEC": {"KeySigningKeys": [{"KmsArn": arn_of(key, region="us-east-1")}]},
    }
    services = FakeServices(zones, "us-east-1")
    found = ScanRun(Kms(kms.in_region("us-east-1")), services, lambda: NOW).run()
    assert [each.use.resource for each in found.unmatched] == ["example.org."]
    assert found.unmatched[0].reason == "a key that does not exist, or no longer"
    services = FakeServices(zones)
    assert scan(kms, services).unmatched == ()
    assert not services.calls["ListHostedZones"]


def test_an_image_is_under_the_keys_of_its_snapshots(kms: LocalBackend, key: str) -> None:
    other = new_key(kms)
    encrypted_disks = [{"Ebs": {"Encrypted": True, "SnapshotId": f"snap-{each}"}} for each in (1, 2, 3)]
    plain = {"Ebs": {"Encrypted": False, "SnapshotId": "snap-0"}}
    images = [
        {"ImageId": "ami-1", "Name": "web", "BlockDeviceMappings": [plain, *encrypted_disks]},
        {"ImageId": "ami-2", "BlockDeviceMappings": [plain]},
    ]
    keys = {"snap-1": key, "snap-2": other, "snap-3": key}
    asked: list[object] = []

    def snapshots(params: Mapping[str, Any]) -> Mapping[str, Any]:
        if "SnapshotIds" not in params:
            return {}
        asked.append(params["SnapshotIds"])
        return {"Snapshots": [{"KmsKeyId": arn_of(keys[each])} for each in params["SnapshotIds"]]}

    found = scan(kms, FakeServices({"DescribeImages": {"Images": images}, "DescribeSnapshots": snapshots}))
    assert found.uses(key) == [Use("AMIs", "ami-1", arn_of(key), "web", "snapshot")]
    assert [use.resource for use in found.uses(other)] == ["ami-1"]
    assert asked == [["snap-1", "snap-2", "snap-3"]]
    assert section(found, "AMIs").is_checked


def test_a_list_whose_next_page_begins_after_its_last_name_is_read_to_its_end(
    kms: LocalBackend, key: str
) -> None:
    names = [f"stream-{number}" for number in range(5)]

    def streams(params: Mapping[str, Any]) -> Mapping[str, Any]:
        first = names.index(params.get("ExclusiveStartDeliveryStreamName", "stream-0"))
        page = names[first + bool(first) :][:2]
        return {"DeliveryStreamNames": page, "HasMoreDeliveryStreams": page[-1] != names[-1]}

    to_s3 = {"EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": arn_of(key)}}}
    told = {
        "DeliveryStreamEncryptionConfiguration": {"KeyARN": arn_of(key)},
        "Destinations": [
            {"SplunkDestinationDescription": {"S3DestinationDescription": to_s3}},
            {"ExtendedS3DestinationDescription": {"S3BackupDescription": {}}},
        ],
    }
    services = FakeServices(
        {"ListDeliveryStreams": streams, "DescribeDeliveryStream": {"DeliveryStreamDescription": told}}
    )
    found = scan(kms, services)
    assert [use.resource for use in found.uses(key)] == sorted(names * 2)
    assert {use.purpose for use in found.uses(key)} == {"stream", "delivered data"}
    assert services.calls["ListDeliveryStreams"] == 3


def test_a_replicas_key_counts_where_its_region_is_told(kms: LocalBackend, key: str) -> None:
    replicas = [
        {"RegionName": "us-east-1", "KMSMasterKeyId": arn_of(key, region="us-east-1")},
        {"RegionName": "eu-north-1", "KMSMasterKeyId": "alias/orders"},
        {"RegionName": "eu-west-3"},
    ]
    told = {"Table": {"SSEDescription": {"KMSMasterKeyArn": arn_of(key)}, "Replicas": replicas}}
    found = scan(kms, FakeServices({"ListTables": {"TableNames": ["orders"]}, "DescribeTable": told}))
    assert [use.purpose for use in found.uses(key)] == [""]
    assert [(each.use.purpose, each.reason) for each in found.unmatched] == [
        ("replica", "a key of region us-east-1")
    ]


def test_a_service_that_the_region_does_not_have_is_no_gap(kms: LocalBackend, key: str) -> None:
    missing = NotOfferedError("timestream-write", REGION)
    found = scan(kms, FakeServices({"DescribeVolumes": volumes(key), "ListDatabases": missing}))
    assert found.unchecked == ()
    assert [each.title for each in found.not_offered] == ["Timestream databases"]
    assert len(found.uses(key)) == 1


def test_progress_is_told_by_service(kms: LocalBackend) -> None:
    run = ScanRun(Kms(kms), FakeServices(), lambda: NOW)
    assert {each.is_over for each in run.sections()} == {False}
    run.run()
    titles = [scanner.title for scanner in SCANNERS if not scanner.home]
    assert [each.title for each in run.sections()] == titles
    assert all(each.is_checked for each in run.sections())


def test_the_account_is_that_of_the_keys(kms: LocalBackend) -> None:
    assert scan(kms, FakeServices()).names.account == ACCOUNT
