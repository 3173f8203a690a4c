"""The table of rows: how its columns share the width."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from textual.app import App, ComposeResult

from kms_tui.ui.details import activity_tab
from kms_tui.ui.screens import aliases_screen, calendar_screen, cost_screen, grants_screen, health_screen
from kms_tui.ui.widgets.line_table import LineTable, TableColumn
from tests.ui.console import resize

TABLES = {
    "activity": activity_tab._COLUMNS,
    "aliases": aliases_screen._COLUMNS,
    "calendar": calendar_screen._COLUMNS,
    "checks": health_screen._CHECKS,
    "cost": cost_screen._COLUMNS,
    "grants": grants_screen._COLUMNS,
}


class Tabled(App[None]):
    """Nothing but a table."""

    def __init__(self, columns: Sequence[TableColumn]) -> None:
        super().__init__()
        self.columns = columns

    def compose(self) -> ComposeResult:
        yield LineTable(self.columns)


@pytest.mark.parametrize("columns", TABLES.values(), ids=TABLES)
def test_no_width_clips_a_heading(columns: Sequence[TableColumn]) -> None:
    titles = [each.title for each in columns if each.title]

    async def run() -> None:
        app = Tabled(columns)
        async with app.run_test(size=(101, 10)) as pilot:
            table = app.query_one(LineTable)
            for width in range(100, 49, -1):
                await resize(pilot, width, 10)
                assert table.size.width == width
                head = table.render_line(0).text
                shown = [title for title in titles if title in head]
                assert head.split() == " ".join(shown).split(), f"at {width}: {head!r}"
                assert shown == titles[: len(shown)]

    asyncio.run(run())
