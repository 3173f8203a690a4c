"""Wildcards: only * and ? are special, and a pattern's witness matches it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.policy import wildcard
from kms_tui.policy.search import Budget
from kms_tui.policy.wildcard import Wild
from tests.unit.policy.build import RELAXED

patterns = st.text(alphabet="ab*?:", max_size=12)
texts = st.text(alphabet="ab:", max_size=12)


@given(patterns, texts)
@settings(RELAXED, max_examples=400)
def test_patterns_match_as_the_regular_expression_of_the_same_meaning(pattern: str, text: str) -> None:
    meaning = "".join({"*": "(?:.*)", "?": "."}.get(char, re.escape(char)) for char in pattern)
    expected = re.fullmatch(meaning, text, re.DOTALL) is not None
    assert wildcard.matches(pattern, text) == expected
    assert wildcard.matches(wildcard.squeezed(pattern), text) == expected
    assert wildcard.matches_tokens(wildcard.tokenize(pattern), text) == expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("[a-z]", "b", False),
        ("[a-z]", "[a-z]", True),
        ("a.c", "abc", False),
        ("*", "", True),
        ("?", "", False),
        ("a\\*", "a\\b", True),
        ("$", "", False),
        ("*\n", "a\n", True),
        ("KMS", "kms", False),
    ],
)
def test_nothing_else_is_special(pattern: str, text: str, expected: bool) -> None:
    assert wildcard.matches(pattern, text) == expected


def test_a_bomb_is_matched_quickly() -> None:
    assert not wildcard.matches("*?" * 24 + "b", "a" * 48)
    assert wildcard.matches("*?" * 24, "a" * 48)


@given(st.lists(patterns, min_size=1, max_size=3))
@settings(RELAXED, max_examples=300)
def test_a_witness_matches_every_pattern(found: list[str]) -> None:
    text = wildcard.common_match([wildcard.tokenize(pattern) for pattern in found], "a", Budget(10_000_000))
    if text is not None:
        assert all(wildcard.matches(pattern, text) for pattern in found)


@given(texts, st.data())
@settings(RELAXED, max_examples=200)
def test_patterns_that_share_a_text_have_a_witness(text: str, data: st.DataObject) -> None:
    def blurred() -> str:
        cut = data.draw(st.integers(0, len(text)))
        return data.draw(st.sampled_from([text, text[:cut] + "*", "*" + text[cut:], text.replace("a", "?")]))

    pair = [wildcard.tokenize(blurred()), wildcard.tokenize(blurred())]
    assert wildcard.common_match(pair, "a", Budget(10_000_000)) is not None


def test_patterns_without_a_common_text_have_no_witness() -> None:
    pair = [wildcard.tokenize("role/A*"), wildcard.tokenize("role/B*")]
    assert wildcard.common_match(pair, "a", Budget(10_000)) is None


def test_a_literal_star_is_no_wildcard_in_tokens() -> None:
    assert not wildcard.matches_tokens(["a", "*"], "ab")
    assert wildcard.matches_tokens(["a", Wild.ANY], "ab")
