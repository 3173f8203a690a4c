"""Control over HTTP: the reserved path of a served KMS."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.backend.local.principals.key_table import AccessKeys
from kms_tui.control.clock import ControlledClock
from kms_tui.control.fault_rules import FaultRules
from kms_tui.control.kms_control import KmsControl
from kms_tui.serve.server import running
from kms_tui.serve.sigv4 import Credential, credential_of, random_credential

REGION = "eu-west-1"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


class Served:
    """A controlled KMS behind HTTP, its control path, and a client that tries once."""

    def __init__(self, url: str, credential: Credential) -> None:
        self.url = url
        self._credential = credential

    @cached_property
    def client(self) -> Any:
        return boto3.client(
            "kms",
            REGION,
            endpoint_url=self.url,
            aws_access_key_id=self._credential.access_key_id,
            aws_secret_access_key=self._credential.secret_access_key,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=1),
        )

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        sent = body if isinstance(body, bytes | None) else json.dumps(body)
        connection.request(method, f"/_kms-tui{path}", sent, headers or {})
        answer = connection.getresponse()
        status, said = answer.status, json.loads(answer.read())
        connection.close()
        return status, said

    def ordered(self, path: str, body: object = None, *, method: str = "POST") -> Any:
        status, said = self.ask(method, path, body)
        assert status == 200, said
        return said

    def told(self, path: str) -> Any:
        return self.ordered(path, method="GET")

    def refused(self, path: str, body: object = None, *, method: str = "POST") -> str:
        status, said = self.ask(method, path, body)
        assert status in (400, 404, 405), said
        return str(said["error"])

    def key(self) -> str:
        return str(self.client.create_key()["KeyMetadata"]["KeyId"])


@pytest.fixture
def served() -> Iterator[Served]:
    clock = ControlledClock(NOW)
    store = open_store(clock=clock)
    backend = LocalBackend(store, account_id="111122223333", region=REGION)
    credential = credential_of(store)
    control = KmsControl(store, clock, AccessKeys(store.now))
    with store, running(backend, credential=credential, control=control) as url:
        yield Served(url, credential)


def test_it_is_healthy_and_says_what_it_holds(served: Served) -> None:
    served.key()
    said = served.told("/health")
    assert (said["status"], said["keys"], said["calls"]) == ("healthy", 1, 1)


def test_without_control_there_is_no_such_path() -> None:
    store = open_store()
    with store, running(LocalBackend(store, account_id="111122223333", region=REGION)) as url:
        status, said = Served(url, random_credential()).ask("POST", "/reset")
    assert (status, said["__type"]) == (404, "UnknownOperationException")


def test_reset_goes_back_to_the_beginning(served: Served) -> None:
    served.key()
    served.ordered("/faults", {"always": "deny"})
    served.ordered("/clock", {"advance": "400d"})
    served.ordered("/reset")
    assert served.client.list_keys()["Keys"] == []
    assert served.told("/faults") == {"faults": []}
    assert served.told("/clock") == {"now": "2026-11-30T12:00:00.000Z", "frozen": True}
    assert [call["operation"] for call in served.told("/calls")["calls"]] == ["ListKeys"]


def test_snapshots_are_taken_named_restored_and_deleted(served: Served) -> None:
    assert served.ordered("/snapshots") == {"snapshot": "snapshot-1"}
    key = served.key()
    assert served.ordered("/snapshots", {"name": "one-key"}) == {"snapshot": "one-key"}
    served.client.schedule_key_deletion(KeyId=key)
    served.ordered("/snapshots/one-key/restore")
    assert served.client.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
    served.ordered("/snapshots/snapshot-1/restore")
    assert served.client.list_keys()["Keys"] == []
    served.ordered("/snapshots/one-key", method="DELETE")
    assert served.told("/snapshots") == {"snapshots": ["snapshot-1"]}
    assert "no snapshot 'one-key'" in served.refused("/snapshots/one-key/restore")


def test_a_made_up_name_never_takes_the_place_of_a_snapshot(served: Served) -> None:
    for _ in range(2):
        served.ordered("/snapshots")
    served.ordered("/snapshots/snapshot-1", method="DELETE")
    assert served.ordered("/snapshots") == {"snapshot": "snapshot-3"}
    assert served.told("/snapshots") == {"snapshots": ["snapshot-2", "snapshot-3"]}


@pytest.mark.parametrize(
    ("order", "now", "frozen"),
    [
        ({"advance": "90d"}, "2027-02-28T12:00:00.000Z", True),
        ({"advance": 1.5}, "2026-11-30T12:00:01.500Z", True),
        ({"advance": "-2h"}, "2026-11-30T10:00:00.000Z", True),
        ({"set": "2030-01-01T01:00:00+01:00"}, "2030-01-01T00:00:00.000Z", True),
        ({"set": 0}, "1970-01-01T00:00:00.000Z", True),
        ({"set": "2030-01-01T00:00:00Z", "advance": "1w", "freeze": True}, "2030-01-08T00:00:00.000Z", True),
    ],
)
def test_the_clock_is_set(served: Served, order: object, now: str, frozen: bool) -> None:
    assert served.ordered("/clock", order) == {"now": now, "frozen": frozen}
    assert served.told("/clock") == {"now": now, "frozen": frozen}


def test_the_clock_runs_again(served: Served) -> None:
    assert served.ordered("/clock", {"freeze": False})["frozen"] is False


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"advance": "soon"}, "advance"),
        ({"advance": True}, "advance"),
        ({"advance": "99999999999999d"}, "advance"),
        ({"advance": "9999999d"}, "1970 to 9000"),
        ({"set": "2030-01-01T00:00:00"}, "time zone"),
        ({"set": "yesterday"}, "a time is such as"),
        ({"set": 1e300}, "a time is such as"),
        ({"set": "9999-12-31T23:59:59Z", "advance": "1d"}, "1970 to 9000"),
        ({"freeze": "yes"}, "true or false"),
        ({"freeze": 1}, "true or false"),
        ({"advance": "1\nd"}, "advance"),
        ({"advance": "٣d"}, "advance"),
        ({"set": "0001-01-01T00:00:00+10:00"}, "1970 to 9000"),
        ({"set": "9999-12-31T23:59:59-10:00"}, "1970 to 9000"),
        (b'{"set": NaN}', "a time is such as"),
        (b'{"advance": 1e309}', "advance"),
        ({"advanse": 1}, "no member 'advanse' here; there are set, advance, freeze"),
        ([], "JSON object"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff", "not JSON"),
    ],
)
def test_a_clock_that_cannot_be_set_so_stays(served: Served, order: object, reason: str) -> None:
    assert reason in served.refused("/clock", order)
    assert served.told("/clock") == {"now": "2026-11-30T12:00:00.000Z", "frozen": True}


def test_faults_are_met_as_ordered_and_counted(served: Served) -> None:
    key = served.key()
    said = served.ordered("/faults", {"operation": "DescribeKey", "plan": ["throttle", "ok"], "key": key})
    assert said == {"faults": [{"operation": "DescribeKey", "key": key, "met": 0}]}
    with pytest.raises(ClientError, match="ThrottlingException"):
        served.client.describe_key(KeyId=key)
    served.client.describe_key(KeyId=key)
    served.client.describe_key(KeyId=key)
    assert served.told("/faults")["faults"][0]["met"] == 2
    served.ordered("/faults", method="DELETE")
    assert served.told("/faults") == {"faults": []}


@pytest.mark.parametrize(
    ("fault", "error"),
    [("reset", ConnectionClosedError), ("lost-answer", ConnectionClosedError), ("hang", ReadTimeoutError)],
)
def test_an_answer_is_lost_on_the_wire(served: Served, fault: str, error: type[Exception]) -> None:
    key = served.key()
    for operation in ("DisableKey", "GenerateRandom"):
        served.ordered("/faults", {"operation": operation, "plan": [fault]})
    with pytest.raises(error):
        served.client.disable_key(KeyId=key)
    with pytest.raises(error):
        served.client.generate_random(NumberOfBytes=32)
    done = served.client.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    assert done is (fault != "reset")


@pytest.mark.parametrize("fault", ["reset", "lost-answer"])
def test_a_connection_is_reset_and_does_not_just_end(served: Served, fault: str) -> None:
    served.ordered("/faults", {"operation": "ListKeys", "plan": [fault]})
    with pytest.raises(ConnectionClosedError) as caught:
        served.client.list_keys()
    assert "ConnectionResetError" in repr(caught.value.kwargs["error"])


def test_half_of_an_answer_is_what_botocore_makes_of_it(served: Served) -> None:
    """It takes JSON that ends too early for an answer without members."""
    served.ordered("/faults", {"operation": "GenerateRandom", "plan": ["half-answer"]})
    assert "Plaintext" not in served.client.generate_random(NumberOfBytes=32)
    key = served.key()
    served.ordered("/faults", {"operation": "DisableKey", "plan": ["half-answer"]})
    with pytest.raises(ConnectionClosedError):  # It has no body.
        served.client.disable_key(KeyId=key)


def test_an_answer_takes_its_time_and_others_do_not_wait(served: Served) -> None:
    served.ordered("/faults", {"operation": "ListKeys", "plan": [{"fault": "answer", "after": 30}]})
    with pytest.raises(ReadTimeoutError):
        served.client.list_keys()
    assert served.client.generate_random(NumberOfBytes=8)["Plaintext"]


def test_a_wrong_clock_is_told_by_its_date(served: Served) -> None:
    served.ordered("/faults", {"operation": "ListKeys", "plan": ["skewed"]})
    with pytest.raises(ClientError) as caught:
        served.client.list_keys()
    headers = caught.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["date"] == "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({}, "needs"),
        ({"plan": []}, "needs"),
        ({"plan": "throttle"}, "list of at most"),
        ({"plan": ["trottle"]}, "did you mean 'throttle'"),
        ({"plan": ["ok"] * 10_001}, "at most"),
        ({"operation": "Encript", "always": "deny"}, "no operation 'Encript'"),
        ({"operation": 7, "always": "deny"}, "is a text"),
        ({"always": {"fault": "refuse"}}, "needs the member 'code'"),
        ({"always": "deny", "keys": "x"}, "no member 'keys'"),
    ],
)
def test_what_cannot_be_ordered_is_refused_and_nothing_is(served: Served, order: object, reason: str) -> None:
    assert reason in served.refused("/faults", order)
    assert served.told("/faults") == {"faults": []}


def test_the_calls_are_told_with_caller_key_and_context(served: Served) -> None:
    key = served.key()
    served.client.encrypt(KeyId=key, Plaintext=b"plain", EncryptionContext={"a": "b"})
    served.client.list_keys()
    (call,) = served.told(f"/calls?operation=Encrypt&key={key}")["calls"]
    assert (call["principal"], call["encryption_context"], call["region"], call["error"]) == (
        "arn:aws:iam::111122223333:user/administrator",
        {"a": "b"},
        REGION,
        "",
    )
    assert call["at"] == "2026-11-30T12:00:00.000Z"
    assert len(served.told("/calls")["calls"]) == 3
    assert served.told("/calls?principal=arn:nobody")["calls"] == []
    assert "no parameter 'who' here" in served.refused("/calls?who=x", method="GET")
    served.ordered("/calls", method="DELETE")
    assert served.told("/calls") == {"calls": []}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "", 404),
        ("GET", "/", 404),
        ("GET", "/clocks", 404),
        ("GET", "/reset", 405),
        ("PUT", "/clock", 405),
        ("POST", "/snapshots/a/b", 404),
        ("POST", "/snapshots/none/restore", 404),
        ("DELETE", "/snapshots/none", 404),
        ("POST", "/snapshots/%00/restore", 404),
    ],
)
def test_there_is_no_other_way(served: Served, method: str, path: str, status: int) -> None:
    assert served.ask(method, path)[0] == status


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/faults", {"operation": "Encrypt"}),
        ("DELETE", "/faults?operation=Encrypt", None),
        ("DELETE", "/calls?operation=Encrypt", None),
        ("POST", "/reset", {"snapshot": "one"}),
        ("POST", "/reset", b"{"),
        ("POST", "/snapshots/one/restore", {"name": "two"}),
        ("GET", "/calls", {"operation": "Encrypt"}),
    ],
)
def test_an_order_with_more_than_there_is_does_nothing(
    served: Served, method: str, path: str, body: object
) -> None:
    served.ordered("/snapshots", {"name": "one"})
    served.key()
    served.ordered("/faults", {"operation": "Encrypt", "plan": ["deny"]})
    reason = served.refused(path, body, method=method)
    assert "there are none" in reason or "not JSON" in reason
    assert len(served.told("/faults")["faults"]) == len(served.told("/calls")["calls"]) == 1


def test_a_page_with_another_status_is_answered(served: Served) -> None:
    served.ordered("/faults", {"always": {"fault": "raw", "status": 200, "body": "Sign in"}})
    assert "KeyMetadata" not in served.client.describe_key(KeyId="alias/x")  # botocore takes it for an answer


def test_a_call_whose_fault_fails_is_answered(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FaultRules, "fault_for", lambda *_: 1 // 0)
    with pytest.raises(ClientError, match="KMSInternalException"):
        served.client.list_keys()


def test_an_order_that_fails_is_answered(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KmsControl, "reset", lambda _: 1 // 0)
    assert served.ask("POST", "/reset") == (500, {"error": "the order failed: ZeroDivisionError"})


@pytest.mark.parametrize("name", ["", ".", "..", "-", "a b", "../x", "é", "x" * 65, 7, None])
def test_a_snapshot_has_a_name_for_a_path(served: Served, name: object) -> None:
    assert "1 to 64 letters" in served.refused("/snapshots", {"name": name})


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_web_page_orders_nothing(served: Served, headers: dict[str, str]) -> None:
    served.key()
    status, said = served.ask("POST", "/reset", headers=headers)
    assert (status, len(served.client.list_keys()["Keys"])) == (403, 1), said
