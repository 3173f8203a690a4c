"""A change counts at once, whatever older reads say; the row says "propagating" until a read agrees."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from kms_tui.backend.base import Backend
from kms_tui.ui.widgets.key_list import KeyList
from tests.demo_copies import demo_copy
from tests.ui.conftest import NOW, MakeApp
from tests.ui.console import drive, go_to, notifications, press, state_of
from tests.ui.test_many_keys import body
from tests.unit.lagging import Lagging


def line(pilot: Pilot[Any]) -> str:
    """The line of the cursor, as it is drawn."""
    key_list = pilot.app.screen.query_one(KeyList)
    return key_list.render_line(1 + key_list.cursor - round(key_list.scroll_y)).text


def test_an_older_read_shows_as_propagating_on_the_row_and_in_the_details_until_a_later_one_agrees(
    make_app: MakeApp, demo: Backend
) -> None:
    backend = Lagging(demo, demo_copy(NOW))

    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "sandbox")
        await press(pilot, "X", "tab", "enter")
        assert state_of(demo, key) == "Disabled"
        assert "Could not" not in notifications(pilot.app)  # type: ignore[arg-type]
        assert "propagating: disabled" in line(pilot)
        row = pilot.app.screen.query_one(KeyList).current
        assert row is not None
        assert row.key is not None, row.described
        assert row.key.state == "Disabled", "the change counts"
        assert "propagating: disabled" in body(pilot)
        backend.caught_up.set()
        for _ in range(200):
            if "propagating" not in line(pilot) + body(pilot):
                break
            await pilot.pause(0.05)
        assert "propagating" not in line(pilot) + body(pilot)
        assert row.key.state == "Disabled"

    drive(make_app(backend), script)
