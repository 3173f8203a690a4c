"""``Inventory``: the live list of an account's keys in one region or several."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.wrappers.read_your_writes import PendingChanges
from kms_tui.inventory.changes import Changes, Coalescer, Listener
from kms_tui.inventory.fact_reader import Missing, Reader, ReadingProgress, needs_credentials
from kms_tui.inventory.listing import Region
from kms_tui.inventory.pace import Pace, Priority, reading_queues
from kms_tui.inventory.row import FactName, Judge, ListedAccount, Row
from kms_tui.inventory.row_class import RowClass
from kms_tui.inventory.row_table import RowTable, Tally
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.facts import Fact, Failed
from kms_tui.workers import Job, RetryTimer, WorkerPool, Workers, is_passing

if TYPE_CHECKING:
    from kms_tui.inventory.config_aggregator import AggregateListing


def _utc_now() -> datetime:
    return datetime.now(UTC)


class _OneAccount:
    """The account of a façade: a ``ListedAccount`` without a name."""

    name = ""
    read_only = False

    def __init__(self, kms: Kms, pending: PendingChanges) -> None:
        self.pending = pending
        self._lock = threading.Lock()
        self._regions = {kms.region: kms}
        self._home = kms

    @property
    def id(self) -> str:
        return self._home.account_id

    def kms(self, region: str = "") -> Kms:
        with self._lock:
            there = self._regions.get(region or self._home.region)
            if there is None:
                there = self._regions[region] = self._home.in_region(region)
            return there


class Inventory:
    """Rows appear from ListKeys and ListAliases and fill in as they are shown; see the package's docstring.

    Every method returns at once and may be called from any thread. ``regions`` defaults to that of ``kms``.
    ``accounts`` are those whose keys are listed together, each in the Regions given or in its own; without
    any it is the account of ``kms`` alone. ``config_services`` are those in which an aggregator of
    AWS Config is looked for: its list then stands for those of its accounts until a refresh. ``judge`` says
    what needs attention in a row, and which facts are read for that.
    """

    def __init__(
        self,
        kms: Kms,
        *,
        judge: Judge,
        regions: Sequence[str] = (),
        accounts: Sequence[tuple[ListedAccount, str]] = (),
        config_services: Services | None = None,
        now: Callable[[], datetime] = _utc_now,
        clock: Callable[[], float] = time.monotonic,
        pace: Pace | None = None,
        pending: PendingChanges | None = None,
        workers: Workers | None = None,
        coalescer: Coalescer | None = None,
    ) -> None:
        self.now = now
        self.clock = clock
        self.pace = pace or Pace()
        listed = accounts or [(_OneAccount(kms, pending or PendingChanges(clock)), kms.region)]
        grouped = len(listed) > 1
        self._workers = workers or WorkerPool(
            reading_queues(self.pace, grouped=grouped, clock=clock), name="read"
        )
        self._coalescer = coalescer or Coalescer()
        self._table = RowTable(self._coalescer, now, judge, clock)
        places = [(region, account) for region in regions for account, _ in listed]
        self._regions = tuple(
            Region(name, account, self._table, self._workers, self._coalescer)
            for name, account in places or [(own, account) for account, own in listed]
        )
        self.aggregate = self._aggregate_listing(config_services)
        """The listing from AWS Config, if one is tried."""
        self._retry_timer = RetryTimer(self._workers, Priority.RETRY, self._retry, clock)
        self._reader = Reader(
            self._table,
            self._workers,
            self._coalescer,
            accounts=len(listed),
            pace=self.pace,
            shown=judge.reads,
            on_stopped=partial(self._coalescer.note, listing=True),
            on_passing_error=self._retry_timer.later,
            clock=clock,
        )
        self._refreshes = itertools.count(1)
        self._refreshing: set[int] = set()
        """The numbers of the refreshes that have not begun to list."""
        self._coalescer.listen(self._follow_listing)

    def _aggregate_listing(self, services: Services | None) -> AggregateListing | None:
        if services is None:
            return None
        from kms_tui.inventory.config_aggregator import AggregateListing  # for organizations alone

        return AggregateListing(services, self._table)

    # Opening and closing

    def open(self) -> None:
        """Start listing every region, from an aggregator where there is one."""
        if self.aggregate is None:
            self._start(self._regions)
            return
        number = next(self._refreshes)
        self._refreshing.add(number)
        listing = partial(self._list_aggregate, self.aggregate, number)
        self._workers.put(Priority.LISTING, Job(("aggregate", number), listing))

    def _list_aggregate(self, aggregate: AggregateListing, number: int) -> None:
        """List what an aggregator has, and leave the rest to KMS."""
        try:
            aggregate.run(self._regions, self._start)
        finally:
            self._refreshing.discard(number)
            self._coalescer.note(listing=True)

    def _start(self, regions: Iterable[Region]) -> None:
        for region in regions:
            region.start()

    def close(self) -> None:
        """Make no more calls and notify no one; calls under way are abandoned."""
        self._workers.close()
        self._coalescer.close()
        self._table.close()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with changes, about 20 times a second at most, on another thread.

        Returns a function that removes the listener.
        """
        return self._coalescer.listen(listener)

    def flush(self) -> int:
        """Deliver pending changes now, on this thread; returns the number of deliveries so far."""
        return self._coalescer.flush()

    # Reading

    def __len__(self) -> int:
        return len(self._table)

    @property
    def regions(self) -> tuple[Region, ...]:
        """Each Region of each account."""
        return self._regions

    @property
    def region_names(self) -> tuple[str, ...]:
        """The Regions of all accounts, each once."""
        return tuple(dict.fromkeys(region.name for region in self._regions))

    @property
    def accounts(self) -> tuple[ListedAccount, ...]:
        return tuple(dict.fromkeys(region.account for region in self._regions))

    def region(self, name: str, account: ListedAccount | None = None) -> Region:
        """A Region that is listed, of an account (None: the first one); KeyError for any other."""
        account = account or self._regions[0].account
        for region in self._regions:
            if region.name == name and region.account is account:
                return region
        raise KeyError(name)

    @property
    def shown_facts(self) -> tuple[FactName, ...]:
        """The facts that a row on screen needs: those by which its health is judged."""
        return self._reader.shown_facts

    @property
    def recorded_since(self) -> datetime | None:
        """When the oldest record was captured that AWS Config told of; None where KMS has listed all."""
        return self.aggregate.oldest if self.aggregate is not None else None

    @property
    def busy(self) -> bool:
        """Whether a region is still being listed, or is about to be."""
        return bool(self._refreshing) or any(region.busy for region in self._regions)

    @property
    def idle(self) -> bool:
        """Whether nothing is being read or waits to be read."""
        return self._workers.idle

    @property
    def stopped(self) -> KmsTuiError | None:
        """Why nothing is read until ``resume``: credentials that are missing or have expired."""
        return self._reader.stopped

    @property
    def passing_error(self) -> KmsTuiError | None:
        """The passing error of a listing or of a fact on screen, which is being retried."""
        for region in self._regions:
            if region.passing_error is not None:
                return region.passing_error
        return next((error for _, _, error in self._failed_in_passing()), None)

    def tally(self, *, aws: bool) -> Tally:
        """The counts of AWS-managed or of customer-managed keys."""
        return self._table.tally(aws=aws)

    def rows(self) -> list[Row]:
        """Every row, in order of arrival."""
        return self._table.rows()

    @property
    def drops(self) -> int:
        """A number that changes when rows may have been removed; else ``rows`` only grows at the end."""
        return self._table.drops

    @property
    def names(self) -> int:
        """A number that changes when rows may sort elsewhere by name."""
        return self._table.names

    def row_classes(self) -> dict[RowClass, int]:
        """The number of rows of each class."""
        return self._table.row_classes()

    def row(self, row_key: str) -> Row | None:
        """The row of a key's ARN."""
        return self._table.get(row_key)

    def rows_of(self, key_id: str) -> list[Row]:
        """The rows of a key id: several where the regions hold replicas of one key."""
        return self._table.of_keys({key_id})

    def recent_change(self, row_key: str, seconds: float = 5.0) -> str:
        """A row's temporary note ("propagating: disabled", "now disabled"), or "".

        "propagating" is a change made here that reads do not show yet; the other is a change that a refresh
        found in the last ``seconds``.
        """
        row = self._table.get(row_key)
        if row is not None and row.place is not None:
            words = row.place.account.pending.words(row.region, row.key_id)
            if words:
                return f"propagating: {words}"
        change = self._table.change(row_key)
        return change.words if change is not None and self.clock() - change.at <= seconds else ""

    # Asking

    def show(self, visible: Sequence[Row], near: Sequence[Row] = ()) -> None:
        """Say which rows are on screen, and which are near them: their facts are read first."""
        self._reader.show(visible, near)

    def ask(self, row: Row, *names: FactName) -> None:
        """Read facts of one row now, again if they are known."""
        self._reader.ask(row, names)

    def set_refused(self, row_key: str, count: int | None) -> None:
        """Say how many uses of a disabled key were refused; None once the key is no longer watched."""
        self._table.set_refused(row_key, count)

    def set_further(self, row_key: str, *, primary_policy: Fact[str], disabled_since: Fact[Any]) -> None:
        """Say what the health screen has read of a key beside the facts of its row."""
        self._table.set_further(row_key, primary_policy=primary_policy, disabled_since=disabled_since)

    def demand(self, rows: Sequence[Row], missing: Missing, *, usage: bool = False) -> None:
        """Read what is ``missing`` of all these rows at the polite rate, for a filter or a sort.

        ``usage``: that may include GetKeyLastUsage. See ``progress``.
        """
        self._reader.demand(rows, missing, usage=usage)

    def cancel_demand(self) -> None:
        self._reader.cancel()

    def progress(self) -> ReadingProgress | None:
        """The progress of the demand; None without one."""
        return self._reader.progress()

    @property
    def demanding(self) -> bool:
        """Whether a demand is being planned or read; true at once after ``demand``, unlike ``progress``."""
        return self._reader.demanding

    def refresh(self, account: ListedAccount | None = None) -> None:
        """List again and read the rows on screen again; shown values stay until then. None: every account."""
        self._reader.resume()
        number = next(self._refreshes)
        self._refreshing.add(number)
        refreshing = partial(self._refresh, number, account)
        self._workers.put(Priority.LISTING, Job(("refresh", number), refreshing))

    def _refresh(self, number: int, account: ListedAccount | None) -> None:
        self._table.drop_gone()
        if self.aggregate is not None and account is None:
            self.aggregate.oldest = None
        regions = [region for region in self._regions if account in (None, region.account)]
        for region in regions:
            self._table.expire(self._table.rows_of(region))
        self._start(regions)
        self._refreshing.discard(number)
        self._reader.read_shown()

    def reread(self, *key_ids: str, account: ListedAccount | None = None) -> None:
        """Read keys again after a change to them; without ids, or for unknown ones, ``refresh``.

        ``account`` is the one to list then.
        """
        wanted = set(key_ids)
        rows = self._table.of_keys(wanted)
        if len({row.key_id for row in rows}) < max(1, len(wanted)):
            self.refresh(account)
            return
        self._table.expire(rows)
        self._reader.reread(rows)

    def resume(self) -> None:
        """Read on after the caller has renewed the credentials."""
        self._reader.resume()
        for region in self._regions:
            region.start_if_broken()
        self._reader.read_shown()

    def _retry(self) -> None:
        for region in self._regions:
            if region.passing_error is not None and not region.busy:
                region.read_on_after_errors()
        for row, name, _ in self._failed_in_passing():
            self._table.expire([row], [name])
        self._reader.read_shown()

    def _failed_in_passing(self) -> Iterator[tuple[Row, FactName, KmsTuiError]]:
        """The facts on screen whose reading may succeed later."""
        for row in self._reader.on_screen:
            for name in self._reader.shown_facts:
                fact = row.fact(name)
                if isinstance(fact, Failed) and is_passing(fact.error):
                    yield row, name, fact.error

    def _follow_listing(self, changes: Changes) -> None:
        """Once all is listed: note missing credentials, and read the rest of a small account."""
        resumes = self._reader.resumes
        if not changes.listing or self.busy:
            return
        for region in self._regions if len(self.accounts) == 1 else ():
            if (error := region.error) is not None and needs_credentials(error):
                self._reader.stop(error, resumes)
        if self.passing_error is not None:
            self._retry_timer.later()
        rows = self._table.rows()
        if len(rows) <= self.pace.read_unasked:
            self._reader.read_rest(rows)
