"""Nothing that others wrote reaches the terminal as markup or as a control code."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from kms_tui.ui.base.safe_text import OnlyText, column, fit, safe, safe_rich, visible

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words, ümlaut, 鍵", "plain words, ümlaut, 鍵"),
        ("\x1b]52;c;cm0gLXJm\x07", "␛]52;c;cm0gLXJm␇"),
        ("a\nb\tc\rd\x7f", "a␊b␉c␍d␡"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202egpj.exe\u2066", "\\u202egpj.exe\\u2066"),
        ("ad\u200bmin\ufeff", "ad\\u200bmin\\ufeff"),
        ("half \ud83d pair", "half \\ud83d pair"),
        ("\U000e0041", "\\U000e0041"),
        ("⚠\ufe0f do not delete", "⚠ do not delete"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\U0001f4bb"),
        ("root\ufe0f", "root\\ufe0f"),
    ],
)
def test_hidden_characters_are_spelled_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_newlines_stay_only_when_asked_for() -> None:
    assert visible("a\r\nb\n\tc\x1b", newlines=True) == "a\nb\n    c␛"
    assert visible("a\r\nb") == "a␍␊b"


def test_every_hidden_character_of_unicode_is_spelled_out() -> None:
    hidden = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) in HIDDEN_CATEGORIES]
    assert [c for c in hidden if visible(c) == c] == []


@pytest.mark.parametrize("hidden", ["\x1b", "\x9b", "\u202e", "\u3164", "\u115f", "\u034f", "\ufe0f"])
def test_no_painted_line_has_a_hidden_character(hidden: str) -> None:
    painted = OnlyText().apply([Segment("root"), Segment(f"ad{hidden}min │")], Color(0, 0, 0))
    assert [segment.text for segment in painted] == ["root", f"ad{' ' * cell_len(hidden)}min │"]


def test_markup_is_shown_as_it_was_written() -> None:
    hostile = "[/b][@click=app.quit]x[/] [$error]y [Red]"
    assert safe(hostile).plain == hostile
    assert safe(hostile).spans == []
    assert safe_rich(hostile).plain == hostile
    assert safe_rich(hostile).spans == []


@settings(deadline=None, max_examples=200)
@given(ANY_TEXT)
def test_what_is_shown_is_printable_and_showing_it_again_changes_nothing(text: str) -> None:
    shown = visible(text)
    assert not {unicodedata.category(c) for c in shown} & HIDDEN_CATEGORIES
    assert visible(shown) == shown
    shown.encode("utf-8")


@settings(deadline=None, max_examples=200)
@given(ANY_TEXT, st.integers(0, 30))
def test_a_column_is_exactly_as_wide_as_asked(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) <= width
    assert cell_len(column(text, width)) == width
    assert cell_len(column(text, width, right=True)) == width


def test_cutting_counts_cells_and_says_that_it_cut() -> None:
    assert fit("orders-db", 9) == "orders-db"
    assert fit("orders-db", 6) == "order…"
    assert fit("鍵鍵鍵", 5) == "鍵鍵…"
    assert fit("鍵鍵鍵", 4) == "鍵…"
    assert fit("anything", 1) == "…"
    assert fit("anything", 0) == ""
    assert column("鍵", 4) == "鍵  "
    assert column("42", 4, right=True) == "  42"
