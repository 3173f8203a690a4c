"""Q: the plan to move everything off a key: asked for, scanned, read, copied and written."""

from __future__ import annotations

import asyncio
import json
import shlex
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.key_moves.move_plan import MovePlan, PlannedMove, make_plan
from kms_tui.key_moves.plan_formats import WRITERS
from kms_tui.kms.model import KeyOrigin
from kms_tui.ui.actions.move_actions import ChooseDestination
from kms_tui.ui.app import KmsApp
from kms_tui.ui.base.subject import subject_of
from kms_tui.ui.dialogs.text_screen import TextScreen
from kms_tui.ui.screens.keys_screen import KeysScreen
from kms_tui.ui.screens.move_screen import MoveScreen
from kms_tui.ui.widgets.line_table import LineTable
from tests.demo_copies import demo_copy
from tests.ui.conftest import NOW, MakeApp
from tests.ui.console import drive, go_to, notifications, press, resize, settled
from tests.ui.test_accounts import console
from tests.ui.test_exporting import write_to
from tests.ui.test_hostile_text import screen_text
from tests.ui.test_many_keys import key_id
from tests.ui.test_used_by import WithServices
from tests.unit.evidence.world import FakeServices, arn_of, denied

BAD = "[/b]\x1b]52;c;x\x07\u202e[@click=app.quit]"


class Alone(Wrapper):
    """A backend without other services."""

    services = None

    def around(self, inner: Backend) -> Alone:
        return Alone(inner)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.inner.call(operation, params)


@pytest.fixture(autouse=True)
def _the_terminals_clipboard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_TTY", "tty")


def dialog(pilot: Pilot[Any]) -> ChooseDestination:
    assert isinstance(pilot.app.screen, ChooseDestination)
    return pilot.app.screen


def screen(pilot: Pilot[Any]) -> MoveScreen:
    assert isinstance(pilot.app.screen, MoveScreen)
    return pilot.app.screen


def offered(pilot: Pilot[Any]) -> list[str]:
    options = dialog(pilot).query_one(OptionList).options
    return [" ".join(str(option.prompt).split()) for option in options]


async def name(pilot: Pilot[Any], text: str) -> None:
    """Type a destination, and take what is offered first."""
    dialog(pilot).query_one("#key-filter", Input).value = text
    await settled(pilot)
    await press(pilot, "enter")


async def plan(pilot: Pilot[Any], alias: str, to: str) -> MoveScreen:
    """The plan from one key to another, or to "a new key"."""
    await go_to(pilot, alias)
    await press(pilot, "Q")
    await name(pilot, to)
    await settled(pilot)
    return screen(pilot)


def rows(pilot: Pilot[Any]) -> list[tuple[str, ...]]:
    shown = screen(pilot).query_one(LineTable).rows
    return [tuple(cell if isinstance(cell, str) else cell[0] for cell in row.cells) for row in shown]


def text(pilot: Pilot[Any], part: str) -> str:
    return str(screen(pilot).query_one(f"#move-{part}", Static).render())


def stand_on(pilot: Pilot[Any], cell: str) -> None:
    """Put the cursor on the first row that has this text in a cell."""
    table = screen(pilot).query_one(LineTable)
    row = next(row for row, cells in zip(table.rows, rows(pilot), strict=True) if cell in cells)
    assert table.go_to(row.key)


def made(app: KmsApp, shown: MoveScreen) -> MovePlan:
    """The plan as it is made of the same scan, without the console."""
    session, found = app.session, shown._plan
    assert session is not None
    assert found is not None
    return make_plan(session.kms, found.old, found.new, found.uses, session.kms_for, NOW)


def test_a_key_is_chosen_and_the_plan_is_shown_and_written(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    app = make_app(read_only=True)

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        await press(pilot, "Q")
        assert offered(pilot)[0] == "A new key, made like this one"
        assert not [line for line in offered(pilot) if line.startswith(("old-backups", "payments-signing"))]
        await name(pilot, "customer-p")
        await settled(pilot)
        expected = made(app, screen(pilot))
        assert expected.new is not None
        assert expected.new.key_id == key_id(demo, "customer-pii")
        assert text(pilot, "head").splitlines()[1:] == [
            "8 resources name it: 5 in place · 3 by copy",
            "? not whole: 2 not checked",
        ]
        assert rows(pilot)[:3] == [
            ("Defaults of what will be made  1",),
            ("S3 buckets", "acme-orders-snapshots", "in place", "needs old key", "default encryption"),
            ("In place  4",),
        ]
        resources = [each.found.use.resource for each in expected.moves]
        assert [row[1] for row in rows(pilot) if len(row) > 1][: len(resources)] == resources
        assert ("? EFS file systems: denied: you may not call DescribeFileSystems",) in rows(pilot)
        for end in ("md", "json", "sh"):
            path = tmp_path / f"plan.{end}"
            await press(pilot, "w")
            await write_to(pilot, path)
            assert path.read_text() == WRITERS[end](expected)
        await press(pilot, "C")
        words = shlex.split(pilot.app.clipboard)
        assert words == [
            *("kms-tui", "plan-move", expected.old.arn, "--to", expected.new.arn),
            *("--demo", "-o", "plan.md"),
        ]
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, KeysScreen)

    drive(app, script)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("alias/nothing", "not found"),
        ("alias/orders-db-2024", "is an alias of the key itself"),
        ("alias/aws/s3", "is a key that AWS manages"),
        ("alias/payments-signing", "has the usage SIGN_VERIFY"),
        ("arn:aws:kms:us-east-1:111122223333:alias/global-config", "Name its replica there: arn:aws:kms:eu-"),
        ("\x1b]52;c;x", "Invalid"),
    ],
)
def test_a_key_that_nothing_can_move_to_is_refused_below_the_field(
    make_app: MakeApp, typed: str, words: str
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        await press(pilot, "Q")
        await name(pilot, typed)
        error = dialog(pilot).query_one("#key-error", Static)
        assert error.has_class("-shown")
        assert words.lower() in str(error.render()).lower()
        assert dialog(pilot).query_one("#key-filter", Input).value == typed
        await press(pilot, "backspace")
        assert not error.has_class("-shown")
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, KeysScreen)

    drive(make_app(), script)


def test_keys_that_nothing_is_moved_off_are_refused(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "W")
        await go_to(pilot, "aws/s3")
        await press(pilot, "Q")
        assert "AWS manages this key" in notifications(pilot.app)  # type: ignore[arg-type]
        assert isinstance(pilot.app.screen, KeysScreen)

    drive(make_app(), script)


def test_no_key_is_made_like_one_in_an_external_key_store(make_app: MakeApp) -> None:
    app = make_app()

    async def script(pilot: Pilot[Any]) -> None:
        assert app.session is not None
        row = app.session.inventory.row(arn_of(await go_to(pilot, "sandbox")))
        assert row is not None
        assert row.key is not None
        key = replace(row.key, origin=KeyOrigin.EXTERNAL_KEY_STORE)
        choice = ChooseDestination(app.session, subject_of(row), key, [])
        assert choice.offers("") == []
        assert [str(line) for line, _ in choice.offers("alias/x")] == ["the key named alias/x"]

    drive(app, script)


def test_the_details_of_a_line_are_read_copied_and_opened(make_app: MakeApp, demo: Backend) -> None:
    app = make_app()

    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "s3-logs", "sandbox-old")
        assert (
            text(pilot, "head").splitlines()[2] == "✗ 3 things in the way, first · ? not whole: 2 not checked"
        )
        assert rows(pilot)[1] == ("✗ The new key is Disabled, not Enabled: enable it, or wait.",)
        await press(pilot, "c")
        assert "This line has no commands" in notifications(app)
        await press(pilot, "down", "c")
        statement = json.loads(pilot.app.clipboard)
        assert statement["Principal"] == {"Service": "logs.eu-west-1.amazonaws.com"}
        assert '"Service": "logs.eu-west-1.amazonaws.com"' in text(pilot, "facts")
        await press(pilot, "up", "up")
        assert "To be solved before anything moves" in text(pilot, "facts")
        stand_on(pilot, "/vpc/flow")
        await settled(pilot)
        assert text(pilot, "what") == "CloudWatch log groups: /vpc/flow  in place"
        assert "aws logs associate-kms-key --log-group-name /vpc/flow" in text(pilot, "facts")
        await press(pilot, "c")
        copied = pilot.app.clipboard
        assert f"NEW_KEY={arn_of(key_id(demo, 'sandbox-old'))}" in copied
        assert 'aws logs associate-kms-key --log-group-name /vpc/flow --kms-key-id "$NEW_KEY"' in copied
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, TextScreen)
        assert "logs:AssociateKmsKey" in screen_text(app)
        await press(pilot, "escape")
        await press(pilot, "slash", *"polic", "enter")
        assert {row[0].partition("  ")[0] for row in rows(pilot)} >= {"In the way", "No scan looks at"}
        assert not [row for row in rows(pilot) if len(row) > 1]
        await press(pilot, "escape")
        assert len([row for row in rows(pilot) if len(row) > 1]) == 4

    drive(app, script)


def test_nothing_that_names_the_key_is_said_calmly_and_a_new_key_is_asked_for(make_app: MakeApp) -> None:
    app = make_app()

    async def script(pilot: Pilot[Any]) -> None:
        shown = await plan(pilot, "sandbox", "a new key")
        assert text(pilot, "head").splitlines()[:2] == [
            f"sandbox {made(app, shown).old.key_id}  →  a new key made like it",
            "Nothing that was checked names this key.",
        ]
        stand_on(pilot, "alias/sandbox")
        await press(pilot, "c")
        assert "NEW_KEY:?" in pilot.app.clipboard
        await press(pilot, "C")
        assert "--to new --demo" in pilot.app.clipboard

    drive(app, script)


def test_the_scan_counts_can_be_stopped_and_made_again(make_app: MakeApp, demo: Backend) -> None:
    let_go = threading.Event()
    volume = {"VolumeId": "vol-1", "KmsKeyId": arn_of(key_id(demo, "sandbox"))}

    def hang(_: Mapping[str, Any]) -> Mapping[str, Any]:
        assert let_go.wait(20)
        return {"Volumes": [volume]}

    services = FakeServices({"DescribeVolumes": hang})

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        await press(pilot, "Q")
        dialog(pilot).query_one(OptionList).focus()
        await pilot.press("enter")
        async with asyncio.timeout(10):
            while not (
                isinstance(pilot.app.screen, MoveScreen) and "Now: EBS volumes" in text(pilot, "head")
            ):
                await pilot.pause(0.01)
        assert "Planning to move everything off sandbox" in text(pilot, "head")
        assert " of " in text(pilot, "head")
        assert not screen(pilot).query_one(LineTable).display
        await pilot.press("w")
        assert isinstance(pilot.app.screen, MoveScreen), "there is nothing to write yet"
        await press(pilot, "escape")
        assert "Stopped: without a whole scan there is no plan." in text(pilot, "head")
        assert "r plans again" in text(pilot, "head")
        let_go.set()
        await press(pilot, "r")
        await settled(pilot)
        assert ("EBS volumes", "vol-1", "by copy", "in the copy", "") in rows(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, KeysScreen)

    drive(make_app(WithServices(demo, services)), script)


def test_a_denied_service_is_a_gap_and_names_from_elsewhere_are_only_text(
    make_app: MakeApp, demo: Backend
) -> None:
    key = arn_of(key_id(demo, "sandbox"))
    tags = [{"Key": "Name", "Value": BAD}]
    services = FakeServices(
        {
            "DescribeVolumes": {"Volumes": [{"VolumeId": BAD, "KmsKeyId": key, "Tags": tags}]},
            "ListBuckets": {"Buckets": [{"Name": BAD}]},
            "GetBucketEncryption": denied(BAD),
            "DescribeFileSystems": denied("DescribeFileSystems"),
        }
    )
    app = make_app(WithServices(demo, services))

    async def script(pilot: Pilot[Any]) -> None:
        shown = await plan(pilot, "sandbox", "ledger")
        (volume,) = [item for item in shown._items if isinstance(item.subject, PlannedMove)]
        gaps = [row[0] for row in rows(pilot) if row[0].startswith("? ")]
        assert any("S3 buckets: 1 of 1 not checked" in gap for gap in gaps)
        assert "? EFS file systems: denied: you may not call DescribeFileSystems" in gaps
        assert shown.query_one(LineTable).go_to(volume.key)
        await settled(pilot)
        assert "No command is made" in text(pilot, "facts")
        for _ in range(2):
            on_screen = screen_text(app)
            assert "[/b]" in on_screen
            assert not any(character in on_screen for character in "\x1b\x07\u202e")
            await press(pilot, "enter")

    drive(app, script, size=(160, 60))


def test_a_kms_that_stands_alone_has_a_gap_for_the_rest(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "orders-db", "ledger")
        assert "not scanned" in "\n".join(row[0] for row in rows(pilot))
        assert "Nothing that was checked names this key." in text(pilot, "head")

    drive(make_app(Alone(demo)), script)


def test_it_fits_a_small_terminal_and_follows_its_size(make_app: MakeApp) -> None:
    app = make_app()

    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "orders-db", "sandbox")
        assert text(pilot, "head").splitlines()[0] == "orders-db  →  sandbox"
        shown = screen_text(app)
        assert all(
            title in shown for title in ("KIND", "RESOURCE", "HOW", "DATA", "w Write", "needs old key")
        )
        await resize(pilot, 160, 48)
        await settled(pilot)
        assert len(text(pilot, "head").splitlines()[0]) > 80
        assert "NAMES IT" in screen_text(app)

    drive(app, script, size=(80, 24))


def test_of_several_accounts_each_line_names_its_own() -> None:
    app = console(demo_copy(NOW, other_accounts=True))

    async def script(pilot: Pilot[Any]) -> None:
        await plan(pilot, "orders-db", "ledger")
        titles = [each.title for each in screen(pilot).query_one(LineTable).columns]
        assert titles[:4] == ["KIND", "RESOURCE", "ACCOUNT", "HOW"]
        assert next(row for row in rows(pilot) if len(row) > 1)[2] == "payments"
        assert any("was not scanned: The account is suspended" in row[0] for row in rows(pilot))

    drive(app, script)
