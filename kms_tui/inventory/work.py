"""What to call next: lanes of jobs, the urgent before the polite, without any thread of its own."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum


class Lane(IntEnum):
    """Kinds of work, the most urgent first."""

    LISTING = 0
    """Pages of ListKeys and ListAliases."""
    VISIBLE = 1
    """Facts of rows on screen, and whatever someone asked for by name."""
    AGAIN = 2
    """What failed in passing, once more."""
    NEAR = 3
    """Facts of rows a screen up or down."""
    DEMAND = 4
    """Facts of all rows, for a filter or a sort."""
    USAGE = 5
    """GetKeyLastUsage of all rows: 5 a second is the account's whole quota."""
    REST = 6
    """Facts of all other rows of a small account, unasked."""


_LANES = tuple(Lane)


@dataclass(frozen=True, slots=True)
class Pace:
    """Calls a second for the lanes that no one is waiting for, and how large an account is read unasked.

    DescribeKey's quota is 2000 a second and shared with the account's applications; GetKeyLastUsage's is 5.
    """

    rest: float = 100.0
    demand: float = 200.0
    usage: float = 5.0
    read_unasked: int = 2000
    """Largest number of keys whose descriptions are read without a filter or sort that asks for them."""
    read_whole: int = 500
    """Largest number of keys of which every fact in the list is read unasked."""


@dataclass(frozen=True, slots=True)
class Job:
    """One call; of several jobs of the same name one runs at a time, and one more runs after it.

    The second call is not lost: whoever asked for it may have asked after the first was answered.
    """

    name: Hashable
    run: Callable[[], None]


Source = Callable[[Container[Hashable]], Job | None]
"""The next job of a lane whose name is not among the given ones, or None; called under the crew's lock."""


class _Gate:
    """Lets calls through at an even rate."""

    def __init__(self, rate: float) -> None:
        self._interval = 1.0 / rate
        self._next = 0.0

    def wait(self, now: float) -> float:
        return max(0.0, self._next - now)

    def passed(self, now: float) -> None:
        self._next = max(now, self._next) + self._interval

    def shut(self, until: float) -> None:
        self._next = max(until, self._next)


class WorkQueue:
    """Not thread-safe by itself: a crew holds its lock around every call.

    LISTING takes at most half the hands, so that a screenful of facts never waits behind a thousand pages;
    NEAR and below wait until no VISIBLE job is left or running.
    """

    def __init__(
        self, pace: Pace | None = None, *, hands: int = 16, clock: Callable[[], float] = time.monotonic
    ) -> None:
        pace = pace or Pace()
        self.hands = hands
        self._clock = clock
        self._queued: dict[Lane, deque[Job]] = {lane: deque() for lane in Lane}
        self._sources: dict[Lane, Iterator[Job]] = {}
        self._asked: dict[Lane, Source] = {}
        self._after: dict[Hashable, tuple[Lane, Job]] = {}
        """Jobs that wait for the end of a running one of the same name."""
        self._held = False
        self._running: dict[Lane, int] = dict.fromkeys(Lane, 0)
        self._busy: dict[Hashable, Lane] = {}
        self._most = {Lane.LISTING: max(1, hands // 2), Lane.NEAR: max(1, hands // 2)}
        self._gates = {
            Lane.AGAIN: _Gate(pace.demand),
            Lane.NEAR: _Gate(pace.demand),
            Lane.DEMAND: _Gate(pace.demand),
            Lane.USAGE: _Gate(pace.usage),
            Lane.REST: _Gate(pace.rest),
        }

    def put(self, lane: Lane, job: Job) -> None:
        """Add one job at the end of a lane."""
        self._queued[lane].append(job)

    def replace(self, lane: Lane, jobs: Iterable[Job]) -> None:
        """Forget what waits in a lane. A sequence waits in its place; an iterator is taken from lazily."""
        self._queued[lane].clear()
        self._sources.pop(lane, None)
        if isinstance(jobs, Sequence):
            self._queued[lane].extend(jobs)
        else:
            self._sources[lane] = iter(jobs)

    def pull(self, lane: Lane, source: Source) -> None:
        """Ask ``source`` for a job whenever no job waits in this lane: no copy of it can go stale."""
        self._asked[lane] = source

    def hold(self, held: bool) -> None:
        """Take nothing but LISTING while held; what waits stays."""
        self._held = held

    def take(self) -> Job | None:
        """The next job to run, or None where nothing may run now; hand it back with ``done``."""
        now = self._clock()
        for lane in self._lanes():
            if not self._open(lane, now):
                continue
            job = self._next(lane)
            if job is None:
                continue
            self._busy[job.name] = lane
            self._running[lane] += 1
            if lane in self._gates:
                self._gates[lane].passed(now)
            return job
        return None

    def done(self, job: Job) -> None:
        self._running[self._busy.pop(job.name)] -= 1
        if job.name in self._after:
            lane, again = self._after.pop(job.name)
            self._queued[lane].appendleft(again)

    def pause(self, lane: Lane, seconds: float) -> None:
        """Take nothing from a paced lane for so long."""
        self._gates[lane].shut(self._clock() + seconds)

    def wait(self) -> float | None:
        """Seconds until time alone lets a job through; None where it does not."""
        now = self._clock()
        waits = [
            gate.wait(now)
            for lane, gate in self._gates.items()
            if lane in self._lanes() and self._has_hands(lane) and self._has_more(lane)
        ]
        return min(waits, default=None)

    def idle(self) -> bool:
        """Whether nothing runs and nothing waits, but for what waits to be tried again."""
        return not self._busy and not any(
            self._has_more(lane) or self._ask(lane) is not None
            for lane in self._lanes()
            if lane is not Lane.AGAIN
        )

    def _lanes(self) -> tuple[Lane, ...]:
        return (Lane.LISTING,) if self._held else _LANES

    def _open(self, lane: Lane, now: float) -> bool:
        return self._has_hands(lane) and (lane not in self._gates or self._gates[lane].wait(now) <= 0)

    def _has_hands(self, lane: Lane) -> bool:
        if lane > Lane.VISIBLE and (self._running[Lane.VISIBLE] or self._queued[Lane.VISIBLE]):
            return False
        return self._running[lane] < self._most.get(lane, self.hands)

    def _next(self, lane: Lane) -> Job | None:
        queued = self._queued[lane]
        while self._has_more(lane):
            job = queued.popleft()
            if job.name not in self._busy:
                return job
            self._after[job.name] = (lane, job)
        return self._ask(lane)

    def _ask(self, lane: Lane) -> Job | None:
        return self._asked[lane](self._busy) if lane in self._asked else None

    def _has_more(self, lane: Lane) -> bool:
        if not self._queued[lane] and lane in self._sources:
            job = next(self._sources[lane], None)
            if job is None:
                del self._sources[lane]
            else:
                self._queued[lane].append(job)
        return bool(self._queued[lane])
