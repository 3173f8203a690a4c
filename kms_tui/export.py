"""Any list as a text for other programs: CSV for spreadsheets, JSON for scripts, Markdown for people.

Cells are untrusted. None of the texts holds a control or invisible character but the ends of its lines: CSV
and Markdown spell them out (``kms_tui.visible``), JSON escapes them and so keeps every cell as it was.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kms_tui.visible import HIDDEN, visible


class ExportFormat(StrEnum):
    """The value is also the file name's extension."""

    CSV = "csv"
    JSON = "json"
    MARKDOWN = "md"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with one cell for each column; column names are unique."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]


def render(table: Table, form: ExportFormat) -> str:
    """The whole table as text, with a final line end."""
    return _RENDERERS[form](table)


# The beginnings of a formula in a spreadsheet (OWASP, "CSV Injection"), the full-width forms included,
# which Excel reads alike. A semicolon ends a cell where the computer's language writes decimals with a comma.
_FORMULA = re.compile(r"(?:^|(?<=;))(?=\s*[=+\-@＝＋－＠])")
_FORMULA_CELL = "'"


def defused(cell: str) -> str:
    """The cell, with an apostrophe before anything that a spreadsheet would compute, which makes it text."""
    return _FORMULA.sub(_FORMULA_CELL, visible(cell))


def _as_csv(table: Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for row in (table.columns, *table.rows):
        writer.writerow([defused(cell) for cell in row])
    return text.getvalue()


def _as_json(table: Table) -> str:
    """An array with one object on each line."""
    rows = ",\n".join(_json_rows(table))
    return f"[\n{rows}\n]\n" if rows else "[]\n"


def json_lines(table: Table) -> str:
    """One JSON object on each line, for programs that read line by line."""
    return "".join(f"{row}\n" for row in _json_rows(table))


def _json_rows(table: Table) -> Iterator[str]:
    return (_json_row(dict(zip(table.columns, row, strict=True))) for row in table.rows)


def _json_row(row: Mapping[str, str]) -> str:
    text = json.dumps(row, ensure_ascii=False)
    return text if text.isascii() and text.isprintable() else _JSON_ESCAPED.sub(_json_escape, text)


_JSON_ESCAPED = re.compile(f"[{HIDDEN}]")


def _json_escape(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells as columns for a terminal, two blanks apart; control characters are made visible."""
    shown = [[visible(cell) for cell in line] for line in lines]
    widths = [max(map(_places, column)) for column in zip(*shown, strict=True)]
    return "".join(
        "  ".join(
            cell + " " * (width - _places(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        + "\n"
        for line in shown
    )


def _places(text: str) -> int:
    """The places that a text takes on a terminal: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )


# Markdown's own punctuation, and what HTML inside it would begin with; GitHub's tables end a cell at a pipe.
_MARKDOWN = {ord(sign): f"\\{sign}" for sign in r"\`*_[]~|"} | {
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
}


def _as_markdown(table: Table) -> str:
    head, *rows = ([markdown_text(cell) for cell in row] for row in (table.columns, *table.rows))
    lines = [head, ["---"] * len(head), *rows]
    return f"# {markdown_text(table.title)}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def markdown_text(cell: str) -> str:
    return visible(cell).translate(_MARKDOWN)


_RENDERERS: Mapping[ExportFormat, Callable[[Table], str]] = {
    ExportFormat.CSV: _as_csv,
    ExportFormat.JSON: _as_json,
    ExportFormat.MARKDOWN: _as_markdown,
}
