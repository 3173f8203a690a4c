"""``kms-tui list``: the keys that match a filter, in each format, and what is said of the others."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kms_tui.session import Connection
from tests.unit.cli.conftest import Ended, Run
from tests.unit.inventory.world import FakeAccount, FakeKey, denied, key_id

HOSTILE = "payroll\x1b]0;title\x07\u202e"

List = Callable[..., Ended]


@pytest.fixture
def account() -> FakeAccount:
    return FakeAccount(
        [
            FakeKey(key_id(1), ("orders",), tags={"team": "shop"}),
            FakeKey(key_id(2), (), {"Description": HOSTILE, "Enabled": False, "KeyState": "Disabled"}),
            FakeKey(key_id(3), ("aws/s3",), {"KeyManager": "AWS"}),
        ]
    )


@pytest.fixture
def list_keys(run: Run, account: FakeAccount, monkeypatch: pytest.MonkeyPatch) -> List:
    """``kms-tui list --region eu-west-1`` on the account, with further arguments."""

    def open_account(connection: Connection) -> FakeAccount:
        assert connection.region
        return account.in_region(connection.region)

    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_account)
    return lambda *arguments: run("list", "--region", "eu-west-1", *arguments)


def ids(ended: Ended) -> list[str]:
    return [json.loads(line)["key_id"] for line in ended.out.decode().splitlines()]


def test_every_key_is_listed_as_aligned_columns(list_keys: List) -> None:
    ended = list_keys()
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.decode().splitlines()
    assert lines[0].split()[:3] == ["NAME", "KEY", "ID"]
    assert [line.index(key) for line, key in zip(lines[1:], map(key_id, (3, 1, 2)), strict=True)][:2] == [
        lines[0].index("KEY ID")
    ] * 2


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (("orders",), [1]),
        (("state:disabled",), [2]),
        (("!manager:aws", "!state:disabled"), [1]),
        (("--", "-manager:aws", "-state:disabled"), [1]),
        (("tag:team=shop",), [1]),
        (("name:nothing",), []),
    ],
)
def test_the_filter_is_that_of_the_console(
    list_keys: List, words: tuple[str, ...], numbers: list[int]
) -> None:
    ended = list_keys("--format", "jsonl", *words)
    assert (ended.code, ended.err) == (0, "")
    assert ids(ended) == [key_id(number) for number in numbers]


def test_json_and_csv_hold_the_same_rows(list_keys: List) -> None:
    rows = json.loads(list_keys("--format", "json", "--with", "tags", "!manager:aws").out)
    assert [row["tags"] for row in rows] == ["team=shop", ""]
    table = list(csv.DictReader(io.StringIO(list_keys("--format", "csv", "!manager:aws").out.decode())))
    assert [row["arn"] for row in table] == [row["arn"] for row in rows]
    assert [row["tags"] for row in table] == ["not read"] * 2, "nothing is read that nobody asked for"


def test_sorting_and_writing_to_a_file(list_keys: List, tmp_path: Path) -> None:
    ended = list_keys("--sort", "id", "--format", "md", "-o", "keys.md", "!manager:aws")
    assert (ended.code, ended.out) == (0, b"")
    text = (tmp_path / "keys.md").read_text()
    assert text.index(key_id(1)) < text.index(key_id(2))


def test_hostile_text_reaches_the_terminal_made_visible(list_keys: List) -> None:
    for form in ("table", "csv", "md", "jsonl", "json"):
        text = list_keys("--format", form).out.decode()
        assert not any(each in text for each in ("\x1b", "\x07", "\u202e"))


def test_a_key_that_the_filter_cannot_judge_is_said_to_be_left_out(
    list_keys: List, account: FakeAccount
) -> None:
    account.fail["DescribeKey"] = denied("DescribeKey")
    ended = list_keys("state:enabled")
    assert ended.code == 2
    assert "3 keys are left out: what the filter asks about could not be read." in ended.err


def test_aliases_that_are_denied_are_said(list_keys: List, account: FakeAccount) -> None:
    account.fail["ListAliases"] = denied("ListAliases")
    ended = list_keys("--format", "jsonl")
    assert ended.code == 2
    assert len(ids(ended)) == 3
    assert "The aliases of eu-west-1 could not be listed" in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("state:nope",), "none of creating"),
        (("unused:soon",), "unused"),
        (("--sort", "shoe"), "there is no column 'shoe'"),
        (("--regions", "eu-west-1,"), "is not a list of Regions"),
        (("--regions", "eu-west-1"), "--region or --regions, not both"),
    ],
)
def test_bad_usage_is_2_and_says_why(list_keys: List, arguments: tuple[str, ...], words: str) -> None:
    ended = list_keys(*arguments)
    assert (ended.code, ended.out) == (2, b"")
    assert words in ended.err
