"""``kms-tui replay``: on the demo, from files without a connection, exit codes, and bad input."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kms_tui.cli.connection import open_backend
from kms_tui.cli.history_options import followed
from kms_tui.evidence.request_history.event_records import requests_in
from kms_tui.evidence.request_history.history_source import HistoryQuery, HistoryReading, QueryCost
from kms_tui.kms.errors import EndpointError, KmsTuiError
from kms_tui.policy.layers import UnreadLayer
from tests.unit.cli.conftest import Ended, Run
from tests.unit.evidence.request_history.engines import FakeEngines
from tests.unit.evidence.request_history.trail_events import ACCOUNT, KEY, NOW, event, role

Replay = Callable[..., Ended]
_ADMIN = {
    "Sid": "Admin",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/administrator"},
    "Action": "kms:*",
    "Resource": "*",
}


def allow(name: str) -> dict[str, Any]:
    return {**_ADMIN, "Sid": name, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{name}"}}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def replay(run: Run, monkeypatch: pytest.MonkeyPatch) -> Replay:
    """``kms-tui replay`` with the real connections, in an empty folder."""
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_backend)
    return lambda *arguments, **options: run("replay", *arguments, **options)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A trail of three calls an hour ago, and two policies: arguments for a replay without a connection."""
    now = datetime.now(UTC)
    found = [event(), event(), event(identity=role("batch"))]
    for each in found:
        each["eventTime"] = f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    day = tmp_path / f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/{now:%Y/%m/%d}"
    day.mkdir(parents=True)
    (day / "x.json.gz").write_bytes(gzip.compress(json.dumps({"Records": found}).encode()))
    (tmp_path / "old.json").write_text(policy(_ADMIN, allow("app"), allow("batch")))
    (tmp_path / "new.json").write_text(policy(_ADMIN, allow("batch")))
    return ["--key", KEY, "--events", str(tmp_path), "--policy-before", "old.json"]


def test_the_demo_has_real_callers_of_the_orders_key(replay: Replay) -> None:
    ended = replay("--demo", "--key", "alias/orders-db", "--policy", "-", stdin=policy(_ADMIN).encode())
    text = ended.out.decode()
    assert ended.code == 0, ended.err
    assert "role/app · Decrypt · table=orders · 9 calls" in text
    assert "role/batch · Decrypt · table=orders" in text
    assert "18 calls would be refused" in text
    assert "The last 90 days (18 events): the store's own record." in text


def test_json_and_fail_on(replay: Replay) -> None:
    ended = replay(
        *("--demo", "--key", "alias/orders-db", "--disable", "--format", "json", "--fail-on", "refused")
    )
    shape = json.loads(ended.out)
    assert ended.code == 1
    assert {each["principal"] for each in shape["refused"]} == {
        f"arn:aws:iam::{ACCOUNT}:role/app",
        f"arn:aws:iam::{ACCOUNT}:role/batch",
    }
    assert shape["refused"][0]["context"] == {"table": "orders"}
    assert shape["covers"]["events"] == 18


def test_fail_on_finds_nothing(replay: Replay) -> None:
    root = policy({**_ADMIN, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}})
    arguments = ("--demo", "--key", "alias/orders-db", "--policy", "-", "--fail-on", "undecided")
    assert replay(*arguments, stdin=root.encode()).code == 0


def test_the_iam_policies_of_callers_decide_where_they_may_be_read(
    replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = policy({**_ADMIN, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}).encode()
    arguments = ("--demo", "--key", "alias/payments-cards", "--policy", "-", "--fail-on", "undecided")
    ended = replay(*arguments, stdin=root)
    assert (ended.code, b"0 calls would be refused, 0 newly allowed, 0 depend" in ended.out) == (0, True)

    def denied(*_arguments: object) -> UnreadLayer:
        return UnreadLayer("iam ListAttachedRolePolicies was denied")

    monkeypatch.setattr("kms_tui.denials.replay_reading.read_identity", denied)
    ended = replay(*arguments, stdin=root)
    assert ended.code == 1
    assert b"depends on the IAM policies of role/app" in ended.out


def test_a_grant_by_its_name_and_a_deletion(replay: Replay) -> None:
    ended = replay("--demo", "--key", "alias/partner-exchange", "--revoke", "partner-importer")
    assert ended.code == 0
    assert b"0 calls would be refused" in ended.out
    assert b"is pending deletion" in replay("--demo", "--key", "alias/orders-db", "--delete").out
    ended = replay("--demo", "--key", "alias/orders-db", "--revoke", "nobody")
    assert ended.code == 2
    assert "no grant of the id or name 'nobody'" in ended.err


def test_an_alias_to_another_key(replay: Replay) -> None:
    ended = replay("--demo", "--key", "alias/warehouse", "--alias", "warehouse", "--to", "alias/invoices")
    assert ended.code == 0
    assert "role/batch · Encrypt · export=weekly · 2 calls" in ended.out.decode()
    assert b"the new key's policy does not let it in" in ended.out
    assert b"4 stay as they are" in ended.out
    ended = replay("--demo", "--key", "alias/orders-db", "--alias", "orders-db", "--to", "alias/orders-db")
    assert (ended.code, "nothing would change" in ended.err) == (2, True)
    assert replay("--demo", "--key", "alias/orders-db", "--alias", "orders-db").code == 2


@pytest.mark.parametrize(
    ("key", "alias", "target", "words"),
    [
        ("orders-db", "nothing", "alias/invoices", "NotFoundException"),
        ("orders-db", "warehouse", "alias/invoices", "alias/warehouse is no alias of this key"),
        ("orders-db", "orders-db", "alias/firmware-signing", "the same key usage"),
        ("orders-db", "orders-db", "arn:aws:kms:us-east-1:111122223333:key/{global-config}", "or Region"),
    ],
)
def test_an_alias_that_cannot_be_repointed_is_a_sentence(
    replay: Replay, run: Run, key: str, alias: str, target: str, words: str
) -> None:
    listed = json.loads(run("list", "--demo", "name:global-config", "--format", "json").out)
    target = target.replace("{global-config}", listed[0]["key_id"])
    ended = replay("--demo", "--key", f"alias/{key}", "--alias", alias, "--to", target)
    assert (ended.code, ended.out) == (2, b"")
    assert words in ended.err


def test_files_alone_need_no_connection(
    replay: Replay, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_connection: object) -> None:
        pytest.fail("a connection was opened")

    monkeypatch.setattr("kms_tui.cli.connection.open_backend", fail)
    ended = replay(*files, "--policy", "new.json", "--format", "json", "--fail-on", "refused")
    shape = json.loads(ended.out)
    assert ended.code == 1
    assert [(each["principal"], each["count"]) for each in shape["refused"]] == [
        (f"arn:aws:iam::{ACCOUNT}:role/app", 2)
    ]
    assert "grants are not known" in shape["covers"]["notes"][0]


def test_grants_come_from_a_file(replay: Replay, files: list[str], tmp_path: Path) -> None:
    grant = {
        "GrantId": "g1",
        "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/app",
        "Operations": ["Decrypt"],
    }
    (tmp_path / "grants.txt").write_text(json.dumps({"Grants": [grant]}))
    ended = replay(*files, "--grants-before", "grants.txt", "--policy", "new.json")
    assert b"0 calls would be refused" in ended.out


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[1]",
        '{"Grants": 3}',
        '[{"Operations": [1]}]',
        '[{"GrantId": [], "Operations": []}]',
        '[{"GrantId": "a", "Operations": "Decrypt"}]',
        '[{"GrantId": "a", "Operations": ["Decrypt"], "Constraints": {"EncryptionContextEquals": 5}}]',
        "[" * 100_000,
    ],
)
def test_what_is_no_list_of_grants_is_a_sentence(
    replay: Replay, files: list[str], tmp_path: Path, text: str
) -> None:
    (tmp_path / "grants.txt").write_text(text)
    ended = replay(*files, "--grants-before", "grants.txt", "--policy", "new.json")
    assert ended.code == 2
    assert ended.err == "kms-tui replay: grants.txt is no answer of ListGrants.\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "line 1, column 1"),
        (b'{"Version": "2012-10-17", "Statement": [', "is no key policy: line 1"),
        (b"\xff\xfe\x00\xd8", "is no key policy"),
        (b"[" * 200_000, "is no key policy"),
        (b"x" * (5 << 20), "larger than any policy"),
    ],
)
def test_a_policy_that_does_not_parse_is_a_sentence(replay: Replay, content: bytes, words: str) -> None:
    ended = replay("--demo", "--key", "alias/orders-db", "--policy", "-", stdin=content)
    assert ended.code == 2
    assert words in ended.err
    assert ended.out == b""
    assert "Traceback" not in ended.err


def test_standard_input_is_read_once_and_named(replay: Replay, files: list[str]) -> None:
    ended = replay(*files[:-1], "-", "--policy", "-")
    assert (ended.code, "standard input can be read once only" in ended.err) == (2, True)
    ended = replay(*files, "--policy", "-", stdin=b"[")
    assert ended.err.startswith("kms-tui replay: Standard input is no key policy: line 1")


def test_an_answer_of_get_key_policy_is_a_policy(replay: Replay) -> None:
    answer = json.dumps({"Policy": policy(_ADMIN), "PolicyName": "default"})
    ended = replay("--demo", "--key", "alias/orders-db", "--policy", "-", stdin=answer.encode())
    assert b"18 calls would be refused" in ended.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--key", "alias/nothing", "--disable"), "NotFoundException"),
        (("--key", "alias/orders-db", "--policy", "nowhere.json"), "nowhere.json cannot be read"),
        (("--key", "alias/orders-db", "--policy", "a\0b"), "cannot be read"),
        (("--key", "alias/orders-db", "--disable", "--events", "nowhere"), "nowhere does not exist"),
        (("--key", "alias/orders-db", "--disable", "--athena", "a;b"), "is not the name of a table"),
        (("--key", "alias/orders-db", "--disable", "--lake", "x"), "event data store"),
        (("--key", "alias/orders-db", "--disable", "--logs", "a b"), "not the name of a log group"),
        (("--key", "alias/orders-db", "--disable", "--logs", "trail", "--yes"), "is not available here"),
        (("--key", "alias/orders-db", "--disable", "--days", "0"), "is not a number"),
        (("--key", "alias/orders-db", "--disable", "--days", "0365000000"), "is not a number"),
        (("--key", "alias/orders-db"), "one of the arguments"),
        (("--key", "alias/orders-db", "--disable", "--delete"), "not allowed with"),
    ],
)
def test_bad_usage_and_what_is_not_there_exit_with_2(
    replay: Replay, arguments: tuple[str, ...], words: str
) -> None:
    ended = replay("--demo", *arguments)
    assert ended.code == 2
    assert words in ended.err
    assert "Traceback" not in ended.err


def test_a_query_that_costs_is_estimated_and_asked(
    replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend: Any = open_backend
    services = FakeEngines(tmp_path, [])

    def open_with_engines(connection: Any) -> Any:
        opened = backend(connection)
        monkeypatch.setattr(type(opened), "services", services)
        return opened

    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_with_engines)
    arguments = ("--demo", "--key", "alias/orders-db", "--disable", "--athena", "logs.trail")
    ended = replay(*arguments)
    assert ended.code == 2
    assert "$5.00 a terabyte" in ended.err
    assert "add --yes" in ended.err
    assert not services.made("StartQueryExecution")
    assert replay(*arguments, stdin=b"n\n", terminal=("stderr",)).code == 2
    ended = replay(*arguments, "--yes")
    assert ended.code == 0, ended.err
    assert services.made("StartQueryExecution")
    ended = replay(*arguments, "--yes", "--read-only")
    assert "leave out --read-only" in ended.err


class _Source:
    """A source that has one request and then fails, or goes on until it is cancelled."""

    name = "a test"

    def __init__(self, error: KmsTuiError | None, record: dict[str, Any] | None) -> None:
        self._error = error
        self._record = record

    def cost(self, query: HistoryQuery) -> QueryCost:
        return QueryCost("", is_free=True)

    def read(self, reading: HistoryReading) -> None:
        if self._record:
            reading.add(requests_in(self._record))
        if self._error:
            raise self._error
        while reading.wait(0.01):
            pass


QUERY = HistoryQuery(NOW - timedelta(days=9), NOW, KEY)


def test_an_error_half_way_keeps_what_was_read() -> None:
    error = EndpointError("The endpoint did not answer.")
    found = followed(_Source(error, event()), QUERY, 1)
    assert found.exit_code == 2
    assert found.history.coverage.events == 1
    assert found.history.coverage.notes == ("Reading ended early: The endpoint did not answer.",)
    with pytest.raises(EndpointError):
        followed(_Source(error, None), QUERY, 1)


def test_when_the_minutes_are_over_what_was_read_is_kept() -> None:
    moments = iter((0.0, 0.0, 61.0, 62.0, 63.0, 64.0))
    found = followed(_Source(None, event()), QUERY, 1, lambda: next(moments))
    assert (found.exit_code, found.history.coverage.complete) == (0, False)
    assert "--minutes allows more" in found.history.coverage.notes[0]


def test_ctrl_c_stops_the_reading_and_keeps_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    presses = iter((KeyboardInterrupt,))
    join = threading.Thread.join

    def pressed(thread: threading.Thread, timeout: float | None = None) -> None:
        if thread.name == "kms-tui history" and (press := next(presses, None)) is not None:
            raise press
        join(thread, timeout)

    monkeypatch.setattr(threading.Thread, "join", pressed)
    found = followed(_Source(None, event()), QUERY, 1)
    assert found.exit_code == 130
    assert found.history.coverage.events == 1
    assert found.history.coverage.notes == ("Reading was stopped with Ctrl+C.",)
