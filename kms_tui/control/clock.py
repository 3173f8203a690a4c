"""A clock that a test sets, advances and freezes. All that KMS does by itself follows it.

Rotations, deletions, the expiry of imported material and of temporary credentials happen when the first call
after their time is made. Each rotation that is due takes some 75 us then: 40 of 20 keys in ten years 0.1 s.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_NO_MOMENT = f"the clock goes from {_FIRST.year} to {_LAST.year}"


def utc_now() -> datetime:
    return datetime.now(UTC)


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

    def set(self, moment: datetime) -> datetime:
        """Go to a moment; a clock that is frozen stays so. ValueError for one without a time zone."""
        if moment.tzinfo is None:
            raise ValueError("the moment needs a time zone, such as datetime(2026, 1, 1, tzinfo=UTC)")
        with self._lock:
            try:
                return self._go_to(moment.astimezone(UTC))
            except OverflowError as error:
                raise ValueError(_NO_MOMENT) from error

    def advance(
        self,
        by: timedelta | None = None,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> datetime:
        """Go forward by a length of time, or back where it is negative; the moment that it is then."""
        with self._lock:
            try:
                span = timedelta(days, seconds, minutes=minutes, hours=hours) + (by or timedelta(0))
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
