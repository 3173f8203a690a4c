"""Pictures of numbers in block characters: bars, columns over time, a time line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from kms_tui.ui.base.safe_text import Content, column, safe

_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEVELS = "▁▂▃▄▅▆▇█"
NOTHING = "·"
"""A column of nothing."""
MUTED = "$foreground-muted"


def bar(value: float, most: float, width: int, style: str = "$accent") -> Content:
    """A bar of ``width`` cells where the value is ``most``; at least a sliver where it is not 0."""
    if value <= 0 or most <= 0 or width <= 0:
        return Content()
    eighths = max(1, round(8 * width * min(value / most, 1.0)))
    full, rest = divmod(eighths, 8)
    return Content.styled("█" * full + (_EIGHTHS[rest] if rest else ""), style)


@dataclass(frozen=True, slots=True)
class BarRow:
    """One bar: its label (untrusted), value, the value in words, and its colour."""

    label: str
    value: float
    words: str
    style: str = "$accent"


def bars(rows: Sequence[BarRow], *, label_width: int, width: int) -> list[Content]:
    """A line for each row: label, value in words, bar. All bars have the same scale."""
    most = max((row.value for row in rows), default=0.0)
    words = max((len(row.words) for row in rows), default=0)
    return [
        safe(f"{column(row.label, label_width)} {row.words.rjust(words)} ")
        + bar(row.value, most, width, row.style)
        for row in rows
    ]


def columns(values: Iterable[int], style: str = "$accent", *, most: int = 0) -> Content:
    """One character for each value, its height by the greatest (or ``most``); a dot for 0."""
    found = list(values)
    top = max([most, *found], default=0)
    parts = [
        Content.styled(_LEVELS[max(0, -(-8 * value // top) - 1)], style)
        if value > 0
        else Content.styled(NOTHING, MUTED)
        for value in found
    ]
    return Content().join(parts)


def beside(left: Sequence[Content], right: Sequence[Content], *, gap: int = 4) -> Content:
    """Two blocks of lines side by side."""
    width = max((line.cell_length for line in left), default=0) + gap
    height = max(len(left), len(right))
    blank = [Content()] * height
    pairs = zip([*left, *blank][:height], [*right, *blank][:height], strict=True)
    return Content("\n").join(
        one.extend_right(width - one.cell_length) + other if other else one for one, other in pairs
    )


@dataclass(frozen=True, slots=True)
class Moment:
    """A point on a time line: its time, its sign, and its colour."""

    time: datetime
    sign: str
    style: str = ""


def time_line(moments: Sequence[Moment], now: datetime, width: int) -> Content:
    """The moments in order on a line of ``width`` cells, solid until now and dotted after; now is ``┃``.

    Moments that share a cell show the last one.
    """
    times = [*(moment.time for moment in moments), now]
    begin, end = min(times), max(times)
    span = (end - begin).total_seconds() or 1.0

    def place(time: datetime) -> int:
        return min(width - 1, int((time - begin).total_seconds() / span * (width - 1) + 0.5))

    here = place(now)
    cells = [
        Content.styled("━", "$accent") if index < here else Content.styled("┄", MUTED)
        for index in range(width)
    ]
    cells[here] = Content.styled("┃", "bold")
    for moment in sorted(moments, key=lambda moment: moment.time):
        cells[place(moment.time)] = Content.styled(moment.sign, moment.style or "$accent bold")
    return Content().join(cells)


_LINE = 34


def dated_line(moments: Sequence[Moment], now: datetime) -> Content:
    """A time line between the months of its first and its last moment; of two moments or more."""
    first, last = min(moment.time for moment in moments), max(moment.time for moment in moments)
    line = Content.styled(f"{first.astimezone():%Y-%m} ", MUTED) + time_line(moments, now, _LINE)
    return line + Content.styled(f" {last.astimezone():%Y-%m}", MUTED) if last > now else line
