"""``kms-tui snapshot`` and ``kms-tui diff``: what they read, write and say, and how they end."""

from __future__ import annotations

import _thread
import json
import re
import threading
import unicodedata
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from kms_tui.cli.connection import open_backend
from kms_tui.fact_files.fact_writing import schema_text
from kms_tui.kms.errors import CredentialsError, EndpointError
from kms_tui.policy import default_policy
from kms_tui.session import Connection
from tests.unit.cli.conftest import Ended, Run
from tests.unit.inventory.world import ACCOUNT, NOW, FakeAccount, FakeKey, denied, key_id

HOSTILE = "payroll\x1b]0;title\x07\u202e|pipe`code`"
FINE = default_policy(ACCOUNT, "aws")
OPEN = FINE.replace(f'"arn:aws:iam::{ACCOUNT}:root"', '"*"')

Command = Callable[..., Ended]


@pytest.fixture
def account() -> FakeAccount:
    return FakeAccount(
        [
            FakeKey(key_id(1), ("orders",), tags={"team": "shop"}, policy=FINE),
            FakeKey(key_id(2), (), {"Description": "invoices"}, policy=FINE),
            FakeKey(key_id(3), ("aws/s3",), {"KeyManager": "AWS"}, policy=FINE),
        ]
    )


@pytest.fixture
def command(run: Run, account: FakeAccount, monkeypatch: pytest.MonkeyPatch) -> Command:
    """``kms-tui COMMAND … --region eu-west-1`` on the account."""

    def open_account(connection: Connection) -> FakeAccount:
        assert connection.region
        return account.in_region(connection.region)

    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_account)
    return lambda name, *arguments, stdin=b"": run(name, *arguments, "--region", "eu-west-1", stdin=stdin)


def written(path: str) -> dict[str, Any]:
    shape: dict[str, Any] = json.loads(Path(path).read_text())
    return shape


def test_a_snapshot_has_all_facts_of_all_keys(command: Command, account: FakeAccount) -> None:
    account.keys[key_id(1)].grants = [
        {"GrantId": "g1", "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/app", "Operations": ["Decrypt"]}
    ]
    ended = command("snapshot", "-o", "prod.json")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.decode() == "The facts of 3 keys are in prod.json.\n"
    shape = written("prod.json")
    assert shape["regions"] == [
        {"account": ACCOUNT, "region": "eu-west-1", "keys": {"known": 3}, "aliases": {"known": 2}}
    ]
    first, second, managed = shape["keys"]
    assert first["aliases"] == {"known": ["alias/orders"]}
    assert first["tags"] == {"known": {"team": "shop"}}
    assert first["rotation"]["known"]["period_days"] == 365
    assert first["policy"] == {"known": json.loads(FINE)}
    assert first["grants"]["known"][0]["operations"] == ["Decrypt"]
    assert second["described"]["known"]["description"] == "invoices"
    assert managed["described"]["known"]["manager"] == "AWS"
    assert {managed[fact] for fact in ("rotation", "tags", "policy", "grants")} == {"not applicable"}


def test_each_fact_is_asked_for_once_and_nothing_else(command: Command, account: FakeAccount) -> None:
    command("snapshot")
    assert {operation: account.count(operation) for operation, _ in account.calls} == {
        "ListKeys": 1,
        "ListAliases": 1,
        "DescribeKey": 3,
        "GetKeyRotationStatus": 2,
        "ListResourceTags": 2,
        "GetKeyPolicy": 2,
        "ListGrants": 2,
    }


def test_without_a_file_it_goes_to_standard_output_and_twice_it_is_the_same(command: Command) -> None:
    one, other = (command("snapshot").out.decode().splitlines() for _ in range(2))
    assert [line for line in one if '"time"' not in line] == [line for line in other if '"time"' not in line]


def test_the_schema_is_printed_without_a_connection(run: Run) -> None:
    ended = run("snapshot", "--schema")
    assert ended.code == 0
    Draft202012Validator.check_schema(json.loads(ended.out))


def test_the_schema_goes_where_the_output_is_to_go(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    ended = run("snapshot", "--schema", "-o", str(path))
    assert (ended.code, ended.out) == (0, b"")
    assert path.read_text() == schema_text()


def test_a_snapshot_is_read_from_standard_input(command: Command) -> None:
    content = command("snapshot").out
    ended = command("diff", "-", stdin=content)
    assert (ended.code, ended.err) == (0, "")
    assert b"No change in 3 keys" in ended.out
    Path("old.json").write_bytes(content)
    ended = command("diff", "old.json", "-", stdin=content)
    assert (ended.code, ended.err) == (0, "")
    ended = command("diff", "old.json", "-", stdin=b"")
    assert ended.code == 2
    assert ended.err.startswith("kms-tui diff: Standard input is no snapshot: ")
    ended = command("diff", "-", "-", stdin=content)
    assert (ended.code, ended.out) == (2, b"")
    assert "standard input can be read once only: give the other as a file" in ended.err


def test_what_is_denied_is_told_stands_in_the_file_and_is_2(command: Command, account: FakeAccount) -> None:
    account.fail[("GetKeyPolicy", key_id(1))] = denied("GetKeyPolicy")
    account.fail["ListGrants"] = EndpointError(HOSTILE)
    ended = command("snapshot", "-o", "prod.json")
    assert ended.code == 2
    assert ended.err.splitlines() == ["The key policy of orders: denied.", "The grants of 2 keys: failed."]
    first, *_ = written("prod.json")["keys"]
    assert first["policy"] == {"denied": "AccessDeniedException: not allowed to GetKeyPolicy"}
    assert first["grants"] == {"failed": HOSTILE}
    compared = command("diff", "prod.json")
    assert compared.code == 2
    assert compared.err.splitlines()[:2] == ended.err.splitlines()


def test_a_region_that_cannot_be_listed_is_told_and_no_key_of_it_is_gone(
    run: Run, command: Command, account: FakeAccount
) -> None:
    account.others["us-east-1"] = FakeAccount([FakeKey(key_id(9), policy=FINE)], region="us-east-1")
    regions = ("--regions", "eu-west-1,us-east-1")
    assert run("snapshot", "-o", "old.json", *regions).code == 0
    account.others["us-east-1"].fail |= {name: denied(name) for name in ("ListKeys", "ListAliases")}
    assert run("snapshot", "-o", "new.json", *regions).code == 2
    ended = run("diff", "old.json", "new.json")
    assert ended.code == 2
    text = ended.out.decode()
    assert f"The keys of us-east-1 of {ACCOUNT} were not compared: denied now." in text
    assert "No change in 3 keys" in text
    assert "Not all could be compared" in ended.err


def test_no_answer_for_too_long_leaves_facts_unread(
    command: Command, account: FakeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kms_tui.inventory.whole_reading._STALL_SECONDS", 0.0)
    account.fail["GetKeyPolicy"] = EndpointError("kms went away.")
    ended = command("snapshot", "-o", "prod.json")
    assert ended.code == 2
    assert "The grants of 2 keys: not read." in ended.err
    assert {json.dumps(each["grants"]) for each in written("prod.json")["keys"][:2]} == {'"not read"'}


def test_nothing_changed_is_0_and_changes_are_1_the_gravest_first(
    command: Command, account: FakeAccount
) -> None:
    assert command("snapshot", "-o", "prod.json").code == 0
    ended = command("diff", "prod.json")
    assert (ended.code, ended.err) == (0, "")
    assert "No change in 3 keys since" in ended.out.decode()
    account.keys[key_id(1)].tags = {"team": "ops"}
    account.keys[key_id(2)].policy = OPEN
    account.keys[key_id(2)].metadata |= {
        "KeyState": "PendingDeletion",
        "DeletionDate": NOW + timedelta(days=7),
        "Description": HOSTILE,
    }
    ended = command("diff", "prod.json", "live")
    assert (ended.code, ended.err) == (1, "")
    lines = ended.out.decode().splitlines()
    shown = [re.split(" {2,}", line) for line in lines if line.startswith(("high", "medium", "low"))]
    assert [(severity, change) for severity, change, *_ in shown] == [
        ("high", "Deletion scheduled"),
        ("high", "Policy lets more in"),
        ("low", "Tags"),
        ("low", "Description"),
    ]
    assert lines[-1].startswith("4 changes in 3 keys since ")


@pytest.mark.parametrize("form", ["table", "md", "json"])
def test_untrusted_text_is_shown_as_text(command: Command, account: FakeAccount, form: str) -> None:
    command("snapshot", "-o", "prod.json")
    account.keys[key_id(1)].metadata["Description"] = HOSTILE
    account.keys[key_id(1)].tags = {HOSTILE: HOSTILE}
    account.keys[key_id(1)].aliases = (HOSTILE,)
    text = command("diff", "prod.json", "--format", form).out.decode()
    assert "payroll" in text
    assert {unicodedata.category(char) for char in text} & {"Cc", "Cf", "Cs"} == {"Cc"}
    assert {char for char in text if unicodedata.category(char) == "Cc"} == {"\n"}
    if form == "md":
        assert "\\|pipe\\`code\\`" in text


def test_json_has_every_change_with_both_values(command: Command, account: FakeAccount) -> None:
    command("snapshot", "-o", "prod.json")
    account.keys[key_id(1)].rotation = {"KeyRotationEnabled": False}
    account.keys[key_id(2)].policy = json.dumps(json.loads(FINE), indent=7)
    shape = json.loads(command("diff", "prod.json", "--format", "json").out)
    (change,) = shape["changes"]
    assert (change["kind"], change["severity"], change["key"]) == ("rotation-off", "medium", "orders")
    assert (change["before"], change["after"]) == ("every 365 days", "off")
    assert (shape["whole"], shape["summary"]) == (True, {"rotation-off": 1})
    assert shape["regions"] == [{"account": ACCOUNT, "region": "eu-west-1"}]


def test_the_result_goes_to_a_file_and_the_summary_to_the_terminal(command: Command) -> None:
    command("snapshot", "-o", "prod.json")
    ended = command("diff", "prod.json", "--format", "md", "-o", "changes.md")
    assert ended.out.decode().startswith("No change in 3 keys since ")
    assert Path("changes.md").read_text().startswith(f"# KMS keys of eu-west-1 of {ACCOUNT}: changes from ")


def test_live_reads_the_regions_of_the_snapshot(run: Run, command: Command, account: FakeAccount) -> None:
    account.others["us-east-1"] = FakeAccount([FakeKey(key_id(9), policy=FINE)], region="us-east-1")
    run("snapshot", "-o", "prod.json", "--regions", "eu-west-1,us-east-1")
    ended = run("diff", "prod.json")
    assert ended.code == 0
    assert "No change in 4 keys" in ended.out.decode()
    one = command("diff", "prod.json")
    assert one.code == 2
    assert f"us-east-1 of {ACCOUNT} is in the snapshot only" in one.out.decode()


def test_where_nobody_tells_the_account_it_is_that_of_the_keys(
    command: Command, account: FakeAccount
) -> None:
    account.account_id = ""
    assert command("snapshot", "-o", "prod.json").code == 0
    assert [each["account"] for each in written("prod.json")["regions"]] == [ACCOUNT]
    assert command("diff", "prod.json").code == 0


def test_two_files_are_compared_without_a_connection(
    command: Command, account: FakeAccount, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("snapshot", "-o", "old.json")
    account.keys.pop(key_id(2))
    command("snapshot", "-o", "new.json")
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", pytest.fail)
    ended = run("diff", "old.json", "new.json")
    assert ended.code == 1
    assert "Key gone" in ended.out.decode()


def test_another_account_than_the_live_one_is_told_before_anything_is_read(
    command: Command, account: FakeAccount
) -> None:
    command("snapshot", "-o", "prod.json")
    account.calls.clear()
    path = Path("prod.json")
    path.write_text(path.read_text().replace(ACCOUNT, "999988887777"))
    ended = command("diff", "prod.json")
    assert (ended.code, ended.out) == (2, b"")
    assert ended.err == (
        "kms-tui diff: There is nothing to compare: the snapshot is of eu-west-1 of 999988887777, "
        f"the other of eu-west-1 of {ACCOUNT}.\nCompare with the same account and Region.\n"
    )
    assert account.count("DescribeKey") == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "none.json could not be read"),
        ("", "the file is empty"),
        ('{"format": "kms-tui snapshot", "version": 9}', "a snapshot of version 9"),
        ('{"format": "kms-tui snapshot\x1b[2J"}', "no snapshot"),
    ],
)
def test_bad_files_are_2_and_nothing_is_called(
    command: Command, account: FakeAccount, content: str | None, sentence: str
) -> None:
    if content is not None:
        Path("none.json").write_text(content)
    ended = command("diff", "none.json")
    assert (ended.code, ended.out) == (2, b"")
    assert sentence in ended.err
    assert "\x1b" not in ended.err
    assert account.calls == []


@pytest.mark.parametrize("arguments", [("snapshot", "FILE"), ("diff",), ("diff", "a", "b", "c")])
def test_bad_usage_is_2(command: Command, arguments: tuple[str, ...]) -> None:
    assert command(*arguments).code == 2


@pytest.mark.parametrize("error", [CredentialsError("The SSO session has expired."), denied("ListKeys")])
def test_without_any_key_nothing_is_written(command: Command, account: FakeAccount, error: Exception) -> None:
    account.fail |= {"ListKeys": error, "ListAliases": error}
    ended = command("snapshot", "-o", "prod.json")
    assert ended.code == 2
    assert str(error) in ended.err
    assert not Path("prod.json").exists()


def test_ctrl_c_ends_it_with_130_and_nothing_written(command: Command, account: FakeAccount) -> None:
    def interrupt(operation: str, _key: str) -> None:
        if operation == "ListGrants":
            _thread.interrupt_main()
            threading.Event().wait(5)

    account.before = interrupt
    ended = command("snapshot", "-o", "prod.json")
    assert (ended.code, ended.out) == (130, b"")
    assert ended.err == "Stopped. No snapshot was written.\n"
    assert not Path("prod.json").exists()


def test_the_demo_is_the_same_account_each_time(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_backend)
    assert run("snapshot", "--demo", "-o", "demo.json").code == 0
    shape = written("demo.json")
    Draft202012Validator(json.loads(schema_text())).validate(shape)
    assert len(shape["keys"]) > 40
    ended = run("diff", "demo.json", "--demo")
    assert (ended.code, ended.err) == (0, "")
