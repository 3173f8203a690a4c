"""Calls to several services side by side: a few daemon threads, each service at its own pace."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping

Job = Callable[[], None]

HANDS = 8
"""Threads in all."""
WIDTH = 4
"""Of which at most so many work in one lane."""


class Lanes:
    """Lanes of jobs; of each lane at most ``rates[lane]`` jobs start in a second.

    A job may put further jobs. All methods may be called from any thread.
    """

    def __init__(
        self, rates: Mapping[str, float], *, hands: int = HANDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._intervals = {lane: 1.0 / rate for lane, rate in rates.items()}
        self._hands = hands
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: dict[str, deque[Job]] = {lane: deque() for lane in rates}
        self._opens = dict.fromkeys(rates, 0.0)
        self._running: Counter[str] = Counter()
        self._at_work = 0
        self._stopped = False

    def put(self, lane: str, job: Job) -> None:
        with self._changed:
            self._waiting[lane].append(job)
            self._changed.notify()

    def drop(self, lane: str) -> int:
        """Forget what waits in a lane; how many jobs that were."""
        with self._changed:
            dropped = len(self._waiting[lane])
            self._waiting[lane].clear()
            return dropped

    def run(self) -> None:
        """Do all jobs, those that jobs put included; returns when there are none left, or after ``stop``."""
        with self._changed:
            self._at_work = self._hands
            for number in range(self._hands):
                threading.Thread(target=self._work, name=f"kms-tui scan {number}", daemon=True).start()
            while self._at_work and not self._stopped:
                self._changed.wait()

    def stop(self) -> None:
        """Start no more jobs, and have ``run`` return at once; jobs under way are left to themselves."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _work(self) -> None:
        try:
            while (taken := self._take()) is not None:
                lane, job = taken
                try:
                    job()
                finally:
                    with self._changed:
                        self._running[lane] -= 1
                        self._changed.notify_all()
        finally:
            with self._changed:
                self._at_work -= 1
                self._changed.notify_all()

    def _take(self) -> tuple[str, Job] | None:
        """The next job, once a lane is open; None where nothing is left to do."""
        with self._changed:
            while not self._stopped:
                free = [lane for lane, jobs in self._waiting.items() if jobs and self._running[lane] < WIDTH]
                if not free and not any(self._waiting.values()) and not self._running.total():
                    return None
                lane = min(free, key=lambda each: self._opens[each], default=None)
                now = self._clock()
                if lane is not None and self._opens[lane] <= now:
                    self._opens[lane] = max(now, self._opens[lane]) + self._intervals[lane]
                    self._running[lane] += 1
                    return lane, self._waiting[lane].popleft()
                self._changed.wait(None if lane is None else self._opens[lane] - now)
            return None
