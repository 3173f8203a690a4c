"""Bars, columns and time lines: their proportions, their ends, and what they show of nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.evidence.calendar import Calendar, CalendarEvent, EventKind
from kms_tui.evidence.events import UsageEvent, usage_event
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.details.activity_tab import day_lines
from kms_tui.ui.screens.calendar_screen import year_strip
from kms_tui.ui.widgets.charts import BarRow, Moment, bar, bars, beside, columns, dated_line, time_line
from tests.unit.evidence.trail import entry

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_bar_is_as_long_as_its_share_and_never_vanishes() -> None:
    assert bar(8, 8, 10).plain == "█" * 10
    assert bar(4, 8, 10).plain == "█" * 5
    assert bar(1, 16, 1).plain == "▏"
    assert bar(1, 1000, 10).plain == "▏"
    assert bar(0, 8, 10).plain == bar(3, 0, 10).plain == bar(1, 8, 0).plain == ""


@settings(deadline=None, max_examples=50)
@given(st.floats(0, 1e9), st.floats(0, 1e9), st.integers(0, 60))
def test_a_bar_is_never_longer_than_its_room(value: float, most: float, width: int) -> None:
    assert bar(value, most, width).cell_length <= width


def test_bars_share_a_scale_and_their_words_are_aligned() -> None:
    lines = bars([BarRow("a", 10, "10"), BarRow("long label", 5, "5")], label_width=6, width=4)
    assert [line.plain for line in lines] == ["a      10 ████", "long…   5 ██"]
    assert bars([], label_width=6, width=4) == []


def test_columns_have_eight_heights_and_a_dot_for_nothing() -> None:
    assert columns([0, 1, 4, 8]).plain == "·▁▄█"
    assert columns([1, 2], most=16).plain == "▁▁"
    assert columns([0, 0]).plain == "··"


def test_blocks_stand_side_by_side() -> None:
    text = beside([Content("ab"), Content("c")], [Content("x"), Content("y"), Content("z")], gap=1)
    assert text.plain.split("\n") == ["ab x", "c  y", "   z"]


def test_a_time_line_runs_from_the_first_moment_to_the_last() -> None:
    year = timedelta(days=365)
    line = time_line([Moment(NOW - year, "●"), Moment(NOW + year, "○")], NOW, 11).plain
    assert line == "●━━━━┃┄┄┄┄○"
    assert time_line([], NOW, 3).plain[0] == "┃"
    assert time_line([Moment(NOW - year, "●")], NOW, 5).plain == "●━━━┃"


def test_a_dated_line_names_its_ends_and_leaves_out_an_end_that_is_past() -> None:
    year = timedelta(days=365)
    past, coming = Moment(NOW - year, "●"), Moment(NOW + year, "○")
    assert dated_line([past, coming], NOW).plain.split(" ")[::2] == ["2025-11", "2027-11"]
    assert dated_line([past, Moment(NOW - year / 2, "●")], NOW).plain.endswith("┃")


def test_a_year_strip_counts_by_month_and_kind() -> None:
    events = (
        CalendarEvent("a", EventKind.ROTATION, NOW + timedelta(days=1)),
        CalendarEvent("b", EventKind.ROTATION, NOW + timedelta(days=2)),
        CalendarEvent("c", EventKind.DELETION, NOW + timedelta(days=20)),
        CalendarEvent("d", EventKind.DELETION_AFTER_REPLICAS),
        CalendarEvent("e", EventKind.ROTATION, NOW + timedelta(days=800)),
    )
    head, deleted, rotates, undated = year_strip(Calendar(events), NOW).plain.split("\n")
    assert head.split()[:3] == ["Nov", "Dec", "Jan"]
    assert head.split()[-1] == "later"
    assert deleted.split()[:5] == ["▲", "deleted", "·", "▄", "1"]
    assert rotates.split()[:5] == ["●", "rotates", "█", "2", "·"]
    assert rotates.index("1") == head.index("later")
    assert undated.startswith("1 deletion without a date yet")
    assert year_strip(Calendar(()), NOW).plain == ""


def test_a_year_strip_of_near_events_has_no_column_for_later_ones() -> None:
    events = (CalendarEvent("a", EventKind.EXPIRY, NOW + timedelta(days=40)),)
    assert "later" not in year_strip(Calendar(events), NOW).plain


@given(st.lists(st.tuples(st.sampled_from(EventKind), st.integers(-90, 1500)), max_size=30))
@settings(max_examples=30)
def test_the_numbers_of_a_year_strip_add_up_to_the_counts_of_the_header(
    events: list[tuple[EventKind, int]],
) -> None:
    found = Calendar(
        tuple(
            CalendarEvent(
                "a", kind, None if kind is EventKind.DELETION_AFTER_REPLICAS else NOW + timedelta(days=days)
            )
            for kind, days in events
        )
    )
    numbers = re.findall(r"\d+", year_strip(found, NOW).plain)
    assert sum(map(int, numbers)) == found.count(*EventKind)


def test_days_of_calls_have_a_line_for_each_caller_and_one_for_refusals() -> None:
    def event(who: str, days_ago: int, error: str = "") -> UsageEvent:
        return usage_event(
            entry(f"{who}{days_ago}", who=who, error=error) | {"EventTime": NOW - timedelta(days=days_ago)}
        )

    found = [event("app", 0), event("app", 1), event("app", 1), event("batch", 3, "AccessDenied")]
    app, batch, refused, dates = (line.plain for line in day_lines(found, NOW, 60))
    assert app.split() == ["app", "············█▄", "3"]
    assert batch.split() == ["batch", "··········▄···", "1"]
    assert refused.split()[0] == "refused"
    assert dates.split() == ["11-07", "11-20"]
    assert day_lines([], NOW, 60) == []


def test_a_long_time_has_several_days_in_a_column_and_counts_every_call() -> None:
    found = [usage_event(entry(f"e{n}") | {"EventTime": NOW - timedelta(days=n)}) for n in range(90)]
    line, dates = (line.plain for line in day_lines(found, NOW, 60))
    assert line.split()[-1] == "90"
    assert len(line) <= 60
    assert dates.endswith("a column is 3 days")
