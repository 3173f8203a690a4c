"""T: keys as infrastructure code, shown, copied and written, with what the code does not hold."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from kms_tui.backend.base import Backend
from kms_tui.ui.actions.code_actions import CodeScreen, FilesForm
from kms_tui.ui.dialogs.output_screen import SaveForm
from kms_tui.ui.dialogs.questions import Choose
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press, settled


async def show(pilot: Pilot[Any], form: int) -> CodeScreen:
    """The code of the chosen keys in one of the formats of the menu."""
    await press(pilot, "T")
    assert isinstance(pilot.app.screen, Choose)
    pilot.app.screen.query_one(OptionList).highlighted = form
    await press(pilot, "enter")
    await settled(pilot)
    assert isinstance(pilot.app.screen, CodeScreen)
    return pilot.app.screen


def words(screen: CodeScreen) -> str:
    return "\n".join(str(each.render()) for each in screen.query(Static))


def test_a_key_is_shown_as_terraform_and_written_to_a_file(make_app: MakeApp, tmp_path: Path) -> None:
    target = tmp_path / "keys.tf"

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        screen = await show(pilot, 0)
        text = screen.code.files["kms_keys.tf"]
        assert 'resource "aws_kms_key" "orders_db"' in text
        assert screen.output.text == text
        assert "Of the grants of alias/orders-db " in words(screen)
        assert shlex.split(screen.command)[:2] == ["kms-tui", "code"]
        assert shlex.split(screen.command)[-3:] == ["-o", "infrastructure", "--demo"]
        await press(pilot, "w")
        assert isinstance(pilot.app.screen, SaveForm)
        pilot.app.screen.query_one("#path", Input).value = str(target)
        await press(pilot, "ctrl+s")
        assert target.read_text() == text

    drive(make_app(), script)


def test_marked_keys_are_one_stack_whose_files_are_written_together(
    make_app: MakeApp, tmp_path: Path
) -> None:
    folder = tmp_path / "stack"

    async def script(pilot: Pilot[Any]) -> None:
        for alias in ("orders-db", "payments-cards"):
            await go_to(pilot, alias)
            await press(pilot, "space")
        screen = await show(pilot, 1)
        assert "Files" in words(screen)
        await press(pilot, "w")
        assert isinstance(pilot.app.screen, FilesForm)
        pilot.app.screen.query_one("#path", Input).value = str(folder)
        await press(pilot, "ctrl+s")
        assert str(folder) in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(), script)
    assert sorted(path.name for path in folder.iterdir()) == ["kms-keys.yaml", "resources-to-import.json"]
    listed = json.loads((folder / "resources-to-import.json").read_text())
    kinds = {each["LogicalResourceId"]: each["ResourceType"] for each in listed}
    assert {name for name, kind in kinds.items() if kind == "AWS::KMS::Key"} == {"OrdersDb", "PaymentsCards"}


@pytest.mark.parametrize(("form", "alias"), [(0, "transport-pq")])
def test_a_key_that_the_format_cannot_hold_is_said(make_app: MakeApp, form: int, alias: str) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, alias)
        await press(pilot, "T")
        pilot.app.screen.query_one(OptionList).highlighted = form
        await press(pilot, "enter")
        await settled(pilot)
        assert "which no AWS provider is known to take" in notifications(pilot.app)  # type: ignore[arg-type]
        assert not isinstance(pilot.app.screen, CodeScreen)

    drive(make_app(), script)


def test_what_cannot_be_read_is_said_and_nothing_is_written(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "old-backups")
        await press(pilot, "T")
        assert "scheduled for deletion" in notifications(pilot.app)  # type: ignore[arg-type]
        assert not isinstance(pilot.app.screen, Choose)

    drive(make_app(), script)
