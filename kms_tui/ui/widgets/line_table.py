"""``LineTable``: a virtual list of rows with several columns; its text is untrusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, overload

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message

from kms_tui.ui.base.safe_text import column
from kms_tui.ui.widgets.virtual_list import BAR, HEADER, VirtualList, cursor_bindings

T = TypeVar("T")
GAP = 2
GUTTER = 2
_NARROWEST = 4
_EMPTY_TOP = 2
"""The line on which an empty table says so."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of at least ``width`` cells; spare cells go to columns by ``weight``."""

    title: str
    width: int
    weight: int = 0
    right: bool = False

    @property
    def least(self) -> int:
        """Where there is no room for so many cells, the column goes."""
        return max(_NARROWEST, len(self.title))


@dataclass(frozen=True, slots=True)
class TableRow:
    """``key`` names the row; a cell is a text, or (text, look) with a look of LineTable's.

    A single cell takes the whole line, whatever the columns are.
    """

    key: str
    cells: tuple[str | tuple[str, str], ...]


class MadeRows(Sequence[TableRow]):
    """A row for each item, made when it is painted: there may be 100,000.

    ``key`` gives the key of an item's row without making the row.
    """

    def __init__(
        self, items: Sequence[T], make: Callable[[T], TableRow], *, key: Callable[[T], str] | None = None
    ) -> None:
        self._items: Sequence[Any] = items
        self._make: Callable[[Any], TableRow] = make
        self._key: Callable[[Any], str] | None = key

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> TableRow: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[TableRow]: ...

    def __getitem__(self, index: int | slice) -> TableRow | Sequence[TableRow]:
        if isinstance(index, slice):
            return MadeRows(self._items[index], self._make, key=self._key)
        return self._make(self._items[index])

    @property
    def keys(self) -> Iterator[str]:
        """The keys of the rows, in order."""
        return map(self._key, self._items) if self._key is not None else (row.key for row in self)


def _index_of(rows: Sequence[TableRow], key: str) -> int | None:
    """The index of the row with a key."""
    keys = rows.keys if isinstance(rows, MadeRows) else (row.key for row in rows)
    return next((index for index, each in enumerate(keys) if each == key), None)


class LineTable(VirtualList):
    """Rows of cells below a header; the cursor stays with its row when the rows are replaced."""

    CLASS_PREFIX = "line-table"
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
        *cursor_bindings("table", "row"),
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
        self.columns = tuple(columns)
        self._rows: Sequence[TableRow] = ()
        self.empty = empty

    def show_rows(self, rows: Sequence[TableRow]) -> None:
        """Replace the rows; the cursor stays on its row where that is still there."""
        key = self.current
        self._rows = rows
        self.cursor = min(self.cursor, max(0, len(rows) - 1))
        if key and self.current != key:
            place = _index_of(rows, key)
            self.cursor = self.cursor if place is None else place
        self.virtual_size = Size(self.size.width, HEADER + len(rows))
        self.show_cursor()
        self.refresh()
        if self.current != key:
            self.post_message(self.Highlighted(self, self.current))

    def on_unmount(self) -> None:
        self._rows = ()  # Textual keeps a closed dialog for a while, and there may be 100,000

    @property
    def rows(self) -> Sequence[TableRow]:
        return self._rows

    @property
    def current(self) -> str:
        """The key of the row of the cursor, or "" where there is none."""
        return self._rows[self.cursor].key if self.cursor < len(self._rows) else ""

    def go_to(self, key: str) -> bool:
        """Put the cursor on a row; False where there is no such row."""
        place = _index_of(self._rows, key)
        if place is None:
            return False
        self.move_to(place)
        return True

    @property
    def row_count(self) -> int:
        return len(self._rows)

    def cursor_moved(self) -> None:
        self.post_message(self.Highlighted(self, self.current))

    def row_selected(self) -> None:
        if self.current:
            self.post_message(self.Selected(self, self.current))

    # Painting

    def _widths(self) -> list[int]:
        """As wide as asked for, the rest by weight; without room, columns give way from the right.

        A column that would be narrower than its title goes altogether.
        """
        room = self.scrollable_content_region.width - GUTTER - GAP * (len(self.columns) - 1)
        widths = [each.width for each in self.columns]
        spare = room - sum(widths)
        weights = sum(each.weight for each in self.columns)
        if spare > 0 and weights:
            shares = [(each, each.width + spare * each.weight // weights) for each in self.columns]
            return [width if each.width or width >= each.least else 0 for each, width in shares]
        for index in reversed(range(1, len(widths))):
            if spare >= 0:
                break
            is_left = widths[index] + spare >= self.columns[index].least
            given = -spare if is_left else widths[index]
            widths[index] -= given
            spare += given
        return widths

    def line(self, y: int) -> tuple[list[Segment], str]:
        if y < HEADER:
            return self._cells(tuple((each.title, "head") for each in self.columns), "row", " "), "row"
        index = round(self.scroll_y) + y - HEADER
        if index >= len(self._rows):
            text = self.empty if not self._rows and y == _EMPTY_TOP else ""
            filled = " " * GUTTER + column(text, self.size.width)
            return [Segment(filled, self.styles_on("row")("quiet"))], "row"
        if index != self.cursor:
            return self._cells(self._rows[index].cells, "row", " "), "row"
        background = "cursor" if self.has_focus else "cursor-blurred"
        return self._cells(self._rows[index].cells, background, BAR), background

    def blend(self, background: str, part: str) -> Style:
        """The colour of the theme, on every background: only the background is the row's."""
        behind = self.get_component_rich_style(background)
        return self.get_component_rich_style(part) + Style(bgcolor=behind.bgcolor)

    def _cells(self, cells: tuple[str | tuple[str, str], ...], background: str, gutter: str) -> list[Segment]:
        style = self.styles_on(background)
        segments = [Segment(gutter.ljust(GUTTER), style("plain" if gutter == " " else "accent"))]
        is_whole = len(cells) == 1
        columns = self.columns[:1] if is_whole else self.columns
        widths = [self.scrollable_content_region.width - GUTTER] if is_whole else self._widths()
        for cell, each, width in zip(cells, columns, widths, strict=True):
            text, look = (cell, "plain") if isinstance(cell, str) else cell
            segments.append(Segment(column(text, width, right=each.right and not is_whole), style(look)))
            segments.append(Segment(" " * GAP, style("plain")))
        return segments
