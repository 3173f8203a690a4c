"""``MarkedList``: a cursor and marks on the rows of a View; painting is KeyList's."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from kms_tui.inventory.row import Row
from kms_tui.inventory.view import View
from kms_tui.ui.widgets.key_line import GUTTER
from kms_tui.ui.widgets.virtual_list import VirtualList, cursor_bindings


class MarkedList(VirtualList):
    """Cursor and marks stay with their keys when rows arrive, leave or move."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *cursor_bindings("list", "key"),
        *(
            Binding(key, action, title, id=f"list.{name}", tooltip=tooltip, show=show)
            for key, action, title, name, tooltip, show in (
                ("enter", "select", "Details", "select", "Details of the key", False),
                ("space", "mark", "Mark", "mark", "Mark the key, or take its mark away", True),
                ("shift+up", "extend(-1)", "Mark up", "mark-up", "Mark this and go up", False),
                ("shift+down", "extend(1)", "Mark down", "mark-down", "Mark this and go down", False),
                ("v", "range", "Mark range", "range", "Mark from here on, or end it", False),
                ("escape", "end_range", "End range", "end-range", "Stop marking", False),
            )
        ),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._view: View | None = None
        self._chosen: Row | None = None
        """The key that the person last moved to: the cursor returns to it when a filter shows it again."""
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
    def row_count(self) -> int:
        return len(self.rows)

    @property
    def current(self) -> Row | None:
        """The row of the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def chosen(self) -> Callable[[], list[Row]]:
        """What finds the rows that are marked now, hidden ones included, or else that of the cursor.

        It may run on a thread: it looks at each mark, and 100,000 take 0.1 s.
        """
        view, rows = self._view, [self.current] if self.current is not None else []
        marks = frozenset(view.marks) if view is not None else ()

        def find() -> list[Row]:
            found = [view.inventory.row(row_key) for row_key in sorted(marks)] if view is not None else []
            return [row for row in found if row is not None] or rows

        return find

    def go_to(self, row_key: str) -> bool:
        """Put the cursor on a key; False where it is not on the list."""
        for index, row in enumerate(self.rows):
            if row.arn == row_key:
                self.move_to(index)
                return True
        return False

    @abstractmethod
    def current_changed(self) -> None:
        """The cursor may be on another key."""

    @abstractmethod
    def marks_changed(self) -> None:
        """Other keys are marked."""

    # The cursor

    def cursor_moved(self) -> None:
        self._chosen = self.current
        if self._range_from is not None:
            self._mark_range()
        self.current_changed()

    def put_cursor_back(self) -> None:
        """After the rows were replaced: on the key that was chosen, else on the first."""
        self._range_from = None
        try:
            self.cursor = 0 if self._chosen is None else self.rows.index(self._chosen)
        except ValueError:
            self.cursor = 0
        self.show_cursor()

    # Marks

    def action_mark(self) -> None:
        row = self.current
        if row is not None:
            self._toggle(row)
            self.move_to(self.cursor + 1)

    def action_extend(self, by: int) -> None:
        """Mark the row of the cursor and the one that it moves to."""
        view = self._view
        if view is None or self.current is None:
            return
        before = self.current.arn
        self.move_to(self.cursor + by)
        view.mark([before, self.rows[self.cursor].arn])
        self.marks_changed()

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
            self.marks_changed()

    def _mark_range(self) -> None:
        if self._view is not None and self._range_from is not None:
            self._view.marks = set(self._range_marks)
            self._mark_between(self._range_from, self.cursor)

    def _mark_between(self, one: int, other: int) -> None:
        if self._view is not None:
            first, last = sorted((one, other))
            self._view.mark(row.arn for row in self.rows[first : last + 1])
            self.marks_changed()

    # The mouse

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._hover_over(self.row_at(event.y))

    def on_leave(self) -> None:
        self._hover_over(None)

    def _hover_over(self, index: int | None) -> None:
        before, self.hover = self.hover, index
        if before != index:
            for each in (before, index):
                if each is not None:
                    self.refresh_row(each)

    def row_clicked(self, index: int, event: events.Click) -> None:
        """Click to move, again to select; ctrl or the gutter to mark, shift to mark up to here."""
        if event.shift:
            self._mark_between(self.cursor, index)
            self.move_to(index)
        elif event.ctrl or event.x < GUTTER:
            self._toggle(self.rows[index])
            self.move_to(index)
        else:
            super().row_clicked(index, event)
