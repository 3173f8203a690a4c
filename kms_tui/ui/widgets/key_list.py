"""``KeyList``: the virtual list of the keys of a View, which follows its inventory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.timer import Timer

from kms_tui.inventory.changes import Changes
from kms_tui.inventory.columns import Sort
from kms_tui.inventory.slices import Work, finish
from kms_tui.inventory.view import Scope, View
from kms_tui.kms.facts import UNASKED
from kms_tui.ui.base.background import start
from kms_tui.ui.base.safe_text import column
from kms_tui.ui.widgets.key_line import (
    GUTTER,
    KEY_LIST_CLASSES,
    KEY_LIST_CSS,
    KeyRowState,
    Slot,
    header,
    key_line,
    lay_out,
)
from kms_tui.ui.widgets.key_notes import Note, empty_lines, nameless, region_notes
from kms_tui.ui.widgets.marked_list import MarkedList
from kms_tui.ui.widgets.virtual_list import HEADER

_REPORT_SECONDS = 0.05
"""Seconds of scrolling between two reports of which rows are on screen."""
_AT_ONCE_SECONDS = 0.012
"""Seconds of filtering and sorting at one go; most filters need no more, and are painted in one frame."""
_NAMES_SECONDS = 1.0
"""Seconds until keys whose names are not read yet are shown in a list that has room for them."""
_NEWS_SECONDS = 5.0
"""Seconds for which a row shows what a refresh found."""
_EMPTY_TOP = 2
"""The line on which an empty list begins to say why it is empty."""


class RowMessage(Message):
    """About one key of a list; ``row_key`` is its ARN, "" where the list is empty."""

    def __init__(self, key_list: KeyList, row_key: str) -> None:
        super().__init__()
        self.key_list = key_list
        self.row_key = row_key

    @property
    def control(self) -> KeyList:
        return self.key_list


class KeyList(MarkedList):
    """Shows a View, follows its inventory, and reports to it which rows are on screen.

    Keys that arrive are added at the end and move nothing on screen.
    """

    CLASS_PREFIX = "key-list"
    COMPONENT_CLASSES: ClassVar[set[str]] = KEY_LIST_CLASSES
    DEFAULT_CSS = KEY_LIST_CSS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, action, title, id=f"list.{name}", tooltip=tooltip, show=False)
        for key, action, title, name, tooltip in (
            ("greater_than_sign,shift+right", "sort_by(1)", "Sort", "sort", "Sort by the next column"),
            ("shift+left", "sort_by(-1)", "Sort back", "sort-back", "Sort by the column before"),
            ("less_than_sign", "sort_reverse", "Reverse", "reverse", "Sort the other way"),
            ("full_stop", "rebuild", "Sort again", "sort-again", "Sort in what has arrived since"),
        )
    ]

    class RowHighlighted(RowMessage):
        """The cursor is on another key."""

    class RowSelected(RowMessage):
        """A key was chosen, with enter or by a click on the row of the cursor."""

    class VisibleRange(Message):
        """Rows ``first`` to ``last`` are on screen (indices; ``last`` is -1 where none is)."""

        def __init__(self, key_list: KeyList, first: int, last: int) -> None:
            super().__init__()
            self.key_list = key_list
            self.first = first
            self.last = last

    class Updated(Message):
        """Rows, facts, marks or the progress of reading changed, so counts of them are out of date."""

    class _Arrived(Message):
        bubble = False

        def __init__(self, view: View, changes: Changes) -> None:
            super().__init__()
            self.view = view
            self.changes = changes

    def __init__(
        self,
        view: View | None = None,
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._first_view = view
        self.columns: tuple[str, ...] = ()
        """The columns chosen by the person, left to right; none: the most important that fit."""
        self._stop_listening: Callable[[], None] = lambda: None
        self._arranging: Work | None = None
        """What is left of the work on the view that was begun last."""
        self._reads_missing = False
        """Whether facts are to be read after it."""
        self._awaits_listing = False
        """Whether the first listing has not ended yet."""
        self._announced: str | None = None
        self._slots: list[Slot] = []
        self._reported: tuple[int, int] | None = None
        self._report_timer: Timer | None = None
        self._names_timer: Timer | None = None
        self._notes: list[Note] = []
        """Lines below the rows."""
        self._reasons: list[Note] = []
        """Lines in the place of rows, where there are none."""

    # The view

    def show_view(self, view: View | None) -> None:
        """Show another view, or none, and follow its inventory."""
        self._stop_listening()
        self._stop_listening = lambda: None
        self._view = view
        self._arranging, self._reads_missing = None, False
        self._chosen, self._announced = None, None
        self._awaits_listing = view is not None
        if view is not None:
            self._stop_listening = view.inventory.listen(
                lambda changes: self.post_message(self._Arrived(view, changes))
            )
            # Take in what arrived since the view was made.
            view.rebuild()
        self._rows_replaced()

    def set_filter(self, text: str) -> None:
        """Filter the rows; FilterError where the text cannot be understood, and nothing changes."""
        if self._view is not None:
            self._arrange(self._view.filtering(text))

    def set_scope(self, scope: Scope) -> None:
        if self._view is not None:
            self._arrange(self._view.scoping(scope))

    def set_sort(self, sort: Sort) -> None:
        """Sort by a column, and start to read the facts that it needs."""
        if self._view is not None:
            self._arrange(self._view.sorting(sort))
            self.read_missing()

    def action_rebuild(self) -> None:
        """Filter and sort again: keys that arrived since move to their place."""
        if self._view is not None:
            self._arrange(self._view.rebuilding())

    def read_missing(self) -> None:
        """Read what the filter and the sort need, as soon as the list shows what was asked for last."""
        if self._arranging is not None:
            self._reads_missing = True
        elif self._view is not None:
            self._view.read_missing()

    @property
    def is_arranging(self) -> bool:
        """Whether a filter, an order or a scope that was asked for is not shown yet."""
        return self._arranging is not None

    def finish_arranging(self) -> None:
        """Show at once what was asked for last."""
        if self._arranging is not None:
            finish(self._arranging)
            self._arranged()

    def _arrange(self, work: Work) -> None:
        """Do work of the view in slices, between which keys are taken; work under way is dropped."""
        self._arranging = work
        if self._has_more(work):
            start(self, partial(self._arrange_on, work), group="arrange", description="arrange the keys anew")

    async def _arrange_on(self, work: Work) -> None:
        while work is self._arranging and self._has_more(work):
            await asyncio.sleep(0)

    def _has_more(self, work: Work) -> bool:
        """Do slices for a moment; False once the last one is done."""
        end = time.perf_counter() + _AT_ONCE_SECONDS
        for _ in work:
            if time.perf_counter() >= end:
                return True
        self._arranged()
        return False

    def _arranged(self) -> None:
        self._arranging = None
        self._rows_replaced()
        if self._reads_missing:
            self.call_later(self._read_missing_now)  # which goes through all rows, once these are painted

    def _read_missing_now(self) -> None:
        if self._reads_missing and self._arranging is None:
            self._reads_missing = False
            self.read_missing()

    def action_sort_by(self, step: int) -> None:
        """Sort by the column ``step`` to the right of the one that the list is sorted by."""
        if self._view is not None and self._slots:
            columns, now = [slot.column for slot in self._slots], self._view.wanted.sort.column
            # The list may be sorted by a column that has no room at this width.
            following = columns.index(now) + step if now in columns else 0
            self.set_sort(Sort(columns[following % len(columns)]))

    def action_sort_reverse(self) -> None:
        if self._view is not None:
            sort = self._view.wanted.sort
            self.set_sort(Sort(sort.column, not sort.descending))

    def header_clicked(self, x: int) -> None:
        for slot in self._slots:
            if self._view is not None and slot.start <= x < slot.start + slot.width:
                sort = self._view.wanted.sort
                self.set_sort(Sort(slot.column, slot.column == sort.column and not sort.descending))

    # Following the inventory

    def on_mount(self) -> None:
        if self._first_view is not None:
            self.show_view(self._first_view)

    def on_unmount(self) -> None:
        self._stop_listening()

    def on_key_list__arrived(self, message: _Arrived) -> None:
        view, changes = message.view, message.changes
        if view is not self._view:
            return
        was_empty = not view.rows
        grew = view.update(changes)
        if view.waiting and self._names_timer is None:
            self._names_timer = self.set_timer(_NAMES_SECONDS, self._show_nameless)
        if was_empty:
            self._rows_replaced()
            return
        if grew or changes.listing:
            self._fit_content()
            self.current_changed()
            self._report_range()
        self._refresh_changed(view, changes)
        self.post_message(self.Updated())
        if self._awaits_listing and changes.listing and not view.inventory.busy:
            self._awaits_listing = False
            self._sort_first_listing(view)

    def _sort_first_listing(self, view: View) -> None:
        """Sort in what arrived in the order in which Regions answered, where nothing is used yet."""
        if self.cursor == 0 and not view.marks and view.summary().arrived:
            self.action_rebuild()

    def _refresh_changed(self, view: View, changes: Changes) -> None:
        first, last = self.visible_rows
        changed = [index for index in range(first, last + 1) if view.rows[index].arn in changes.rows]
        for index in changed:
            self.refresh_row(index)
        if any(view.inventory.recent_change(view.rows[index].arn, _NEWS_SECONDS) for index in changed):
            self.set_timer(_NEWS_SECONDS + 0.1, self.refresh)
        if changes.listing:
            self.refresh()

    def _show_nameless(self) -> None:
        """Show the keys whose names are not read yet, where the list has room for them."""
        self._names_timer = None
        view = self._view
        if view is not None and len(view.rows) < self.page and view.release():
            self._rows_replaced()

    def _rows_replaced(self) -> None:
        self._fit_content()
        self.put_cursor_back()
        self.current_changed()
        self._reported = None
        self._report_range()
        self.refresh()
        self.post_message(self.Updated())

    def current_changed(self) -> None:
        row_key = self.current.arn if self.current is not None else ""
        if row_key != self._announced:
            self._announced = row_key
            self.post_message(self.RowHighlighted(self, row_key))

    def marks_changed(self) -> None:
        self.refresh()
        self.post_message(self.Updated())

    def row_selected(self) -> None:
        self._chosen = self.current
        if self._chosen is not None:
            self.post_message(self.RowSelected(self, self._chosen.arn))

    # The rows on screen

    @property
    def page(self) -> int:
        return max(1, self.scrollable_content_region.height - HEADER - len(self._notes))

    @property
    def visible_rows(self) -> tuple[int, int]:
        """The indices of the first and the last row on screen; the last is -1 where there is none."""
        first = min(round(self.scroll_y), max(0, len(self.rows) - 1))
        return first, min(first + self.page, len(self.rows)) - 1

    @property
    def will_report(self) -> bool:
        """Whether a change of the rows on screen may still have to be reported."""
        return self._report_timer is not None or self.is_arranging

    def _report_range(self) -> None:
        """Report which rows are on screen: once they are painted, then at intervals."""
        if self._report_timer is None and self._is_to_report:
            self._report_timer = self.set_timer(_REPORT_SECONDS, self._report_later)
            self.call_after_refresh(self._report_now)

    def _report_later(self) -> None:
        self._report_timer = None
        self._report_now()

    @property
    def _is_to_report(self) -> bool:
        return self._view is not None and bool(self.size.height) and self.visible_rows != self._reported

    def _report_now(self) -> None:
        view = self._view
        if view is None or not self._is_to_report:
            return
        first, last = self._reported = self.visible_rows
        around = view.rows[last + 1 : last + 1 + self.page] + view.rows[max(0, first - self.page) : first]
        view.inventory.show(view.rows[first : last + 1], around)
        self.post_message(self.VisibleRange(self, first, last))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.hover = None
            self._report_range()

    def on_resize(self) -> None:
        self._fit_content()
        self.show_cursor()
        self._report_range()

    def _fit_content(self) -> None:
        view = self._view
        area = self.scrollable_content_region
        self._notes, self._reasons = [], []
        if view is not None and view.rows:
            self._notes = region_notes(view, area.width - 2 * GUTTER, most=area.height // 4)
        elif view is not None:
            self._reasons = empty_lines(view, area.width - 2 * GUTTER)
        regions = view.inventory.region_names if view is not None else ()
        accounts = view.inventory.accounts if view is not None else ()
        self._slots = lay_out(
            area.width,
            regions=len(regions) > 1,
            accounts=len(accounts) > 1,
            sorted_by=view.sort.column if view is not None else "name",
            columns=self.columns,
        )
        self.virtual_size = Size(area.width, HEADER + len(self.rows) + len(self._notes))

    # Painting

    def line(self, y: int) -> tuple[list[Segment], str]:
        """The segments of a line, and the background of the rest of it."""
        view = self._view
        if view is None or not view.rows:
            line = y - _EMPTY_TOP
            return self._note(self._reasons[line]) if 0 <= line < len(self._reasons) else [], "row"
        if y < HEADER:
            return header(self._slots, view.sort, self.styles_on("row")), "row"
        line = y - HEADER
        index = round(self.scroll_y) + line
        if line >= self.page:
            note = line - self.page
            return self._note(self._notes[note]) if note < len(self._notes) else [], "row"
        return self._row_line(view, index) if index < len(view.rows) else ([], "row")

    def _row_line(self, view: View, index: int) -> tuple[list[Segment], str]:
        row = view.rows[index]
        marked = row.arn in view.marks
        if index == self.cursor:
            background = "cursor" if self.has_focus else "cursor-blurred"
        else:
            background = "marked" if marked else "hover" if index == self.hover else "row"
        line = KeyRowState(
            index == self.cursor,
            marked,
            view.inventory.recent_change(row.arn, _NEWS_SECONDS),
            "" if row.aliases else nameless(row.place.aliases if row.place is not None else UNASKED),
        )
        style = self.styles_on(background)
        return key_line(row, line, self._slots, view.query.words, view.inventory.now(), style), background

    def _note(self, note: Note) -> list[Segment]:
        style = self.styles_on("row")
        width = max(0, self.scrollable_content_region.width - GUTTER)
        return [Segment(" " * GUTTER, style("plain")), Segment(column(note.text, width), style(note.look))]
