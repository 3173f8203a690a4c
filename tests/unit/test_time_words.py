"""Lengths of time and days in words, as the screens say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kms_tui.ui.base.words import span_words, when_words

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=1), "1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(days=1), "1 d"),
        (timedelta(days=60), "60 d"),
        (timedelta(days=61), "2 mo"),
        (timedelta(days=364), "11 mo"),
        (timedelta(days=365), "1 y"),
        (timedelta(days=-973), "2 y 7 mo"),
    ],
)
def test_a_span_has_its_two_largest_units(span: timedelta, words: str) -> None:
    assert span_words(span) == words


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 12, 12, 0, 0, tzinfo=UTC), "2026-12-12, in 12 d"),
        (datetime(2026, 12, 12, 23, 59, tzinfo=UTC), "2026-12-12, in 12 d"),
        (datetime(2026, 12, 1, 0, 30, tzinfo=UTC), "2026-12-01, in 12 h"),
        (datetime(2026, 11, 30, 18, 0, tzinfo=UTC), "2026-11-30, in 6 h"),
        (datetime(2026, 11, 29, 23, 0, tzinfo=UTC), "2026-11-29, 13 h ago"),
        (datetime(2026, 11, 30, 11, 0, tzinfo=UTC), "2026-11-30, 1 h ago"),
    ],
)
def test_days_are_counted_as_a_calendar_counts_them(moment: datetime, words: str) -> None:
    assert when_words(moment, NOW) == words


def test_a_minute_is_as_far_off_as_it_is() -> None:
    at = datetime(2026, 12, 1, 11, 0, tzinfo=UTC)
    assert when_words(at, NOW, time=True).endswith(", in 23 h")
