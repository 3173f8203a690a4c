"""The log: what this session changed, as commands to copy or to keep, without what is secret."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from kms_tui.backend.base import Backend
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.ui.app import KmsApp
from kms_tui.ui.dialogs.text_screen import HelpScreen
from kms_tui.ui.widgets.line_table import LineTable
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, press
from tests.ui.test_many_keys import Refusing, body

PASSWORD = "hunter22-secret"


def test_changes_are_listed_newest_first_with_their_outcome_and_reads_only_counted(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    script_file = tmp_path / "session.sh"

    def refuse(operation: str, params: Mapping[str, Any]) -> None:
        if operation == "EnableKey":
            raise ServiceError("AccessDeniedException", "no\nway", operation=operation)

    async def script(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, KmsApp)
        assert app.session is not None
        key = await go_to(pilot, "sandbox")
        await press(pilot, "X", "tab", "enter", "x")
        store = {"CustomKeyStoreName": "mine", "KeyStorePassword": PASSWORD}
        with pytest.raises(KmsTuiError) as refused:
            app.session.kms.call("CreateCustomKeyStore", **store)
        assert PASSWORD not in str(refused.value)
        await press(pilot, "exclamation_mark")
        rows = [row.cells for row in app.screen.query_one(LineTable).rows]
        assert [cells[1][0] for cells in rows] == ["eu-west-1"] * 3
        assert [str(cells[3]).split()[2] for cells in rows] == [
            "create-custom-key-store",
            "enable-key",
            "disable-key",
        ]
        assert [cells[2][0] for cells in rows[1:]] == ["AccessDeniedException", "done"]
        assert rows[2][3] == (
            f"aws kms disable-key --key-id {key} --region eu-west-1 --profile dev "
            "--endpoint-url http://localhost:4566"
        )
        assert "1 change · 2 failed · " in body(pilot)
        await press(pilot, "w")
        app.screen.query_one("#path", Input).value = str(script_file)
        await press(pilot, "enter")
        assert PASSWORD not in app.export_screenshot()

    drive(make_app(Refusing(demo, refuse), profile="dev", endpoint_url="http://localhost:4566"), script)
    text = script_file.read_text()
    assert PASSWORD not in text
    lines = text.splitlines()
    assert lines[2].startswith("aws kms disable-key")
    assert lines[3].startswith("# AccessDeniedException: aws kms enable-key")
    subprocess.run(["sh", "-n", str(script_file)], check=True)


def test_the_palette_finds_an_act_by_the_name_of_its_call_and_dialogs_explain_themselves(
    make_app: MakeApp,
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        await press(pilot, "colon", *"DisableKey ", "backspace")
        await press(pilot, "down", "enter")
        assert "Disable sandbox?" in body(pilot)
        await press(pilot, "question_mark")
        assert isinstance(pilot.app.screen, HelpScreen)
        assert "esc closes this without doing anything" in body(pilot)
        await press(pilot, "escape", "escape", "i", "f1")
        assert isinstance(pilot.app.screen, HelpScreen)

    drive(make_app(), script)
