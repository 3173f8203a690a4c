"""A cursor and marks on the rows of a View, by keyboard and mouse; drawing is KeyList's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.scroll_view import ScrollView

from kms_tui.inventory.row import Row
from kms_tui.inventory.view import View
from kms_tui.ui.widgets.key_line import GUTTER

if TYPE_CHECKING:
    from kms_tui.ui.widgets.key_list import KeyList

HEADER = 1
"""Lines above the rows."""


class RowMessage(Message):
    """About one key of a list; ``row_key`` is its ARN, "" where the list is empty."""

    def __init__(self, key_list: KeyList, row_key: str) -> None:
        super().__init__()
        self.key_list = key_list
        self.row_key = row_key

    @property
    def control(self) -> KeyList:
        return self.key_list


class KeyCursor(ScrollView, can_focus=True):
    """The cursor stays with its key, and the marks with theirs, whatever happens to the rows around."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", id="list.up", tooltip="One key up", show=False),
        Binding("down,j", "move(1)", "Down", id="list.down", tooltip="One key down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="list.page-up", tooltip="A screen up", show=False),
        Binding("pagedown", "page(1)", "Page down", id="list.page-down", tooltip="A screen down", show=False),
        Binding("home,g", "jump(0)", "First", id="list.first", tooltip="The first key", show=False),
        Binding("end,G", "jump(-1)", "Last", id="list.last", tooltip="The last key", show=False),
        Binding("enter", "select", "Details", id="list.select", tooltip="Details of the key", show=False),
        Binding("space", "mark", "Mark", id="list.mark", tooltip="Mark the key, or take its mark away"),
        Binding(
            "shift+up", "extend(-1)", "Mark up", id="list.mark-up", tooltip="Mark this and go up", show=False
        ),
        Binding(
            "shift+down",
            "extend(1)",
            "Mark down",
            id="list.mark-down",
            tooltip="Mark this and go down",
            show=False,
        ),
        Binding(
            "v", "range", "Mark range", id="list.range", tooltip="Mark from here on, or end it", show=False
        ),
        Binding("escape", "end_range", "End range", id="list.end-range", tooltip="Stop marking", show=False),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._view: View | None = None
        self.cursor = 0
        """The index of the row that the cursor is on."""
        self._chosen: Row | None = None
        """The key that someone last moved to: the cursor goes back to it when a filter lets it through."""
        self._range_from: int | None = None
        self._range_marks: set[str] = set()
        self.hover: int | None = None
        """The index of the row under the mouse."""

    @property
    def view(self) -> View | None:
        return self._view

    @property
    def rows(self) -> Sequence[Row]:
        """The rows in the order shown."""
        return self._view.rows if self._view is not None else ()

    @property
    def current(self) -> Row | None:
        """The row of the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    @property
    def marked(self) -> list[Row]:
        """The marked rows, those that the filter hides too; see View.summary for how many those are."""
        view = self._view
        if view is None:
            return []
        rows = [view.inventory.row(row_key) for row_key in sorted(view.marks)]
        return [row for row in rows if row is not None]

    def go_to(self, row_key: str) -> bool:
        """Put the cursor on a key; False where it is not on the list."""
        for index, row in enumerate(self.rows):
            if row.arn == row_key:
                self._move_to(index)
                return True
        return False

    # What KeyList does about it

    @property
    def page(self) -> int:
        """How many rows fit on the screen."""
        raise NotImplementedError

    def _cursor_moved(self) -> None:
        raise NotImplementedError

    def _marks_changed(self) -> None:
        raise NotImplementedError

    def _selected(self, row: Row) -> None:
        raise NotImplementedError

    def _header_clicked(self, x: int) -> None:
        raise NotImplementedError

    # Moving

    def action_move(self, by: int) -> None:
        self._move_to(self.cursor + by)

    def action_page(self, by: int) -> None:
        self._move_to(self.cursor + by * self.page)

    def action_jump(self, to: int) -> None:
        self._move_to(to if to >= 0 else len(self.rows) - 1)

    def action_select(self) -> None:
        row = self.current
        if row is not None:
            self._chosen = row
            self._selected(row)

    def _move_to(self, index: int) -> None:
        if not self.rows:
            return
        before, self.cursor = self.cursor, max(0, min(index, len(self.rows) - 1))
        self._chosen = self.current
        if self._range_from is not None:
            self._mark_range()
        self._show_cursor()
        self._refresh_row(before)
        self._refresh_row(self.cursor)
        self._cursor_moved()

    def _put_cursor_back(self) -> None:
        """After the rows were replaced: on the key that was chosen, else on the first."""
        self._range_from = None
        try:
            self.cursor = 0 if self._chosen is None else self.rows.index(self._chosen)
        except ValueError:
            self.cursor = 0
        self._show_cursor()

    def _show_cursor(self) -> None:
        top = round(self.scroll_y)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + self.page:
            self.scroll_to(y=self.cursor - self.page + 1, animate=False)

    def _refresh_row(self, index: int) -> None:
        line = index - round(self.scroll_y)
        if 0 <= line < self.page:
            self.refresh(Region(0, line + HEADER, self.size.width, 1))

    # Marks

    def action_mark(self) -> None:
        row = self.current
        if row is not None:
            self._toggle(row)
            self._move_to(self.cursor + 1)

    def action_extend(self, by: int) -> None:
        """Mark the row of the cursor and the one that it moves to."""
        view = self._view
        if view is None or self.current is None:
            return
        before = self.current.arn
        self._move_to(self.cursor + by)
        view.mark([before, self.rows[self.cursor].arn])
        self._marks_changed()

    def action_range(self) -> None:
        """Begin to mark from the cursor on, or end it and keep the marks."""
        if self._range_from is not None or self._view is None or not self.rows:
            self._range_from = None
        else:
            self._range_from = self.cursor
            self._range_marks = set(self._view.marks)
            self._mark_range()

    def action_end_range(self) -> None:
        self._range_from = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape belongs to the screen unless a range is being marked."""
        return self._range_from is not None if action == "end_range" else True

    def _toggle(self, row: Row) -> None:
        if self._view is not None:
            self._view.toggle_mark(row.arn)
            self._marks_changed()

    def _mark_range(self) -> None:
        if self._view is not None and self._range_from is not None:
            self._view.marks = set(self._range_marks)
            self._mark_between(self._range_from, self.cursor)

    def _mark_between(self, one: int, other: int) -> None:
        if self._view is not None:
            first, last = sorted((one, other))
            self._view.mark(row.arn for row in self.rows[first : last + 1])
            self._marks_changed()

    # The mouse

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._hover_over(self._row_at(event.y))

    def on_leave(self) -> None:
        self._hover_over(None)

    def _hover_over(self, index: int | None) -> None:
        before, self.hover = self.hover, index
        if before != index:
            for each in (before, index):
                if each is not None:
                    self._refresh_row(each)

    def on_click(self, event: events.Click) -> None:
        """Click to move, again to select; ctrl or the gutter to mark, shift to mark up to here."""
        if event.y < HEADER:
            self._header_clicked(event.x)
            return
        index = self._row_at(event.y)
        if index is None:
            return
        if event.shift:
            self._mark_between(self.cursor, index)
            self._move_to(index)
        elif event.ctrl or event.x < GUTTER:
            self._toggle(self.rows[index])
            self._move_to(index)
        elif index == self.cursor:
            self.action_select()
        else:
            self._move_to(index)

    def _row_at(self, y: int) -> int | None:
        line = y - HEADER
        index = round(self.scroll_y) + line
        return index if 0 <= line < self.page and index < len(self.rows) else None
