"""``LineTable``: a table of any length of which only what is on screen is drawn; its text is untrusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kms_tui.ui.base.safe_text import column

GAP = 2
GUTTER = 2
_NARROWEST = 4


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of at least ``width`` cells; what is left over goes to columns by ``weight``."""

    title: str
    width: int
    weight: int = 0
    right: bool = False


@dataclass(frozen=True, slots=True)
class TableRow:
    """``key`` names the row; a cell is a text, or (text, look) with a look of LineTable's."""

    key: str
    cells: tuple[str | tuple[str, str], ...]


class LineTable(ScrollView, can_focus=True):
    """Shows rows below a head; the cursor stays with its row when the rows are replaced."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "line-table--head",
        "line-table--row",
        "line-table--cursor",
        "line-table--cursor-blurred",
        "line-table--plain",
        "line-table--strong",
        "line-table--quiet",
        "line-table--accent",
        "line-table--good",
        "line-table--warning",
        "line-table--danger",
    }
    DEFAULT_CSS = """
    LineTable {
        height: 1fr;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        background: $background;
        & > .line-table--head { color: $text-muted; }
        & > .line-table--row { background: $background; }
        & > .line-table--cursor { background: $block-cursor-background; }
        & > .line-table--cursor-blurred { background: $block-cursor-blurred-background; }
        & > .line-table--plain { color: $foreground; }
        & > .line-table--strong { color: $foreground; text-style: bold; }
        & > .line-table--quiet { color: $text-muted; }
        & > .line-table--accent { color: $accent; }
        & > .line-table--good { color: $success; }
        & > .line-table--warning { color: $warning; }
        & > .line-table--danger { color: $error; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", id="table.up", tooltip="One row up", show=False),
        Binding("down,j", "move(1)", "Down", id="table.down", tooltip="One row down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="table.page-up", tooltip="A screen up", show=False),
        Binding(
            "pagedown", "page(1)", "Page down", id="table.page-down", tooltip="A screen down", show=False
        ),
        Binding("home,g", "jump(0)", "First", id="table.first", tooltip="The first row", show=False),
        Binding("end,G", "jump(-1)", "Last", id="table.last", tooltip="The last row", show=False),
        Binding("enter", "select", "Open", id="table.select", tooltip="Open the row", show=False),
    ]

    class Highlighted(Message):
        """The cursor is on another row; ``key`` is "" where there is none."""

        def __init__(self, table: LineTable, key: str) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> LineTable:
            return self.table

    class Selected(Highlighted):
        """Enter, or a click on the row of the cursor."""

    def __init__(
        self,
        columns: Sequence[TableColumn],
        *,
        empty: str = "Nothing here.",
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._rows: Sequence[TableRow] = ()
        self._cursor = 0
        self.empty = empty

    def show_rows(self, rows: Sequence[TableRow]) -> None:
        """Replace the rows; the cursor stays on its row where that is still there."""
        key = self.current
        self._rows = rows
        found = next((index for index, row in enumerate(rows) if row.key == key), None)
        self._cursor = min(self._cursor, max(0, len(rows) - 1)) if found is None else found
        self.virtual_size = Size(self.size.width, len(rows) + 1)
        self._show_cursor()
        self.refresh()
        if self.current != key:
            self.post_message(self.Highlighted(self, self.current))

    @property
    def rows(self) -> Sequence[TableRow]:
        return self._rows

    @property
    def current(self) -> str:
        """The key of the row of the cursor, or "" where there is none."""
        return self._rows[self._cursor].key if self._cursor < len(self._rows) else ""

    def go_to(self, key: str) -> bool:
        """Put the cursor on a row; False where there is no such row."""
        for index, row in enumerate(self._rows):
            if row.key == key:
                self._move_to(index)
                return True
        return False

    # Moving

    def action_move(self, by: int) -> None:
        self._move_to(self._cursor + by)

    def action_page(self, by: int) -> None:
        self._move_to(self._cursor + by * self._page)

    def action_jump(self, to: int) -> None:
        self._move_to(to if to >= 0 else len(self._rows) - 1)

    def action_select(self) -> None:
        if self.current:
            self.post_message(self.Selected(self, self.current))

    def on_click(self, event: events.Click) -> None:
        index = event.y - 1 + round(self.scroll_y)
        if event.y == 0 or index >= len(self._rows):
            return
        if index == self._cursor:
            self.action_select()
        else:
            self._move_to(index)

    @property
    def _page(self) -> int:
        return max(1, self.size.height - 1)

    def _move_to(self, index: int) -> None:
        if not self._rows:
            return
        self._cursor = max(0, min(index, len(self._rows) - 1))
        self._show_cursor()
        self.refresh()
        self.post_message(self.Highlighted(self, self.current))

    def _show_cursor(self) -> None:
        top = round(self.scroll_y)
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False)
        elif self._cursor >= top + self._page:
            self.scroll_to(y=self._cursor - self._page + 1, animate=False)

    # Drawing

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def _widths(self) -> list[int]:
        """As wide as asked for, the rest by weight; without room, columns give way from the right.

        A column of which next to nothing would be left goes altogether.
        """
        room = self.scrollable_content_region.width - GUTTER - GAP * (len(self._columns) - 1)
        widths = [each.width for each in self._columns]
        spare = room - sum(widths)
        weights = sum(each.weight for each in self._columns)
        if spare > 0 and weights:
            return [
                width + spare * each.weight // weights
                for width, each in zip(widths, self._columns, strict=True)
            ]
        for index in reversed(range(1, len(widths))):
            if spare >= 0:
                break
            given = -spare if widths[index] + spare >= _NARROWEST else widths[index]
            widths[index] -= given
            spare += given
        return widths

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        return Strip(self._line(y)).adjust_cell_length(width, self._style("row", "plain"))

    def _line(self, y: int) -> list[Segment]:
        if y == 0:
            return self._cells(tuple((each.title, "head") for each in self._columns), "row", " ")
        index = round(self.scroll_y) + y - 1
        if index >= len(self._rows):
            text = self.empty if not self._rows and y == 2 else ""
            return [Segment(" " * GUTTER + column(text, self.size.width), self._style("row", "quiet"))]
        background = "row"
        if index == self._cursor:
            background = "cursor" if self.has_focus else "cursor-blurred"
        line = self._cells(self._rows[index].cells, background, "▌" if index == self._cursor else " ")
        used = sum(segment.cell_length for segment in line)
        filler = " " * max(0, self.scrollable_content_region.width - used)
        return [*line, Segment(filler, self._style(background, "plain"))]

    def _cells(self, cells: tuple[str | tuple[str, str], ...], background: str, gutter: str) -> list[Segment]:
        segments = [
            Segment(gutter.ljust(GUTTER), self._style(background, "accent" if gutter != " " else "plain"))
        ]
        for cell, each, width in zip(cells, self._columns, self._widths(), strict=True):
            text, look = (cell, "plain") if isinstance(cell, str) else cell
            segments.append(Segment(column(text, width, right=each.right), self._style(background, look)))
            segments.append(Segment(" " * GAP, self._style(background, "plain")))
        return segments

    def _style(self, background: str, look: str) -> Style:
        behind = self.get_component_rich_style(f"line-table--{background}")
        return self.get_component_rich_style(f"line-table--{look}") + Style(bgcolor=behind.bgcolor)
