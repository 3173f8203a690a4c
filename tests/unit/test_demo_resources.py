"""The other services of the demo's account: what a scan finds there, odd things included."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from kms_tui.backend.account_reading.organization_reading import OrganizationReader
from kms_tui.backend.account_reading.service_reads import NotReadError, ServiceReads, policy_of
from kms_tui.backend.base import KnowsServices, Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.demo.demo_account import ACCOUNT_ID, CALLERS
from kms_tui.demo.demo_answers import DemoRegion
from kms_tui.demo.demo_resources import DemoResources
from kms_tui.demo.demo_services import DemoServices
from kms_tui.evidence.activity import always
from kms_tui.evidence.scanners import SCANNERS
from kms_tui.evidence.scans import Scan, ScanRun
from kms_tui.kms.errors import ServiceError, UnavailableError
from kms_tui.policy.evaluation import AccessRequest, evaluate
from kms_tui.policy.layers import Layer, UnreadLayer
from kms_tui.policy.principals import Caller
from tests.demo_copies import demo_copy

_NOW = datetime(2026, 11, 20, 12, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def kms() -> Kms:
    return Kms(demo_copy(_NOW))


@pytest.fixture(scope="module")
def services(kms: Kms) -> Services:
    assert isinstance(kms.backend, KnowsServices)
    return kms.backend.services


@pytest.fixture(scope="module")
def found(kms: Kms, services: Services) -> Scan:
    return ScanRun(kms, services, lambda: _NOW).run()


def names(found: Scan, kms: Kms, alias: str) -> list[str]:
    return [use.resource for use in found.uses(kms.describe(f"alias/{alias}").key_id)]


def test_a_key_in_daily_use_is_named_by_many_services(found: Scan, kms: Kms) -> None:
    assert names(found, kms, "orders-db") == [
        "acme-orders-snapshots",
        "orders-reader",
        "orders-writer",
        "orders",
        "prod/orders/db",
        "order-intake",
        "order-events-dead",
        "order-placed",
    ]


def test_what_is_about_to_go_is_still_named(found: Scan, kms: Kms) -> None:
    assert names(found, kms, "old-backups") == ["acme-backups-2022"]
    assert names(found, kms, "chat-archive") == ["acme-chat-archive"]


def test_services_use_their_own_keys_where_none_is_named(found: Scan, kms: Kms) -> None:
    assert names(found, kms, "aws/s3") == ["acme-billing-reports"]
    assert names(found, kms, "aws/secretsmanager") == ["ci/npm-token"]


def test_a_deleted_key_a_partners_key_and_a_lost_alias_are_there(found: Scan) -> None:
    assert [(stray.use.resource, stray.reason) for stray in found.unmatched] == [
        ("acme-partner-outbound", "a key of account 444455556666"),
        ("vol-0b6d8f1a3c5e70249", "a key that does not exist, or no longer"),
        ("/prod/mail/relay", "an alias that does not exist"),
    ]


def test_one_bucket_and_one_service_may_not_be_looked_at(found: Scan) -> None:
    buckets, file_systems = found.unchecked
    assert (buckets.title, buckets.unchecked) == ("S3 buckets", 1)
    assert (file_systems.title, file_systems.listed) == ("EFS file systems", 0)
    assert all(
        isinstance(failed.error, ServiceError) and failed.error.denied
        for failed in (*buckets.failed_calls, *file_systems.failed_calls)
    )


def test_the_replicas_region_has_resources_of_its_own(kms: Kms, services: Services) -> None:
    region = "us-east-1"
    found = ScanRun(kms.in_region(region), services.in_region(region), lambda: _NOW).run()
    assert names(found, kms.in_region(region), "global-config") == ["/prod/global/flags"]
    assert found.unmatched == ()


def test_every_answer_has_its_services_shape(kms: Kms, services: Services) -> None:
    session, checked = botocore.session.Session(), set()

    class Watched:
        """Holds each answer against botocore's model."""

        region = services.region

        def offers(self, service: str) -> bool:
            return services.offers(service)

        def in_region(self, region: str) -> Watched:
            return self

        def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
            answer = services.call(service, operation, params)
            shape = session.get_service_model(service).operation_model(operation).output_shape
            assert shape is not None
            report = ParamValidator().validate(answer, shape)
            assert not report.has_errors(), report.generate_report()
            checked.add((service, operation))
            return answer

    ScanRun(kms, Watched(), lambda: _NOW).run()
    listed = {(scanner.service, scanner.listing.operation) for scanner in SCANNERS if not scanner.home}
    assert checked >= listed - {("efs", "DescribeFileSystems")}
    details = {operation for _, operation in checked - listed}
    assert details == {"GetBucketEncryption", "DescribeTable", "GetQueueAttributes", "GetTopicAttributes"}


def test_what_the_demo_has_not_is_passed_on_or_not_available(services: Services) -> None:
    class Trail:
        def __init__(self, region: str = "eu-west-1") -> None:
            self.region = region

        def offers(self, service: str) -> bool:
            return service == "cloudtrail"

        def in_region(self, region: str) -> Trail:
            return Trail(region)

        def call(self, service: str, operation: str, params: object) -> dict[str, object]:
            return {"Events": [service, operation]}

    assert not services.offers("sts")
    with pytest.raises(UnavailableError, match="ListRoles is not available here"):
        services.call("iam", "ListRoles", {})
    both = DemoServices(DemoRegion(DemoResources(()), demo_copy(_NOW)), Trail()).in_region("us-east-1")
    assert both.region == "us-east-1"
    assert both.offers("cloudtrail")
    assert both.offers("s3")
    assert both.call("cloudtrail", "LookupEvents", {}) == {"Events": ["cloudtrail", "LookupEvents"]}


def test_every_role_of_the_demo_has_policies_and_a_place_in_the_organization(services: Services) -> None:
    for caller in CALLERS.values():
        request = AccessRequest(Caller.parse(caller.arn), "kms:Decrypt", "*", complete=True)
        reads = ServiceReads(services, always)
        levels = OrganizationReader(reads).levels(Layer.SCP, ACCOUNT_ID)
        assert not isinstance(levels, UnreadLayer)
        assert [bool(level) for level in levels] == [True, True, True]
        if caller.account != ACCOUNT_ID:
            continue
        names = reads.call("iam", "ListRolePolicies", RoleName=request.caller.name)["PolicyNames"]
        policy = reads.call("iam", "GetRolePolicy", RoleName=request.caller.name, PolicyName=names[0])
        document = policy_of(Layer.IDENTITY, names[0], policy["PolicyDocument"]).document
        assert evaluate(document, request).is_allowed is caller.may_use_keys
    with pytest.raises(NotReadError, match="NoSuchEntity"):
        ServiceReads(services, always).call("iam", "GetRole", RoleName="nobody")
