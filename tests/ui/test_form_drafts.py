"""What is typed into a form that is cancelled: kept for the same thing, as long as it is up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Checkbox, Input, TextArea

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, press


def typed(pilot: Pilot[Any], name: str) -> str:
    return pilot.app.screen.query_one(f"#{name}", Input).value


def test_a_cancelled_form_is_there_again_for_its_own_key_alone(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        await press(pilot, "a", *"orders-new", "escape")
        await go_to(pilot, "invoices")
        await press(pilot, "a")
        assert typed(pilot, "alias") == ""
        await press(pilot, "escape")
        await go_to(pilot, "orders-db")
        await press(pilot, "a")
        assert typed(pilot, "alias") == "orders-new"
        await press(pilot, "ctrl+r")
        assert typed(pilot, "alias") == ""

    drive(make_app(), script)


def test_a_draft_does_not_undo_what_was_changed_meanwhile(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "customer-pii")
        await press(pilot, "t", *"mine=1", "enter", "escape")
        demo.call("TagResource", {"KeyId": key, "Tags": [{"TagKey": "hold", "TagValue": "legal"}]})
        await press(pilot, "t")
        assert "mine=1" not in pilot.app.screen.query_one("#tags", TextArea).text
        await press(pilot, "ctrl+s")
        assert "hold" in [tag.key for tag in Kms(demo).tags(key)]

    drive(make_app(), script)


def test_the_consent_to_replace_a_file_is_given_each_time(make_app: MakeApp, tmp_path: Path) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "w")
        path = str(tmp_path / "keys.csv")
        pilot.app.screen.query_one("#path", Input).value = path
        pilot.app.screen.query_one("#overwrite", Checkbox).value = True
        await press(pilot, "escape", "w")
        assert typed(pilot, "path") == path
        assert not pilot.app.screen.query_one("#overwrite", Checkbox).value

    drive(make_app(), script)
