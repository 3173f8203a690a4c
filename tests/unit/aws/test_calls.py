"""AwsBackend's calls under faults: reads are sent again, mutations never are once they may have been done."""

from __future__ import annotations

import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from kms_tui.backend.aws import AwsBackend, boto_session, connect
from kms_tui.control.faults import (
    DENY,
    INTERNAL,
    OK,
    THROTTLE,
    UNAVAILABLE,
    Drop,
    Fault,
    Half,
    Hang,
    Raw,
    Refuse,
)
from kms_tui.kms.errors import (
    ConfigurationError,
    EndpointError,
    KmsTuiError,
    NotOfferedError,
    OutcomeUnknownError,
    ServiceError,
    UnknownHostError,
)
from tests.endpoints.server import FaultEndpoint
from tests.endpoints.synthetic import SyntheticAccount, key_id
from tests.unit.aws.conftest import REGION

BROKEN: tuple[Fault, ...] = (THROTTLE, INTERNAL, UNAVAILABLE, Drop(), Half(), Raw(200), Raw(200, b""))


def test_an_answer_is_the_operations_own_shape(backend: AwsBackend) -> None:
    answer = backend.call("ListKeys", {"Limit": 2})
    assert sorted(answer) == ["Keys", "NextMarker", "Truncated"]
    assert [key["KeyId"] for key in answer["Keys"]] == [key_id(0), key_id(1)]


@pytest.mark.parametrize("fault", BROKEN, ids=str)
def test_a_read_is_sent_again_until_it_is_answered_well(
    fault: Fault, backend: AwsBackend, endpoint: FaultEndpoint
) -> None:
    endpoint.plan("ListKeys", fault, fault, OK)
    assert len(backend.call("ListKeys", {})["Keys"]) == 25
    assert endpoint.count("ListKeys") == 3


@pytest.mark.parametrize("fault", BROKEN, ids=str)
def test_a_read_gives_up_after_three_attempts(
    fault: Fault, backend: AwsBackend, endpoint: FaultEndpoint
) -> None:
    endpoint.always("ListKeys", fault)
    with pytest.raises((ServiceError, EndpointError)):
        backend.call("ListKeys", {})
    assert endpoint.count("ListKeys") == 3


def test_half_a_page_is_never_taken_for_an_empty_account(
    backend: AwsBackend, endpoint: FaultEndpoint
) -> None:
    endpoint.always("ListKeys", Half())
    with pytest.raises(EndpointError, match="cut short"):
        backend.call("ListKeys", {})


def test_a_denied_read_is_sent_once(backend: AwsBackend, endpoint: FaultEndpoint) -> None:
    endpoint.always("DescribeKey", DENY)
    with pytest.raises(ServiceError) as caught:
        backend.call("DescribeKey", {"KeyId": key_id(1)})
    assert caught.value.denied
    assert caught.value.operation == "DescribeKey"
    assert endpoint.count("DescribeKey") == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Drop(done=True), "the connection was closed before the answer"),
        (Drop(done=False), "the connection was closed before the answer"),
        (Half(), "the answer was cut short"),
        (Raw(200), "the answer was cut short"),
        (UNAVAILABLE, "HTTP 503"),
        (Refuse("DependencyTimeoutException", "", 500), "DependencyTimeoutException"),
    ],
    ids=str,
)
def test_a_mutation_whose_answer_is_lost_is_not_sent_again(
    fault: Fault, reason: str, backend: AwsBackend, endpoint: FaultEndpoint
) -> None:
    endpoint.always("CreateKey", fault)
    with pytest.raises(OutcomeUnknownError) as caught:
        backend.call("CreateKey", {})
    assert reason in str(caught.value)
    assert endpoint.count("CreateKey") == 1


def test_a_mutation_that_is_not_answered_in_time_is_not_sent_again(
    endpoint: FaultEndpoint, account: SyntheticAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boto_session, "MUTATION_READ_TIMEOUT", 0.2)
    endpoint.always("CreateKey", Hang())
    with pytest.raises(OutcomeUnknownError, match="no answer in time"):
        connect(region=REGION, endpoint_url=endpoint.url).call("CreateKey", {})
    assert endpoint.count("CreateKey") == 1
    assert account.keys == 26, "it was done all the same"


def test_a_throttled_mutation_is_sent_again_and_done_once(
    backend: AwsBackend, endpoint: FaultEndpoint, account: SyntheticAccount, waits: list[float]
) -> None:
    endpoint.plan("CreateKey", THROTTLE, THROTTLE, OK)
    backend.call("CreateKey", {"Description": "once"})
    assert endpoint.count("CreateKey") == 3
    assert account.keys == 26
    assert len(waits) == 2
    assert 0 <= waits[0] <= 1
    assert 0 <= waits[1] <= 2


def test_a_mutation_throttled_for_long_is_refused(backend: AwsBackend, endpoint: FaultEndpoint) -> None:
    endpoint.always("CreateKey", THROTTLE)
    with pytest.raises(ServiceError) as caught:
        backend.call("CreateKey", {})
    assert caught.value.throttled
    assert endpoint.count("CreateKey") == 3


@pytest.mark.parametrize("code", ["KMSInternalException", "LimitExceededException", "DisabledException"])
def test_a_mutation_that_kms_refused_is_sent_once(
    code: str, backend: AwsBackend, endpoint: FaultEndpoint
) -> None:
    endpoint.always("CreateKey", Refuse(code, "no", 500 if code == "KMSInternalException" else 400))
    with pytest.raises(ServiceError) as caught:
        backend.call("CreateKey", {})
    assert (caught.value.code, caught.value.message) == (code, "no")
    assert endpoint.count("CreateKey") == 1


def test_a_mutation_after_the_server_closed_idle_connections_is_made_on_a_new_one(
    backend: AwsBackend, endpoint: FaultEndpoint, account: SyntheticAccount
) -> None:
    backend.call("EnableKey", {"KeyId": key_id(22)})
    endpoint.drop_idle()
    backend.call("CreateKey", {})
    assert endpoint.count("CreateKey") == 1
    assert account.keys == 26


def test_retrying_is_ours_whatever_the_configuration_says(
    endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_RETRY_MODE", "adaptive")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    backend = connect(region=REGION, endpoint_url=endpoint.url)
    for clients in (backend._clients.reads, backend._clients.mutations):
        assert clients.meta.config.retries["mode"] == "standard"
    endpoint.always("CreateKey", Drop())
    with pytest.raises(OutcomeUnknownError):
        backend.call("CreateKey", {})
    assert endpoint.count("CreateKey") == 1


@pytest.mark.parametrize("operation", ["ListKeys", "CreateKey"])
def test_a_refused_connection_was_never_sent(operation: str, waits: list[float]) -> None:
    with FaultEndpoint() as gone:
        url = gone.url
    with pytest.raises(EndpointError, match="refuses connections"):
        connect(region=REGION, endpoint_url=url).call(operation, {})
    assert len(waits) == 2, "tried three times"


@pytest.mark.parametrize("operation", ["ListKeys", "CreateKey"])
def test_a_name_that_does_not_resolve_says_so(operation: str) -> None:
    with pytest.raises(EndpointError, match=r"kms\.invalid cannot be resolved"):
        connect(region=REGION, endpoint_url="http://kms.invalid").call(operation, {})


def test_a_read_that_hangs_ends(endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto_session, "READ_TIMEOUT", 0.1)
    endpoint.always("ListKeys", Hang())
    with pytest.raises(EndpointError, match="no answer in time"):
        connect(region=REGION, endpoint_url=endpoint.url).call("ListKeys", {})
    assert endpoint.count("ListKeys") == 3


def test_parameters_of_the_wrong_kind_are_refused_before_anything_is_sent(
    backend: AwsBackend, endpoint: FaultEndpoint
) -> None:
    with pytest.raises(ServiceError) as caught:
        backend.call("DescribeKey", {"KeyID": "x"})
    assert caught.value.code == "ValidationException"
    assert caught.value.operation == "DescribeKey"
    assert '"KeyId"' in caught.value.message
    assert endpoint.count() == 0


def test_an_operation_that_botocore_does_not_know_is_refused(
    backend: AwsBackend, endpoint: FaultEndpoint
) -> None:
    with pytest.raises(ServiceError) as caught:
        backend.call("MeltKey", {})
    assert caught.value.code == "UnknownOperationException"
    assert endpoint.count() == 0


def test_an_endpoint_that_is_no_kms_is_named_as_such(backend: AwsBackend, endpoint: FaultEndpoint) -> None:
    endpoint.always("ListKeys", Raw(404))
    with pytest.raises(EndpointError, match="HTTP 404"):
        backend.call("ListKeys", {})


def test_thirty_two_threads_keep_their_connections(
    backend: AwsBackend, endpoint: FaultEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.latency = 0.02
    with ThreadPoolExecutor(32) as pool, caplog.at_level(logging.WARNING):
        answers = list(pool.map(lambda n: backend.call("DescribeKey", {"KeyId": key_id(n % 25)}), range(128)))
    assert len(answers) == 128
    assert len({request.connection for request in endpoint.requests}) <= 32
    assert not [record for record in caplog.records if "pool is full" in record.getMessage()]


@pytest.mark.parametrize("url", ["localhost:4566", "kms", "http://"])
def test_an_endpoint_that_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        connect(region=REGION, endpoint_url=url)
    assert "https://" in caught.value.next_step


def test_no_region_says_how_to_give_one(endpoint: FaultEndpoint) -> None:
    with pytest.raises(ConfigurationError) as caught:
        connect(endpoint_url=endpoint.url)
    assert "--region" in caught.value.next_step


def test_a_region_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="region"):
        connect(region="not a region")


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_comes_from_the_environment_as_in_the_cli(
    variable: str, endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "ap-south-1")
    backend = connect(endpoint_url=endpoint.url)
    backend.call("ListKeys", {})
    assert backend.region == "ap-south-1"
    assert endpoint.requests[-1].region == "ap-south-1"


def test_fips_endpoints_are_used_where_the_configuration_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    backend = connect(region="us-east-1")
    assert backend._clients.reads.meta.endpoint_url == "https://kms-fips.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_the_partition_is_the_regions(region: str, partition: str) -> None:
    assert connect(region=region).partition == partition


def test_another_region_is_signed_for_and_opened_once(backend: AwsBackend, endpoint: FaultEndpoint) -> None:
    other = backend.in_region("us-east-1")
    other.call("ListKeys", {})
    assert endpoint.requests[-1].region == "us-east-1"
    assert other is backend.in_region("us-east-1")
    assert backend is other.in_region(REGION)


@pytest.mark.parametrize(
    ("given", "elsewhere"),
    [
        ("https://kms.eu-west-1.amazonaws.com", "https://kms.us-east-1.amazonaws.com"),
        ("https://kms-fips.eu-west-1.amazonaws.com", "https://kms-fips.us-east-1.amazonaws.com"),
        ("http://localhost:4566", "http://localhost:4566"),
    ],
)
def test_an_endpoint_that_names_its_region_names_the_other_one_there(given: str, elsewhere: str) -> None:
    backend = connect(region=REGION, endpoint_url=given)
    assert backend._clients.reads.meta.endpoint_url == given
    assert backend.in_region("us-east-1")._clients.mutations.meta.endpoint_url == elsewhere


def test_no_secret_is_in_the_repr(backend: AwsBackend) -> None:
    assert repr(backend) == "<AwsBackend eu-west-1>"


def test_importing_the_package_imports_nothing_of_botocore() -> None:
    code = (
        "import sys, kms_tui.backend.aws;"
        "sys.exit(any(m.split('.')[0] in ('boto3', 'botocore') for m in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_every_error_of_a_call_is_of_our_tree(backend: AwsBackend, endpoint: FaultEndpoint) -> None:
    for status in (301, 400, 403, 404, 429, 500, 504):
        for body in (b"", b"\xff\xfe", b"[]", b"null", b'"text"', b'{"__type": null}', b"{}"):
            endpoint.always("ListKeys", Raw(status, body))
            with pytest.raises(KmsTuiError):
                backend.call("ListKeys", {})


@pytest.mark.parametrize(
    ("service", "region", "kind"),
    [
        ("rds", REGION, UnknownHostError),
        ("kendra", "eu-south-1", NotOfferedError),
        ("dsql", REGION, NotOfferedError),
    ],
)
def test_a_service_without_an_address_is_not_offered_where_it_is_not_known(
    service: str, region: str, kind: type[EndpointError]
) -> None:
    listing = {"rds": "DescribeDBInstances", "kendra": "ListIndices", "dsql": "ListClusters"}[service]
    services = connect(region=region, endpoint_url="http://kms.invalid").services
    with pytest.raises(EndpointError) as caught:
        services.call(service, listing, {})
    assert type(caught.value) is kind
