"""The key list in the console: what it shows, and what the acts on keys do to the backend."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.binding import Binding
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input, Static

from kms_tui.backend.base import Backend
from kms_tui.inventory import slices
from kms_tui.inventory.view import Scope
from kms_tui.ui.actions.action_menu import ActionMenu
from kms_tui.ui.actions.action_screen import ActionScreen
from kms_tui.ui.app import KmsApp
from kms_tui.ui.app_shell.screen_table import APP_BINDINGS, FIRST_MODE
from kms_tui.ui.base.background import start
from kms_tui.ui.base.host import SessionOpened
from kms_tui.ui.details.key_details import KeyDetails
from kms_tui.ui.dialogs.choose_key import ChooseKey
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.dialogs.form import Form
from kms_tui.ui.screens.keys_screen import KeyDetailsScreen, KeysScreen
from kms_tui.ui.widgets.filter_line import FilterInput, FilterLine
from kms_tui.ui.widgets.key_list import KeyList
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press, settled, state_of
from tests.ui.test_many_keys import body


def test_the_palette_is_not_lost_below_the_first_mode(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch_mode = KmsApp.switch_mode
    monkeypatch.setattr(KmsApp, "switch_mode", lambda *_: None)  # the first frame stays

    async def run() -> None:
        app = make_app()
        async with app.run_test() as pilot:
            await pilot.press("ctrl+p")
            assert not isinstance(app.screen, CommandPalette)
            await switch_mode(app, FIRST_MODE)
            await pilot.press("ctrl+p")
            assert isinstance(app.screen, CommandPalette)
            await settled(pilot)  # the palette may not be closed while it begins to list

    asyncio.run(run())


@pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=str)
def test_the_count_of_what_needs_attention_is_a_filter(make_app: MakeApp, size: tuple[int, int]) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        screen = pilot.app.screen
        key_list, line = screen.query_one(KeyList), screen.query_one(FilterInput)
        before = len(key_list.rows)
        line.value = "spec:aes"
        await settled(pilot)
        await press(pilot, "z")
        assert line.value == "spec:aes attention:any"
        found = {row.aliases[0] for row in key_list.rows if row.aliases}
        assert {"legacy-exports", "old-backups", "invoices"} <= found
        assert all(row.health.findings for row in key_list.rows)
        await press(pilot, "z")
        assert line.value == "spec:aes"
        line.value = ""
        await settled(pilot)
        status = screen.query_one("#status", Static)
        words = str(status.content)
        assert "12 need attention" in words
        start = status.content_region.right - len(words) + words.index("need")
        await pilot.click(offset=(start, status.region.y))
        await settled(pilot)
        assert line.value == "attention:any"
        assert len(key_list.rows) == 12 < before

    drive(make_app(), script, size=size)


@pytest.mark.parametrize("mode", ["2", "5", "6"], ids=["aliases", "health", "calendar"])
def test_esc_returns_to_the_screen_that_led_to_a_key(make_app: MakeApp, mode: str) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        app = pilot.app
        await press(pilot, mode, "down")
        came_from = app.screen
        await press(pilot, "enter")
        assert isinstance(app.screen, KeysScreen)
        await press(pilot, "z", "escape")  # the filter since then goes first
        assert isinstance(app.screen, KeysScreen)
        await press(pilot, "escape")
        assert app.screen is came_from
        await press(pilot, "enter", "1", "escape")  # chosen by hand, it is where one wants to be
        assert isinstance(app.screen, KeysScreen)

    drive(make_app(), script)


def test_the_mouse_alone_finds_menu_scope_profile_and_regions(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        screen = pilot.app.screen
        key_list = screen.query_one(KeyList)
        await pilot.click(KeyList, offset=(10, 4), button=3)
        await settled(pilot)
        assert key_list.cursor == 3
        assert isinstance(pilot.app.screen, ActionMenu)
        await press(pilot, "escape")
        for words, shown in (("AWS 12", Scope.AWS), ("All 54", Scope.ALL), ("Customer 42", Scope.CUSTOMER)):
            await _click(pilot, "#scope", words)
            assert key_list.view is not None
            assert key_list.view.scope is shown
        await _click(pilot, "#where", "eu-west-1")
        assert isinstance(pilot.app.screen, Dialog)
        await press(pilot, "escape")
        await _click(pilot, "#where", "demo")
        assert isinstance(pilot.app.screen, Dialog)

    drive(make_app(), script)


async def _click(pilot: Pilot[Any], selector: str, words: str) -> None:
    """Click on words of a line."""
    line = pilot.app.screen.query_one(selector, Static)
    at = str(line.content).index(words) + len(words) // 2
    await pilot.click(offset=(line.content_region.x + at, line.content_region.y))
    await settled(pilot)


def test_customer_keys_are_listed_apart_from_aws_managed_ones(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        names = {row.aliases[0] for row in pilot.app.screen.query_one(KeyList).rows if row.aliases}
        assert "orders-db" in names
        assert not any(name.startswith("aws/") for name in names)
        await press(pilot, "W")
        names = {row.aliases[0] for row in pilot.app.screen.query_one(KeyList).rows}
        assert {name.split("/")[0] for name in names} == {"aws"}

    drive(make_app(), script)


def test_the_filter_narrows_as_one_types_and_esc_brings_everything_back(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_list = pilot.app.screen.query_one(KeyList)
        total = len(key_list.rows)
        await press(pilot, "slash", *"payments")
        assert {row.aliases[0] for row in key_list.rows} == {
            "payments-cards",
            "payments-signing",
            "payments-webhooks",
        }
        await press(pilot, "escape")
        assert len(key_list.rows) == total

    drive(make_app(), script)


@pytest.fixture
def slices_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE", 3)
    monkeypatch.setattr("kms_tui.ui.widgets.key_list._AT_ONCE_SECONDS", 0)


@pytest.mark.usefixtures("slices_of_three")
def test_marking_all_that_match_waits_for_the_filter(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, KeysScreen)
        screen.list.set_filter("payments")
        assert screen.list.is_arranging
        screen.action_mark_all()
        names = [row.aliases[0] for row in screen.list.chosen()()]
        assert sorted(names) == ["payments-cards", "payments-signing", "payments-webhooks"]
        await settled(pilot)

    drive(make_app(), script)


@pytest.mark.usefixtures("slices_of_three")
def test_the_list_is_filtered_when_the_filter_is_left_for_it(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, KeysScreen)
        await press(pilot, "slash")
        screen.list.set_filter("payments")
        screen.query_one(FilterInput).action_leave()
        while not screen.list.has_focus:
            await asyncio.sleep(0)
        assert len(screen.list.rows) == 3
        await settled(pilot)

    drive(make_app(), script)


def test_a_filter_that_cannot_be_understood_says_so_below_and_keeps_the_rows(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_list = pilot.app.screen.query_one(KeyList)
        pilot.app.screen.query_one(FilterLine).input.value = "nosuch:1"
        await settled(pilot)
        assert pilot.app.screen.query_one("#filter-note").has_class("-error")
        assert key_list.rows
        key_list.focus()
        await press(pilot, "M")
        assert key_list.view is not None
        assert not key_list.view.marks

    drive(make_app(), script)


def test_a_term_that_is_not_typed_to_its_end_hides_no_key(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_list = pilot.app.screen.query_one(KeyList)
        everything = len(key_list.rows)
        await press(pilot, "slash", *"spec")
        await press(pilot, "colon")
        assert len(key_list.rows) == everything
        note = pilot.app.screen.query_one("#filter-note", Static)
        assert str(note.render()) == "spec: needs a value, such as aes"
        await press(pilot, *"rsa")
        assert 0 < len(key_list.rows) < everything
        assert not note.has_class("-error")

    drive(make_app(), script)


def test_tab_completes_the_filter_and_then_leaves_it(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        line = pilot.app.screen.query_one(FilterInput)
        await press(pilot, "slash", *"sta", "tab")
        assert line.value == "state:"
        await press(pilot, "d", "tab")
        assert line.value == "state:disabled"
        assert line.has_focus
        await press(pilot, "tab")
        assert not line.has_focus

    drive(make_app(), script)


def test_disable_asks_first_and_escape_leaves_the_key_alone(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "orders-db")
        await press(pilot, "X")
        assert isinstance(pilot.app.screen, Dialog)
        await press(pilot, "escape")
        assert state_of(demo, key_id) == "Enabled"
        await press(pilot, "X", "tab", "enter")
        assert state_of(demo, key_id) == "Disabled"
        row = pilot.app.screen.query_one(KeyList).current
        assert row is not None
        assert row.key is not None
        assert row.key.state == "Disabled"

    drive(make_app(), script)


def test_brackets_change_the_tab_of_the_details_from_the_list(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        details = pilot.app.screen.query_one(KeyDetails)
        await press(pilot, "right_square_bracket")
        assert details.is_open("Policy")
        await press(pilot, "left_square_bracket")
        assert details.is_open("Overview")
        assert pilot.app.screen.query_one(KeyList).has_focus

    drive(make_app(), script)


def test_ctrl_c_says_how_to_quit(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "ctrl+c")
        assert "^q quits" in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(), script)


def test_dialogs_start_on_cancel(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "orders-db")
        await press(pilot, "X", "enter")
        assert state_of(demo, key_id) == "Enabled"

    drive(make_app(), script)


@pytest.mark.deaf_dialogs
def test_keys_typed_as_a_dialog_that_destroys_opens_do_not_answer_it(
    make_app: MakeApp, demo: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dialog, "ARM_SECONDS", 60.0)

    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "sandbox")
        await pilot.press("D", "tab", "enter", "enter", "y", "ctrl+s", "escape", *"sandbox", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Dialog)
        assert keys_line(pilot) == "takes keys in a moment…"
        assert state_of(demo, key_id) == "Enabled"
        pilot.app.screen.arm()
        await press(pilot, *"sandbox", "ctrl+s")
        assert state_of(demo, key_id) == "PendingDeletion"

    drive(make_app(), script)


@pytest.mark.deaf_dialogs
def test_any_other_dialog_takes_keys_at_once_and_says_which(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "orders-db")
        await pilot.press("X")
        await pilot.pause()
        assert keys_line(pilot) == "^s or y Disable   esc Cancel"
        await press(pilot, "y")
        assert state_of(demo, key_id) == "Disabled"

    drive(make_app(), script)


def test_the_line_of_keys_calls_esc_what_its_button_does(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "space", "space", "t", *"owner=trial", "ctrl+s")
        assert keys_line(pilot).endswith("esc Cancel")
        await press(pilot, "ctrl+s")
        assert keys_line(pilot) == "esc Close"
        await press(pilot, "escape", "u", "n", "enter", "ctrl+s")
        assert "esc Back" in keys_line(pilot)

    drive(make_app(), script)


def test_a_form_that_was_cancelled_keeps_what_was_typed_until_it_is_started_anew(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "sandbox")
        await press(pilot, "o", "1", "2", "0", "escape", "o")
        field = pilot.app.screen.query_one("#period", Input)
        assert field.value == "120"
        assert "Start anew" in keys_line(pilot)
        await press(pilot, "ctrl+r")
        assert pilot.app.screen.query_one("#period", Input).value == "365"
        assert "Start anew" not in keys_line(pilot)
        await press(pilot, "1", "2", "1", "ctrl+s")
        assert demo.call("GetKeyRotationStatus", {"KeyId": key_id})["RotationPeriodInDays"] == 121
        await press(pilot, "o")
        assert "Start anew" not in keys_line(pilot)

    drive(make_app(), script)


def keys_line(pilot: Pilot[Any]) -> str:
    return str(pilot.app.screen.query_one("#dialog-keys", Static).render())


def test_deletion_needs_the_name_and_a_legal_window_and_keeps_what_was_typed(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "sandbox")
        await press(pilot, "D")
        window = pilot.app.screen.query_one("#window", Input)
        name = pilot.app.screen.query_one("#typed-name", Input)
        window.value, name.value = "6", "sandbox"
        name.focus()
        await press(pilot, "enter")
        assert pilot.app.screen.query_one("#dialog-error").has_class("-shown")
        window.value, name.value = "7", "sandbo"
        name.focus()
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, Dialog)
        assert state_of(demo, key_id) == "Enabled"
        assert name.value == "sandbo"
        await press(pilot, "end", "x", "enter")
        assert state_of(demo, key_id) == "PendingDeletion"

    drive(make_app(), script)


def test_a_scheduled_deletion_is_cancelled_with_one_key(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "old-backups")
        await press(pilot, "U")
        assert state_of(demo, key_id) == "Disabled"

    drive(make_app(), script)


def test_an_act_that_the_key_does_not_allow_says_why(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "payments-signing")
        await press(pilot, "R")
        assert "RSA-3072 keys cannot rotate" in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(), script)


def test_a_wrong_rotation_period_is_named_beside_the_field(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "sandbox")
        await press(pilot, "o")
        field = pilot.app.screen.query_one("#period", Input)
        field.value = "89"
        await press(pilot, "enter")
        assert pilot.app.screen.query_one("#period-error").has_class("-shown")
        assert field.value == "89"
        field.value = "90"
        await press(pilot, "enter")
        status = demo.call("GetKeyRotationStatus", {"KeyId": key_id})
        assert status["RotationPeriodInDays"] == 90

    drive(make_app(), script)


def test_an_alias_that_breaks_the_rules_or_exists_is_refused_beside_the_field(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "sandbox")
        await press(pilot, "a")
        field = pilot.app.screen.query_one("#alias", Input)
        for wrong in ("two words", "aws/mine", "", "orders-db"):
            field.value = wrong
            field.focus()
            await press(pilot, "enter")
            assert isinstance(pilot.app.screen, Form)
            assert pilot.app.screen.query_one("#alias-error").has_class("-shown"), wrong
            assert field.value == wrong
        field.value = "sandbox-2"
        await press(pilot, "enter")
        aliases = demo.call("ListAliases", {"KeyId": key_id})["Aliases"]
        assert {alias["AliasName"] for alias in aliases} == {"alias/sandbox", "alias/sandbox-2"}

    drive(make_app(), script)


def test_an_alias_is_repointed_and_deleted(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "sandbox")
        await press(pilot, "A")
        dialog = pilot.app.screen
        assert isinstance(dialog, ChooseKey)
        offered = {each.name for each in dialog.subjects}
        assert "search-index" in offered
        assert not offered & {
            "payments-signing",
            "payments-webhooks",
            "partner-inbox",
            "old-backups",
            "sandbox",
        }
        dialog.query_one("#key-filter", Input).value = "search"
        await press(pilot, "enter")
        assert "What is encrypted already still needs the present one" in body(pilot)
        await press(pilot, "tab", "enter")
        assert demo.call("ListAliases", {"KeyId": key_id})["Aliases"] == []
        other = await go_to(pilot, "search-index")
        names = [a["AliasName"] for a in demo.call("ListAliases", {"KeyId": other})["Aliases"]]
        assert names == ["alias/sandbox", "alias/search-index"]
        await press(pilot, "minus", "enter", "tab", "enter")
        names = [a["AliasName"] for a in demo.call("ListAliases", {"KeyId": other})["Aliases"]]
        assert names == ["alias/search-index"]

    drive(make_app(), script)


def test_tags_are_added_changed_and_removed_in_one_go(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "sandbox")
        await press(pilot, "t")
        area = pilot.app.screen.query_one("#tags")
        area.text = "team=security\nnew=1=2"  # type: ignore[attr-defined]
        await press(pilot, "tab", "tab", "enter")
        tags = demo.call("ListResourceTags", {"KeyId": key_id})["Tags"]
        assert {tag["TagKey"]: tag["TagValue"] for tag in tags} == {"team": "security", "new": "1=2"}

    drive(make_app(), script)


def test_a_key_is_created_with_its_alias_and_rotation(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "n", "enter")
        pilot.app.screen.query_one("#alias", Input).value = "brand-new"
        pilot.app.screen.query_one("#period", Input).value = "120"
        pilot.app.screen.query_one("#period", Input).focus()
        await press(pilot, "enter", "tab", "tab", "enter")
        key = demo.call("DescribeKey", {"KeyId": "alias/brand-new"})["KeyMetadata"]
        assert key["KeySpec"] == "SYMMETRIC_DEFAULT"
        status = demo.call("GetKeyRotationStatus", {"KeyId": key["KeyId"]})
        assert status["RotationPeriodInDays"] == 120
        assert any("brand-new" in row.aliases for row in pilot.app.screen.query_one(KeyList).rows)

    drive(make_app(), script)


def test_q_closes_what_is_on_top_and_quits_from_the_list_alone(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "orders-db")
        await press(pilot, "enter", "X")
        assert isinstance(pilot.app.screen, Dialog)
        await press(pilot, "q")
        assert isinstance(pilot.app.screen, KeyDetailsScreen)
        await press(pilot, "q")
        assert isinstance(pilot.app.screen, KeysScreen)
        assert state_of(demo, key_id) == "Enabled"
        assert pilot.app.is_running
        await pilot.press("q")
        assert not pilot.app.is_running

    drive(make_app(), script, size=(80, 24))


def test_narrow_terminals_show_the_details_on_a_screen_of_their_own(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        assert not pilot.app.screen.query_one(KeyDetails).display
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, KeyDetailsScreen)
        subject = pilot.app.screen.query_one(KeyDetails).subject
        assert subject is not None
        assert subject.name == "orders-db"
        await press(pilot, "escape")
        row = pilot.app.screen.query_one(KeyList).current
        assert row is not None
        assert row.aliases[0] == "orders-db"

    drive(make_app(), script, size=(80, 24))


def test_no_two_bindings_of_the_screen_share_a_key() -> None:
    """The focused list would take a key before the screen could."""
    bindings = [*KeyList.BINDINGS, *ActionScreen.BINDINGS, *KeysScreen.BINDINGS, *APP_BINDINGS]
    keys = [each.key for each in Binding.make_bindings(bindings)]
    shared = {key for key in keys if keys.count(key) > 1}
    assert shared <= {"enter", "escape"}


def test_every_binding_has_a_name_an_id_and_a_tooltip() -> None:
    for binding in (*ActionScreen.BINDINGS, *KeysScreen.BINDINGS, *KeyList.BINDINGS, *APP_BINDINGS):
        assert isinstance(binding, Binding)
        assert binding.description, binding
        assert binding.tooltip, binding
        assert binding.id, binding


def test_a_session_that_opens_while_the_screen_is_mounted_is_listed_once(make_app: MakeApp) -> None:
    """The screen finds it as it is mounted, and the word that it has opened comes after that."""

    async def script(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, KmsApp)
        assert app.session is not None
        calls = app.session.meter.total
        app.screen.post_message(SessionOpened())
        await settled(pilot)
        assert app.session.meter.total == calls

    drive(make_app(), script)


def test_what_fails_while_the_console_ends_is_ignored(make_app: MakeApp) -> None:
    """Its parts are closed one by one, and an answer may meet a screen of which half is there."""

    async def script(pilot: Pilot[Any]) -> None:
        async def fail_at_the_end() -> None:
            while pilot.app.is_running:
                await asyncio.sleep(0.005)  # no less: the loop is quiet only when nothing is ready
            raise LookupError("no such part any more")

        start(pilot.app.screen, fail_at_the_end, group="test", description="fail at the end")
        await asyncio.sleep(0)

    drive(make_app(), script)
