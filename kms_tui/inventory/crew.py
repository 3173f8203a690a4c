"""Who does the work: daemon threads, which never hold the program's exit."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Protocol

from kms_tui.inventory.work import Job, Lane, Source, WorkQueue


class Crew(Protocol):
    """Runs the jobs of a queue; tests have one that runs them on the spot."""

    def put(self, lane: Lane, job: Job) -> None: ...

    def replace(self, lane: Lane, jobs: Iterable[Job]) -> None: ...

    def pull(self, lane: Lane, source: Source) -> None: ...

    def pause(self, lane: Lane, seconds: float) -> None: ...

    def hold(self, held: bool) -> None: ...

    def wake(self) -> None:
        """Ask the sources of ``pull`` again."""

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing waits, but for what waits to be tried again."""

    def close(self) -> None:
        """Take no more jobs; those that run are left to themselves."""


class DaemonCrew:
    """Up to ``queue.hands`` daemon threads, started as work comes.

    A thread that has taken a job wakes the next one; one of the idle threads keeps time for the paced lanes.
    """

    def __init__(self, queue: WorkQueue) -> None:
        self._queue = queue
        self._changed = threading.Condition()
        self._threads = 0
        self._idle = 0
        self._wakes: float | None = None
        """When the thread that keeps time wakes, by the monotonic clock."""
        self._closed = False

    def put(self, lane: Lane, job: Job) -> None:
        with self._changed:
            self._queue.put(lane, job)
            self._call_hand()

    def replace(self, lane: Lane, jobs: Iterable[Job]) -> None:
        with self._changed:
            self._queue.replace(lane, jobs)
            self._call_hand()

    def pull(self, lane: Lane, source: Source) -> None:
        with self._changed:
            self._queue.pull(lane, source)

    def pause(self, lane: Lane, seconds: float) -> None:
        with self._changed:
            self._queue.pause(lane, seconds)

    def hold(self, held: bool) -> None:
        with self._changed:
            self._queue.hold(held)
            self._call_hand()

    def wake(self) -> None:
        with self._changed:
            self._call_hand()

    @property
    def idle(self) -> bool:
        with self._changed:
            return self._queue.idle()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _call_hand(self) -> None:
        if self._idle:
            self._changed.notify()
        elif self._threads < self._queue.hands and not self._closed:
            self._threads += 1
            threading.Thread(target=self._work, name=f"kms-tui read {self._threads}", daemon=True).start()

    def _work(self) -> None:
        try:
            self._work_on()
        finally:
            with self._changed:
                self._threads -= 1
                if not self._closed:  # A job raised: another thread takes this one's place.
                    self._call_hand()

    def _work_on(self) -> None:
        while True:
            with self._changed:
                job = self._wait_for_job()
                if job is None:
                    return
                self._call_hand()
            try:
                job.run()
            finally:
                with self._changed:
                    self._queue.done(job)

    def _wait_for_job(self) -> Job | None:
        while not self._closed:
            job = self._queue.take()
            if job is not None:
                return job
            wait = self._queue.wait()
            # An earlier timekeeper may have gone to sleep when nothing but a running job was in the way.
            wakes = None if wait is None else time.monotonic() + wait
            keeps_time = wakes is not None and (self._wakes is None or wakes < self._wakes)
            if keeps_time:
                self._wakes = wakes
            self._idle += 1
            try:
                self._changed.wait(wait if keeps_time else None)
            finally:
                self._idle -= 1
                if keeps_time and self._wakes == wakes:
                    self._wakes = None
        return None
