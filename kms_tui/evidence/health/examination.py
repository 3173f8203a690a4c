"""An examination reads what the checks need, each fact once, with an estimate of its calls before."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.health.checks import Check, chosen
from kms_tui.evidence.health.facts import Examined, Need, Primaries, Settings, Since, disabled_since
from kms_tui.evidence.health.health_report import Judging, KeyName, Report
from kms_tui.inventory.fact_reader import Missing, ReadingProgress
from kms_tui.inventory.listing import Region
from kms_tui.inventory.live_list import Inventory
from kms_tui.inventory.pace import Pace
from kms_tui.inventory.row import FactName, Row
from kms_tui.kms.facts import LOADING, UNASKED, Denied, Fact, Failed, Known
from kms_tui.kms.model import Key

_IN_ORDER = (Need.ROTATION, Need.POLICY, Need.TAGS, Need.LAST_USAGE)
_DESCRIBE = "DescribeKey"


def needs(key: Key, checks: Iterable[Check]) -> frozenset[Need]:
    """What the checks that are for this key need to know of it."""
    return frozenset(need for check in checks if check.applies(key) for need in check.needs)


def is_examined(row: Row) -> bool:
    """Whether a row is a customer's key; what AWS manages is never probed."""
    return not row.aws and not row.gone


def missing_facts(checks: Sequence[Check]) -> Missing:
    """The next fact of a row that some check needs and the inventory has not read."""

    def missing(row: Row) -> FactName | None:
        if not is_examined(row):
            return None
        if row.wants(FactName.DESCRIBED):
            return FactName.DESCRIBED
        if row.key is None:
            return None
        wanted = needs(row.key, checks)
        for need in _IN_ORDER:
            if need in wanted and need.column is not None and row.wants(need.column):
                return need.column
        return None

    return missing


@dataclass(frozen=True, slots=True)
class Estimate:
    """Calls by operation for so many ``keys``, and the seconds that they take at the polite rate."""

    keys: int
    calls: Counter[str]
    seconds: float

    @property
    def total(self) -> int:
        return self.calls.total()


def estimate(rows: Iterable[Row], checks: Sequence[Check], pace: Pace) -> Estimate:
    """What has still to be read of these rows; for a key that is not described yet, at most so much."""
    calls: Counter[str] = Counter()
    everything = frozenset(need for check in checks for need in check.needs)
    examined = [row for row in rows if is_examined(row)]
    for row in examined:
        calls[_DESCRIBE] += row.wants(FactName.DESCRIBED)
        wanted = needs(row.key, checks) if row.key is not None else everything
        for need in _IN_ORDER:
            if need in wanted and need.column is not None:
                calls[need.operation] += row.wants(need.column)
    calls = +calls
    slow = calls[Need.LAST_USAGE.operation]
    return Estimate(len(examined), calls, max((calls.total() - slow) / pace.demand, slow / pace.usage))


_READING, _JUDGING = "reading", "judging"
_THREADS = 4
"""Threads that read the policies of primaries in other regions."""
_LOOK = 0.5
"""Seconds after which is looked whether reading has come to an end, where nobody tells."""
_PATIENCE = 120.0
"""Seconds without an answer after which the rest is given up as not known."""


@dataclass(frozen=True, slots=True)
class Stage:
    """How far an examination is: what it does, in words, and ``done`` of ``total`` (0: not known).

    ``error`` is why it waits, where it does; from an error, so untrusted.
    """

    words: str
    done: int = 0
    total: int = 0
    error: str = ""


@dataclass
class _Beyond:
    """What was read that is not the inventory's, by ARN."""

    disabled_since: dict[str, Fact[Since]] = field(default_factory=dict)
    primary_policy: dict[str, Fact[str]] = field(default_factory=dict)


class Examination:
    """One run of the checks over an inventory that is open; ``run`` once, on a thread that may block.

    ``kms`` is the façade of the inventory's home region, ``services`` that of CloudTrail, where there is one.
    Reading goes at the inventory's own pace. AWS-managed keys are left alone.
    """

    def __init__(
        self,
        inventory: Inventory,
        kms: Kms,
        settings: Settings,
        services: Services | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inventory = inventory
        self._kms = kms
        self._settings = settings
        self._services = services
        self._clock = clock
        self._checks = chosen(settings)
        self._missing = missing_facts(self._checks)
        self._woken = threading.Event()
        self._cancelled = threading.Event()
        self._hurried = threading.Event()
        """Cancelled while keys were being judged, which takes milliseconds each."""
        self._stage = Stage("listing the keys")
        self._unanswered = ""

    def wait_for_listing(self) -> None:
        """Block until the keys are listed, so that ``estimate`` is about all of them."""
        with self._listening():
            self._await(lambda: not self._inventory.busy)

    def estimate(self) -> Estimate:
        """The calls that have still to be made about the keys that are listed by now."""
        return estimate(self._inventory.rows(), self._checks, self._inventory.pace)

    def read_again(self) -> None:
        """Before ``run``: list the keys again, and take nothing that was read before for granted."""
        self._inventory.refresh()

    def progress(self) -> Stage:
        demand = self._inventory.progress() if self._stage.words == _READING else None
        if demand is None:
            return self._stage
        return Stage(_READING, demand.done, demand.total, demand.error)

    def cancel(self) -> None:
        """Stop; ``run`` comes back with what is known by then, and the rest as not known."""
        if self._stage.words == _JUDGING:
            self._hurried.set()
        self._cancelled.set()
        self._woken.set()

    def run(self) -> Report:
        """The report; KmsTuiError where not one key could be listed, or credentials are missing."""
        with self._listening():
            self._await(lambda: not self._inventory.busy)
            self._refuse_nothing()
            self._stage = Stage(_READING)
            self._read()
            rows = [row for row in self._inventory.rows() if is_examined(row)]
            return self._judge(rows, self._read_beyond(rows))

    @contextmanager
    def _listening(self) -> Iterator[None]:
        forget = self._inventory.listen(lambda _changes: self._woken.set())
        try:
            yield
        finally:
            forget()

    def _await(self, holds: Callable[[], bool]) -> None:
        while not holds() and not self._cancelled.is_set() and self._inventory.stopped is None:
            self._woken.wait(_LOOK)
            self._woken.clear()

    def _refuse_nothing(self) -> None:
        """An account of which nothing can be seen is no healthy one."""
        if self._inventory.stopped is not None:
            raise self._inventory.stopped
        for region in self._inventory.regions:
            if region.error is not None and not len(self._inventory):
                raise region.error

    # Reading

    def _read(self) -> None:
        """Have the inventory read all that is missing; a filter's demand may come between."""
        while not self._cancelled.is_set():
            rows = [row for row in self._inventory.rows() if self._missing(row) is not None]
            if not rows:
                return
            usage = any(Need.LAST_USAGE in check.needs for check in self._checks)
            self._inventory.demand(rows, self._missing, usage=usage)
            self._follow_demand()

    def _follow_demand(self) -> None:
        patience = _Patience(self._clock)

        def over() -> bool:
            return not self._inventory.demanding or patience.lost(self._inventory.progress())

        self._await(over)
        if self._inventory.stopped is not None:
            raise self._inventory.stopped
        if self._inventory.demanding:
            self._inventory.cancel_demand()
            self._unanswered = patience.reason
            self._cancelled.set()

    def _read_beyond(self, rows: Sequence[Row]) -> _Beyond:
        beyond = _Beyond()
        if self._cancelled.is_set():
            return beyond
        described = [(row, row.key) for row in rows if row.key is not None]
        lost: dict[str, set[str]] = defaultdict(set)
        primaries: dict[str, str] = {}
        for row, key in described:
            wanted = needs(key, self._checks)
            if Need.DISABLED_SINCE in wanted:
                lost[row.region].add(row.arn)
            if Need.PRIMARY_POLICY in wanted and key.multi_region is not None:
                primaries[row.arn] = key.multi_region.primary_arn
        for region, arns in lost.items():
            self._stage = Stage("looking through CloudTrail for disabled keys", total=len(arns))
            services = self._services
            if services is not None and services.region != region:
                services = services.in_region(region)
            now = self._inventory.now()
            beyond.disabled_since |= disabled_since(services, arns, now, self._cancelled.wait)
        policies = self._read_primaries(primaries.values())
        beyond.primary_policy = {
            arn: policies[primary] for arn, primary in primaries.items() if primary in policies
        }
        return beyond

    def _read_primaries(self, arns: Iterable[str]) -> Mapping[str, Fact[str]]:
        source = Primaries(self._kms, self._policy_of)
        found: dict[str, Fact[str]] = {}
        left = list(dict.fromkeys(arns))
        total = len(left)

        def work() -> None:
            while left and not self._cancelled.is_set():
                try:
                    arn = left.pop()
                except IndexError:
                    return
                found[arn] = source.read(arn)
                self._stage = Stage("reading the policies of primaries", len(found), total)
                self._woken.set()

        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(_THREADS, total))]
        for thread in threads:
            thread.start()
        self._await(lambda: len(found) == total)
        return dict(found)

    def _policy_of(self, arn: str) -> Fact[str] | None:
        """The policy of a key that the inventory has read."""
        row = self._inventory.row(arn)
        return row.policy if row is not None and isinstance(row.policy, Known | Denied | Failed) else None

    # Judging

    def _judge(self, rows: Sequence[Row], beyond: _Beyond) -> Report:
        inventory = self._inventory
        judging = Judging(self._checks, self._settings, inventory.now(), self._unanswered)
        regions = {region.name: region for region in inventory.regions}
        for region in regions.values():
            if isinstance(region.keys, Denied | Failed):
                judging.unlisted(region.name, region.keys)
        for number, row in enumerate(rows):
            if number % 50 == 0:
                self._stage = Stage(_JUDGING, number, len(rows))
            name = KeyName(row.region, row.aliases[0] if row.aliases else row.key_id, row.arn, row.key_id)
            if self._hurried.is_set():
                judging.unjudged(name)
            elif row.key is None:
                judging.undescribed(name, row.described)
            else:
                judging.judge(name, self._examined(row, row.key, regions[row.region], beyond))
        findings, gaps = judging.in_order()
        return Report(
            self._kms.account_id,
            tuple(regions),
            inventory.now(),
            self._settings,
            len(rows),
            inventory.tally(aws=True).keys,
            findings,
            gaps,
            judging.tallies(),
            complete=not self._cancelled.is_set(),
        )

    def _examined(self, row: Row, key: Key, region: Region, beyond: _Beyond) -> Examined:
        aliases: Fact[tuple[str, ...]] = Known(row.aliases)
        if isinstance(region.aliases, Denied | Failed):
            aliases = region.aliases
        elif region.aliases in (LOADING, UNASKED):
            aliases = UNASKED
        return Examined(
            key,
            aliases,
            row.rotation,
            row.policy,
            row.tags,
            row.last_usage,
            beyond.primary_policy.get(row.arn, UNASKED),
            beyond.disabled_since.get(row.arn, UNASKED),
        )


class _Patience:
    """Notices that a demand has stopped moving."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._done = -1
        self._moved = clock()
        self.reason = ""
        """Why there was no answer for so long, where there was none."""

    def lost(self, progress: ReadingProgress | None) -> bool:
        if progress is None or progress.done != self._done:
            self._done, self._moved = (progress.done if progress else -1), self._clock()
            return False
        if self._clock() - self._moved < _PATIENCE:
            return False
        self.reason = progress.error or f"no answer for {_PATIENCE:.0f} seconds"
        return True
