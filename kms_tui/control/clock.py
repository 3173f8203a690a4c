"""A clock that a test sets, advances and freezes. All that KMS does by itself follows it.

Rotations, deletions, the expiry of imported material and of temporary credentials happen when the first call
after their time is made. Each rotation that is due takes some 75 us then: 40 of 20 keys in ten years 0.1 s.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from kms_tui.backend.local.store.sources import utc_now

_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_NO_MOMENT = f"the clock goes from {_FIRST.year} to {_LAST.year}"

_SPAN = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)(s|m|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment_of(value: object) -> datetime:
    """A moment with its time zone: a datetime, ISO 8601, or seconds since 1970. Raises ValueError."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError('a time is such as "2027-01-01T00:00:00Z", or seconds since 1970') from error
    if moment.tzinfo is None:
        raise ValueError('a time needs a time zone, as in "2027-01-01T00:00:00Z"')
    return moment


def span_of(value: object) -> timedelta:
    """A length of time: a timedelta, "90d", "12h", "30m", "45s", "2w", or seconds. Raises ValueError."""
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    try:
        if isinstance(value, timedelta):
            return value
        if match is not None:
            return timedelta(**{_UNITS[match[2]]: float(match[1])})
        if isinstance(value, int | float) and not isinstance(value, bool):
            return timedelta(seconds=value)
    except (OverflowError, ValueError):
        pass
    raise ValueError('a length of time is such as "90d", "12h", "30m", "45s", or a number of seconds')


class ControlledClock:
    """Real time until it is told otherwise; safe to use from several threads. Call it for the moment.

    With ``now`` it stands still at that moment, which has a time zone.
    """

    def __init__(self, now: datetime | None = None, *, real: Callable[[], datetime] = utc_now) -> None:
        self._real = real
        self._offset = timedelta(0)
        self._frozen: datetime | None = None
        self._lock = threading.Lock()
        if now is not None:
            self.freeze()
            self.set(now)

    def __call__(self) -> datetime:
        with self._lock:
            return self._now()

    @property
    def is_frozen(self) -> bool:
        return self._frozen is not None

    def set(self, moment: datetime | str | float) -> datetime:
        """Go to a moment, as ``moment_of`` reads it; a clock that is frozen stays so. Raises ValueError."""
        wanted = moment_of(moment)
        with self._lock:
            try:
                return self._go_to(wanted.astimezone(UTC))
            except OverflowError as error:
                raise ValueError(_NO_MOMENT) from error

    def advance(
        self,
        by: timedelta | str | float = 0,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> datetime:
        """Go forward by a length of time, as ``span_of`` reads it, or back where it is negative.

        Gives the moment that it is then. Raises ValueError.
        """
        length = span_of(by)
        with self._lock:
            try:
                span = timedelta(days, seconds, minutes=minutes, hours=hours) + length
                return self._go_to(self._now() + span)
            except OverflowError as error:
                raise ValueError(_NO_MOMENT) from error

    def freeze(self) -> datetime:
        """Stand still at the present moment."""
        with self._lock:
            self._frozen = self._now()
            return self._frozen

    def run(self) -> datetime:
        """Go on from the present moment."""
        with self._lock:
            moment, self._frozen = self._now(), None
            self._offset = moment - self._real()
            return moment

    def state(self) -> ClockState:
        with self._lock:
            return self._offset, self._frozen

    def restore(self, state: ClockState) -> None:
        with self._lock:
            self._offset, self._frozen = state

    def _now(self) -> datetime:
        return self._real() + self._offset if self._frozen is None else self._frozen

    def _go_to(self, moment: datetime) -> datetime:
        if not _FIRST <= moment <= _LAST:
            raise ValueError(_NO_MOMENT)
        if self._frozen is None:
            self._offset = moment - self._real()
        else:
            self._frozen = moment
        return moment


ClockState = tuple[timedelta, datetime | None]
"""The offset from real time, and the moment at which the clock stands still, if it does."""
