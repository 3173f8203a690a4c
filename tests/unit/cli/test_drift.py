"""``kms-tui drift``: the report in each format, what is said of bad input, and the exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kms_tui.backend.local import LocalBackend
from kms_tui.session import Connection
from tests.as_code_account import account
from tests.unit.cli.conftest import Ended, Run

_DATA = Path(__file__).parents[2] / "data" / "terraform"
_STATE, _PLAN = (str(_DATA / name) for name in ("as-code.tfstate", "as-code-plan.json"))
_ID = "1234abcd-12ab-34cd-56ef-0000000000"
_REGIONS = ("--regions", "eu-west-1,us-east-1,eu-central-1")

Drift = Callable[..., Ended]


@pytest.fixture
def backend() -> LocalBackend:
    return account(key_stores=False).backend


@pytest.fixture
def drift(run: Run, backend: LocalBackend, monkeypatch: pytest.MonkeyPatch) -> Drift:
    """``kms-tui drift`` on the account with every kind of key."""

    def open_account(connection: Connection) -> LocalBackend:
        return backend.in_region(connection.region or "eu-west-1")

    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_account)
    return lambda *arguments, **options: run("drift", *arguments, **options)


def test_no_drift(drift: Drift) -> None:
    ended = drift("--state", _STATE)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.decode() == "Of 39 KMS resources 0 differ from the account.\n"


def test_drift_names_each_attribute_with_both_values(drift: Drift, backend: LocalBackend) -> None:
    backend.call("UpdateKeyDescription", {"KeyId": f"{_ID}08", "Description": "by\x1b[2J hand"})
    backend.call("DeleteAlias", {"AliasName": "alias/coin"})
    ended = drift("--state", _STATE)
    assert ended.code == 1
    assert ended.out.decode() == (
        "aws_kms_alias.coin is gone\n\n"
        "aws_kms_key.mac differs\n"
        '    description: "" in the state, "by\\u001b[2J hand" in the account\n\n'
        "Of 39 KMS resources 2 differ from the account.\n"
    )


@pytest.mark.parametrize(
    ("terminal", "no_color", "colored"), [(("stdout",), "", True), (("stdout",), "1", False), ((), "", False)]
)
def test_what_a_plan_takes_away_is_first_and_red_on_a_terminal(
    drift: Drift, monkeypatch: pytest.MonkeyPatch, terminal: tuple[str, ...], no_color: str, colored: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    ended = drift("--state", _PLAN, terminal=terminal)
    lines = ended.out.decode().splitlines()
    head = "PLAN  aws_kms_alias.waiting is destroyed: the configuration no longer has the resource"
    assert (ended.code, lines[0]) == (1, f"\x1b[31m{head}\x1b[0m" if colored else head)
    assert lines[-1] == "Of 39 KMS resources the plan destroys or replaces 4 and 0 differ from the account."


def test_the_formats_hold_the_same(drift: Drift, backend: LocalBackend) -> None:
    backend.call("DisableKey", {"KeyId": f"{_ID}04"})
    found = json.loads(drift("--state", _PLAN, "--format", "json").out)
    assert (found["plan"], found["resources"], len(found["losses"])) == (True, 39, 4)
    # Its state was refreshed when the key was disabled by hand: what the state said before counts.
    assert found["drifted"] == [
        {
            "address": "aws_kms_key.rsa",
            "arn": f"arn:aws:kms:eu-west-1:111122223333:key/{_ID}04",
            "kind": "changed",
            "note": None,
            "differences": [{"attribute": "is_enabled", "state": True, "account": False, "words": []}],
        }
    ]
    markdown = drift("--state", _PLAN, "--format", "md").out.decode()
    assert markdown.startswith(
        "# Drift of KMS keys\n\nOf 39 KMS resources the plan destroys or replaces 4 and 1 "
    )
    assert "- **aws\\_kms\\_key.rsa is replaced by another:" in markdown
    assert "  - is\\_enabled: true in the state, false in the account\n" in markdown


def test_a_report_in_a_file(drift: Drift, tmp_path: Path) -> None:
    ended = drift("--state", _STATE, "--format", "json", "-o", "drift.json")
    assert ended.out == b"Of 39 KMS resources 0 differ from the account.\n"
    assert json.loads((tmp_path / "drift.json").read_text())["drifted"] == []


def test_a_state_from_standard_input_and_several_files(drift: Drift, tmp_path: Path) -> None:
    (tmp_path / "none.tfstate").write_text('{"version": 4, "serial": 1, "resources": []}')
    ended = drift("--state", "-", "--state", "none.tfstate", stdin=Path(_STATE).read_bytes())
    assert (ended.code, ended.out) == (0, b"Of 39 KMS resources 0 differ from the account.\n")


def test_keys_in_no_state_are_listed_on_request(drift: Drift) -> None:
    ended = drift("--state", _STATE, "--unmanaged", *_REGIONS)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.decode() == (
        f"going is in no state (arn:aws:kms:eu-west-1:111122223333:key/{_ID}0e)\n\n"
        "Of 39 KMS resources 0 differ from the account. 1 key of the account is in no given state.\n"
    )
    markdown = drift("--state", _STATE, "--unmanaged", "--format", "md", *_REGIONS).out.decode()
    assert "## In no state\n\n- going (arn:aws:kms:" in markdown


def test_another_accounts_resource_is_said_and_the_answer_is_not_whole(drift: Drift, tmp_path: Path) -> None:
    text = (
        Path(_STATE)
        .read_text()
        .replace(f"eu-west-1:111122223333:key/{_ID}04", f"eu-west-1:999999999999:key/{_ID}04")
    )
    (tmp_path / "other.tfstate").write_text(text)
    ended = drift("--state", "other.tfstate")
    assert ended.code == 2
    assert ended.err == "The comparison is not whole: 1 resource was not compared.\n"
    assert ended.out.decode().splitlines()[0] == (
        "aws_kms_key.rsa was not compared: its account 999999999999 is not one of this session (111122223333)"
    )
    markdown = drift("--state", "other.tfstate", "--format", "md").out.decode()
    assert "## Not compared" in markdown


@pytest.mark.parametrize(
    ("resources", "sentence"),
    [
        ("", "No KMS resources in this state."),
        ('{"mode": "managed", "instances": [{}]}', "No KMS resources in this state, among 1 other."),
    ],
)
def test_a_state_without_kms_is_no_drift(drift: Drift, tmp_path: Path, resources: str, sentence: str) -> None:
    (tmp_path / "a.tfstate").write_text(f'{{"version": 4, "serial": 1, "resources": [{resources}]}}')
    ended = drift("--state", "a.tfstate")
    assert (ended.code, ended.out.decode(), ended.err) == (0, f"{sentence}\n", "")
    assert json.loads(drift("--state", "a.tfstate", "--format", "json").out)["resources"] == 0
    unmanaged = drift("--state", "a.tfstate", "--unmanaged")
    assert unmanaged.code == 0
    assert unmanaged.out.decode().splitlines()[-1].startswith(sentence)
    assert "is in no state" in unmanaged.out.decode()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "kms-tui drift: bad.json is empty."),
        (b"{", "kms-tui drift: bad.json ends in the middle: it is not whole."),
    ],
)
def test_bad_input_gets_a_sentence(drift: Drift, tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "bad.json").write_bytes(content)
    ended = drift("--state", "bad.json")
    assert (ended.code, ended.out, ended.err) == (2, b"", f"{sentence}\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "the following arguments are required: --state"),
        (("--state", "-", "--state", "-"), "standard input can be read once only"),
        (("--state", "missing"), "missing could not be read"),
        (("--state", "."), ". could not be read"),
    ],
)
def test_bad_usage(drift: Drift, arguments: tuple[str, ...], sentence: str) -> None:
    ended = drift(*arguments)
    assert (ended.code, ended.out) == (2, b"")
    assert sentence in ended.err
