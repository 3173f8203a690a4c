"""The test endpoint keeps its word: its answers are KMS's shapes, its faults come as ordered."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from kms_tui.backend.aws import AwsBackend, connect
from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.control.fault_rules import ANY
from kms_tui.control.faults import DENY, OK, THROTTLE, Answer, Half, Hang, Refuse
from kms_tui.kms.errors import KmsTuiError, ServiceError
from tests.contract.client import KmsClient
from tests.endpoints.environment import use_static_credentials
from tests.endpoints.forward import Forward
from tests.endpoints.server import FaultEndpoint
from tests.endpoints.synthetic import SyntheticAccount, key_id

REGION = "eu-west-1"


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultEndpoint]:
    use_static_credentials(monkeypatch)
    with FaultEndpoint(SyntheticAccount(keys=120)) as running:
        yield running


@pytest.fixture
def backend(endpoint: FaultEndpoint) -> AwsBackend:
    return connect(region=REGION, endpoint_url=endpoint.url)


@pytest.fixture
def kms(backend: AwsBackend) -> KmsClient:
    return KmsClient(backend)


def test_a_synthetic_account_answers_every_read_in_kmss_shapes(kms: KmsClient) -> None:
    for number in range(24):
        key = key_id(number)
        for operation in ("DescribeKey", "GetKeyRotationStatus", "GetKeyPolicy", "GetKeyLastUsage"):
            kms(operation, KeyId=key)
        for operation in ("ListAliases", "ListKeyPolicies", "ListKeyRotations", "ListResourceTags"):
            kms(operation, KeyId=key)
        kms("ListGrants", KeyId=key)
    kms("GenerateRandom", NumberOfBytes=8)


def test_a_synthetic_account_pages_its_keys_and_aliases(kms: KmsClient) -> None:
    assert [key["KeyId"] for key in kms.all("ListKeys", "Keys")] == [key_id(n) for n in range(120)]
    assert len(kms("ListKeys")["Keys"]) == 100
    aliases = kms.all("ListAliases", "Aliases")
    assert len({alias["AliasName"] for alias in aliases}) == len(aliases) == 108


def test_a_synthetic_account_remembers_its_changes(kms: KmsClient) -> None:
    made = kms.key(Description="made")
    kms("DisableKey", KeyId=made)
    kms("UpdateKeyDescription", KeyId=made, Description="changed")
    assert (kms.describe(made)["KeyState"], kms.describe(made)["Description"]) == ("Disabled", "changed")
    kms("EnableKey", KeyId=made)
    assert kms.describe(made)["Enabled"] is True


@pytest.mark.parametrize("reference", ["x", key_id(120), "alias/none"])
def test_a_synthetic_account_knows_its_keys_from_others(kms: KmsClient, reference: str) -> None:
    kms.refused("DescribeKey", "NotFoundException", KeyId=reference)


def test_a_plan_is_met_in_order_and_then_over(kms: KmsClient, endpoint: FaultEndpoint) -> None:
    endpoint.plan("GetKeyPolicy", DENY, OK, DENY)
    outcomes = []
    for _ in range(4):
        try:
            kms("GetKeyPolicy", KeyId=key_id(1))
            outcomes.append("")
        except ServiceError as error:
            outcomes.append(error.code)
    assert outcomes == ["AccessDeniedException", "", "AccessDeniedException", ""]


def test_a_schedule_may_have_no_end(backend: AwsBackend, endpoint: FaultEndpoint) -> None:
    endpoint.plan_from("GetKeyPolicy", itertools.cycle([OK, DENY]))
    for _ in range(3):
        backend.call("GetKeyPolicy", {"KeyId": key_id(1)})
        with pytest.raises(ServiceError):
            backend.call("GetKeyPolicy", {"KeyId": key_id(1)})


def test_a_fault_for_any_operation_spares_those_with_their_own(
    backend: AwsBackend, endpoint: FaultEndpoint
) -> None:
    endpoint.always(ANY, DENY)
    endpoint.always("ListKeys", OK)
    backend.call("ListKeys", {})
    with pytest.raises(ServiceError):
        backend.call("ListAliases", {})
    endpoint.clear()
    backend.call("ListAliases", {})
    assert endpoint.counts == {"ListAliases": 1}


def test_a_refusal_does_nothing_and_a_lost_answer_something(
    backend: AwsBackend, endpoint: FaultEndpoint
) -> None:
    endpoint.plan("DisableKey", Refuse("DisabledException"), Half())
    for state in ("Enabled", "Disabled"):
        with pytest.raises(KmsTuiError):
            backend.call("DisableKey", {"KeyId": key_id(5)})
        assert backend.call("DescribeKey", {"KeyId": key_id(5)})["KeyMetadata"]["KeyState"] == state


def test_an_answer_waits_for_its_latency(endpoint: FaultEndpoint) -> None:
    endpoint.latency = 0.05
    endpoint.plan("ListKeys", Answer(after=0.05))
    started = time.monotonic()
    with _raw(endpoint.url) as connection:
        assert connection.recv(12) == b"HTTP/1.1 200"
    assert time.monotonic() - started >= 0.1


def test_requests_wait_side_by_side(endpoint: FaultEndpoint) -> None:
    endpoint.always(ANY, Hang())
    waiting = [_raw(endpoint.url) for _ in range(20)]
    give_up = time.monotonic() + 10
    while endpoint.count() < 20 and time.monotonic() < give_up:
        time.sleep(0.01)
    assert endpoint.count() == 20
    for connection in waiting:
        connection.close()


def _raw(url: str) -> socket.socket:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    connection = socket.create_connection((parts.hostname, parts.port), timeout=10)
    connection.sendall(
        b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: TrentService.ListKeys\r\nContent-Length: 2\r\n\r\n{}"
    )
    return connection


def test_an_endpoint_closes_while_answers_hang() -> None:
    with FaultEndpoint() as endpoint:
        endpoint.always(ANY, Hang())
        waiting = [_raw(endpoint.url) for _ in range(16)]
    for connection in waiting:
        connection.close()


def test_requests_are_kept_with_what_they_asked(backend: AwsBackend, endpoint: FaultEndpoint) -> None:
    backend.in_region("us-east-1").call("DescribeKey", {"KeyId": key_id(3)})
    (request,) = endpoint.requests
    assert (request.operation, request.params, request.region) == (
        "DescribeKey",
        {"KeyId": key_id(3)},
        "us-east-1",
    )
    assert request.access_key == "AKIAIOSFODNN7EXAMPLE"


def test_an_endpoint_can_forward_to_a_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    use_static_credentials(monkeypatch)
    with open_store() as store:
        local = LocalBackend(store, account_id="111122223333", region=REGION)
        with FaultEndpoint(Forward(local)) as endpoint:
            endpoint.plan("Encrypt", THROTTLE)
            kms = KmsClient(connect(region=REGION, endpoint_url=endpoint.url))
            key = kms.key(Description="real")
            blob = kms("Encrypt", KeyId=key, Plaintext=b"secret", EncryptionContext={"a": "b"})[
                "CiphertextBlob"
            ]
            assert kms("Decrypt", CiphertextBlob=blob, EncryptionContext={"a": "b"})["Plaintext"] == b"secret"
            kms.refused("Decrypt", "InvalidCiphertextException", CiphertextBlob=blob)
            assert kms.describe(key)["CreationDate"].tzinfo is not None
            assert kms.in_region("us-east-1").all("ListKeys", "Keys") == []
            assert endpoint.count("Encrypt") == 2
