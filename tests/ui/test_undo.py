"""Taking changes back from the console: it says what it will call, and the backend holds what it held."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot
from textual.widgets import Button, Input, TextArea

from kms_tui.backend.base import Backend
from kms_tui.config import ProfileSettings
from kms_tui.inventory import Pace
from kms_tui.session import BackendKind, Connection, Prompt, Session, open_session
from kms_tui.ui.app import KmsApp
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.dialogs.questions import Confirm
from kms_tui.ui.widgets.line_table import LineTable
from tests.ui.conftest import MakeApp, fixed_now
from tests.ui.console import drive, go_to, notifications, press, settled, state_of
from tests.ui.test_many_keys import body, key_id, mark


async def describe(pilot: Pilot[Any], text: str) -> None:
    """Give the key under the cursor another description."""
    await press(pilot, "i")
    pilot.app.screen.query_one("#description", TextArea).text = text
    await press(pilot, "ctrl+s")


async def schedule_deletion(pilot: Pilot[Any], name: str) -> None:
    """Schedule the deletion of the key under the cursor, typing its name."""
    await press(pilot, "D")
    pilot.app.screen.query_one("#typed-name", Input).focus()
    await press(pilot, *name, "enter")


def test_undo_says_what_it_will_call_and_a_scheduled_deletion_leaves_the_key_enabled(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "sandbox")
        await schedule_deletion(pilot, "sandbox")
        assert state_of(demo, key) == "PendingDeletion"
        await press(pilot, "ctrl+z")
        assert isinstance(pilot.app.screen, Confirm)
        assert f"aws kms cancel-key-deletion --key-id {key}" in body(pilot)
        assert f"aws kms enable-key --key-id {key}" in body(pilot)
        await press(pilot, "enter")
        assert state_of(demo, key) == "PendingDeletion", "the dialog starts on Cancel"
        await press(pilot, "ctrl+z", "tab", "enter")
        assert state_of(demo, key) == "Enabled"
        await press(pilot, "ctrl+z")
        assert "Nothing has been changed" in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(), script)


def test_an_undo_takes_away_what_was_said_of_the_change_and_nothing_else(
    make_app: MakeApp, demo: Backend
) -> None:
    app = make_app()

    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "sandbox")
        await press(pilot, "X", "y")
        assert state_of(demo, key) == "Disabled"
        await go_to(pilot, "orders-db")
        await describe(pilot, "other words")
        app.notify("An error that nobody has read yet.", severity="error")
        await settled(pilot)
        before = notifications(app)
        assert "sandbox disabled." in before
        assert "orders-db" in before
        await press(pilot, "ctrl+z", "y")
        after = notifications(app)
        assert "UpdateKeyDescription of orders-db is undone." in after
        assert "sandbox disabled." in after, "that is still true"
        assert "An error that nobody has read yet." in after
        gone = set(before.splitlines()) - set(after.splitlines())
        assert gone == {" The description of orders-db is saved."}
        await press(pilot, "ctrl+z", "y")
        assert state_of(demo, key) == "Enabled"
        assert "sandbox disabled." not in notifications(app)
        assert "DisableKey of sandbox is undone." in notifications(app)

    drive(app, script)


def test_a_deleted_alias_comes_back_from_another_screen(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "sandbox")
        await press(pilot, "minus", "tab", "enter")
        assert demo.call("ListAliases", {"KeyId": key})["Aliases"] == []
        await press(pilot, "2", "ctrl+z", "tab", "enter")
        assert [each["AliasName"] for each in demo.call("ListAliases", {"KeyId": key})["Aliases"]] == [
            "alias/sandbox"
        ]

    drive(make_app(), script)


def test_what_was_done_to_many_is_taken_back_at_once(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        keys = await mark(pilot, "sandbox", "search-index", "sandbox-old")
        await press(pilot, "X", "tab", "enter", "escape")
        assert "Disable 2 keys" in notifications(pilot.app)  # type: ignore[arg-type]
        await press(pilot, "ctrl+z")
        assert "DisableKey on 2 keys" in body(pilot)
        await press(pilot, "tab", "enter")
        assert "Disable 2 keys" not in notifications(pilot.app)  # type: ignore[arg-type]
        assert [state_of(demo, key) for key in keys] == ["Enabled", "Enabled", "Disabled"]

    drive(make_app(), script)


def test_a_change_that_somebody_overwrote_is_taken_back_only_after_a_warning(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "sandbox")
        await describe(pilot, "mine")
        demo.call("UpdateKeyDescription", {"KeyId": key, "Description": "theirs"})
        await press(pilot, "ctrl+z")
        assert "It was changed again since" in body(pilot)
        await press(pilot, "escape")
        metadata = demo.call("DescribeKey", {"KeyId": key})["KeyMetadata"]
        assert metadata["Description"] == "theirs"

    drive(make_app(), script)


def test_a_change_that_no_longer_stands_is_skipped_for_the_one_before_it(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "sandbox")
        await describe(pilot, "mine")
        await schedule_deletion(pilot, "sandbox")
        await press(pilot, "U", "tab", "enter")
        assert state_of(demo, key) == "Disabled"
        await press(pilot, "ctrl+z")
        assert f"aws kms schedule-key-deletion --key-id {key} --pending-window-in-days 30" in body(pilot)
        pilot.app.screen.query_one("#confirm", Button).press()
        await settled(pilot)
        assert state_of(demo, key) == "Disabled", "a deletion asks for the name"
        pilot.app.screen.query_one("#skip", Button).press()
        await settled(pilot)
        assert "It was changed again since, from here, by CancelKeyDeletion" in body(pilot)
        pilot.app.screen.query_one("#skip", Button).press()
        await settled(pilot)
        assert "--description" in body(pilot)
        await press(pilot, "tab", "enter")
        description = demo.call("DescribeKey", {"KeyId": key})["KeyMetadata"]["Description"]
        assert description != "mine"
        await press(pilot, "ctrl+z")
        assert "CancelKeyDeletion of sandbox: it was skipped." in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(), script)


def test_an_undo_that_is_refused_says_so_and_can_be_tried_again(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        await press(pilot, "minus", "tab", "enter")
        demo.call("CreateAlias", {"AliasName": "alias/sandbox", "TargetKeyId": key_id(demo, "ledger")})
        await press(pilot, "ctrl+z")
        assert "It was changed again since" in body(pilot)
        await press(pilot, "tab", "enter")
        assert "AlreadyExistsException" in notifications(pilot.app)  # type: ignore[arg-type]
        assert key_id(demo, "sandbox") == key_id(demo, "ledger")
        await press(pilot, "ctrl+z")
        assert isinstance(pilot.app.screen, Confirm)

    drive(make_app(), script)


def test_a_protected_key_asks_for_its_name_on_the_alias_screen_and_before_an_undo(demo: Backend) -> None:
    settings = ProfileSettings(protected=("sandbox",))

    def opener(chosen: Connection, _prompt: Prompt) -> Session:
        return open_session(chosen, demo, settings, now=fixed_now, pace=Pace(rest=10_000))

    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "sandbox")
        await press(pilot, "2")
        pilot.app.screen.query_one(LineTable).go_to("alias/sandbox")
        await press(pilot, "minus")
        assert "protects this key" in body(pilot)
        await press(pilot, "escape")
        assert demo.call("ListAliases", {"KeyId": key})["Aliases"]
        await press(pilot, "minus")
        pilot.app.screen.query_one("#typed-name", Input).focus()
        await press(pilot, *"sandbox", "enter", "tab", "enter")
        assert not demo.call("ListAliases", {"KeyId": key})["Aliases"]
        await press(pilot, "ctrl+z")
        assert "protects this key" in body(pilot)
        await press(pilot, "escape")
        assert not demo.call("ListAliases", {"KeyId": key})["Aliases"]

    drive(KmsApp(opener, Connection(BackendKind.DEMO)), script)


def test_a_read_only_session_has_nothing_to_take_back(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "ctrl+z")
        assert not isinstance(pilot.app.screen, Dialog)
        assert notifications(pilot.app) == ""  # type: ignore[arg-type]

    drive(make_app(read_only=True), script)
