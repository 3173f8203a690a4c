"""The menu of actions: groups, a filter, and refused actions with their reasons."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from kms_tui.backend.base import Backend
from kms_tui.ui.actions.action_menu import ActionMenu
from kms_tui.ui.actions.action_table import ACTIONS, Group
from kms_tui.ui.actions.viewing_actions import cannot_use_on_scratchpad
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.policy_editor.editor_screen import PolicyEditor
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press, state_of


def lines(pilot: Pilot[Any]) -> list[str]:
    return [" ".join(str(option.prompt).split()) for option in pilot.app.screen.query_one(OptionList).options]


def test_every_action_stands_below_the_heading_of_its_group(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        await press(pilot, "m")
        options = pilot.app.screen.query_one(OptionList).options
        assert [str(option.prompt) for option in options if option.id is None] == list(Group)
        assert {option.id for option in options if option.id} == set(ACTIONS)
        below = ""
        for option in options:
            if option.id is None:
                below = str(option.prompt)
            else:
                assert ACTIONS[option.id].group == below

    drive(make_app(), script)


def test_typing_filters_and_enter_does_the_first_that_is_possible(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "orders-db")
        await press(pilot, "m", *"disablekey")
        assert len(pilot.app.screen.query_one(OptionList).options) == 4, "two headings, rotation and key"
        await press(pilot, "down", "enter")
        assert isinstance(pilot.app.screen, Dialog)
        assert not isinstance(pilot.app.screen, ActionMenu)
        await press(pilot, "y")
        assert state_of(demo, key_id) == "Disabled"

    drive(make_app(), script)


def test_a_refused_action_says_why_and_cannot_be_chosen(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "payments-signing")
        await press(pilot, "m", *"rotate now")
        assert any("not now: RSA-3072 keys cannot rotate" in line for line in lines(pilot)), lines(pilot)
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, ActionMenu)
        pilot.app.screen.query_one("#menu-filter", Input).value = "nothing of the kind"
        await pilot.pause()
        assert lines(pilot) == []
        await press(pilot, "enter", "escape")
        assert not isinstance(pilot.app.screen, ActionMenu)

    drive(make_app(), script)


def test_an_action_for_one_key_tells_how_to_take_the_marks_away(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "space", "space", "e")
        said = notifications(app)
        assert "one key at a time, and 2 are marked. u takes all marks away." in said
        await press(pilot, "u", "e")
        assert isinstance(pilot.app.screen, PolicyEditor)

    app = make_app()
    drive(app, script)


def test_the_scratchpad_calls_a_key_that_is_not_read_yet_no_key_that_cannot_be_described() -> None:
    assert cannot_use_on_scratchpad(Subject("k", "arn", "eu-west-1", (), None)).startswith(
        "its description is not read"
    )
