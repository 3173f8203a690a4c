"""The services beside KMS: asked with the session's credentials at the session's endpoint, and only read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from kms_tui.backend.aws import AwsBackend, connect
from kms_tui.backend.base import KnowsServices
from kms_tui.control.fault_rules import ANY
from kms_tui.control.faults import THROTTLE, Raw
from kms_tui.evidence.activity import Trail, of_key
from kms_tui.kms.errors import EndpointError, KmsTuiError, OutcomeUnknownError, ServiceError, UnavailableError
from tests.endpoints.moto import MotoEndpoint
from tests.endpoints.server import FaultEndpoint
from tests.unit.aws.conftest import REGION
from tests.unit.evidence.trail import KEY, NOW, Time, entry


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoEndpoint]:
    with MotoEndpoint() as running:
        yield running


def test_another_service_answers_in_its_own_shapes(moto: MotoEndpoint) -> None:
    services = connect(region=REGION, endpoint_url=moto.url).services
    answer = services.call("ec2", "DescribeRegions", {})
    assert {"eu-west-1", "us-east-1"} <= {region["RegionName"] for region in answer["Regions"]}
    assert "ResponseMetadata" not in answer
    assert services.in_region("us-east-1").region == "us-east-1"


def test_what_is_not_in_the_table_of_reads_is_never_sent(
    backend: AwsBackend, endpoint: FaultEndpoint
) -> None:
    for service, operation in (
        ("s3", "DeleteBucket"),
        ("secretsmanager", "GetSecretValue"),
        ("iam", "ListRoles"),
    ):
        with pytest.raises(UnavailableError, match="is not available here"):
            backend.services.call(service, operation, {})
    assert endpoint.count() == 0


def test_a_service_that_the_endpoint_lacks_fails_with_a_sentence(backend: AwsBackend) -> None:
    assert isinstance(backend, KnowsServices)
    assert backend.services.offers("sqs")
    with pytest.raises(KmsTuiError):
        backend.services.call("sqs", "ListQueues", {})


@pytest.mark.parametrize(
    ("service", "operation"),
    [("secretsmanager", "ListSecrets"), ("lambda", "ListFunctions"), ("s3", "ListBuckets")],
)
@pytest.mark.parametrize("body", [b"<html><p>Sign in to the hotel's network", b'{"SecretList": [{"Na'])
def test_a_page_that_is_not_the_services_never_reads_as_nothing_there(
    backend: AwsBackend, endpoint: FaultEndpoint, service: str, operation: str, body: bytes
) -> None:
    endpoint.always(ANY, Raw(200, body))
    with pytest.raises(EndpointError):
        backend.services.call(service, operation, {})


def test_events_come_over_the_wire_as_they_are_told_and_a_throttled_lookup_says_so(
    backend: AwsBackend, endpoint: FaultEndpoint
) -> None:
    told = {**entry("1", context={"table": "orders"}), "EventTime": NOW.timestamp()}
    endpoint.plan(ANY, Raw(200, json.dumps({"Events": [told], "NextToken": "next"}).encode()))
    time = Time()
    events = of_key(Trail(backend.services, clock=time, sleep=time.sleep), KEY, REGION, NOW)
    (event,) = events.more()
    assert (event.who, event.time, event.context) == ("app", NOW, (("table", "orders"),))
    assert not events.is_complete
    endpoint.always(ANY, THROTTLE)
    with pytest.raises(ServiceError) as caught:
        events.more()
    assert caught.value.throttled
    assert time.slept == [0.5]


def _put(services: Any) -> Any:
    return services.call("secretsmanager", "UpdateSecret", {"SecretId": "orders", "KmsKeyId": "alias/x"})


def test_a_write_is_sent_by_services_that_may_write_alone(
    backend: AwsBackend, endpoint: FaultEndpoint
) -> None:
    endpoint.always(ANY, Raw(200, b'{"Name": "orders"}'))
    writing = backend.services.writing()
    for services in (backend.services, backend.services.in_region("us-east-1")):
        with pytest.raises(UnavailableError, match="UpdateSecret is not available here"):
            _put(services)
        with pytest.raises(UnavailableError, match="GetParameterHistory is not available here"):
            services.call("ssm", "GetParameterHistory", {"Name": "/orders"})
    for service, operation in (("secretsmanager", "DeleteSecret"), ("s3", "DeleteBucket")):
        with pytest.raises(UnavailableError):
            writing.call(service, operation, {})
    assert endpoint.count() == 0
    assert _put(writing) == {"Name": "orders"}
    assert writing.in_region("us-east-1").call("ssm", "GetParameterHistory", {"Name": "/orders"}) == {}
    assert endpoint.count() == 2


def test_a_write_is_sent_again_only_where_it_was_refused(
    backend: AwsBackend, endpoint: FaultEndpoint, waits: list[float]
) -> None:
    writing = backend.services.writing()
    endpoint.plan(ANY, THROTTLE, Raw(200, b'{"Name": "orders"}'))
    assert _put(writing) == {"Name": "orders"}
    assert len(waits) == 1
    endpoint.clear()
    endpoint.always(ANY, Raw(500, b"{}"))
    with pytest.raises(OutcomeUnknownError):
        _put(writing)
    assert endpoint.count() == 1
    slow_down = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
    endpoint.always(ANY, Raw(503, slow_down))
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/x"}}
    params = {"Bucket": "orders", "ServerSideEncryptionConfiguration": {"Rules": [rule]}}
    with pytest.raises(ServiceError) as caught:
        writing.call("s3", "PutBucketEncryption", params)
    assert caught.value.throttled
