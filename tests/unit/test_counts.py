"""Numbers and lists in sentences."""

from __future__ import annotations

import pytest

from kms_tui.counts import in_words


@pytest.mark.parametrize(
    ("names", "most", "words"),
    [
        ("", None, ""),
        ("a", None, "a"),
        ("ab", None, "a and b"),
        ("abc", None, "a, b and c"),
        ("abc", 3, "a, b and c"),
        ("abcd", 2, "a, b and 2 more"),
        ("a" * 1_203, 3, "a, a, a and 1,200 more"),
    ],
    ids=str,
)
def test_a_list_reads_as_in_a_sentence(names: str, most: int | None, words: str) -> None:
    assert in_words(list(names), most) == words
