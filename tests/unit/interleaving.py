"""Two calls at once, in an order that a test chooses: threads that run a line at a time, one at any moment.

``Interleaving`` runs its tasks on real threads. Before each line of the traced modules the running task may
hand over to the other, and a lock that is taken hands over too; so a schedule, the line numbers at which to
hand over, decides alone what happens. The same schedule gives the same run.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType, ModuleType, SimpleNamespace
from typing import Any

import pytest

_HUNG = 30.0
"""Seconds after which a task that does not hand over is a fault of the test."""


class _Task:
    def __init__(self, run: Callable[[], object]) -> None:
        self.run = run
        self.turn = threading.Semaphore(0)
        self.wants: Lock | None = None
        self.ended = False
        self.error: BaseException | None = None


class Interleaving:
    """Runs tasks to their ends, handing over after each number of lines in ``schedule``, counted over all."""

    current: Interleaving | None = None

    def __init__(self, modules: Sequence[ModuleType], tasks: Sequence[Callable[[], object]]) -> None:
        self._files = {module.__file__ for module in modules}
        self._tasks = [_Task(run) for run in tasks]
        self._handed_back = threading.Semaphore(0)
        self._schedule: set[int] = set()
        self._last = 0
        self._running = self._tasks[0]
        self.lines = 0

    def run(self, schedule: Sequence[int] = ()) -> int:
        """Run all tasks, the first one first; how many lines that took, of which those after the last of the
        schedule are not counted. A task's error is raised.
        """
        self._schedule = set(schedule)
        self._last = max(schedule, default=0)
        Interleaving.current = self
        try:
            for task in self._tasks:
                threading.Thread(target=self._start, args=(task,), daemon=True).start()
            while not all(task.ended for task in self._tasks):
                self._running = self._next()
                self._running.turn.release()
                assert self._handed_back.acquire(timeout=_HUNG), "a task hangs"
        finally:
            Interleaving.current = None
        for task in self._tasks:
            if task.error is not None:
                raise task.error
        return self.lines

    def _next(self) -> _Task:
        """Another task than the last where there is one that can run."""
        order = sorted(self._tasks, key=lambda task: task is self._running)
        if self.lines == 0:
            order = self._tasks
        return next(task for task in order if not task.ended and (task.wants is None or task.wants.free))

    def _start(self, task: _Task) -> None:
        task.turn.acquire()
        sys.settrace(self._trace)
        try:
            task.run()
        except BaseException as error:
            task.error = error
        finally:
            sys.settrace(None)
            task.ended = True
            self._handed_back.release()

    def _trace(self, frame: FrameType, event: str, argument: object) -> Any:
        if 0 < self._last <= self.lines:
            sys.settrace(None)
            return None
        if frame.f_code.co_filename not in self._files:
            return None
        if event == "line":
            self.lines += 1
            if self.lines in self._schedule:
                self.hand_over()
        return self._trace

    def hand_over(self) -> None:
        task = self._running
        self._handed_back.release()
        task.turn.acquire()

    def wait_for(self, lock: Lock) -> None:
        task = self._running
        task.wants = lock
        self.hand_over()
        task.wants = None


class Lock:
    """A lock, reentrant or not, that tells the interleaving when it has to be waited for."""

    def __init__(self, *, reentrant: bool = False) -> None:
        self._reentrant = reentrant
        self._owner: int | None = None
        self._depth = 0

    @property
    def free(self) -> bool:
        return self._owner is None

    def acquire(self, blocking: bool = True) -> bool:
        me = threading.get_ident()
        if self._owner == me and self._reentrant:
            self._depth += 1
            return True
        while self._owner is not None:
            if not blocking:
                return False
            assert self._owner != me, "a deadlock with itself"
            assert Interleaving.current is not None, "a lock was kept"
            Interleaving.current.wait_for(self)
        self._owner, self._depth = me, 1
        return True

    def release(self) -> None:
        self._depth -= 1
        if not self._depth:
            self._owner = None

    def _is_owned(self) -> bool:
        return self._owner == threading.get_ident()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()


@contextmanager
def traced_locks(*modules: ModuleType) -> Iterator[None]:
    """Within, these modules make their locks of the kind above."""
    stand_in = SimpleNamespace(
        Lock=Lock,
        RLock=lambda: Lock(reentrant=True),
        Condition=lambda: threading.Condition(Lock(reentrant=True)),  # type: ignore[arg-type]
        Event=threading.Event,
        Thread=threading.Thread,
    )
    with pytest.MonkeyPatch.context() as patch:
        for module in modules:
            patch.setattr(module, "threading", stand_in, raising=False)
        yield


def every_single_hand_over(run: Callable[[Sequence[int]], int]) -> int:
    """Call ``run`` with each schedule of one hand-over, and with that of none; how many runs that were."""
    lines = run(())
    for line in range(1, lines + 1):
        run((line,))
    return lines + 1
