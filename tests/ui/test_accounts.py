"""Several accounts in one list: what is shown of each, and that a key's own account is called."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from kms_tui.accounts.account import AccountSource
from kms_tui.backend.local import LocalBackend
from kms_tui.backend.wrappers.metering import Meter
from kms_tui.cli.account_opening import demo_sources
from kms_tui.config import ProfileSettings
from kms_tui.kms.errors import KmsTuiError
from kms_tui.session import BackendKind, Connection, Prompt, Session, open_accounts
from kms_tui.ui.actions.code_actions import CodeScreen
from kms_tui.ui.app import KmsApp
from kms_tui.ui.dialogs.choose_key import ChooseKey
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.screens.accounts_screen import AccountsScreen
from kms_tui.ui.screens.keys_screen import KeysScreen
from kms_tui.ui.widgets.key_list import KeyList
from kms_tui.ui.widgets.line_table import LineTable
from tests.demo_copies import demo_copy
from tests.ui.conftest import NOW, fixed_now
from tests.ui.console import drive, go_to, notifications, press, resize, settled, state_of
from tests.ui.test_hostile_text import screen_text
from tests.ui.test_palette import look_for

DATA, SECURITY = "222233334444", "333344445555"
SnapCompare = Callable[..., bool]


@pytest.fixture
def organization() -> LocalBackend:
    return demo_copy(NOW, other_accounts=True)


def console(
    home: LocalBackend,
    *,
    settings: Mapping[str, ProfileSettings] | None = None,
    regions: tuple[str, ...] = (),
    sources: list[AccountSource] | None = None,
) -> KmsApp:
    """``settings`` by the names of accounts."""
    found = [
        replace(source, settings=(settings or {}).get(source.name, ProfileSettings()))
        for source in sources or demo_sources(home)
    ]

    def opener(connection: Connection, _prompt: Prompt) -> Session:
        return open_accounts(connection, found, now=fixed_now)

    return KmsApp(opener, Connection(BackendKind.DEMO, regions=regions))


def names(pilot: Pilot[Any]) -> list[str]:
    return [row.aliases[0] if row.aliases else row.key_id for row in pilot.app.screen.query_one(KeyList).rows]


def shown(pilot: Pilot[Any]) -> str:
    assert isinstance(pilot.app, KmsApp)
    return screen_text(pilot.app)


def text_of(pilot: Pilot[Any], selector: str) -> str:
    return str(pilot.app.screen.query_one(selector, Static).render())


def test_the_keys_of_all_accounts_stand_in_one_list(organization: LocalBackend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        assert {"orders-db", "lake-curated", "cloudtrail-logs"} <= set(names(pilot))
        text = shown(pilot)
        assert "payments 111122223333 and 3 more" in text
        assert "sandbox: listing its keys failed. The account is suspended" in text
        await press(pilot, "slash", *"account:data,333", "enter")
        assert set(names(pilot)) == {
            "lake-curated",
            "lake-raw",
            "warehouse",
            "events",
            "cloudtrail-logs",
            "audit-evidence",
            "root-ca",
            "break-glass-2023",
        }

    drive(console(organization), script)


def test_what_is_done_to_a_key_is_done_in_its_account_and_says_so(organization: LocalBackend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "lake-curated")
        await press(pilot, "X")
        assert text_of(pilot, "#dialog-account") == f"in account data-platform {DATA}"
        await press(pilot, "ctrl+s")
        assert state_of(organization.in_account(DATA), key_id) == "Disabled"
        await press(pilot, "exclamation_mark")
        (row,) = pilot.app.screen.query_one(LineTable).rows
        assert row.cells[1] == ("data-platform", "quiet")
        assert str(row.cells[-1]).endswith(f"  # in account data-platform {DATA}")
        await press(pilot, "1", "ctrl+z")
        assert text_of(pilot, "#dialog-account") == f"in account data-platform {DATA}"
        await press(pilot, "ctrl+s")
        assert state_of(organization.in_account(DATA), key_id) == "Enabled"

    drive(console(organization), script)


def test_marked_keys_of_two_accounts_are_changed_each_in_its_own(organization: LocalBackend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        one = await go_to(pilot, "events")
        await press(pilot, "space")
        other = await go_to(pilot, "audit-evidence")
        await press(pilot, "space", "X")
        told = text_of(pilot, "#dialog-account")
        assert "data-platform" in told
        assert "security" in told
        assert "events · data-platform" in shown(pilot)
        await press(pilot, "ctrl+s")
        assert state_of(organization.in_account(DATA), one) == "Disabled"
        assert state_of(organization.in_account(SECURITY), other) == "Disabled"

    drive(console(organization), script)


def test_an_account_that_is_read_only_refuses_what_the_others_allow(organization: LocalBackend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "events")
        await press(pilot, "X")
        assert not isinstance(pilot.app.screen, Dialog)
        assert "Account data-platform is read-only" in notifications(pilot.app)  # type: ignore[arg-type]
        assert state_of(organization.in_account(DATA), key_id) == "Enabled"
        await go_to(pilot, "audit-evidence")
        await press(pilot, "X")
        assert isinstance(pilot.app.screen, Dialog)

    settings = {"data-platform": ProfileSettings(read_only=True)}
    drive(console(organization, settings=settings), script)


def test_no_key_is_created_where_the_current_account_is_read_only(organization: LocalBackend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "n")
        assert not isinstance(pilot.app.screen, Dialog)
        assert "@ chooses another" in notifications(pilot.app)  # type: ignore[arg-type]

    drive(console(organization, settings={"payments": ProfileSettings(read_only=True)}), script)


def test_of_marked_keys_those_of_a_read_only_account_are_left_out(organization: LocalBackend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        one = await go_to(pilot, "events")
        await press(pilot, "space")
        other = await go_to(pilot, "audit-evidence")
        await press(pilot, "space", "X")
        assert "left out: account data-platform is read-only" in shown(pilot)
        await press(pilot, "ctrl+s")
        assert state_of(organization.in_account(DATA), one) == "Enabled"
        assert state_of(organization.in_account(SECURITY), other) == "Disabled"

    settings = {"data-platform": ProfileSettings(read_only=True)}
    drive(console(organization, settings=settings), script)


def test_keys_of_a_read_only_account_are_written_in_code_as_all_others(organization: LocalBackend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        for name in ("root-ca", "lake-raw"):
            await go_to(pilot, name)
            await press(pilot, "space")
        await press(pilot, "T", "enter")
        screen = pilot.app.screen
        assert isinstance(screen, CodeScreen)
        (text,) = screen.code.files.values()
        assert DATA in text
        assert SECURITY in text

    settings = {"data-platform": ProfileSettings(read_only=True)}
    drive(console(organization, settings=settings), script)


def test_no_call_that_changes_anything_reaches_a_read_only_account(organization: LocalBackend) -> None:
    sources = [
        replace(source, settings=ProfileSettings(read_only=source.name == "security"))
        for source in demo_sources(organization)
    ]
    session = open_accounts(Connection(BackendKind.DEMO), sources, now=fixed_now)
    account = session.account_with(SECURITY)
    kms = account.kms()
    with pytest.raises(Exception, match="read-only"):
        kms.call("CreateKey")
    session.close()


def test_a_name_that_the_settings_of_its_account_protect_is_asked_for(organization: LocalBackend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "events")
        await press(pilot, "X")
        assert "The configuration protects this key" in shown(pilot)

    settings = {"data-platform": ProfileSettings(protected=("events",))}
    drive(console(organization, settings=settings), script)


def test_the_screen_of_accounts_tells_each_and_chooses_one(organization: LocalBackend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "at")
        rows = pilot.app.screen.query_one(LineTable).rows
        told = [[cell if isinstance(cell, str) else cell[0] for cell in row.cells] for row in rows]
        assert told == [
            ["●", "payments", "111122223333", "42", "12", "listed"],
            ["", "data-platform", DATA, "4", "1", "listed"],
            ["", "security", SECURITY, "4", "1", "listed"],
            [
                "",
                "sandbox",
                "555566667777",
                "–",
                "–",
                "not listed · The account is suspended in its organization.",
            ],
        ]
        await press(pilot, "down", "space")
        assert "data-platform" in text_of(pilot, "#where")
        await press(pilot, "end", "space")
        assert "is suspended" in notifications(pilot.app)  # type: ignore[arg-type]
        assert "data-platform" in text_of(pilot, "#where")
        await press(pilot, "up", "enter")
        assert isinstance(pilot.app.screen, KeysScreen)
        assert set(names(pilot)) == {"cloudtrail-logs", "audit-evidence", "root-ca", "break-glass-2023"}

    drive(console(organization), script)


def test_a_question_on_keys_of_two_accounts_names_both(organization: LocalBackend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        for alias in ("lake-curated", "root-ca"):
            await go_to(pilot, alias)
            await press(pilot, "space")
        await press(pilot, "X")
        expected = f"in accounts data-platform {DATA} and security {SECURITY}"
        assert text_of(pilot, "#dialog-account") == expected

    drive(console(organization), script)


def test_a_long_reason_is_told_whole_on_a_narrow_screen(organization: LocalBackend) -> None:
    reason = " ".join(f"word{number}" for number in range(80))

    def refused() -> LocalBackend:
        raise KmsTuiError(reason)

    first, second, *_ = demo_sources(organization)
    sources = [first, replace(second, open=refused)]

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "at", "down")
        text = " ".join(shown(pilot).split())
        assert "2 accounts · 1 not whole" in text
        assert reason in text
        row = pilot.app.screen.query_one(LineTable).rows[1]
        assert row.cells[-1] == ("not listed", "danger")
        await resize(pilot, 160, 48)
        await settled(pilot)
        row = pilot.app.screen.query_one(LineTable).rows[1]
        assert row.cells[-1] == (f"not listed · {reason}", "danger")

    drive(console(organization, sources=sources), script, size=(80, 24))


def test_an_account_that_cannot_be_opened_is_not_chosen(organization: LocalBackend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "at", "down", "down", "down", "space")
        told = notifications(pilot.app)  # type: ignore[arg-type]
        assert "The account is suspended in its organization. Its keys cannot be listed." in told
        assert "␊" not in told

    drive(console(organization), script)


def test_keys_are_created_and_aliases_are_shown_in_the_account_that_was_chosen(
    organization: LocalBackend,
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        before = len(organization.in_account(DATA).call("ListKeys", {})["Keys"])
        await press(pilot, "at", "down", "space", "escape", "2")
        assert "warehouse" in shown(pilot)
        assert "orders-db" not in shown(pilot)
        await press(pilot, "1", "n", "enter")
        assert text_of(pilot, "#dialog-account") == f"in account data-platform {DATA}"
        pilot.app.screen.query_one("#alias", Input).value = "new-one"
        await press(pilot, "ctrl+s", "ctrl+s")
        assert len(organization.in_account(DATA).call("ListKeys", {})["Keys"]) == before + 1
        assert "new-one" in names(pilot)

    drive(console(organization), script)


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ("5", "lake-curated · data-platform · eu-west-1"),
        ("dollar_sign", "audit-evidence · security"),
        ("6", "cloudtrail-logs · security"),
        ("B", "orders-db · payments"),
    ],
)
def test_other_screens_name_the_account_beside_a_key(
    organization: LocalBackend, keys: str, wanted: str
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, keys)
        assert wanted in shown(pilot)

    drive(console(organization, regions=("eu-west-1", "us-east-1")), script)


def test_the_palette_names_the_account_of_a_key(organization: LocalBackend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        line = await look_for(pilot, "lake-curated", "lake-curated ")
        assert "key · AES-256 · data-platform · eu-west-1" in line

    drive(console(organization), script)


def test_an_alias_is_repointed_to_keys_of_its_account_alone(organization: LocalBackend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "lake-curated")
        await press(pilot, "A")
        dialog = pilot.app.screen
        assert isinstance(dialog, ChooseKey)
        assert {each.name for each in dialog.subjects} == {"lake-raw", "warehouse", "events"}

    drive(console(organization), script)


def test_the_scratchpad_names_the_account_of_its_key(organization: LocalBackend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "lake-curated")
        await press(pilot, "s")
        assert "lake-curated  ·  AES-256  ·  data-platform" in shown(pilot)

    drive(console(organization), script)


@pytest.mark.parametrize("keys", [("at", "w"), ("w",), ("5", "w"), ("equals_sign",)])
def test_what_concerns_all_accounts_names_none(organization: LocalBackend, keys: tuple[str, ...]) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, *keys)
        assert isinstance(pilot.app.screen, Dialog)
        assert not pilot.app.screen.query("#dialog-account")

    drive(console(organization), script)


def test_a_session_of_one_account_says_how_several_are_listed(organization: LocalBackend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "at")
        assert not isinstance(pilot.app.screen, AccountsScreen)
        assert "--accounts" in notifications(pilot.app)  # type: ignore[arg-type]

    drive(console(organization, sources=demo_sources(organization)[:1]), script)


@pytest.fixture
def _a_fixed_count_of_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Meter, "total", property(lambda _meter: 84))
    monkeypatch.setattr(Meter, "so_far", lambda _meter: (Counter({"DescribeKey": 84}), Counter()))


@pytest.mark.usefixtures("_a_fixed_count_of_calls")
@pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])
@pytest.mark.parametrize("picture", ["keys", "accounts", "question"])
def test_picture(
    organization: LocalBackend, snap_compare: SnapCompare, picture: str, size: tuple[int, int]
) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        async with asyncio.timeout(10):
            while len(names(pilot)) < 52:
                await pilot.pause(0.02)
        await press(pilot, "full_stop")  # which Region answers last is a matter of milliseconds
        await go_to(pilot, "lake-curated")
        if picture == "accounts":
            await press(pilot, "at", "end")
        if picture == "question":
            await press(pilot, "X")

    app = console(organization, regions=("eu-west-1", "us-east-1"))
    assert snap_compare(app, run_before=before, terminal_size=size)
