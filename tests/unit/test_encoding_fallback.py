"""A terminal whose encoding has no lines and blocks shows ASCII, and every column stays where it is."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from kms_tui.ui.app_shell.encoding_fallback import _ALIKE, alike, fit_encoding


def _written(text: str, encoding: str) -> str:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding=encoding, errors="backslashreplace", write_through=True)
    fit_encoding(stream)
    stream.write(text)
    return buffer.getvalue().decode(encoding)


@pytest.mark.parametrize("character", _ALIKE)
def test_what_stands_in_is_one_ascii_character(character: str) -> None:
    assert alike(character).isascii()
    assert cell_len(alike(character)) == cell_len(character) == 1


@settings(max_examples=300)
@given(st.characters(exclude_categories=["Cs", "Cc"]))
def test_whatever_others_wrote_stays_as_wide(character: str) -> None:
    assert alike(character).isascii()
    assert cell_len(alike(character)) == cell_len(character)


def test_an_encoding_without_lines_gets_ascii() -> None:
    assert _written("▌ orders ─── 3 é 鍵 ▲", "ascii") == "| orders --- 3 e ?? ^"
    assert _written("a · b é ▲", "latin-1") == "a · b é ^"


def test_an_encoding_that_has_all_is_left_alone() -> None:
    assert _written("▌ orders ─── é 鍵", "utf-8") == "▌ orders ─── é 鍵"
