"""A dialog is painted when all of it is laid out, over a darkened screen."""

from __future__ import annotations

from typing import Any

import pytest
from rich.segment import ControlType, Segment
from rich.style import Style
from textual.color import Color
from textual.pilot import Pilot
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import Screen

from kms_tui.ui.dialogs.modal import DarkenedScreen, Modal
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, press, resize
from tests.ui.test_hostile_text import screen_text


@pytest.mark.painted
@pytest.mark.parametrize(("key", "last"), [("D", "esc Cancel"), ("m", "esc Cancel"), ("f1", "Scratchpad")])
def test_its_first_frame_shows_all_of_it(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, key: str, last: str
) -> None:
    app = make_app()
    frames: list[str] = []
    display = app._display

    def noting(screen: Screen[Any], renderable: Any) -> None:
        if isinstance(screen, Modal) and renderable is not None:
            frames.append(screen_text(app))
        display(screen, renderable)

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        monkeypatch.setattr(app, "_display", noting)
        await press(pilot, key)
        assert isinstance(app.screen, Modal)
        assert last in frames[0]
        assert "kms-tui" in frames[0]  # the screen below it
        await resize(pilot, 80, 24)
        assert last.split()[0] in screen_text(app)

    drive(app, script)


def test_the_screen_below_is_darkened_as_textual_does() -> None:
    color = Color.parse("#12171b").with_alpha(0.6)
    segments = [
        Segment("plain"),
        Segment("bold", Style.parse("bold #ff0000 on #102030")),
        Segment("linked", Style(link="https://example.com", meta={"@click": "quit"})),
        Segment("half", Style.parse("green")),
        Segment("", None, [(ControlType.BELL,)]),
    ]
    for each in (color, color.with_alpha(0)):
        expected = [*BackgroundScreen.process_segments(segments, each)]
        assert [*DarkenedScreen.process_segments(segments, each)] == expected
        assert all(not segment.style.meta for segment in expected if segment.style is not None)
