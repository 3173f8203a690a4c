"""CloudTrail's LookupEvents over the store's own record, each answer held against botocore's model."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from botocore.validate import ParamValidator

from kms_tui.backend.base import KnowsServices
from kms_tui.backend.local import LocalBackend, Store
from kms_tui.kms.errors import ServiceError, UnavailableError
from kms_tui.policy import parse
from tests.contract.client import KmsClient
from tests.contract.shapes import COMMON_ERRORS, problems
from tests.unit.evidence.trail import lookup_events
from tests.unit.local.conftest import ACCOUNT, REGION, TestClock

APP = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/i-0a1b2c3d"
PARTNER = "arn:aws:iam::444455556666:role/importer"
USE = parse(
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}',
    identity=True,
)
MODEL = lookup_events()


class Trail:
    """LookupEvents with request, answer and error codes held against the model."""

    def __init__(self, backend: LocalBackend) -> None:
        self.services = backend.services

    def __call__(self, **params: Any) -> Mapping[str, Any]:
        assert MODEL.input_shape is not None
        report = ParamValidator().validate(params, MODEL.input_shape)
        assert not report.has_errors(), report.generate_report()
        answer = self.services.call("cloudtrail", "LookupEvents", params)
        assert not list(problems(MODEL.output_shape, answer, "LookupEvents"))
        return answer

    def refused(self, **params: Any) -> str:
        with pytest.raises(ServiceError) as caught:
            self.services.call("cloudtrail", "LookupEvents", params)
        modelled: list[Any] = MODEL.error_shapes
        assert caught.value.code in COMMON_ERRORS | {shape.error_code for shape in modelled}
        assert caught.value.operation == "LookupEvents"
        return caught.value.code

    def pages(self, **params: Any) -> Iterator[list[Mapping[str, Any]]]:
        token: dict[str, str] = {}
        while True:
            answer = self(**params, **token)
            yield answer["Events"]
            if "NextToken" not in answer:
                return
            token = {"NextToken": answer["NextToken"]}


def by(key: str, value: str) -> list[dict[str, str]]:
    return [{"AttributeKey": key, "AttributeValue": value}]


def names(answer: Mapping[str, Any]) -> list[str]:
    return [event["EventName"] for event in answer["Events"]]


def record(event: Mapping[str, Any]) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(event["CloudTrailEvent"])
    return parsed


@pytest.fixture
def trail(backend: LocalBackend) -> Trail:
    return Trail(backend)


def test_a_backend_says_that_it_knows_cloudtrail_and_nothing_else(backend: LocalBackend) -> None:
    assert isinstance(backend, KnowsServices)
    services = backend.services
    assert services.offers("cloudtrail")
    assert not services.offers("s3")
    assert services.in_region("us-east-1").region == "us-east-1"
    for service, operation in (("s3", "ListBuckets"), ("cloudtrail", "DeleteTrail")):
        with pytest.raises(UnavailableError):
            services.call(service, operation, {})


def test_an_event_has_cloudtrails_members(
    store: Store, kms: KmsClient, trail: Trail, clock: TestClock
) -> None:
    key_id = kms.key()
    clock.advance(minutes=5, milliseconds=700)
    app = LocalBackend(store, account_id=ACCOUNT, region=REGION, caller_arn=APP, iam_policies=[USE])
    app.called_from("10.20.4.17", "aws-sdk-java/2.31").call(
        "Encrypt", {"KeyId": key_id, "Plaintext": b"secret", "EncryptionContext": {"Order": "4711"}}
    )
    (event,) = trail(LookupAttributes=by("EventName", "Encrypt"))["Events"]
    arn = kms.arn(key_id)
    assert event["Resources"] == [{"ResourceType": "AWS::KMS::Key", "ResourceName": arn}]
    assert (event["Username"], event["ReadOnly"], event["EventSource"]) == (
        "i-0a1b2c3d",
        "true",
        "kms.amazonaws.com",
    )
    assert event["EventTime"] == clock.now.replace(microsecond=0)
    told = record(event)
    assert told.pop("requestID")
    assert told.pop("userIdentity") == {
        "type": "AssumedRole",
        "principalId": f"AROA00000{ACCOUNT}:i-0a1b2c3d",
        "arn": APP,
        "accountId": ACCOUNT,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": f"AROA00000{ACCOUNT}",
                "arn": f"arn:aws:iam::{ACCOUNT}:role/app",
                "accountId": ACCOUNT,
                "userName": "app",
            }
        },
    }
    assert told == {
        "eventVersion": "1.11",
        "eventTime": "2026-03-02T09:35:00Z",
        "eventSource": "kms.amazonaws.com",
        "eventName": "Encrypt",
        "awsRegion": REGION,
        "sourceIPAddress": "10.20.4.17",
        "userAgent": "aws-sdk-java/2.31",
        "requestParameters": {"keyId": key_id, "encryptionContext": {"Order": "4711"}},
        "responseElements": None,
        "eventID": event["EventId"],
        "readOnly": True,
        "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": arn}],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }


@pytest.mark.parametrize(
    ("caller", "identity", "name"),
    [
        (f"arn:aws:iam::{ACCOUNT}:user/team/ada", ("IAMUser", "ada"), "ada"),
        (f"arn:aws:iam::{ACCOUNT}:role/batch", ("Role", "batch"), "batch"),
        (f"arn:aws:iam::{ACCOUNT}:root", ("Root", None), "root"),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/bob", ("FederatedUser", None), "bob"),
        ("logs.eu-west-1.amazonaws.com", ("AWSService", None), "logs.eu-west-1.amazonaws.com"),
    ],
)
def test_each_kind_of_caller_has_its_identity_and_is_found_by_its_name(
    store: Store, trail: Trail, caller: str, identity: tuple[str, str | None], name: str
) -> None:
    other = LocalBackend(store, account_id=ACCOUNT, region=REGION, caller_arn=caller, iam_policies=[USE])
    other.call("ListKeys", {})
    (event,) = trail(LookupAttributes=by("Username", name))["Events"]
    told = record(event)["userIdentity"]
    assert (told["type"], told.get("userName")) == identity
    assert event["Username"] == name


def test_a_refused_use_names_its_key_and_says_why(kms: KmsClient, trail: Trail) -> None:
    key_id = kms.key()
    kms("DisableKey", KeyId=key_id)
    kms.refused("Encrypt", "DisabledException", KeyId=key_id, Plaintext=b"x")
    newest = trail(LookupAttributes=by("ResourceName", kms.arn(key_id)))["Events"][0]
    told = record(newest)
    assert (told["errorCode"], told["errorMessage"]) == (
        "DisabledException",
        f"{kms.arn(key_id)} is disabled.",
    )


def test_re_encryption_is_among_the_events_of_both_keys(kms: KmsClient, trail: Trail) -> None:
    old, new = kms.key(), kms.key()
    sealed = kms("Encrypt", KeyId=old, Plaintext=b"x")["CiphertextBlob"]
    kms("ReEncrypt", CiphertextBlob=sealed, DestinationKeyId=new)
    arns = [kms.arn(old), kms.arn(new)]
    for arn in arns:
        event = trail(LookupAttributes=by("ResourceName", arn))["Events"][0]
        assert event["EventName"] == "ReEncrypt"
        assert [resource["ResourceName"] for resource in event["Resources"]] == arns


def test_another_accounts_use_is_told_to_both_and_its_refusal_to_the_caller_alone(
    store: Store, kms: KmsClient, trail: Trail
) -> None:
    key_id = kms.key()
    arn = kms.arn(key_id)
    kms("CreateGrant", KeyId=key_id, GranteePrincipal=PARTNER, Operations=["Encrypt"])
    partner = LocalBackend(store, account_id=ACCOUNT, region=REGION, caller_arn=PARTNER, iam_policies=[USE])
    partner.call("Encrypt", {"KeyId": arn, "Plaintext": b"x"})
    with pytest.raises(ServiceError, match="kms:GenerateDataKey"):
        partner.call("GenerateDataKey", {"KeyId": arn, "KeySpec": "AES_256"})
    mine = trail(LookupAttributes=by("ResourceName", arn))
    identities = [record(event)["userIdentity"] for event in mine["Events"]]
    assert [each["accountId"] for each in identities if each["type"] == "AWSAccount"] == ["444455556666"]
    reader = LocalBackend(
        store,
        account_id=ACCOUNT,
        region=REGION,
        caller_arn="arn:aws:iam::444455556666:role/auditor",
        iam_policies=[_trail_policy()],
    )
    theirs = Trail(reader)(LookupAttributes=by("ResourceName", arn))
    assert names(theirs) == ["GenerateDataKey", "Encrypt"]
    assert record(theirs["Events"][0])["errorCode"] == "AccessDenied"


def _trail_policy(effect: str = "Allow", action: str = "cloudtrail:LookupEvents") -> Any:
    statement = {"Effect": effect, "Action": action, "Resource": "*"}
    return parse(json.dumps({"Version": "2012-10-17", "Statement": statement}), identity=True)


def test_a_named_caller_needs_the_permission(store: Store) -> None:
    def asking(*policies: Any) -> Trail:
        return Trail(
            LocalBackend(store, account_id=ACCOUNT, region=REGION, caller_arn=APP, iam_policies=policies)
        )

    assert asking().refused() == "AccessDeniedException"
    assert asking(USE).refused() == "AccessDeniedException"
    assert asking(_trail_policy())()["Events"] == []
    assert asking(_trail_policy(), _trail_policy("Deny", "*")).refused() == "AccessDeniedException"
    assert asking(_trail_policy(action="cloudtrail:Look*"))()["Events"] == []


@pytest.mark.parametrize("attribute", ["", "ResourceName"])
@pytest.mark.parametrize("size", [1, 7, 50])
def test_pages_hold_every_event_once_newest_first(
    kms: KmsClient, trail: Trail, clock: TestClock, attribute: str, size: int
) -> None:
    key_id = kms.key()
    for number in range(30):
        # Several events of the same millisecond, so that time alone tells no place.
        clock.advance(milliseconds=number % 3)
        kms.describe(key_id)
    asked = {"LookupAttributes": by(attribute, kms.arn(key_id))} if attribute else {}
    events = [event for page in trail.pages(**asked, MaxResults=size) for event in page]
    assert len(events) == len({event["EventId"] for event in events}) == 31
    assert [event["EventTime"] for event in events] == sorted((e["EventTime"] for e in events), reverse=True)
    assert names({"Events": events})[-1] == "CreateKey"


def test_events_that_arrive_between_two_pages_do_not_shift_them(kms: KmsClient, trail: Trail) -> None:
    key_id = kms.key()
    for _ in range(5):
        kms.describe(key_id)
    asked = {"LookupAttributes": by("ResourceName", kms.arn(key_id)), "MaxResults": 3}
    first = trail(**asked)
    kms.describe(key_id)
    second = trail(**asked, NextToken=first["NextToken"])
    assert not {e["EventId"] for e in first["Events"]} & {e["EventId"] for e in second["Events"]}
    assert names(second) == ["DescribeKey", "DescribeKey", "CreateKey"]


def test_a_time_range_and_the_ninety_days_are_kept(kms: KmsClient, trail: Trail, clock: TestClock) -> None:
    key_id = kms.key()
    for _ in range(3):
        clock.advance(days=40)
        kms.describe(key_id)
    mine = by("ResourceName", kms.arn(key_id))
    assert names(trail(LookupAttributes=mine)) == ["DescribeKey"] * 3
    day = timedelta(days=1)
    assert names(trail(LookupAttributes=mine, StartTime=clock.now - 41 * day)) == ["DescribeKey"] * 2
    assert names(trail(LookupAttributes=mine, StartTime=clock.now)) == ["DescribeKey"]
    assert names(trail(LookupAttributes=mine, EndTime=clock.now - 41 * day)) == ["DescribeKey"]
    assert names(trail(EndTime=clock.now - 41 * day)) == ["DescribeKey"]
    moment = clock.now - 40 * day
    assert names(trail(StartTime=moment, EndTime=moment)) == ["DescribeKey"], "a moment is a range, too"


@pytest.mark.parametrize(
    ("attribute", "value", "found"),
    [
        ("EventName", "DisableKey", ["DisableKey"]),
        ("ReadOnly", "false", ["DisableKey", "CreateKey"]),
        ("ReadOnly", "true", ["DescribeKey"]),
        ("EventSource", "kms.amazonaws.com", ["DisableKey", "DescribeKey", "CreateKey"]),
        ("EventSource", "s3.amazonaws.com", []),
        ("ResourceType", "AWS::KMS::Key", ["DisableKey", "DescribeKey", "CreateKey"]),
        ("ResourceType", "AWS::S3::Bucket", []),
        ("ResourceName", "nonsense", []),
        ("ResourceName", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/x", []),
        ("AccessKeyId", "AKIAIOSFODNN7EXAMPLE", []),
        ("Username", "administrator", ["DisableKey", "DescribeKey", "CreateKey"]),
        ("Username", "admin", []),
        ("Username", "%", []),
    ],
)
def test_each_attribute_is_looked_up(
    kms: KmsClient, trail: Trail, attribute: str, value: str, found: list[str]
) -> None:
    key_id = kms.key()
    kms.describe(key_id)
    kms("DisableKey", KeyId=key_id)
    assert names(trail(LookupAttributes=by(attribute, value))) == found


def test_one_event_is_found_by_the_id_that_get_key_last_usage_tells(kms: KmsClient, trail: Trail) -> None:
    key_id = kms.key()
    kms("Encrypt", KeyId=key_id, Plaintext=b"x")
    kms.describe(key_id)
    event_id = kms("GetKeyLastUsage", KeyId=key_id)["KeyLastUsage"]["CloudTrailEventId"]
    assert names(trail(LookupAttributes=by("EventId", event_id))) == ["Encrypt"]


def test_a_region_has_its_own_trail(kms: KmsClient, backend: LocalBackend) -> None:
    kms.key()
    assert Trail(backend.in_region("us-east-1"))()["Events"] == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"MaxResults": 0}, "InvalidMaxResultsException"),
        ({"MaxResults": 51}, "InvalidMaxResultsException"),
        ({"NextToken": "x"}, "InvalidNextTokenException"),
        ({"EventCategory": "data"}, "InvalidEventCategoryException"),
        ({"LookupAttributes": by("Colour", "red")}, "InvalidLookupAttributesException"),
        ({"LookupAttributes": by("EventName", "")}, "InvalidLookupAttributesException"),
        ({"LookupAttributes": by("EventName", "a") * 2}, "InvalidLookupAttributesException"),
        ({"StartTime": "yesterday"}, "InvalidTimeRangeException"),
        ({"Colour": "red"}, "ValidationException"),
    ],
)
def test_a_request_that_cloudtrail_refuses_is_refused(trail: Trail, params: Any, code: str) -> None:
    assert trail.refused(**params) == code


def test_a_range_that_ends_before_it_starts_and_a_token_of_another_request_are_refused(
    kms: KmsClient, trail: Trail, clock: TestClock
) -> None:
    kms.key()
    kms.key()
    token = trail(MaxResults=1)["NextToken"]
    assert (
        trail.refused(NextToken=token, LookupAttributes=by("EventName", "x")) == "InvalidNextTokenException"
    )
    assert (
        trail.refused(StartTime=clock.now, EndTime=clock.now - timedelta(days=1))
        == "InvalidTimeRangeException"
    )
    assert trail(EventCategory="insight")["Events"] == []


def test_the_record_of_requests_has_their_lists_and_structures_in_cloudtrails_spelling(
    kms: KmsClient, trail: Trail
) -> None:
    key_id = kms.key(Tags=[{"TagKey": "Team", "TagValue": "Orders"}])
    kms(
        "CreateGrant",
        KeyId=key_id,
        GranteePrincipal=PARTNER,
        Operations=["Decrypt"],
        Constraints={"EncryptionContextSubset": {"Order": "1"}},
    )
    granted, created = (record(event)["requestParameters"] for event in trail()["Events"])
    assert granted["constraints"] == {"encryptionContextSubset": {"Order": "1"}}
    assert created["tags"] == [{"tagKey": "Team", "tagValue": "Orders"}]


def test_lookups_and_calls_of_several_threads_do_not_disturb_each_other(kms: KmsClient, trail: Trail) -> None:
    key_id = kms.key()
    found: list[int] = []

    def use() -> None:
        for _ in range(20):
            kms.describe(key_id)
            found.append(len(trail(LookupAttributes=by("ResourceName", kms.arn(key_id)))["Events"]))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 80
    assert len([event for page in trail.pages() for event in page]) == 81
