"""Two columns, labels and values, aligned; and plain tables for the tabs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content

from kms_tui.ui.safe_text import column

Row = tuple[str, Content]


def facts_table(rows: Iterable[Row]) -> Content:
    """Labels in a muted column, values beside them."""
    rows = list(rows)
    width = max((len(label) for label, _ in rows), default=0) + 2
    indent = "\n" + " " * width
    lines = []
    for label, value in rows:
        first, *more = value.split("\n")
        line = Content.styled(label.ljust(width), "$foreground-muted") + first
        lines.append(Content(indent).join([line, *more]))
    return Content("\n").join(lines)


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
