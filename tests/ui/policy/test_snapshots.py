"""The policy workspace in pictures; each was looked at before it was accepted (make snapshots)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from kms_tui.backend.base import Backend
from kms_tui.backend.wrappers.metering import Meter
from kms_tui.config import Config
from kms_tui.data_files import Draft, PolicyFiles
from kms_tui.ui.details.key_details import KeyDetails
from kms_tui.ui.widgets.access_matrix import AccessMatrix
from tests.ui.conftest import NOW, MakeApp
from tests.ui.console import go_to, press, settled
from tests.ui.policy.workspace import (
    ACCOUNT,
    APP,
    APP_USES,
    NO_ACCOUNT,
    REGION,
    ROOT,
    editor_of,
    open_editor,
    policy_with,
    put_policy,
    save,
    write,
)

SnapCompare = Callable[..., bool]
NARROW, MIDDLE, WIDE = (80, 24), (110, 30), (160, 48)
SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "160x48"])
GROWN = policy_with(
    ROOT,
    APP_USES | {"Principal": {"AWS": [APP, f"arn:aws:iam::{ACCOUNT}:role/batch"]}},
    {
        "Sid": "Anyone through S3",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
    },
)


@pytest.fixture(autouse=True)
def _a_fixed_count_of_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many calls the details have made by now depends on how fast the machine is."""
    monkeypatch.setattr(Meter, "total", property(lambda _meter: 84))


async def editor(pilot: Pilot[Any]) -> None:
    await open_editor(pilot, "payments-cards")


async def warnings(pilot: Pilot[Any]) -> None:
    opened = await open_editor(pilot, "orders-db")
    await write(pilot, opened, GROWN)
    await press(pilot, "f8")


async def refused(pilot: Pilot[Any]) -> None:
    opened = await open_editor(pilot, "orders-db")
    await write(pilot, opened, NO_ACCOUNT)
    await press(pilot, "ctrl+s")


async def completion(pilot: Pilot[Any]) -> None:
    opened = await open_editor(pilot, "orders-db")
    await write(pilot, opened, policy_with(ROOT, APP_USES | {"Action": ["kms:Encrypt", ""]}))
    row = next(row for row, line in enumerate(opened.area.document.lines) if '""' in line)
    opened.area.move_cursor((row, opened.area.document.get_line(row).index('""') + 1))
    await press(pilot, "d", "e")


async def snippets(pilot: Pilot[Any]) -> None:
    await open_editor(pilot, "orders-db")
    await press(pilot, "ctrl+t")


async def review(pilot: Pilot[Any]) -> None:
    opened = await open_editor(pilot, "orders-db")
    await write(pilot, opened, GROWN)
    await press(pilot, "ctrl+s")


async def hostile(pilot: Pilot[Any]) -> None:
    opened = await open_editor(pilot, "orders-db")
    await write(pilot, opened, GROWN.replace("Anyone through S3", "Any\x1b[31mone \x9b1m\u202ethrough S3"))
    await press(pilot, "f8")


async def simulate(pilot: Pilot[Any]) -> None:
    await go_to(pilot, "payments-cards")
    await press(pilot, "S")
    pilot.app.screen.query_one("#principal", Input).value = APP
    pilot.app.screen.query_one("#action", Input).value = "kms:CreateGrant"
    await settled(pilot)


async def access(pilot: Pilot[Any]) -> None:
    await go_to(pilot, "payments-cards")
    if not pilot.app.screen.query_one(KeyDetails).display:
        await press(pilot, "enter")
    pilot.app.screen.query_one(KeyDetails).open_tab("Policy")
    await settled(pilot)
    pilot.app.screen.query_one(AccessMatrix).table.focus()
    await press(pilot, "down", "down", "right", "right")


async def policy_tab(pilot: Pilot[Any]) -> None:
    await go_to(pilot, "s3-public-assets")
    if not pilot.app.screen.query_one(KeyDetails).display:
        await press(pilot, "enter")
    pilot.app.screen.query_one(KeyDetails).open_tab("Policy")
    await settled(pilot)


Before = Callable[[Pilot[Any]], Awaitable[None]]
PICTURES: tuple[Before, ...] = (
    editor,
    warnings,
    refused,
    completion,
    snippets,
    review,
    hostile,
    simulate,
    access,
    policy_tab,
)


def settle_first(before: Before) -> Before:
    async def run(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        await before(pilot)
        await settled(pilot)
        pilot.app.clear_notifications()
        await settled(pilot)

    return run


@SIZES
@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.__name__)
def test_picture(
    snap_compare: SnapCompare, make_app: MakeApp, picture: Before, size: tuple[int, int]
) -> None:
    assert snap_compare(make_app(), run_before=settle_first(picture), terminal_size=size)


def test_access_beside_the_text_where_there_is_just_room(
    snap_compare: SnapCompare, make_app: MakeApp
) -> None:
    assert snap_compare(make_app(), run_before=settle_first(warnings), terminal_size=MIDDLE)


@SIZES
def test_conflict(snap_compare: SnapCompare, make_app: MakeApp, demo: Backend, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        opened = await open_editor(pilot, "orders-db")
        await write(pilot, opened, GROWN)
        put_policy(demo, opened.subject.key_id, policy_with(ROOT, APP_USES))
        await save(pilot)

    assert snap_compare(make_app(), run_before=settle_first(before), terminal_size=size)


@SIZES
def test_history(snap_compare: SnapCompare, make_app: MakeApp, demo: Backend, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "orders-db")
        for text in (GROWN, policy_with(ROOT, APP_USES)):
            put_policy(demo, key_id, text)
        await press(pilot, "H", "down")

    assert snap_compare(make_app(), run_before=settle_first(before), terminal_size=size)


@SIZES
def test_drafts(
    snap_compare: SnapCompare, make_app: MakeApp, demo: Backend, files: PolicyFiles, size: tuple[int, int]
) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "orders-db")
        arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}"
        base = demo.call("GetKeyPolicy", {"KeyId": key_id})["Policy"]
        files.keep_draft(arn, Draft("one", NOW, GROWN, base))
        files.keep_draft(arn, Draft("two", NOW.replace(hour=9), NO_ACCOUNT, GROWN))
        await press(pilot, "e")

    assert snap_compare(make_app(), run_before=settle_first(before), terminal_size=size)


def test_light(snap_compare: SnapCompare, make_app: MakeApp) -> None:
    app = make_app(config=Config(theme="kms-light"))
    assert snap_compare(app, run_before=settle_first(warnings), terminal_size=WIDE)


def test_without_colour(
    snap_compare: SnapCompare, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(make_app(), run_before=settle_first(refused), terminal_size=NARROW)


def test_read_only(snap_compare: SnapCompare, make_app: MakeApp) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await write(pilot, await open_editor(pilot, "orders-db"), GROWN)
        assert not editor_of(pilot).area.disabled

    assert snap_compare(make_app(read_only=True), run_before=settle_first(before), terminal_size=NARROW)
