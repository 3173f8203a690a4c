"""``kms-tui usage``: on the demo, from files without a connection, and bad input."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kms_tui.cli.connection import open_backend
from tests.unit.cli.conftest import Run
from tests.unit.evidence.request_history.trail_events import OTHER_KEY, event


@pytest.fixture(autouse=True)
def _real_connections(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_backend)


def test_the_demos_requests_are_counted(run: Run) -> None:
    ended = run("usage", "--demo", "--key", "alias/orders-db", "--format", "json")
    shape = json.loads(ended.out)
    assert ended.code == 0
    assert [(each["calls"], each["operation"]) for each in shape["spent"]][:2] == [
        (9, "Decrypt"),
        (5, "GenerateDataKey"),
    ]
    assert shape["quotas"][0]["quota"] == "cryptography with symmetric keys"


def test_files_need_no_connection(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", lambda _connection: pytest.fail("opened"))
    moment = {"eventTime": f"{datetime.now(UTC):%Y-%m-%dT00:00:00Z}"}
    lines = [json.dumps(record | moment) for record in (event(), event(), event(keys=(OTHER_KEY,)))]
    (tmp_path / "events.json").write_text("\n".join(lines))
    ended = run("usage", "--events", "events.json")
    assert ended.code == 0, ended.err
    assert "(3 events)" in ended.out.decode()
    ended = run("usage", "--events", "events.json", "--key", OTHER_KEY, "--format", "md")
    assert "| 1 |" in ended.out.decode()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--demo", "--key", "alias/nothing"), "NotFoundException"),
        (("--demo", "--top", "many"), "is not a number"),
        (("--events", "nowhere"), "nowhere does not exist"),
        (("--demo", "--lake", "x"), "event data store"),
    ],
)
def test_bad_usage_is_a_sentence_and_exits_with_2(run: Run, arguments: tuple[str, ...], words: str) -> None:
    ended = run("usage", *arguments)
    assert ended.code == 2
    assert words in ended.err
    assert "Traceback" not in ended.err
