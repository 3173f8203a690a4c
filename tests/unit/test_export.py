"""Lists for other programs: nothing in them computes, hides or breaks out of its cell."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.export import ExportFormat, Table, defused, render
from kms_tui.visible import HIDDEN, visible

CELL = st.text(st.characters(codec="utf-8"), max_size=20) | st.text("=+-@;'\"|\\\n\r\t ＝a<\u115f\x7f\u202e")
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.builds(
        Table,
        st.text(max_size=10),
        st.lists(CELL, min_size=width, max_size=width, unique=True).map(tuple),
        st.lists(st.lists(CELL, min_size=width, max_size=width), max_size=4),
    )
)
MANY = settings(deadline=None, max_examples=75)
CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def table(*cells: str) -> Table:
    return Table("Keys", tuple(f"c{number}" for number in range(len(cells))), [cells])


def read_csv(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@MANY
@given(TABLES, st.sampled_from(ExportFormat))
def test_no_control_or_invisible_character_is_ever_written_but_line_ends(
    given_table: Table, form: ExportFormat
) -> None:
    text = render(given_table, form)
    assert not {unicodedata.category(c) for c in text.replace("\n", "")} & CATEGORIES
    assert not re.search(f"[{HIDDEN}]", text.replace("\n", ""))
    assert text.endswith("\n")


@MANY
@given(TABLES)
def test_csv_reads_back_as_the_same_cells_but_for_the_apostrophes(given_table: Table) -> None:
    rows = [list(given_table.columns), *map(list, given_table.rows)]
    read = read_csv(render(given_table, ExportFormat.CSV))
    assert read == [[defused(cell) for cell in row] for row in rows]
    # One line a row: a reader that splits at line ends sees no row that we did not write.
    assert render(given_table, ExportFormat.CSV).count("\n") == len(rows)


@MANY
@given(CELL)
def test_defusing_adds_apostrophes_and_nothing_else(cell: str) -> None:
    plain, safe = visible(cell), defused(cell)
    at = 0
    for sign in safe:
        if at < len(plain) and sign == plain[at]:
            at += 1
        else:
            assert sign == "'"
    assert at == len(plain)
    assert defused(safe) == safe


@MANY
@given(CELL)
def test_no_cell_begins_a_formula_wherever_a_spreadsheet_splits(cell: str) -> None:
    for part in defused(cell).split(";"):
        assert unicodedata.normalize("NFKC", part.strip())[:1] not in ("=", "+", "-", "@")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "  =", "\u3000@"])
def test_formulas_are_defused(sign: str) -> None:
    ((_,), (cell,)) = read_csv(render(table(f"{sign}cmd|'/C calc'!A0"), ExportFormat.CSV))
    assert cell == f"'{sign}cmd|'/C calc'!A0"


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("\t=1+1", "␉=1+1"),
        ("\r=1+1", "␍=1+1"),
        ("a;=1+1", "a;'=1+1"),
        ("orders-db", "orders-db"),
        ("a=b", "a=b"),
        ('say "no"', 'say "no"'),
    ],
)
def test_what_stands_in_a_cell(cell: str, written: str) -> None:
    assert read_csv(render(table(cell), ExportFormat.CSV))[1] == [written]


@MANY
@given(TABLES)
def test_json_reads_back_as_exactly_what_it_was(given_table: Table) -> None:
    read = json.loads(render(given_table, ExportFormat.JSON))
    assert read == [dict(zip(given_table.columns, row, strict=True)) for row in given_table.rows]


def test_json_keeps_letters_and_escapes_what_a_terminal_would_obey() -> None:
    text = render(table("Schlüssel \x1b[2J \x7f \x9b \u202e \ud800 \u115f \U000e0041"), ExportFormat.JSON)
    assert "Schlüssel" in text
    assert r"\u001b[2J \u007f \u009b \u202e \ud800 \u115f \udb40\udc41" in text


@MANY
@given(TABLES)
def test_markdown_has_a_line_for_each_row_and_a_cell_for_each_column(given_table: Table) -> None:
    heading, blank, head, rule, *rows = render(given_table, ExportFormat.MARKDOWN).splitlines()
    assert heading.startswith("# ")
    assert blank == ""
    assert set(rule) == set("| -")
    assert len(rows) == len(given_table.rows)
    for line in (head, rule, *rows):
        assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == len(given_table.columns) + 1
        assert "<" not in line


def test_markdown_shows_markup_as_it_was_written() -> None:
    text = render(
        table("<script>x</script>", "a|b\nc", "[click](javascript:1)", "*`_"), ExportFormat.MARKDOWN
    )
    assert text.splitlines()[-1] == (
        r"| &lt;script&gt;x&lt;/script&gt; | a\|b␊c | \[click\](javascript:1) | \*\`\_ |"
    )


def test_a_list_without_rows_keeps_its_columns() -> None:
    empty = Table("Keys", ("name", "state"), [])
    assert read_csv(render(empty, ExportFormat.CSV)) == [["name", "state"]]
    assert json.loads(render(empty, ExportFormat.JSON)) == []
    assert render(empty, ExportFormat.MARKDOWN) == "# Keys\n\n| name | state |\n| --- | --- |\n"
