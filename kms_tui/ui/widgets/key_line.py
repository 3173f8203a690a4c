"""Drawing one line of a list of keys as segments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from kms_tui.inventory import cells
from kms_tui.inventory.cells import Look
from kms_tui.inventory.columns import COLUMNS, Sort
from kms_tui.inventory.row import Row
from kms_tui.ui.safe_text import column, fit, visible
from kms_tui.ui.widgets.key_layout import GAP, GUTTER, Slot

BAR, MARK, UP, DOWN, NEWS = "▌", "●", "↑", "↓", "•"
_GAP = " " * GAP

Styles = Callable[[str], Style]
"""The style of a part of a line ("warning", "mark"), on that line's background."""


class Line(NamedTuple):
    """What a line shows besides its row."""

    cursor: bool
    marked: bool
    news: str
    """What a refresh has just found about the key, or ""."""
    nameless: str
    """What is said of a key without a known alias: whether it has none depends on the listing of aliases."""


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
    row: Row, line: Line, slots: Sequence[Slot], found: Sequence[str], now: datetime, style: Styles
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


def _name(row: Row, width: int, line: Line, found: Sequence[str], style: Styles) -> list[Segment]:
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


def _name_part(row: Row, line: Line) -> str:
    if row.gone:
        return "gone"
    return "name-cursor" if line.cursor else "name"


def _nameless(row: Row, width: int, line: Line, style: Styles) -> list[Segment]:
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
