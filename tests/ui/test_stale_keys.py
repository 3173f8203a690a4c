"""Keys that are no longer what the list shows: the act is refused in words, and the row is read again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.pilot import Pilot

from kms_tui.backend.base import Backend
from kms_tui.config import Config
from kms_tui.kms.errors import ServiceError
from kms_tui.ui.widgets.key_list import KeyList
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press, state_of
from tests.ui.test_many_keys import Refusing
from tests.ui.test_pending_changes import line


def test_a_key_that_somebody_changed_meanwhile_refuses_and_shows_what_it_is_now(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "sandbox")
        demo.call("ScheduleKeyDeletion", {"KeyId": key, "PendingWindowInDays": 7})
        await press(pilot, "X", "tab", "enter")
        assert "KMSInvalidStateException" in notifications(pilot.app)  # type: ignore[arg-type]
        assert state_of(demo, key) == "PendingDeletion"
        row = pilot.app.screen.query_one(KeyList).current
        assert row is not None
        assert row.key is not None
        assert row.key.state == "PendingDeletion"

    drive(make_app(), script)


def test_a_key_that_vanished_meanwhile_keeps_its_row_and_says_so(make_app: MakeApp, demo: Backend) -> None:
    gone: set[str] = set()

    def vanish(operation: str, params: Mapping[str, Any]) -> None:
        if params.get("KeyId") in gone:
            raise ServiceError("NotFoundException", "no such key", operation=operation)

    async def script(pilot: Pilot[Any]) -> None:
        gone.add(await go_to(pilot, "sandbox"))
        await press(pilot, "X", "tab", "enter")
        told = notifications(pilot.app)  # type: ignore[arg-type]
        assert "NotFoundException: no such key" in told
        assert "Refresh" in told
        assert "cannot describe: failed" in line(pilot)

    drive(make_app(Refusing(demo, vanish)), script)


def test_the_last_use_is_read_of_the_keys_on_screen_where_its_column_was_chosen(
    make_app: MakeApp, demo: Backend
) -> None:
    asked: list[str] = []

    def count(operation: str, params: Mapping[str, Any]) -> None:
        if operation == "GetKeyLastUsage":
            asked.append(str(params["KeyId"]))

    async def script(pilot: Pilot[Any]) -> None:
        shown = pilot.app.screen.query_one(KeyList)
        first, last = shown.visible_rows
        assert set(asked) == {row.key_id for row in shown.rows[first : last + 1]}
        await press(pilot, "home")
        assert " d ago" in line(pilot)

    config = Config(columns=("name", "used"))
    drive(make_app(Refusing(demo, count), config=config), script, size=(80, 14))
