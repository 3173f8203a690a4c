"""Tables of text: labels with their values, and plain tables with a head."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual

from kms_tui.ui.base.safe_text import Content, column, safe

Facts = Sequence[tuple[str, str]]
"""Names and values, in the order in which they are shown; values may be untrusted."""
FactRow = tuple[str | Content, Content]
"""A label (a Content has its own style) and its value."""
BLANK: FactRow = ("", Content())
"""An empty line."""
_GAP = 2
_NARROWEST = 8
"""Cells that a value has at least."""


class FactsTable(Visual):
    """Labels in a muted column, values beside them, wrapped within their own column."""

    def __init__(self, rows: Iterable[FactRow]) -> None:
        self.rows = tuple((_label(label), value) for label, value in rows)
        self._labels = max((label.cell_length for label, _ in self.rows), default=0) + _GAP
        self._laid_out: tuple[int, Content] = (-1, Content())

    def __str__(self) -> str:
        return self._at(0).plain

    def _at(self, width: int) -> Content:
        """The text laid out in ``width`` cells; 0 is any width."""
        if self._laid_out[0] != width:
            lines = [line for label, value in self.rows for line in self._lines(label, value, width)]
            self._laid_out = (width, Content("\n").join(lines))
        return self._laid_out[1]

    def _lines(self, label: Content, value: Content, width: int) -> Iterator[Content]:
        room = max(width - self._labels, _NARROWEST)
        lines = [line for each in value.split("\n") for line in (each.wrap(room) if width else [each])]
        first, *more = lines or [Content()]
        yield label.extend_right(self._labels - label.cell_length) + first
        yield from (Content(" " * self._labels) + line for line in more)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        return self._at(0).get_optimal_width(rules, container_width)

    def get_minimal_width(self, rules: RulesMap) -> int:
        return self._labels + _NARROWEST

    def get_height(self, rules: RulesMap, width: int) -> int:
        return self._at(width).get_height(rules, width)

    def render_strips(
        self, width: int, height: int | None, style: Style, options: RenderOptions
    ) -> list[Strip]:
        return self._at(width).render_strips(width, height, style, options)


def _label(label: str | Content) -> Content:
    return label if isinstance(label, Content) else Content.styled(label, "$foreground-muted")


def facts_table(facts: Facts) -> FactsTable:
    """Names in one column, untrusted values in the next."""
    return FactsTable((name, safe(value, newlines=True)) for name, value in facts)


def plain_table(head: Sequence[str], rows: Sequence[Sequence[str]], *, widest: int = 48) -> Content:
    """A table whose columns are as wide as their longest cell; the cells are untrusted text."""
    widths = [
        min(max([len(title), *(len(row[index]) for row in rows)]), widest) for index, title in enumerate(head)
    ]
    lines = [
        Content.styled(
            "  ".join(column(t, w) for t, w in zip(head, widths, strict=True)), "$foreground-muted"
        )
    ]
    lines += [
        Content("  ".join(column(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip())
        for row in rows
    ]
    return Content("\n").join(lines)
