"""w on each list: what the file then holds, and what a file that cannot be written gets."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Select, Static

from kms_tui.backend.base import Backend
from kms_tui.ui.actions.export_actions import ExportForm
from kms_tui.ui.widgets.filter_line import FilterLine
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press, settled


async def write_to(pilot: Pilot[Any], path: Path) -> None:
    assert isinstance(pilot.app.screen, ExportForm)
    pilot.app.screen.query_one("#path", Input).value = str(path)
    await settled(pilot)
    await press(pilot, "ctrl+s")


def field_error(pilot: Pilot[Any]) -> str:
    return str(pilot.app.screen.query_one("#path-error", Static).render())


def test_the_key_list_is_written_as_it_is_filtered_with_its_marks(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    hostile = '=HYPERLINK("http://x")\x1b[2J'
    key_id = demo.call("DescribeKey", {"KeyId": "alias/payments-cards"})["KeyMetadata"]["KeyId"]
    demo.call("UpdateKeyDescription", {"KeyId": key_id, "Description": hostile})
    target = tmp_path / "keys.csv"

    async def script(pilot: Pilot[Any]) -> None:
        pilot.app.screen.query_one(FilterLine).input.value = "payments"
        await settled(pilot)
        await go_to(pilot, "payments-webhooks")
        await press(pilot, "space", "w")
        await write_to(pilot, target)
        assert str(target) in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(), script)
    rows = {row["name"]: row for row in csv.DictReader(target.read_text("utf-8").splitlines())}
    assert list(rows) == ["payments-cards", "payments-signing", "payments-webhooks"]
    assert [row["marked"] for row in rows.values()] == ["", "", "yes"]
    assert rows["payments-cards"]["key_id"] == key_id
    assert rows["payments-cards"]["rotation"] == "180 days"
    assert rows["payments-cards"]["description"] == '\'=HYPERLINK("http://x")␛[2J'
    assert rows["payments-signing"]["rotation"] == ""
    assert rows["payments-signing"]["tags"] == "not read"


def test_format_and_ending_follow_each_other(make_app: MakeApp, tmp_path: Path) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "2", "w")
        form = pilot.app.screen
        form.query_one("#format", Select).value = "json"
        await settled(pilot)
        assert form.query_one("#path", Input).value == "kms-tui-aliases.json"
        await write_to(pilot, tmp_path / "aliases.md")

    drive(make_app(), script)
    text = (tmp_path / "aliases.md").read_text("utf-8")
    assert text.startswith("# Aliases of eu-west-1\n")
    assert "| alias/orders-db |" in text


def test_an_existing_file_is_replaced_only_when_that_is_asked_for(make_app: MakeApp, tmp_path: Path) -> None:
    target = tmp_path / "aliases.json"
    target.write_text("mine")

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "2", "w")
        await write_to(pilot, target)
        assert "exists already" in field_error(pilot)
        assert target.read_text() == "mine"
        pilot.app.screen.query_one("#overwrite").focus()
        await press(pilot, "space", "ctrl+s")
        assert not isinstance(pilot.app.screen, ExportForm)

    drive(make_app(), script)
    assert "alias/orders-db" in {row["alias"] for row in json.loads(target.read_text("utf-8"))}


@pytest.mark.skipif(os.name == "nt", reason="permissions are POSIX's")
def test_a_path_that_cannot_be_written_says_why_beside_the_field_and_keeps_it(
    make_app: MakeApp, tmp_path: Path
) -> None:
    missing = tmp_path / "nowhere" / "aliases.csv"

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "2", "w")
        await write_to(pilot, missing)
        assert "could not be written: No such file or directory" in field_error(pilot)
        assert pilot.app.screen.query_one("#path", Input).value == str(missing)
        await write_to(pilot, tmp_path)
        assert "is a directory" in field_error(pilot)
        await write_to(pilot, Path("~nobody-of-that-name/aliases.csv"))
        assert "No such file or directory" in field_error(pilot)
        await write_to(pilot, Path("a\0b"))
        assert "NUL" in field_error(pilot)

    drive(make_app(), script)
    assert list(tmp_path.iterdir()) == []


def test_the_log_is_a_shell_script_or_a_table(make_app: MakeApp, tmp_path: Path) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "old-backups")
        await press(pilot, "U", "exclamation_mark", "w")
        await write_to(pilot, tmp_path / "log.sh")
        await press(pilot, "w")
        await write_to(pilot, tmp_path / "log.json")

    drive(make_app(), script)
    assert "aws kms cancel-key-deletion --key-id" in (tmp_path / "log.sh").read_text()
    ((call),) = json.loads((tmp_path / "log.json").read_text())
    assert (call["operation"], call["result"]) == ("CancelKeyDeletion", "done")
