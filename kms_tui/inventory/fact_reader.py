"""Reads facts of keys, one call each: first for rows on screen, then for rows near it, then for a filter."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from kms_tui.backend.kms_facade import Kms
from kms_tui.inventory.changes import Coalescer
from kms_tui.inventory.pace import Pace, Priority
from kms_tui.inventory.row import FactName, ListedAccount, Row
from kms_tui.inventory.row_table import RowTable
from kms_tui.kms.errors import EXPIRED, AnswerError, CredentialsError, KmsTuiError, ServiceError
from kms_tui.kms.facts import UNASKED, Denied, Fact, Failed, Known, unreadable
from kms_tui.workers import FIRST_WAIT, LAST_WAIT, Job, Workers, is_passing

# By key id or ARN, never by alias: DescribeKey on a predefined alias creates the key.
READERS: Mapping[FactName, Callable[[Kms, str], Any]] = {
    FactName.DESCRIBED: Kms.describe,
    FactName.ROTATION: Kms.rotation_status,
    FactName.TAGS: lambda kms, key_id: tuple(kms.tags(key_id)),
    FactName.LAST_USAGE: Kms.last_usage,
    FactName.POLICY: Kms.key_policy,
    FactName.ROTATIONS: lambda kms, key_id: len(kms.rotations(key_id)),
}


def read(kms: Callable[[], Kms], name: FactName, key_id: str) -> Known[Any] | Denied | Failed:
    """Read one fact: known, denied or failed."""
    try:
        return Known(READERS[name](kms(), key_id))
    except KmsTuiError as error:
        return unreadable(error)
    except Exception as error:
        # A malformed answer fails this cell, not the thread.
        return Failed(AnswerError.of(error))


_SCROLL_PAUSE = 0.3
"""Seconds without scrolling before facts off screen are read."""

Missing = Callable[[Row], FactName | None]
"""The next fact of a row to read, or None where nothing is missing."""


def missing_of(*names: FactName) -> Missing:
    """The first of ``names`` still to read; a fact that may not apply waits for DescribeKey."""

    def missing(row: Row) -> FactName | None:
        for name in names:
            if row.wants(name):
                if row.applies(name):
                    return name
                if row.applies(name) is None and row.wants(FactName.DESCRIBED):
                    return FactName.DESCRIBED
        return None

    return missing


class ReadingProgress(NamedTuple):
    """The progress of a demand, in rows; ``seconds`` is the time that the rest takes at the polite rate."""

    done: int
    total: int
    seconds: float
    error: str = ""
    """Why it waits, if it does; from an error, so untrusted."""


@dataclass(slots=True)
class _Demand:
    """``left`` only shrinks, one atomic step for each row; a demand with nothing left has ended."""

    missing: Missing
    left: set[str]
    total: int
    slow: bool = False
    """It needs GetKeyLastUsage."""


@dataclass(slots=True)
class _Backoff:
    """How long an account's queues wait after a passing error: ``error``, untrusted."""

    seconds: float = 0.0
    until: float = 0.0
    error: str = ""


def account_of(row: Row) -> ListedAccount | None:
    return row.place.account if row.place is not None else None


def kms_of(row: Row) -> Kms:
    """The façade of a listed row; may be slow. Raises KmsTuiError."""
    assert row.place is not None
    return row.place.kms()


class Reader:
    """Turns the rows on screen into jobs.

    ``accounts`` is the number of accounts: of several, none is waited for when the credentials of one have
    expired. ``on_stopped`` is called when reading stops (see ``stopped``), ``on_passing_error`` for each fact
    on screen that failed with a passing error. ``shown`` are the facts that a row on screen needs.

    Threads: rows on screen are never copied into a queue. The pool asks for their next job each time a
    thread is free, so none is lost between two queues. A replaced queue is read lazily, and so sees every
    fact that was known when it was replaced. The rest changes under ``_lock``, which may be held while the
    pool's lock is taken, never the other way round.
    """

    def __init__(
        self,
        table: RowTable,
        workers: Workers,
        coalescer: Coalescer,
        *,
        accounts: int,
        pace: Pace,
        shown: tuple[FactName, ...],
        on_stopped: Callable[[], None],
        on_passing_error: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._table = table
        self._workers = workers
        self._coalescer = coalescer
        self._accounts = accounts
        self._pace = pace
        self._on_stopped = on_stopped
        self._on_passing_error = on_passing_error
        self._clock = clock
        self._lock = threading.Lock()
        self._shown: tuple[Sequence[Row], Sequence[Row]] = ((), ())
        self.shown_facts = shown
        self._shown_missing = missing_of(*shown)
        self._rest_missing = missing_of(FactName.DESCRIBED)
        self._demand: _Demand | None = None
        self._plans = 0
        self._planning = False
        self._backoffs: defaultdict[ListedAccount | None, _Backoff] = defaultdict(_Backoff)
        self._stopped: KmsTuiError | None = None
        self._resumes = 0
        workers.pull(Priority.VISIBLE, self._next_on_screen)

    # Credentials

    @property
    def stopped(self) -> KmsTuiError | None:
        """Why nothing is read until ``resume``: credentials that are missing or have expired."""
        return self._stopped

    @property
    def resumes(self) -> int:
        """A number for ``stop``: it changes with each ``resume``."""
        return self._resumes

    def stop(self, error: KmsTuiError, resumes: int) -> None:
        """Read nothing until ``resume``, unless ``resume`` was called after the failed call began."""
        with self._lock:
            if resumes != self._resumes or self._stopped is not None:
                return
            self._stopped = error
            self._workers.hold_all_but(Priority.LISTING)
        self._on_stopped()

    def resume(self) -> None:
        with self._lock:
            self._stopped = None
            self._resumes += 1
            self._workers.hold_all_but(None)

    # Rows on screen, and the rest

    @property
    def on_screen(self) -> Sequence[Row]:
        return self._shown[0]

    def show(self, visible: Sequence[Row], near: Sequence[Row]) -> None:
        """Read what these rows need, ``visible`` first; waiting rows of an earlier call are dropped."""
        with self._lock:
            self._shown = (tuple(visible), tuple(near))
        self.read_shown()

    def read_shown(self) -> None:
        """Read what the rows of the last ``show`` need now."""
        with self._lock:
            near = self._shown[1]
            for priority in (Priority.NEAR, Priority.REST):
                self._workers.pause(priority, _SCROLL_PAUSE)
            self._workers.replace(
                Priority.NEAR, self._jobs(near, missing_of(FactName.DESCRIBED), Priority.NEAR)
            )
            self._workers.wake()

    def _next_on_screen(self, busy: Container[Hashable]) -> Job | None:
        """The next job: the descriptions of all rows come first."""
        later: Job | None = None
        for row in self._shown[0]:
            name = self._shown_missing(row)
            if name is None or (row.arn, name) in busy:
                continue
            if name is FactName.DESCRIBED:
                return self._job(row, name, Priority.VISIBLE)
            later = later or self._job(row, name, Priority.VISIBLE)
        return later

    def ask(self, row: Row, names: Iterable[FactName]) -> None:
        """Read these facts of a row now, again if they were read; of AWS-managed keys, too."""
        for name in names:
            with self._table.lock:
                if row.fact(name) is not UNASKED:
                    row.stale |= {name}
            self._workers.put(Priority.VISIBLE, self._job(row, name, Priority.VISIBLE))

    def reread(self, rows: Iterable[Row]) -> None:
        """Read the rows' aliases and shown facts again."""
        for row in rows:
            job = Job((row.arn, "aliases"), partial(self._read_aliases, row), account_of(row))
            self._workers.put(Priority.VISIBLE, job)
            self.ask(row, [name for name in self.shown_facts if row.applies(name)])

    def _read_aliases(self, row: Row) -> None:
        try:
            aliases = kms_of(row).aliases(row.key_id)
            names = [alias.short_name for alias in aliases]
        except Exception:
            return  # DescribeKey meets the same error, and its cells say so.
        self._table.set_aliases(row, names, announce=True)

    def read_rest(self, rows: Sequence[Row]) -> None:
        """Read these rows when nothing else waits: every shown fact if they are few, else descriptions."""
        names = self.shown_facts if len(rows) <= self._pace.read_whole else (FactName.DESCRIBED,)
        with self._lock:
            self._rest_missing = missing_of(*names)
            self._workers.replace(Priority.REST, self._jobs(rows, self._rest_missing, Priority.REST))

    def demand(self, rows: Sequence[Row], missing: Missing, *, usage: bool = False) -> None:
        """Read what ``missing`` names, row by row in this order; replaces an earlier demand.

        ``usage``: that may include GetKeyLastUsage, which has its own queue and rate.
        """
        with self._lock:
            number = self._give_up_demand()
            self._planning = True
        # Going through 100,000 rows would block the event loop.
        plan = partial(self._plan, number, rows, missing, usage)
        self._workers.put(Priority.LISTING, Job(("plan", number), plan))

    def _plan(self, number: int, rows: Sequence[Row], missing: Missing, usage: bool) -> None:
        slow: list[Row] = []
        if usage:
            named = [(row, missing(row)) for row in rows]
            rows = [row for row, name in named if name not in (None, FactName.LAST_USAGE)]
            slow = [row for row, name in named if name is FactName.LAST_USAGE]
        left = {row.arn for each in (rows, slow) for row in each}
        with self._lock:
            if number != self._plans:
                return
            self._planning = False
            if left:
                self._demand = _Demand(missing, left, len(left), slow=bool(slow))
                self._workers.replace(Priority.DEMAND, self._jobs(rows, missing, Priority.DEMAND))
                self._workers.replace(Priority.USAGE, self._jobs(slow, missing, Priority.USAGE))
        self._coalescer.note(progress=True)

    def cancel(self) -> None:
        """Drop the demand; facts already read stay."""
        with self._lock:
            self._give_up_demand()
        self._coalescer.note(progress=True)

    def _give_up_demand(self) -> int:
        """Drop the demand, under the lock; return the number of the next plan."""
        self._plans += 1
        self._planning = False
        self._demand = None
        self._workers.replace(Priority.DEMAND, ())
        self._workers.replace(Priority.USAGE, ())
        return self._plans

    @property
    def demanding(self) -> bool:
        """Whether a demand is being planned or still reads."""
        return self._planning or self.progress() is not None

    def progress(self) -> ReadingProgress | None:
        """None without a demand, or once all of it is read."""
        demand = self._demand
        left = len(demand.left) if demand is not None else 0
        if demand is None or not left:
            return None
        rate = self._accounts * (self._pace.usage if demand.slow else self._pace.demand)
        error = next((each.error for each in list(self._backoffs.values()) if each.error), "")
        return ReadingProgress(demand.total - left, demand.total, left / rate, error)

    # Jobs

    def _jobs(self, rows: Iterable[Row], missing: Missing, priority: Priority) -> Iterator[Job]:
        for row in rows:
            name = missing(row)
            if name is not None:
                yield self._job(row, name, priority)
            elif priority in (Priority.DEMAND, Priority.USAGE) and (demand := self._demand) is not None:
                demand.left.discard(row.arn)

    def _job(self, row: Row, name: FactName, priority: Priority) -> Job:
        return Job((row.arn, name), partial(self._run, row, name, priority), account_of(row))

    def _run(self, row: Row, name: FactName, priority: Priority) -> None:
        if priority in (Priority.DEMAND, Priority.USAGE) and not self._demands(row):
            return
        resumes, before = self._resumes, row.fact(name)
        if self._table.begin(row, name):
            fact = read(lambda: kms_of(row), name, row.key_id)
            error = fact.error if isinstance(fact, Denied | Failed) else None
            if error is not None and self._retries_later(error, row, priority, resumes):
                self._table.give_up(row, name, before)
                self._workers.put(priority, self._job(row, name, priority))
                return
            with self._lock:
                self._backoffs.pop(account_of(row), None)
            if error is not None and is_passing(error):
                self._on_passing_error()
            self._set(row, name, fact)
        self._read_next(row, priority)

    def _retries_later(self, error: KmsTuiError, row: Row, priority: Priority, resumes: int) -> bool:
        """Whether the call is made again later, so that the row does not show the error."""
        if needs_credentials(error) and self._accounts == 1:
            self.stop(error, resumes)
            return True
        if priority in _BACKGROUND and is_passing(error):
            self._back_off(priority, account_of(row), error)
            return True
        return False

    def _set(self, row: Row, name: FactName, fact: Fact[Any]) -> None:
        try:
            self._table.set_fact(row, name, fact)
        except Exception as error:
            # The right members with wrong types: not AWS. The thread goes on.
            self._table.set_fact(row, name, Failed(AnswerError.of(error)))

    def _back_off(self, priority: Priority, account: ListedAccount | None, error: KmsTuiError) -> None:
        with self._lock:
            backoff = self._backoffs[account]
            if self._clock() >= backoff.until:
                backoff.seconds = min(max(FIRST_WAIT, 2 * backoff.seconds), LAST_WAIT)
                backoff.until = self._clock() + backoff.seconds
                backoff.error = str(error)
            self._workers.pause(priority, backoff.seconds, account)
        self._coalescer.note(progress=True)

    def _demands(self, row: Row) -> bool:
        demand = self._demand
        return demand is not None and row.arn in demand.left

    def _read_next(self, row: Row, priority: Priority) -> None:
        """Queue the row's next missing fact, after one has been read."""
        if priority is Priority.REST and (name := self._rest_missing(row)) is not None:
            self._workers.put(Priority.REST, self._job(row, name, Priority.REST))
        demand = self._demand
        if demand is None or row.arn not in demand.left:
            return
        name = demand.missing(row)
        if name is None:
            demand.left.discard(row.arn)
        else:
            demand.slow |= name is FactName.LAST_USAGE
            priority = Priority.USAGE if name is FactName.LAST_USAGE else Priority.DEMAND
            self._workers.put(priority, self._job(row, name, priority))
        self._coalescer.note(progress=True)


_BACKGROUND = frozenset({Priority.NEAR, Priority.DEMAND, Priority.USAGE, Priority.REST})
"""Queues off screen: they wait out a passing error instead of showing it."""


def needs_credentials(error: KmsTuiError) -> bool:
    """Whether reading is impossible until the user signs in again."""
    return isinstance(error, CredentialsError) or (isinstance(error, ServiceError) and error.code in EXPIRED)
