"""Reading facts: what is on screen first, then around it, then whatever a filter or a sort waits for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from kms_tui.backend.api import Kms
from kms_tui.inventory.again import FIRST_WAIT, LAST_WAIT, passes
from kms_tui.inventory.crew import Crew
from kms_tui.inventory.notify import Coalescer
from kms_tui.inventory.readers import not_understood, read
from kms_tui.inventory.row import FactName, Row
from kms_tui.inventory.table import Table
from kms_tui.inventory.work import Job, Lane, Pace
from kms_tui.kms.errors import EXPIRED, CredentialsError, KmsTuiError, ServiceError
from kms_tui.kms.facts import UNASKED, Denied, Failed

SHOWN = (FactName.DESCRIBED, FactName.ROTATION)
"""The facts that a row on screen needs."""
_REST = 0.3
"""Seconds without scrolling before anything is read that is not on screen."""

Missing = Callable[[Row], FactName | None]
"""The next fact of a row to read, or None where nothing is missing."""


def missing_of(*names: FactName) -> Missing:
    """The first of ``names`` that is there to be read; a fact that may not apply waits for DescribeKey."""

    def missing(row: Row) -> FactName | None:
        for name in names:
            if row.wants(name):
                if row.applies(name):
                    return name
                if row.applies(name) is None and row.wants(FactName.DESCRIBED):
                    return FactName.DESCRIBED
        return None

    return missing


_shown_missing = missing_of(*SHOWN)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a demand has come, in rows; ``seconds`` is what the rest takes at the polite rate."""

    done: int
    total: int
    seconds: float
    trouble: str = ""
    """Why it is waiting, where it is; from an error, so untrusted."""


@dataclass(slots=True)
class _Demand:
    missing: Missing
    left: set[str]
    total: int
    slow: bool = False
    """It needs GetKeyLastUsage."""


class Reader:
    """Turns what is looked at into jobs.

    ``kms`` gives the façade of a region and may be slow; ``stopped`` is told of credentials that are missing
    or have expired, after which nothing is called until ``suspended`` is cleared; ``troubled`` of each fact
    on screen whose reading failed in passing.
    """

    def __init__(
        self,
        table: Table,
        crew: Crew,
        coalescer: Coalescer,
        *,
        kms: Callable[[str], Kms],
        pace: Pace,
        stopped: Callable[[KmsTuiError], None],
        troubled: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._table = table
        self._crew = crew
        self._coalescer = coalescer
        self._kms = kms
        self._pace = pace
        self._stopped = stopped
        self._troubled = troubled
        self._clock = clock
        self._visible: frozenset[str] = frozenset()
        self._demand: _Demand | None = None
        self._plans = 0
        self._planning = False
        self._backoff = 0.0
        self._paused_until = 0.0
        self._trouble = ""
        self.suspended = False

    def show(self, visible: Sequence[Row], near: Sequence[Row]) -> None:
        """Read what these rows need, ``visible`` first; rows of an earlier call that wait are forgotten."""
        self._visible = frozenset(row.arn for row in visible)
        self._crew.replace(Lane.VISIBLE, list(self._jobs(visible, _shown_missing, Lane.VISIBLE)))
        for lane in (Lane.NEAR, Lane.REST):
            self._crew.pause(lane, _REST)
        self._crew.replace(Lane.NEAR, self._jobs(near, missing_of(FactName.DESCRIBED), Lane.NEAR))

    def ask(self, row: Row, names: Iterable[FactName]) -> None:
        """Read these facts of a row now, again where they were read; AWS-managed too, since someone asked."""
        for name in names:
            with self._table.lock:
                if row.fact(name) is not UNASKED:
                    row.stale |= {name}
            self._crew.put(Lane.VISIBLE, self._job(row, name, Lane.VISIBLE))

    def reread(self, rows: Iterable[Row]) -> None:
        """Read the rows' aliases again, and what is shown of them."""
        for row in rows:
            self._crew.put(Lane.VISIBLE, Job((row.arn, "aliases"), partial(self._read_aliases, row)))
            self.ask(row, [name for name in SHOWN if row.applies(name)])

    def _read_aliases(self, row: Row) -> None:
        try:
            aliases = self._kms(row.region).aliases(row.key_id)
        except KmsTuiError:
            return  # DescribeKey meets the same error and says so in its cells.
        self._table.set_aliases(row, [alias.short_name for alias in aliases], news=True)

    def read_rest(self, rows: Iterable[Row]) -> None:
        """Describe these rows when nothing else is to be done."""
        self._crew.replace(Lane.REST, self._jobs(rows, missing_of(FactName.DESCRIBED), Lane.REST))

    def demand(self, rows: Sequence[Row], missing: Missing, *, usage: bool = False) -> None:
        """Read what ``missing`` names, row by row in this order; replaces an earlier demand.

        ``usage`` where that may be GetKeyLastUsage's, which has a lane and a rate of its own.
        """
        self.cancel()
        self._planning = True
        # Going through 100,000 rows takes longer than a caller on an event loop has.
        plan = partial(self._plan, self._plans, rows, missing, usage)
        self._crew.put(Lane.LISTING, Job(("plan", self._plans), plan))

    def _plan(self, number: int, rows: Sequence[Row], missing: Missing, usage: bool) -> None:
        slow: list[Row] = []
        if usage:
            named = [(row, missing(row)) for row in rows]
            rows = [row for row, name in named if name not in (None, FactName.LAST_USAGE)]
            slow = [row for row, name in named if name is FactName.LAST_USAGE]
        left = {row.arn for each in (rows, slow) for row in each}
        if left and number == self._plans:
            self._demand = _Demand(missing, left, len(left), slow=bool(slow))
            self._crew.replace(Lane.DEMAND, self._jobs(rows, missing, Lane.DEMAND))
            self._crew.replace(Lane.USAGE, self._jobs(slow, missing, Lane.USAGE))
        if number == self._plans:
            self._planning = False
        self._coalescer.note(progress=True)

    def cancel(self) -> None:
        """Give up the demand; what has been read stays."""
        self._plans += 1
        self._planning = False
        self._demand = None
        self._crew.replace(Lane.DEMAND, ())
        self._crew.replace(Lane.USAGE, ())
        self._coalescer.note(progress=True)

    @property
    def demanding(self) -> bool:
        """Whether a demand is yet to be planned or has still something to read."""
        return self._planning or self._demand is not None

    def progress(self) -> Progress | None:
        """None where nothing is demanded, or all of it has been read."""
        demand = self._demand
        if demand is None:
            return None
        left = len(demand.left)
        rate = self._pace.usage if demand.slow else self._pace.demand
        return Progress(demand.total - left, demand.total, left / rate, self._trouble)

    def _jobs(self, rows: Iterable[Row], missing: Missing, lane: Lane) -> Iterator[Job]:
        for row in rows:
            name = missing(row)
            if name is not None:
                yield self._job(row, name, lane)
            elif lane in (Lane.DEMAND, Lane.USAGE):
                self._no_more(row)

    def _job(self, row: Row, name: FactName, lane: Lane) -> Job:
        return Job((row.arn, name), partial(self._run, row, name, lane))

    def _run(self, row: Row, name: FactName, lane: Lane) -> None:
        if self.suspended:
            return
        before = row.fact(name)
        if not self._table.begin(row, name):
            return
        fact = read(lambda: self._kms(row.region), name, row.key_id)
        error = fact.error if isinstance(fact, Denied | Failed) else None
        if error is not None and needs_credentials(error):
            self.suspended = True
            self._table.give_up(row, name, before)
            self._stopped(error)
        elif error is not None and lane in _PATIENT and passes(error):
            self._table.give_up(row, name, before)
            self._wait_out(lane, error)
            self._crew.put(lane, self._job(row, name, lane))
        else:
            self._backoff, self._trouble = 0.0, ""
            if error is not None and passes(error):
                self._troubled()
            try:
                self._table.set_fact(row, name, fact)
            except (TypeError, ValueError, AttributeError) as nonsense:
                # The right members, of the wrong types: not AWS, and no reason to stop.
                self._table.set_fact(row, name, Failed(not_understood(nonsense)))
            self._go_on(row)

    def _wait_out(self, lane: Lane, error: KmsTuiError) -> None:
        if self._clock() >= self._paused_until:
            self._backoff = min(max(FIRST_WAIT, 2 * self._backoff), LAST_WAIT)
            self._paused_until = self._clock() + self._backoff
            self._trouble = str(error)
        self._crew.pause(lane, self._backoff)
        self._coalescer.note(progress=True)

    def _go_on(self, row: Row) -> None:
        """What the row needs next, now that one of its facts is there."""
        if row.arn in self._visible:
            name = _shown_missing(row)
            if name is not None:
                self._crew.put(Lane.VISIBLE, self._job(row, name, Lane.VISIBLE))
        demand = self._demand
        if demand is None or row.arn not in demand.left:
            return
        name = demand.missing(row)
        if name is None:
            self._no_more(row)
        else:
            demand.slow |= name is FactName.LAST_USAGE
            lane = Lane.USAGE if name is FactName.LAST_USAGE else Lane.DEMAND
            self._crew.put(lane, self._job(row, name, lane))
        self._coalescer.note(progress=True)

    def _no_more(self, row: Row) -> None:
        """Nothing that the demand asks of this row is missing any more."""
        demand = self._demand
        if demand is not None:
            demand.left.discard(row.arn)
            if not demand.left:
                self._demand = None


_PATIENT = frozenset({Lane.NEAR, Lane.DEMAND, Lane.USAGE, Lane.REST})
"""Lanes that no one looks at: an error that passes is waited out there rather than shown."""


def needs_credentials(error: KmsTuiError) -> bool:
    """Whether nothing can be read until someone signs in again."""
    return isinstance(error, CredentialsError) or (isinstance(error, ServiceError) and error.code in EXPIRED)
