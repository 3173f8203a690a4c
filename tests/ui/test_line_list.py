"""A list of lines of any length: only what is on screen is made, and nothing is lost at its end."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll

from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.widgets.virtual_list import LineList

pytestmark = pytest.mark.painted

LINES = 10_000


class Reader(App[None]):
    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield LineList()


def test_only_what_is_on_screen_is_made() -> None:
    made: set[int] = set()

    def line(number: int) -> Content:
        made.add(number)
        return Content(f"line {number} ".ljust(200, "x"))

    async def run() -> None:
        app = Reader()
        async with app.run_test(size=(60, 20)) as pilot:
            app.query_one(LineList).show_lines([partial(line, number) for number in range(LINES)])
            await pilot.pause()
            assert app.query_one(LineList).size.height == LINES
            assert made == set(range(20))
            app.query_one(VerticalScroll).scroll_end(animate=False)
            await pilot.pause()
            assert LINES - 1 in made
            assert len(made) <= 60
            drawn = app.query_one(LineList).render_line(LINES - 1)
            assert drawn.text.startswith(f"line {LINES - 1} x")
            assert drawn.text.rstrip().endswith("x…")
            app.query_one(LineList).show_lines([])
            await pilot.pause()
            assert app.query_one(LineList).size.height == 0

    asyncio.run(run())
