"""Work on threads: queues, each with its urgency and rate, and a pool of daemon threads that serves them.

Daemon threads never delay the program's exit. The pool's one lock protects its queues and the choice of the
next job; no job runs under it.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from kms_tui.kms.errors import EndpointError, KmsTuiError, ServiceError


class Job(NamedTuple):
    """One call; of several jobs with the same name one runs at a time, and one more runs after it.

    The second call matters: it may have been requested after the first got its answer. ``group``: the account
    that it calls, where jobs of several are in one queue.
    """

    name: Hashable
    run: Callable[[], None]
    group: Hashable = None


Source = Callable[[Container[Hashable]], Job | None]
"""The next job of a queue with a name that is not among the given ones, or None; called under the pool's
lock.
"""


class QueueRules(NamedTuple):
    """How one queue is served.

    The lowest ``urgency`` comes first; of equal ones the queue that can start a job soonest. ``rate``: jobs
    started in a second, None for no limit. ``workers``: the most threads that serve it, None for all.
    ``yields_to``: a queue that must have no waiting or running job. ``is_work`` is False if its waiting jobs
    leave the pool idle. ``grouped``: the groups of jobs take turns, and each has the ``rate`` for itself.
    """

    urgency: int = 0
    rate: float | None = None
    workers: int | None = None
    yields_to: Hashable = None
    is_work: bool = True
    grouped: bool = False


class _Gate:
    """Lets jobs through at an even rate."""

    def __init__(self, rate: float | None) -> None:
        self._interval = 1.0 / rate if rate else 0.0
        self.opens = 0.0

    def wait(self, now: float) -> float:
        return max(0.0, self.opens - now)

    def passed(self, now: float) -> None:
        if self._interval:
            self.opens = max(now, self.opens) + self._interval

    def shut(self, until: float) -> None:
        self.opens = max(until, self.opens)


class _Queue:
    """The waiting jobs of one queue; ``lazy`` are further ones, read as they are needed."""

    def __init__(self, rules: QueueRules) -> None:
        self.rules = rules
        self.running = 0
        self.source: Source | None = None
        self._waiting: dict[Hashable, deque[Job]] = {}
        """The jobs of each group, the group whose turn is next first; no empty ones."""
        self._lazy: Iterator[Job] | None = None
        self._gates: defaultdict[Hashable, _Gate] = defaultdict(partial(_Gate, rules.rate))
        self._shut_until = 0.0

    def put(self, job: Job, *, first: bool = False) -> None:
        jobs = self._waiting.setdefault(self._group(job), deque())
        if first:
            jobs.appendleft(job)
        else:
            jobs.append(job)

    def replace(self, jobs: Iterable[Job]) -> None:
        self._waiting.clear()
        self._lazy = None
        if isinstance(jobs, Sequence):
            for job in jobs:
                self.put(job)
        else:
            self._lazy = iter(jobs)

    def drop(self) -> int:
        dropped = sum(map(len, self._waiting.values()))
        self._waiting.clear()
        return dropped

    def pause(self, until: float, group: Hashable) -> None:
        if group is None or not self.rules.grouped:
            self._shut_until = max(self._shut_until, until)
        else:
            self._gates[group].shut(until)

    def passed(self, job: Job, now: float) -> None:
        self._gates[self._group(job)].passed(now)

    @property
    def has_waiting(self) -> bool:
        """Whether a job waits that was put there; a lazy one may turn out to be none."""
        return bool(self._waiting)

    def has_more(self) -> bool:
        return bool(self._waiting) or self._read_on() is not None

    def opens(self) -> float:
        """When the next job may start."""
        groups = self._waiting or (None,)
        return max(self._shut_until, min(self._gates[group].opens for group in groups))

    def is_open(self, now: float) -> bool:
        """Whether a job may start now, if one waits."""
        if now < self._shut_until:
            return False
        return self.rules.grouped or self._gates[None].wait(now) <= 0

    def take(self, now: float) -> Job | None:
        """Take the next job whose group may start one; the turn goes to the next group."""
        group = next((group for group in self._waiting if self._gates[group].wait(now) <= 0), _NO_GROUP)
        for _ in range(_READ_AHEAD):
            if group is not _NO_GROUP:
                break
            job = self._read_on()
            if job is None:
                return None
            if self._gates[self._group(job)].wait(now) <= 0:
                group = self._group(job)
        else:
            return None
        jobs = self._waiting.pop(group)
        job = jobs.popleft()
        if jobs:
            self._waiting[group] = jobs
        return job

    def _read_on(self) -> Job | None:
        """Put the next lazy job to those that wait, and return it."""
        if self._lazy is None:
            return None
        job = next(self._lazy, None)
        if job is None:
            self._lazy = None
        else:
            self.put(job)
        return job

    def _group(self, job: Job) -> Hashable:
        return job.group if self.rules.grouped else None


_NO_GROUP = object()
_READ_AHEAD = 1000
"""Lazy jobs that one look reads to find a group that may start one."""


class WorkQueues:
    """Queues by name. Not thread-safe: a pool holds its lock around every call."""

    def __init__(
        self,
        rules: Mapping[Hashable, QueueRules],
        *,
        workers: int = 16,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.workers = workers
        self._clock = clock
        self._names = tuple(sorted(rules, key=lambda name: rules[name].urgency))
        self._has_equals = len({rule.urgency for rule in rules.values()}) < len(rules)
        self._queues = {name: _Queue(rule) for name, rule in rules.items()}
        self._after: dict[Hashable, tuple[Hashable, Job]] = {}
        """Jobs that wait for a running one of the same name."""
        self._only: Hashable = None
        self._busy: dict[Hashable, Hashable] = {}
        """The name of each running job -> its queue."""

    def put(self, queue: Hashable, job: Job) -> None:
        """Add one job at the end of a queue."""
        self._queues[queue].put(job)

    def replace(self, queue: Hashable, jobs: Iterable[Job]) -> None:
        """Drop the waiting jobs of a queue. A sequence takes their place; an iterator is read lazily."""
        self._queues[queue].replace(jobs)

    def drop(self, queue: Hashable) -> int:
        """Drop the waiting jobs that were put into a queue; return their number."""
        return self._queues[queue].drop()

    def pull(self, queue: Hashable, source: Source) -> None:
        """Ask ``source`` for a job whenever the queue is empty, so that no copy of a job gets stale."""
        self._queues[queue].source = source

    def hold_all_but(self, queue: Hashable) -> None:
        """Serve only this queue, or all again for None; waiting jobs stay."""
        self._only = queue

    def take(self) -> Job | None:
        """The next job to run, or None if none may run now; return it with ``done``."""
        now = self._clock()
        for name in self._in_order():
            queue = self._queues[name]
            if not self._has_workers(queue) or not queue.is_open(now):
                continue
            job = self._next(name, now)
            if job is None:
                continue
            self._busy[job.name] = name
            queue.running += 1
            queue.passed(job, now)
            return job
        return None

    def done(self, job: Job) -> None:
        self._queues[self._busy.pop(job.name)].running -= 1
        if job.name in self._after:
            queue, again = self._after.pop(job.name)
            self._queues[queue].put(again, first=True)

    def pause(self, queue: Hashable, seconds: float, group: Hashable = None) -> None:
        """Start no job of a queue, or of one group of it, for a number of seconds."""
        self._queues[queue].pause(self._clock() + seconds, group)

    def wait(self) -> float | None:
        """Seconds until a paced job may start; None if no job waits for time."""
        now = self._clock()
        queues = [self._queues[name] for name in self._in_order()]
        waits = [
            max(0.0, queue.opens() - now) for queue in queues if self._has_workers(queue) and queue.has_more()
        ]
        return min(waits, default=None)

    def idle(self) -> bool:
        """Whether nothing runs and nothing waits that counts as work."""
        return not self._busy and not any(
            queue.has_more() or self._ask(queue) is not None
            for queue in (self._queues[name] for name in self._in_order())
            if queue.rules.is_work
        )

    def _in_order(self) -> Sequence[Hashable]:
        if self._only is not None:
            return (self._only,)
        if self._has_equals:
            queues = self._queues
            return sorted(self._names, key=lambda name: (queues[name].rules.urgency, queues[name].opens()))
        return self._names

    def _has_workers(self, queue: _Queue) -> bool:
        rules = queue.rules
        if rules.yields_to is not None:
            first = self._queues[rules.yields_to]
            if first.running or first.has_waiting:
                return False
        return queue.running < (self.workers if rules.workers is None else rules.workers)

    def _next(self, name: Hashable, now: float) -> Job | None:
        queue = self._queues[name]
        while (job := queue.take(now)) is not None:
            if job.name not in self._busy:
                return job
            self._after[job.name] = (name, job)
        return self._ask(queue)

    def _ask(self, queue: _Queue) -> Job | None:
        return queue.source(self._busy) if queue.source is not None else None


class Workers(Protocol):
    """Runs the jobs of queues; tests have one that runs them at once."""

    def put(self, queue: Hashable, job: Job) -> None: ...

    def replace(self, queue: Hashable, jobs: Iterable[Job]) -> None: ...

    def drop(self, queue: Hashable) -> int: ...

    def pull(self, queue: Hashable, source: Source) -> None: ...

    def pause(self, queue: Hashable, seconds: float, group: Hashable = None) -> None: ...

    def hold_all_but(self, queue: Hashable) -> None: ...

    def wake(self) -> None:
        """Ask the sources of ``pull`` again."""

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing waits that counts as work."""

    def close(self) -> None:
        """Start no more jobs; running ones are abandoned."""


class WorkerPool:
    """Up to ``queues.workers`` daemon threads, started as work arrives.

    A thread that has taken a job wakes the next one; one of the idle threads watches the clock for paced
    queues.
    """

    def __init__(self, queues: WorkQueues, *, name: str) -> None:
        self._queues = queues
        self._name = name
        self._changed = threading.Condition()
        self._threads = 0
        self._idle = 0
        self._joins = 0
        self._wakes: float | None = None
        """When the thread that watches the clock wakes, by the monotonic clock."""
        self._closed = False

    def put(self, queue: Hashable, job: Job) -> None:
        with self._changed:
            self._queues.put(queue, job)
            self._call_worker()

    def replace(self, queue: Hashable, jobs: Iterable[Job]) -> None:
        with self._changed:
            self._queues.replace(queue, jobs)
            self._call_worker()

    def drop(self, queue: Hashable) -> int:
        with self._changed:
            return self._queues.drop(queue)

    def pull(self, queue: Hashable, source: Source) -> None:
        with self._changed:
            self._queues.pull(queue, source)

    def pause(self, queue: Hashable, seconds: float, group: Hashable = None) -> None:
        with self._changed:
            self._queues.pause(queue, seconds, group)

    def hold_all_but(self, queue: Hashable) -> None:
        with self._changed:
            self._queues.hold_all_but(queue)
            self._call_worker()

    def wake(self) -> None:
        with self._changed:
            self._call_worker()

    @property
    def idle(self) -> bool:
        with self._changed:
            return self._queues.idle()

    def join(self) -> None:
        """Return once the pool is idle, or closed."""
        with self._changed:
            self._joins += 1
            while not self._closed and not self._queues.idle():
                self._changed.wait()
            self._joins -= 1

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _call_worker(self) -> None:
        if self._idle:
            # One of those woken may be waiting in ``join``, which takes no job.
            self._changed.notify(1 + self._joins)
        elif self._threads < self._queues.workers and not self._closed:
            self._threads += 1
            name = f"kms-tui {self._name} {self._threads}"
            threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        try:
            self._work_on()
        finally:
            with self._changed:
                self._threads -= 1
                if not self._closed:  # A job raised: another thread takes this one's place.
                    self._call_worker()

    def _work_on(self) -> None:
        while True:
            with self._changed:
                job = self._wait_for_job()
                if job is None:
                    return
                self._call_worker()
            try:
                job.run()
            finally:
                with self._changed:
                    self._queues.done(job)
                    if self._joins:
                        self._changed.notify_all()
                del job  # while this thread waits for the next: it may hold the rows of a large account

    def _wait_for_job(self) -> Job | None:
        while not self._closed:
            job = self._queues.take()
            if job is not None:
                return job
            wait = self._queues.wait()
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


FIRST_WAIT, LAST_WAIT = 1.0, 30.0
"""Seconds."""
_QUIET = 60.0


def is_passing(error: KmsTuiError) -> bool:
    """Whether the same call may succeed later without any change."""
    if isinstance(error, ServiceError):
        return error.throttled or error.status >= 500
    return isinstance(error, EndpointError)


class RetryTimer:
    """Runs ``retry`` once after a wait, however often it is requested meanwhile; thread-safe.

    botocore has made its own attempts before. Waits grow from one second to half a minute, and start again
    after a quiet minute.
    """

    def __init__(
        self, workers: Workers, queue: Hashable, retry: Callable[[], None], clock: Callable[[], float]
    ) -> None:
        self._workers = workers
        self._queue = queue
        self._retry = retry
        self._clock = clock
        self._lock = threading.Lock()
        self._wait = 0.0
        self._due = 0.0
        self._waiting = False

    def later(self) -> None:
        """A call failed with a passing error."""
        with self._lock:
            if self._waiting:
                return
            now = self._clock()
            self._waiting = True
            rested = now - self._due > _QUIET
            self._wait = FIRST_WAIT if rested else min(max(FIRST_WAIT, 2 * self._wait), LAST_WAIT)
            self._due = now + self._wait
            self._workers.pause(self._queue, self._wait)
            self._workers.put(self._queue, Job(("retry", self._due), self._run))

    def _run(self) -> None:
        with self._lock:
            self._waiting = False
        self._retry()


def on_threads(count: int, work: Callable[[int], None], *, threads: int, name: str) -> None:
    """Call ``work``, which raises nothing, with 0 to ``count`` - 1 on a few daemon threads; blocks."""
    waiting, lock = iter(range(count)), threading.Lock()

    def run() -> None:
        while True:
            with lock:
                number = next(waiting, None)
            if number is None:
                return
            work(number)

    running = [threading.Thread(target=run, name=name, daemon=True) for _ in range(min(threads, count))]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
