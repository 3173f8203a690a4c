"""Pieces of an HTML page: escaped text, tables, bars. All texts are untrusted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from kms_tui.visible import visible


def text(words: str) -> str:
    """A text as the content of an element or of an attribute in double quotes."""
    return escape(visible(words))


def tag(name: str, content: str, **attributes: str) -> str:
    """An element of a content that is HTML already; ``_`` ends the name of an attribute that Python has."""
    given = "".join(
        f' {each.rstrip("_").replace("_", "-")}="{text(value)}"'
        for each, value in attributes.items()
        if value
    )
    return f"<{name}{given}>{content}</{name}>"


class HtmlColumn(NamedTuple):
    """The head of a column. ``kind`` is a class of the style sheet: "num", "name", "key", "reason" or ""."""

    title: str
    kind: str = ""


def table(caption: str, columns: Sequence[HtmlColumn], rows: Iterable[Sequence[str]]) -> str:
    """A table for a list; cells are HTML already. On a narrow screen each row becomes a block."""
    head = "".join(tag("th", text(each.title), scope="col", class_=each.kind) for each in columns)
    body = "\n".join(
        "<tr>"
        + "".join(
            tag("td", cell, class_=column.kind, data_name=column.title)
            for column, cell in zip(columns, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table class="list stack" aria-label="{text(caption)}">'
        f"<thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>"
    )


class Bar(NamedTuple):
    """One bar; ``tone`` is a class of the style sheet."""

    name: str
    number: int
    tone: str


def bars(caption: str, rows: Sequence[Bar]) -> str:
    """Bars with their names and numbers, which are a table for whoever does not see them."""
    most = max((row.number for row in rows), default=0) or 1
    lines = "\n".join(
        f'<tr><th scope="row">{text(row.name)}</th>'
        f'<td class="{row.tone}"><svg aria-hidden="true" focusable="false" viewBox="0 0 100 10" '
        f'preserveAspectRatio="none"><rect width="{100 * row.number / most:.2f}" height="10"/></svg></td>'
        f'<td class="count">{row.number:,}</td></tr>'
        for row in rows
    )
    return (
        f'<figure><figcaption>{text(caption)}</figcaption><table class="bars" aria-label="{text(caption)}">'
        f"{lines}</table></figure>"
    )


def share(caption: str, parts: Sequence[Bar]) -> str:
    """One bar of several parts of a whole, with a legend that has the numbers."""
    total = sum(part.number for part in parts) or 1
    place = 0.0
    pieces = []
    for part in parts:
        width = 100 * part.number / total
        pieces.append(f'<rect class="{part.tone}" x="{place:.2f}" y="0" width="{width:.2f}" height="10"/>')
        place += width
    told = "; ".join(f"{part.name} {part.number:,}, {_percent(part.number, total)}" for part in parts)
    legend = "".join(
        f'<li class="{part.tone}">{text(part.name)}: {part.number:,} ({_percent(part.number, total)})</li>'
        for part in parts
    )
    return (
        f'<figure class="share"><figcaption>{text(caption)}</figcaption>'
        f'<svg role="img" aria-label="{text(told)}" viewBox="0 0 100 10" preserveAspectRatio="none">'
        f'{"".join(pieces)}</svg><ul class="legend">{legend}</ul></figure>'
    )


def _percent(count: int, total: int) -> str:
    """Never 100% where something is missing, nor 0% where there is something."""
    if 0 < count < total / 200:
        return "under 1%"
    return f"{min(round(100 * count / total), 100 if count == total else 99)}%"
