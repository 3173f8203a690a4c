"""``kms-tui plan-move``: on the demo and its organization, stopped, and with bad input."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kms_tui.cli.connection import open_backend
from tests.unit.cli.conftest import Run


@pytest.fixture(autouse=True)
def _real_connections(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_backend)


def test_the_plan_stands_where_the_scan_has_gaps(run: Run) -> None:
    ended = run("plan-move", "alias/orders-db", "--to", "alias/sandbox", "--demo")
    text = ended.out.decode()
    assert ended.code == 2
    assert ended.err == "The plan is not whole: it says what was not checked, and why.\n"
    assert "5 in place, 3 by copy" in text
    assert all(words in text for words in ("order-events-dead", "# Aliases to repoint", "acme-legal-hold"))


def test_a_program_reads_it(run: Run) -> None:
    ended = run("plan-move", "alias/orders-db", "--to", "new", "--demo", "--format", "json")
    shape = json.loads(ended.out)
    assert shape["new_key"] is None
    assert not shape["whole"]
    assert {each["how"] for each in shape["moves"]} == {"in place", "by copy"}
    assert shape["aliases"] == ["alias/orders-db", "alias/orders-db-2024"]


def test_the_script_is_written_to_a_file(run: Run, tmp_path: Path) -> None:
    flags = ("--demo", "--format", "sh", "-o", "move.sh", "--accounts", "organization")
    ended = run("plan-move", "alias/orders-db", "--to", "alias/sandbox", *flags)
    assert ended.code == 2
    assert ended.out.decode().endswith("5 in place, 3 by copy.\n")
    subprocess.run(["sh", "-n", "move.sh"], cwd=tmp_path, check=True, timeout=20)
    assert "suspended" in (tmp_path / "move.sh").read_text()


def test_ctrl_c_leaves_no_plan(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def followed(work: Callable[[], object], progress: Callable[[], object], *, name: str) -> None:
        work()
        progress()
        raise KeyboardInterrupt

    monkeypatch.setattr("kms_tui.cli.plan_move_command.followed", followed)
    ended = run("plan-move", "alias/orders-db", "--to", "new", "--demo", "-o", "plan.md")
    assert (ended.code, ended.out) == (130, b"")
    assert not Path("plan.md").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("alias/orders-db",), "required: --to"),
        (("alias/orders-db", "--to", "alias/nothing"), "NotFoundException"),
        (("alias/nothing", "--to", "new"), "NotFoundException"),
        (("alias/orders-db", "--to", ""), "failed to satisfy constraint"),
        (("alias/orders-db", "--to", "alias/orders-db-2024"), "is an alias of the key itself"),
        (("alias/orders-db", "--to", "alias/aws/s3"), "is a key that AWS manages"),
        (("alias/orders-db", "--to", "alias/old-backups"), "is scheduled for deletion"),
        (("alias/orders-db", "--to", "alias/partner-inbox"), "services encrypt with symmetric keys only"),
        (("alias/orders-db", "--to", "alias/payments-signing"), "has the usage SIGN_VERIFY"),
        (
            ("alias/orders-db", "--to", "arn:aws:kms:us-east-1:111122223333:alias/global-config"),
            "Name its replica there: arn:aws:kms:eu-west-1:111122223333:key/mrk-",
        ),
        (("alias/aws/s3", "--to", "new"), "No key is made like one that AWS manages"),
        (("alias/orders-db", "--to", "new", "--format", "xml"), "invalid choice"),
        (("alias/orders-db", "--to", "new", "--regions", "eu-west-1"), "a key is used in its own Region"),
    ],
)
def test_bad_input_is_a_sentence_and_exits_with_2(run: Run, arguments: tuple[str, ...], words: str) -> None:
    ended = run("plan-move", *arguments, "--demo")
    assert ended.code == 2
    assert words in ended.err
    assert "Traceback" not in ended.err
