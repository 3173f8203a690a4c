"""Which columns a list of keys has room for, and how wide each is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

GUTTER = 3
"""Cells before the first column: the cursor's bar, a mark, a blank."""
GAP = 2
"""Cells between columns."""
_NAME_LEAST, _NAME_MOST = 26, 36


class _Width(NamedTuple):
    """Cells; a column with ``most`` takes up to so many of what is left over."""

    least: int
    most: int = 0


_WIDTHS: Mapping[str, _Width] = {
    "name": _Width(_NAME_LEAST, _NAME_MOST),
    "region": _Width(14),
    "id": _Width(14, 36),
    "spec": _Width(10),
    "usage": _Width(7),
    "state": _Width(16),
    "rotation": _Width(8),
    "attention": _Width(24),
    "origin": _Width(8),
    "created": _Width(10),
    "used": _Width(20),
    "description": _Width(24, 60),
}
_LEFT_TO_RIGHT = (
    "name",
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
_BY_IMPORTANCE = ("name", "attention", "region", "spec", "rotation", "usage", "description", "id", "state")
"""What stays longest first; the others are shown only where the list is sorted by them."""


class Slot(NamedTuple):
    """One column on the screen."""

    column: str
    start: int
    width: int


def lay_out(width: int, *, regions: bool, sorted_by: str = "name", columns: Sequence[str] = ()) -> list[Slot]:
    """The columns that fit into ``width`` cells, left to right.

    The name keeps its room, and the column that the list is sorted by is always there; the others give way
    in a fixed order. ``regions`` where keys of several regions are listed. ``columns`` are those that
    someone chose, in their order, the last of which give way first.
    """
    wanted = dict.fromkeys(("name", sorted_by, *(columns or _BY_IMPORTANCE)))
    left = width - GUTTER + GAP
    chosen: list[str] = []
    for name in wanted:
        if name == "region" and not regions and sorted_by != "region" and not columns:
            continue
        needed = _WIDTHS[name].least + GAP
        if chosen and needed > left:
            break
        chosen.append(name)
        left -= needed
    widths = {name: _WIDTHS[name].least for name in chosen}
    if width < GUTTER + _NAME_LEAST:
        widths["name"] = max(1, width - GUTTER)
    for name in ("name", "description", "id"):
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
