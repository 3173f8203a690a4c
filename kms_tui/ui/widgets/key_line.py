"""One line of a list of keys: its columns and their widths, its segments, and the colours of its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from kms_tui.inventory import cells
from kms_tui.inventory.cells import Look
from kms_tui.inventory.columns import COLUMNS, Sort
from kms_tui.inventory.row import Row
from kms_tui.ui.base.safe_text import column, fit, visible
from kms_tui.ui.widgets.virtual_list import BAR, Styles

GUTTER = 3
"""Cells before the first column: the cursor's bar, a mark, a blank."""
GAP = 2
"""Cells between columns."""
_NAME_LEAST, _NAME_MOST = 26, 36


class _Width(NamedTuple):
    """Cells; a column with ``most`` grows up to so many where room is left over."""

    least: int
    most: int = 0


_WIDTHS: Mapping[str, _Width] = {
    "name": _Width(_NAME_LEAST, _NAME_MOST),
    "account": _Width(14, 24),
    "region": _Width(14),
    "id": _Width(14, 36),
    "spec": _Width(10),
    "usage": _Width(7),
    "state": _Width(16),
    "rotation": _Width(8),
    "attention": _Width(25),
    "origin": _Width(8),
    "created": _Width(10),
    "used": _Width(20),
    "description": _Width(24, 60),
}
_LEFT_TO_RIGHT = (
    "name",
    "account",
    "region",
    "spec",
    "usage",
    "state",
    "rotation",
    "created",
    "used",
    "origin",
    "attention",
    "id",
    "description",
)
_BY_IMPORTANCE = (
    "name",
    "account",
    "attention",
    "region",
    "spec",
    "rotation",
    "usage",
    "description",
    "id",
    "state",
)
"""The last give way first; columns not named here are shown only where the list is sorted by them."""


class Slot(NamedTuple):
    """One column on the screen."""

    column: str
    start: int
    width: int


def lay_out(
    width: int, *, regions: bool, accounts: bool = False, sorted_by: str = "name", columns: Sequence[str] = ()
) -> list[Slot]:
    """The columns that fit into ``width`` cells, left to right.

    The name keeps its room, and the column that the list is sorted by is always there; the others give way
    in a fixed order. ``regions`` where keys of several regions are listed, and ``accounts``. ``columns`` are
    those that someone chose, in their order, the last of which give way first.
    """
    wanted = dict.fromkeys(("name", sorted_by, *(columns or _BY_IMPORTANCE)))
    hidden = {name for name, several in (("region", regions), ("account", accounts)) if not several}
    left = width - GUTTER + GAP
    chosen: list[str] = []
    for name in wanted:
        if name in hidden and sorted_by != name and not columns:
            continue
        needed = _WIDTHS[name].least + GAP
        if chosen and needed > left:
            break
        chosen.append(name)
        left -= needed
    widths = {name: _WIDTHS[name].least for name in chosen}
    if width < GUTTER + _NAME_LEAST:
        widths["name"] = max(1, width - GUTTER)
    for name in ("name", "account", "description", "id"):
        if name in chosen and left > 0:
            extra = min(left, _WIDTHS[name].most - _WIDTHS[name].least)
            widths[name] += extra
            left -= extra
    slots, start = [], GUTTER
    for name in dict.fromkeys((*columns, *_LEFT_TO_RIGHT)):
        if name in chosen:
            slots.append(Slot(name, start, widths[name]))
            start += widths[name] + GAP
    return slots


MARK, UP, DOWN, NEWS = "●", "↑", "↓", "•"
_GAP = " " * GAP


class KeyRowState(NamedTuple):
    """What a line shows of its key besides the row."""

    cursor: bool
    marked: bool
    news: str
    """The change that a refresh has just found, or ""."""
    nameless: str
    """The note on a key without a known alias."""


def header(slots: Sequence[Slot], sort: Sort, style: Styles) -> list[Segment]:
    """The titles; an arrow says what the list is sorted by, and which way."""
    segments = [Segment(" " * GUTTER, style("header"))]
    for slot in slots:
        title = COLUMNS[slot.column].title
        chosen = slot.column == sort.column
        if chosen:
            title += f" {DOWN if sort.descending else UP}"
        part = "header-sorted" if chosen else "header"
        segments.append(Segment(column(title, slot.width) + _GAP, style(part)))
    return segments


def key_line(
    row: Row, line: KeyRowState, slots: Sequence[Slot], found: Sequence[str], now: datetime, style: Styles
) -> list[Segment]:
    """A key; ``found`` are the words of the filter, pointed out in its name."""
    segments = [
        Segment(BAR if line.cursor else " ", style("accent")),
        Segment(MARK if line.marked else " ", style("accent")),
        Segment(" ", style("plain")),
    ]
    for slot in slots:
        if slot.column == "name":
            segments += _name(row, slot.width, line, found, style)
            continue
        cell = COLUMNS[slot.column].cell(row, now)
        text, part = cell.text, cell.look.value
        if slot.column == "attention" and line.news:
            text, part = f"{NEWS} {line.news}", "accent"
        segments.append(Segment(column(text, slot.width) + _GAP, style(part)))
    return segments


def _name(row: Row, width: int, line: KeyRowState, found: Sequence[str], style: Styles) -> list[Segment]:
    if not row.aliases:
        return _nameless(row, width, line, style)
    more = cells.more_aliases(row)
    room = width - len(more) - 2 if more else width
    name = fit(row.aliases[0], room)
    segments = _point_out(name, found, style(_name_part(row, line)), style("found"))
    used = cell_len(name)
    if more:
        segments += [Segment("  ", style("plain")), Segment(more, style(Look.QUIET.value))]
        used += len(more) + 2
    segments.append(Segment(" " * (width + GAP - used), style("plain")))
    return segments


def _name_part(row: Row, line: KeyRowState) -> str:
    if row.gone:
        return "gone"
    return "name-cursor" if line.cursor else "name"


def _nameless(row: Row, width: int, line: KeyRowState, style: Styles) -> list[Segment]:
    """The id, cut where it must be, and why there is no alias to show."""
    note = f"  {line.nameless}"
    room = width - len(note)
    key_id = row.key_id if len(row.key_id) <= room else fit(row.key_id, min(room, _SHORT_ID))
    text = column(visible(key_id) + note, width) + _GAP
    return [Segment(text, style("gone" if row.gone else Look.QUIET.value))]


_SHORT_ID = 14
"""Cells for an id that does not fit: its first 13 characters tell keys apart."""


def _point_out(text: str, found: Sequence[str], plain: Style, pointed: Style) -> list[Segment]:
    lower = text.lower()
    spans = [(start, start + len(word)) for word in found if word and (start := lower.find(word)) >= 0]
    if not spans or len(lower) != len(text):
        return [Segment(text, plain)]
    segments, at = [], 0
    for start, end in sorted(spans):
        if end <= at:
            continue
        segments.append(Segment(text[at : max(at, start)], plain))
        segments.append(Segment(text[max(at, start) : end], pointed))
        at = end
    segments.append(Segment(text[at:], plain))
    return [segment for segment in segments if segment.text]


# Component classes: ``KeyList`` draws a part on a background, the row's own or that of the cursor, of a mark
# or of the mouse. Colour only repeats what a word or a glyph says already.

BACKGROUNDS = ("row", "hover", "marked", "cursor", "cursor-blurred")
PARTS = (
    "header",
    "header-sorted",
    "accent",
    "name",
    "name-cursor",
    "found",
    "gone",
    "note",
    # The looks of kms_tui.inventory.cells.
    "plain",
    "quiet",
    "loading",
    "unasked",
    "denied",
    "failed",
    "not-applicable",
    "warning",
    "danger",
)
KEY_LIST_CLASSES = {f"key-list--{name}" for name in (*BACKGROUNDS, *PARTS)}

KEY_LIST_CSS = """
KeyList {
    overflow-x: hidden;
    scrollbar-size-vertical: 1;
    scrollbar-gutter: stable;
    background: $background;
    color: $foreground;
    & > .key-list--row { background: $background; }
    & > .key-list--hover { background: $surface; }
    & > .key-list--marked { background: $accent 8%; }
    & > .key-list--cursor { background: $block-cursor-background; }
    & > .key-list--cursor-blurred { background: $block-cursor-blurred-background; }
    & > .key-list--header { color: $text-muted; }
    & > .key-list--header-sorted { color: $accent; }
    & > .key-list--accent { color: $accent; }
    & > .key-list--name { color: $foreground; }
    & > .key-list--name-cursor { color: $block-cursor-foreground; text-style: bold; }
    & > .key-list--found { color: $accent; text-style: bold underline; }
    & > .key-list--gone { color: $text-muted; text-style: strike; }
    & > .key-list--note { color: $text-muted; }
    & > .key-list--plain { color: $foreground 80%; }
    & > .key-list--quiet { color: $text-muted; }
    & > .key-list--loading { color: $text-muted; text-style: italic; }
    & > .key-list--unasked { color: $text-muted; }
    & > .key-list--denied { color: $warning; text-style: italic; }
    & > .key-list--failed { color: $error; text-style: italic; }
    & > .key-list--not-applicable { color: $text-muted; }
    & > .key-list--warning { color: $warning; }
    & > .key-list--danger { color: $error; }
}
"""
