"""A console that nobody touches and that waits for nothing writes nothing to its terminal."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot
from textual.timer import Timer

from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.widgets.text_widgets import Static
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, press, settled
from tests.ui.marked import Written

pytestmark = pytest.mark.painted


def is_ours(timer: Timer) -> bool:
    """Whether it is the console's own, and runs."""
    module = str(getattr(timer._callback, "__module__", ""))
    return module.startswith("kms_tui.") and timer._active.is_set()


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> list[Timer]:
    """Every timer that repeats; a test lets it go off when it likes."""
    made: list[Timer] = []

    def start(timer: Timer) -> None:
        if timer._repeat is None:
            made.append(timer)
        else:
            begin(timer)

    begin = Timer._start
    monkeypatch.setattr(Timer, "_start", start)
    return made


@pytest.mark.parametrize("mode", ["1", "2", "3", "4", "5", "6"])
def test_no_timer_paints_anything_while_nothing_changes(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, timers: list[Timer], mode: str
) -> None:
    written = Written(monkeypatch)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, mode)
        ours = [timer for timer in timers if is_ours(timer)]
        assert len(ours) >= 3
        for _ in range(2):  # what was read since the last tick is told at the first
            written.text = ""
            for timer in ours:
                await timer._tick(next_timer=0, count=1)
                await settled(pilot)
        assert written.text == ""

    drive(make_app(), script)


def test_the_same_words_again_paint_nothing(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Written(monkeypatch)

    async def script(pilot: Pilot[Any]) -> None:
        line = Static(Content.styled("words", "bold"))
        await pilot.app.screen.mount(line)
        await settled(pilot)
        written.text = ""
        line.update(Content.styled("words", "bold"))
        await settled(pilot)
        assert written.text == ""
        line.update(Content.styled("words", "italic"))
        await settled(pilot)
        assert "words" in written.text

    drive(make_app(), script)
