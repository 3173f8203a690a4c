"""The clock that a test sets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from kms_tui.control.clock import ControlledClock

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


class _Real:
    """Real time, as a test moves it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def real() -> _Real:
    return _Real()


def test_it_shows_real_time_until_it_is_told_otherwise(real: _Real) -> None:
    clock = ControlledClock(real=real)
    real.now += timedelta(minutes=3)
    assert clock() == NOW + timedelta(minutes=3)
    assert not clock.is_frozen


def test_given_a_moment_it_stands_still_there(real: _Real) -> None:
    clock = ControlledClock(datetime(2027, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), real=real)
    real.now += timedelta(days=1)
    assert clock() == datetime(2027, 1, 1, tzinfo=UTC)
    assert clock.is_frozen


def test_it_goes_on_from_where_it_was_set(real: _Real) -> None:
    clock = ControlledClock(real=real)
    clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    real.now += timedelta(seconds=5)
    assert clock.advance(days=1, hours=2) == datetime(2030, 1, 2, 2, 0, 5, tzinfo=UTC)
    real.now += timedelta(seconds=5)
    assert clock() == datetime(2030, 1, 2, 2, 0, 10, tzinfo=UTC)


def test_frozen_it_moves_by_order_only_and_then_goes_on(real: _Real) -> None:
    clock = ControlledClock(real=real)
    clock.freeze()
    real.now += timedelta(days=9)
    assert clock.advance(timedelta(minutes=1)) == NOW + timedelta(minutes=1)
    clock.run()
    real.now += timedelta(seconds=2)
    assert clock() == NOW + timedelta(minutes=1, seconds=2)


def test_a_state_brings_back_the_offset_and_whether_it_stood_still(real: _Real) -> None:
    clock = ControlledClock(real=real)
    clock.advance(days=3)
    state = clock.state()
    clock.freeze()
    clock.advance(days=100)
    clock.restore(state)
    assert (clock(), clock.is_frozen) == (NOW + timedelta(days=3), False)


@pytest.mark.parametrize("frozen", [False, True])
def test_it_refuses_what_no_calendar_has_and_stays(real: _Real, frozen: bool) -> None:
    clock = ControlledClock(real=real)
    if frozen:
        clock.freeze()
    with pytest.raises(ValueError, match="time zone"):
        clock.set(datetime(2027, 1, 1))
    for days in (-40_000, 10_000_000, 1e12):
        with pytest.raises(ValueError, match="1970 to 9000"):
            clock.advance(days=days)
    assert clock() == NOW


def test_it_runs_again_from_the_last_moment_that_there_is() -> None:
    clock = ControlledClock(datetime(9000, 1, 1, tzinfo=UTC))
    assert clock.run() == datetime(9000, 1, 1, tzinfo=UTC)
    assert not clock.is_frozen


@pytest.mark.parametrize("hours", [-14, 14])
def test_a_moment_that_no_calendar_has_in_utc_is_refused(hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    clock = ControlledClock(NOW)
    for moment in (datetime.min, datetime.max):
        with pytest.raises(ValueError, match="1970 to 9000"):
            clock.set(moment.replace(tzinfo=zone))
    assert clock.advance(seconds=1.5) == NOW + timedelta(seconds=1.5)


@pytest.mark.parametrize(
    ("by", "moved"),
    [
        ("90d", timedelta(days=90)),
        ("-2h", timedelta(hours=-2)),
        (7, timedelta(seconds=7)),
        ("1w", timedelta(7)),
    ],
)
def test_it_is_advanced_in_words_and_numbers(real: _Real, by: str | float, moved: timedelta) -> None:
    assert ControlledClock(real=real).advance(by) == NOW + moved


def test_it_is_set_in_words_and_numbers(real: _Real) -> None:
    clock = ControlledClock(real=real)
    assert clock.set("2027-01-01T01:00:00+01:00") == clock.set(1798761600) == datetime(2027, 1, 1, tzinfo=UTC)
    for wrong in ("2027-01-01", "soon"):
        with pytest.raises(ValueError, match="a time"):
            clock.set(wrong)
    with pytest.raises(ValueError, match="a length of time"):
        clock.advance("soon")
