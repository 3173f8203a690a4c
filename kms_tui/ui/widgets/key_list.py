"""``KeyList``: a list of keys of any length, of which only what is on screen is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer

from kms_tui.inventory.notify import Changes
from kms_tui.inventory.order import Sort
from kms_tui.inventory.row import Row
from kms_tui.inventory.view import Scope, View
from kms_tui.kms.facts import LOADING
from kms_tui.ui.safe_text import column
from kms_tui.ui.widgets.key_layout import GUTTER, Slot, lay_out
from kms_tui.ui.widgets.key_line import Line, header, key_line
from kms_tui.ui.widgets.key_notes import empty_lines, region_notes

_SETTLE = 0.05
"""Seconds of scrolling between two tellings of what is on screen."""
_NAMES_WAIT = 1.0
"""Seconds until keys without a known name are shown in a list that has room for them."""
_NEWS = 5.0
"""Seconds for which a row says what a refresh found."""
_HEADER = 1
_EMPTY_TOP = 2
"""Blank lines above what an empty list says."""


class KeyList(ScrollView, can_focus=True):
    """Shows a View, follows its inventory, and tells it which rows are on screen.

    The cursor and the marks stay with their keys through filters, sorts and refreshes; keys that arrive are
    added at the end and move nothing on screen.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "key-list--header",
        "key-list--header-sorted",
        "key-list--row",
        "key-list--hover",
        "key-list--marked",
        "key-list--cursor",
        "key-list--cursor-blurred",
        "key-list--accent",
        "key-list--name",
        "key-list--name-cursor",
        "key-list--found",
        "key-list--gone",
        "key-list--plain",
        "key-list--quiet",
        "key-list--loading",
        "key-list--unasked",
        "key-list--denied",
        "key-list--failed",
        "key-list--not-applicable",
        "key-list--warning",
        "key-list--danger",
        "key-list--note",
    }
    DEFAULT_CSS = """
    KeyList {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        background: $background;
        color: $foreground;
        & > .key-list--header { color: $text-muted; }
        & > .key-list--header-sorted { color: $accent; }
        & > .key-list--row { background: $background; }
        & > .key-list--hover { background: $surface; }
        & > .key-list--marked { background: $accent 8%; }
        & > .key-list--cursor { background: $block-cursor-background; }
        & > .key-list--cursor-blurred { background: $block-cursor-blurred-background; }
        & > .key-list--accent { color: $accent; }
        & > .key-list--name { color: $foreground; }
        & > .key-list--name-cursor { color: $block-cursor-foreground; text-style: bold; }
        & > .key-list--found { color: $accent; text-style: bold underline; }
        & > .key-list--gone { color: $text-muted; text-style: strike; }
        & > .key-list--plain { color: $foreground 80%; }
        & > .key-list--quiet { color: $text-muted; }
        & > .key-list--loading { color: $text-muted; text-style: dim; }
        & > .key-list--unasked { color: $text-disabled; }
        & > .key-list--denied { color: $warning; text-style: italic; }
        & > .key-list--failed { color: $error; text-style: italic; }
        & > .key-list--not-applicable { color: $text-disabled; }
        & > .key-list--warning { color: $warning; }
        & > .key-list--danger { color: $error; }
        & > .key-list--note { color: $text-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", id="keys.up", tooltip="One key up", show=False),
        Binding("down,j", "move(1)", "Down", id="keys.down", tooltip="One key down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="keys.page-up", tooltip="A screen up", show=False),
        Binding("pagedown", "page(1)", "Page down", id="keys.page-down", tooltip="A screen down", show=False),
        Binding("home,g", "jump(0)", "First", id="keys.first", tooltip="The first key", show=False),
        Binding("end,G", "jump(-1)", "Last", id="keys.last", tooltip="The last key", show=False),
        Binding("enter", "select", "Details", id="keys.select", tooltip="Details of the key", show=False),
        Binding("space", "mark", "Mark", id="keys.mark", tooltip="Mark the key, or take its mark away"),
        Binding(
            "shift+up", "extend(-1)", "Mark up", id="keys.mark-up", tooltip="Mark this and go up", show=False
        ),
        Binding(
            "shift+down",
            "extend(1)",
            "Mark down",
            id="keys.mark-down",
            tooltip="Mark this and go down",
            show=False,
        ),
        Binding("v", "range", "Mark range", id="keys.range", tooltip="Mark from here on", show=False),
        Binding("escape", "end_range", "End range", id="keys.end-range", tooltip="Stop marking", show=False),
    ]

    class RowHighlighted(Message):
        """The cursor is on another key; ``row_key`` is "" where the list is empty."""

        def __init__(self, key_list: KeyList, row_key: str) -> None:
            super().__init__()
            self.key_list = key_list
            self.row_key = row_key

        @property
        def control(self) -> KeyList:
            return self.key_list

    class RowSelected(RowHighlighted):
        """Someone chose a key with enter or a click on the row of the cursor."""

    class VisibleRange(Message):
        """Rows ``first`` to ``last`` are on screen (indices; ``last`` is -1 where none is)."""

        def __init__(self, key_list: KeyList, first: int, last: int) -> None:
            super().__init__()
            self.key_list = key_list
            self.first = first
            self.last = last

    class Updated(Message):
        """Rows, facts, marks or the progress of reading changed: what counts them is to be drawn again."""

    class SortRequested(Message):
        """Someone clicked on a column's title, and the list is sorted by it now."""

    class _Arrived(Message):
        bubble = False

        def __init__(self, view: View, changes: Changes) -> None:
            super().__init__()
            self.view = view
            self.changes = changes

        def can_replace(self, message: Message) -> bool:
            return False

    def __init__(
        self,
        view: View | None = None,
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._view: View | None = None
        self._forget: Callable[[], None] = lambda: None
        self._cursor = 0
        self._chosen: Row | None = None
        """The key that someone last moved to: the cursor goes back to it when a filter lets it through."""
        self._announced: str | None = None
        self._range_from: int | None = None
        self._range_marks: set[str] = set()
        self._hover: int | None = None
        self._slots: list[Slot] = []
        self._told: tuple[int, int] | None = None
        self._telling: Timer | None = None
        self._waiting: Timer | None = None
        self._notes: list[tuple[str, str]] = []
        self._style_cache: dict[tuple[str, str], Style] = {}
        self._first_view = view

    # The view

    @property
    def view(self) -> View | None:
        return self._view

    def show_view(self, view: View | None) -> None:
        """Show another view, or none, and follow its inventory."""
        self._forget()
        self._forget = lambda: None
        self._view = view
        self._chosen, self._cursor, self._announced, self._told = None, 0, None, None
        self._range_from = None
        if view is not None:
            self._forget = view.inventory.listen(
                lambda changes: self.post_message(self._Arrived(view, changes))
            )
            # What came between the making of the view and now.
            view.rebuild()
        self._rows_replaced()

    def set_filter(self, text: str) -> None:
        """Filter the rows; FilterError where the text cannot be understood, and nothing changes."""
        if self._view is not None:
            self._view.set_filter(text)
            self._rows_replaced()

    def set_scope(self, scope: Scope) -> None:
        if self._view is not None:
            self._view.set_scope(scope)
            self._rows_replaced()

    def set_sort(self, sort: Sort) -> None:
        if self._view is not None:
            self._view.set_sort(sort)
            self._rows_replaced()

    def rebuild(self) -> None:
        """Filter and sort afresh: what arrived since goes to its place."""
        if self._view is not None:
            self._view.rebuild()
            self._rows_replaced()

    @property
    def rows(self) -> Sequence[Row]:
        return self._view.rows if self._view is not None else ()

    @property
    def current(self) -> Row | None:
        """The row of the cursor."""
        return self.rows[self._cursor] if self._cursor < len(self.rows) else None

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

    # Following

    def on_mount(self) -> None:
        if self._first_view is not None:
            self.show_view(self._first_view)

    def on_unmount(self) -> None:
        self._forget()

    def on_key_list__arrived(self, message: _Arrived) -> None:
        view = self._view
        if view is None or message.view is not view:
            return
        was_empty = not view.rows
        grew = view.update(message.changes)
        if view.waiting and self._waiting is None:
            self._waiting = self.set_timer(_NAMES_WAIT, self._stop_waiting)
        if message.changes.listing:
            self._notes = region_notes(view)
        if was_empty and grew:
            self._rows_replaced()
        elif grew or message.changes.listing:
            self._fit_content()
        if any(view.inventory.recent_change(row_key, _NEWS) for row_key in message.changes.rows):
            self.set_timer(_NEWS + 0.1, self.refresh)
        self._announce()
        self._tell_range()
        self.refresh()
        self.post_message(self.Updated())

    def _stop_waiting(self) -> None:
        """Fill a list that has room with the keys whose names are still awaited."""
        self._waiting = None
        view = self._view
        if view is not None and len(view.rows) < self._page and view.release():
            self._rows_replaced()

    def _rows_replaced(self) -> None:
        view = self._view
        self._range_from = None
        self._notes = region_notes(view) if view is not None else []
        self._cursor = self._index_of(self._chosen)
        self._fit_content()
        self._show_cursor()
        self._announce()
        self._tell_range(again=True)
        self.refresh()
        self.post_message(self.Updated())

    def _index_of(self, row: Row | None) -> int:
        if row is None:
            return 0
        try:
            return self.rows.index(row)
        except ValueError:
            return 0

    def _announce(self) -> None:
        row = self.current
        row_key = row.arn if row is not None else ""
        if row_key != self._announced:
            self._announced = row_key
            self.post_message(self.RowHighlighted(self, row_key))

    # What is on screen

    @property
    def _page(self) -> int:
        return max(1, self.scrollable_content_region.height - _HEADER)

    @property
    def visible_rows(self) -> tuple[int, int]:
        """The indices of the first and the last row on screen; the last is -1 where there is none."""
        first = min(round(self.scroll_y), max(0, len(self.rows) - 1))
        return first, min(first + self._page, len(self.rows)) - 1

    def _tell_range(self, *, again: bool = False) -> None:
        """Say what is on screen, at once after a rest and then every so often."""
        if again:
            self._told = None
        if self._telling is None:
            self._tell_now()
            self._telling = self.set_timer(_SETTLE, self._tell_later)

    def _tell_later(self) -> None:
        self._telling = None
        self._tell_now()

    def _tell_now(self) -> None:
        view = self._view
        if view is None or not self.size.height:
            return
        first, last = self.visible_rows
        if (first, last) == self._told:
            return
        self._told = (first, last)
        page = self._page
        around = view.rows[last + 1 : last + 1 + page] + view.rows[max(0, first - page) : first]
        view.inventory.show(view.rows[first : last + 1], around)
        self.post_message(self.VisibleRange(self, first, last))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._hover = None
            self._tell_range()

    def on_resize(self) -> None:
        self._fit_content()
        self._show_cursor()
        self._tell_range()

    def _fit_content(self) -> None:
        width = self.scrollable_content_region.width
        regions = self._view is not None and len(self._view.inventory.regions) > 1
        sort = self._view.sort.column if self._view is not None else "name"
        self._slots = lay_out(width, regions=regions, sorted_by=sort)
        self.virtual_size = Size(width, _HEADER + len(self.rows) + len(self._notes))

    # Moving

    def action_move(self, by: int) -> None:
        self._move_to(self._cursor + by)

    def action_page(self, by: int) -> None:
        self._move_to(self._cursor + by * self._page)

    def action_jump(self, to: int) -> None:
        self._move_to(to if to >= 0 else len(self.rows) - 1)

    def action_select(self) -> None:
        row = self.current
        if row is not None:
            self._chosen = row
            self.post_message(self.RowSelected(self, row.arn))

    def _move_to(self, index: int) -> None:
        if not self.rows:
            return
        before, self._cursor = self._cursor, max(0, min(index, len(self.rows) - 1))
        self._chosen = self.current
        if self._range_from is not None:
            self._mark_range()
        self._show_cursor()
        self._refresh_line(before)
        self._refresh_line(self._cursor)
        self._announce()

    def _show_cursor(self) -> None:
        top = round(self.scroll_y)
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False)
        elif self._cursor >= top + self._page:
            self.scroll_to(y=self._cursor - self._page + 1, animate=False)

    def _refresh_line(self, index: int) -> None:
        y = index - round(self.scroll_y) + _HEADER
        if y >= _HEADER:
            self.refresh(Region(0, y, self.size.width, 1))

    # Marks

    def action_mark(self) -> None:
        row = self.current
        if row is not None and self._view is not None:
            self._view.toggle_mark(row.arn)
            self._move_to(self._cursor + 1)
            self.refresh()
            self.post_message(self.Updated())

    def action_extend(self, by: int) -> None:
        row = self.current
        if row is not None and self._view is not None:
            self._view.mark([row.arn])
            self._move_to(self._cursor + by)
            self._view.mark([self.rows[self._cursor].arn])
            self.refresh()
            self.post_message(self.Updated())

    def action_range(self) -> None:
        """Begin to mark from the cursor on, or end it and keep the marks."""
        if self._range_from is not None or self._view is None or not self.rows:
            self._range_from = None
        else:
            self._range_from = self._cursor
            self._range_marks = set(self._view.marks)
            self._mark_range()

    def action_end_range(self) -> None:
        self._range_from = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape belongs to the screen unless a range is being marked."""
        return self._range_from is not None if action == "end_range" else True

    def _mark_range(self) -> None:
        if self._view is None or self._range_from is None:
            return
        first, last = sorted((self._range_from, self._cursor))
        self._view.marks = self._range_marks | {row.arn for row in self.rows[first : last + 1]}
        self.refresh()
        self.post_message(self.Updated())

    # The mouse

    def on_mouse_move(self, event: events.MouseMove) -> None:
        hover = self._row_at(event.y)
        if hover != self._hover:
            before, self._hover = self._hover, hover
            for index in (before, hover):
                if index is not None:
                    self._refresh_line(index)

    def on_leave(self) -> None:
        if self._hover is not None:
            before, self._hover = self._hover, None
            self._refresh_line(before)

    def on_click(self, event: events.Click) -> None:
        if event.y == 0:
            self._click_header(event.x)
            return
        index = self._row_at(event.y)
        if index is None or self._view is None:
            return
        if event.shift:
            first, last = sorted((self._cursor, index))
            self._view.mark(row.arn for row in self.rows[first : last + 1])
            self.refresh()
            self.post_message(self.Updated())
        elif event.ctrl or event.x < GUTTER:
            self._view.toggle_mark(self.rows[index].arn)
            self.refresh()
            self.post_message(self.Updated())
        if index == self._cursor and not (event.shift or event.ctrl or event.x < GUTTER):
            self.action_select()
        else:
            self._move_to(index)

    def _row_at(self, y: int) -> int | None:
        index = round(self.scroll_y) + y - _HEADER
        return index if y >= _HEADER and index < len(self.rows) else None

    def _click_header(self, x: int) -> None:
        view = self._view
        for slot in self._slots:
            if view is not None and slot.start <= x < slot.start + slot.width:
                again = view.sort.column == slot.column
                self.set_sort(Sort(slot.column, again and not view.sort.descending))
                self.post_message(self.SortRequested())

    # Drawing

    def notify_style_update(self) -> None:
        self._style_cache.clear()
        super().notify_style_update()

    def on_focus(self) -> None:
        self._style_cache.clear()
        self.refresh()

    def on_blur(self) -> None:
        self._style_cache.clear()
        self.refresh()

    def _styles(self, background: str) -> Callable[[str], Style]:
        def style(part: str) -> Style:
            key = (background, part)
            found = self._style_cache.get(key)
            if found is None:
                found = self.get_visual_style(f"key-list--{background}", f"key-list--{part}").rich_style
                self._style_cache[key] = found
            return found

        return style

    def render_line(self, y: int) -> Strip:
        segments, background = self._line(y)
        used = sum(cell_len(segment.text) for segment in segments)
        width = self.scrollable_content_region.width
        padding = Segment(" " * max(0, width - used), self._styles(background)("plain"))
        return Strip([*segments, padding], max(used, width)).crop(0, width)

    def _line(self, y: int) -> tuple[list[Segment], str]:
        """A line's segments, and the background of what is left of it."""
        view = self._view
        style = self._styles("row")
        if view is None or not view.rows:
            return self._empty_line(y, style), "row"
        if y < _HEADER:
            return header(self._slots, view.sort, style), "row"
        index = round(self.scroll_y) + y - _HEADER
        if index < len(view.rows):
            return self._key_line(view, index)
        note = index - len(view.rows)
        return (self._note(*self._notes[note], style=style) if note < len(self._notes) else []), "row"

    def _key_line(self, view: View, index: int) -> tuple[list[Segment], str]:
        row = view.rows[index]
        cursor, marked = index == self._cursor, row.arn in view.marks
        if cursor:
            background = "cursor" if self.has_focus else "cursor-blurred"
        else:
            background = "marked" if marked else "hover" if index == self._hover else "row"
        line = Line(
            cursor,
            marked,
            view.inventory.recent_change(row.arn, _NEWS),
            not row.aliases and view.inventory.region(row.region).aliases is LOADING,
        )
        style = self._styles(background)
        segments = key_line(row, line, self._slots, view.query.words, view.inventory.now(), style)
        return segments, background

    def _empty_line(self, y: int, style: Callable[[str], Style]) -> list[Segment]:
        if self._view is None or y < _EMPTY_TOP:
            return []
        lines = empty_lines(self._view, self.scrollable_content_region.width - 2 * GUTTER)
        return self._note(*lines[y - _EMPTY_TOP], style=style) if y - _EMPTY_TOP < len(lines) else []

    def _note(self, look: str, text: str, style: Callable[[str], Style]) -> list[Segment]:
        width = max(0, self.scrollable_content_region.width - GUTTER)
        return [Segment(" " * GUTTER, style("plain")), Segment(column(text, width), style(look))]
