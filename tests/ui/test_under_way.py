"""What was sent cannot be taken back by closing what sent it, nor sent twice: its answer is waited for."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from textual.pilot import Pilot
from textual.widgets import TextArea

from kms_tui.backend.base import Backend
from kms_tui.ui.actions.create_actions import ReviewKey
from kms_tui.ui.dialogs.form import Form
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press, settled, state_of
from tests.ui.test_many_keys import Refusing


class Slow:
    """A KMS in which one operation waits until it is released; ``calls`` counts it."""

    def __init__(self, demo: Backend, operation: str) -> None:
        self.operation = operation
        self.calls = 0
        self.entered, self.release = threading.Event(), threading.Event()
        self.backend = Refusing(demo, self._wait)

    def _wait(self, operation: str, _: Mapping[str, Any]) -> None:
        if operation == self.operation:
            self.calls += 1
            self.entered.set()
            self.release.wait(30)

    async def is_entered(self, pilot: Pilot[Any]) -> None:
        while not self.entered.is_set():
            await pilot.pause(0.01)

    async def end(self, pilot: Pilot[Any]) -> None:
        self.release.set()
        await settled(pilot)


def test_a_form_is_sent_once_and_does_not_close_before_the_answer(make_app: MakeApp, demo: Backend) -> None:
    slow = Slow(demo, "UpdateKeyDescription")

    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "sandbox")
        await press(pilot, "i")
        pilot.app.screen.query_one("#description", TextArea).text = "mine"
        await pilot.press("ctrl+s")
        await slow.is_entered(pilot)
        await pilot.press("ctrl+s", "ctrl+s", "escape")
        await pilot.pause()
        form = pilot.app.screen
        assert isinstance(form, Form)
        await slow.end(pilot)
        assert pilot.app.screen is not form
        assert slow.calls == 1
        assert demo.call("DescribeKey", {"KeyId": key})["KeyMetadata"]["Description"] == "mine"
        assert "description of sandbox is saved" in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(slow.backend), script)


def test_a_key_is_made_once_whatever_is_pressed_meanwhile(make_app: MakeApp, demo: Backend) -> None:
    slow = Slow(demo, "CreateKey")

    async def script(pilot: Pilot[Any]) -> None:
        before = len(demo.call("ListKeys", {"Limit": 1000})["Keys"])
        await press(pilot, "n", "enter", "ctrl+s")
        review = pilot.app.screen
        assert isinstance(review, ReviewKey)
        review.confirm()
        await slow.is_entered(pilot)
        review.confirm()
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.screen is review
        await slow.end(pilot)
        assert slow.calls == 1
        assert len(demo.call("ListKeys", {"Limit": 1000})["Keys"]) == before + 1
        assert "is made." in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(slow.backend), script)


def test_an_action_does_not_take_the_place_of_one_under_way(make_app: MakeApp, demo: Backend) -> None:
    slow = Slow(demo, "DisableKey")

    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "sandbox")
        await press(pilot, "X")
        await pilot.press("tab", "enter")
        await slow.is_entered(pilot)
        await pilot.press("i")
        await pilot.pause()
        assert "The last action is under way" in notifications(pilot.app)  # type: ignore[arg-type]
        await slow.end(pilot)
        assert state_of(demo, key) == "Disabled"
        assert "sandbox disabled." in notifications(pilot.app)  # type: ignore[arg-type]
        await press(pilot, "i")
        assert isinstance(pilot.app.screen, Form)

    drive(make_app(slow.backend), script)
