"""Lengths of time and moments, as people write and read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kms_tui.signing.times import LONGEST, length_words, parse_length, parse_moment, utc_text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15m", 900),
        ("1h 30min", 5400),
        ("2D", 172_800),
        ("1w", 604_800),
        ("0s", 0),
        (" 36525d ", 3_155_760_000),
    ],
)
def test_lengths(text: str, seconds: int) -> None:
    length = parse_length(text)
    assert length == timedelta(seconds=seconds)
    assert length <= LONGEST


@pytest.mark.parametrize("text", ["36526d", "999999999999w", "9w" * 6, "1s36525d"])
def test_what_is_too_long_is_longer_than_the_longest(text: str) -> None:
    length = parse_length(text)
    assert length is not None
    assert (length > LONGEST) is (text != "9w" * 6)


@pytest.mark.parametrize("text", ["", "8", "5y", "-1h", "1.5h", "h", "1h-2m", "٣h", "1h" * 7])
def test_what_is_no_length(text: str) -> None:
    assert parse_length(text) is None


def test_moments() -> None:
    moment = datetime(2026, 11, 30, 12, tzinfo=UTC)
    for text in ("2026-11-30T12:00:00Z", " 2026-11-30 12:00 ", "2026-11-30T13:00:00+01:00"):
        assert parse_moment(text) == moment
    assert parse_moment("2026-11-30") == datetime(2026, 11, 30, tzinfo=UTC)
    for text in ("", "noon", "99999-01-01", "2026-11-30T25:00", "9999-12-31T23:59:59-01:00"):
        assert parse_moment(text) is None
    assert utc_text(moment) == "2026-11-30 12:00:00 UTC"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(40, "40 s"), (-40, "40 s"), (90, "1 min"), (3 * 3600, "3 h"), (89 * 86_400, "89 d")],
)
def test_length_in_words(seconds: int, words: str) -> None:
    assert length_words(timedelta(seconds=seconds)) == words
