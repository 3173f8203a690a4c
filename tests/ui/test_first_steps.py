"""The first steps of the demo, and the tour: each waits for one real thing."""

from __future__ import annotations

import asyncio
from typing import Any

from textual.pilot import Pilot

from kms_tui.backend.base import Backend
from kms_tui.session import BackendKind, Connection
from kms_tui.ui.app import KmsApp
from kms_tui.ui.widgets.first_steps import CARDS, FirstSteps
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press, settled, state_of


async def until(pilot: Pilot[Any], text: str) -> None:
    """Wait for a notification."""
    async with asyncio.timeout(10):
        while text not in notifications(pilot.app):  # type: ignore[arg-type]
            await pilot.pause(0.02)


async def first_steps(pilot: Pilot[Any]) -> FirstSteps:
    async with asyncio.timeout(10):
        while not pilot.app.screen.query(".card"):
            await pilot.pause(0.02)
    await settled(pilot)
    return pilot.app.screen.query_one(FirstSteps)


def welcoming(app: KmsApp) -> KmsApp:
    app.welcomes = True
    return app


def test_a_card_goes_once_its_key_was_used_and_the_last_takes_the_row_with_it(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        steps = await first_steps(pilot)
        assert len(steps.query(".card")) == len(CARDS)
        await press(pilot, "slash", "escape")
        assert not steps.query("#card-filter")
        await press(pilot, "m", "escape", "colon", "escape")
        assert [card.id for card in steps.query(".card")] == ["card-undo"]
        await press(pilot, "ctrl+z")
        assert not pilot.app.screen.query(FirstSteps)

    drive(welcoming(make_app()), script)


def test_actions_without_a_card_leave_the_cards_as_they_are(make_app: MakeApp) -> None:
    app = welcoming(make_app())

    async def script(pilot: Pilot[Any]) -> None:
        steps = await first_steps(pilot)
        await go_to(pilot, "orders-db")
        await press(pilot, "X", "escape", "y", "escape", "space")
        assert len(steps.query(".card")) == len(CARDS)

    drive(app, script)


def test_the_cross_hides_all_of_them(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await first_steps(pilot)
        await pilot.click("#first-steps-end", offset=(2, 1))
        await settled(pilot)
        assert not pilot.app.screen.query(FirstSteps)

    drive(welcoming(make_app()), script)


def test_nothing_is_shown_unless_the_program_was_started_on_the_demo(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await pilot.pause(0.5)
        assert not pilot.app.screen.query(FirstSteps)

    drive(make_app(), script)


def test_the_tour_goes_on_when_a_step_is_done_and_changes_nothing_for_good(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await pilot.app.run_action("tour")
        await until(pilot, "Tour 1 of 6")
        await press(pilot, "slash", *"orders", "enter")
        await until(pilot, "Tour 2 of 6")
        key_id = await go_to(pilot, "orders-db")
        await press(pilot, "enter", "right")
        await until(pilot, "Tour 3 of 6")
        await press(pilot, "m")
        await until(pilot, "Tour 4 of 6")
        await press(pilot, "escape", "X", "y")
        assert state_of(demo, key_id) == "Disabled"
        await until(pilot, "Tour 5 of 6")
        await press(pilot, "ctrl+z", "y")
        assert state_of(demo, key_id) == "Enabled"
        await until(pilot, "Tour 6 of 6")
        await press(pilot, "colon")
        await until(pilot, "That is it")

    drive(make_app(), script)


def test_the_tour_changes_no_key_of_aws(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await pilot.app.run_action("tour")
        await until(pilot, "runs on the demo")
        assert "Tour 1" not in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(kind=BackendKind.AWS), script)


def test_the_tour_ends_by_the_palette_and_asks_for_nothing_in_another_account(make_app: MakeApp) -> None:
    app = make_app()

    async def script(pilot: Pilot[Any]) -> None:
        await app.run_action("tour")
        await until(pilot, "End the tour in the palette ends the tour.")
        await press(pilot, "colon", *"end the tour", "enter")
        await settled(pilot)
        assert not app.is_touring
        assert "Tour 1" not in notifications(app)
        await app.run_action("tour")
        await until(pilot, "Tour 1 of 6")
        app.open(Connection(BackendKind.DEMO, read_only=True))
        await until(pilot, "Another account is open, so the tour has ended.")
        await press(pilot, "slash", *"orders", "enter")
        await pilot.pause(0.5)
        assert not app.is_touring
        assert "Tour 2" not in notifications(app)

    drive(app, script)
