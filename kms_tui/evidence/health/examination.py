"""An examination reads the facts that the checks need, each once, and estimates its calls before."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.health.checks import Check, chosen_checks
from kms_tui.evidence.health.examined import Examined, Need, Primaries, Settings, Since, disabled_since
from kms_tui.evidence.health.health_report import Judging, KeyName, Report
from kms_tui.inventory.fact_reader import Missing
from kms_tui.inventory.live_list import Inventory
from kms_tui.inventory.pace import Pace
from kms_tui.inventory.row import FactName, Row
from kms_tui.inventory.whole_reading import WholeReading
from kms_tui.kms.arn import AccountRegion
from kms_tui.kms.facts import LOADING, UNASKED, Denied, Fact, Failed, Known
from kms_tui.kms.model import Key

_IN_ORDER = (Need.ROTATION, Need.POLICY, Need.TAGS, Need.LAST_USAGE)
_DESCRIBE = "DescribeKey"


def needs(key: Key, checks: Iterable[Check]) -> frozenset[Need]:
    """The facts that the checks for this key need."""
    return frozenset(need for check in checks if check.applies(key) for need in check.needs)


def is_examined(row: Row) -> bool:
    """Whether a row is a customer's key; AWS-managed keys are never probed."""
    return not row.aws and not row.gone


def missing_facts(checks: Sequence[Check]) -> Missing:
    """The next fact of a row that a check needs and the inventory has not read."""

    def missing(row: Row) -> FactName | None:
        if not is_examined(row):
            return None
        if row.wants(FactName.DESCRIBED):
            return FactName.DESCRIBED
        if row.key is None:
            return None
        needed = needs(row.key, checks)
        for need in _IN_ORDER:
            if need in needed and need.column is not None and row.wants(need.column):
                return need.column
        return None

    return missing


@dataclass(frozen=True, slots=True)
class Estimate:
    """Calls by operation for a number of ``keys``, and their seconds at the polite rate."""

    keys: int
    calls: Counter[str]
    seconds: float

    @property
    def total(self) -> int:
        return self.calls.total()


def estimate(rows: Iterable[Row], checks: Sequence[Check], pace: Pace) -> Estimate:
    """The calls still to make for these rows; an upper bound for keys that are not described yet."""
    calls: Counter[str] = Counter()
    everything = frozenset(need for check in checks for need in check.needs)
    examined = [row for row in rows if is_examined(row)]
    for row in examined:
        calls[_DESCRIBE] += row.wants(FactName.DESCRIBED)
        needed = needs(row.key, checks) if row.key is not None else everything
        for need in _IN_ORDER:
            if need in needed and need.column is not None:
                calls[need.operation] += row.wants(need.column)
    calls = +calls
    slow = calls[Need.LAST_USAGE.operation]
    return Estimate(len(examined), calls, max((calls.total() - slow) / pace.demand, slow / pace.usage))


_READING, _JUDGING = "reading", "judging"
_THREADS = 4
"""Threads that read the policies of primaries in other regions."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The progress of an examination: what it does, in words, and ``done`` of ``total`` (0: not known).

    ``error`` is why it waits, or ""; from an error, so untrusted.
    """

    words: str
    done: int = 0
    total: int = 0
    error: str = ""


@dataclass
class _FurtherFacts:
    """Facts that the inventory does not read, by ARN."""

    disabled_since: dict[str, Fact[Since]] = field(default_factory=dict)
    primary_policy: dict[str, Fact[str]] = field(default_factory=dict)


class Examination:
    """One run of the checks over an open inventory; ``run`` once, on a thread that may block.

    ``kms_for`` gives the façade in the account and Region of a key's ARN, ``services_for`` CloudTrail there,
    if there is one.
    Facts are read at the inventory's own pace. AWS-managed keys are not examined.
    """

    def __init__(
        self,
        inventory: Inventory,
        kms_for: Callable[[str], Kms],
        settings: Settings,
        services_for: Callable[[str], Services | None] = lambda _arn: None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inventory = inventory
        self._kms_for = kms_for
        self._settings = settings
        self._services_for = services_for
        self._checks = chosen_checks(settings)
        usage = any(Need.LAST_USAGE in check.needs for check in self._checks)
        self._reading = WholeReading(inventory, missing_facts(self._checks), usage=usage, clock=clock)
        self._judging_cancelled = threading.Event()
        """Cancelled during judging, which takes milliseconds for each key."""
        self._stage = Stage("listing the keys")

    def wait_for_listing(self) -> None:
        """Block until the keys are listed, so that ``estimate`` covers all of them."""
        with self._reading.listening():
            self._reading.wait_for_listing()

    def estimate(self) -> Estimate:
        """The calls still to make for the keys listed so far."""
        return estimate(self._inventory.rows(), self._checks, self._inventory.pace)

    def read_again(self) -> None:
        """Before ``run``: list the keys and read their facts again."""
        self._inventory.refresh()

    def progress(self) -> Stage:
        demand = self._inventory.progress() if self._stage.words == _READING else None
        if demand is None:
            return self._stage
        return Stage(_READING, demand.done, demand.total, demand.error)

    def cancel(self) -> None:
        """Stop; ``run`` returns a report in which all unread facts are not known."""
        if self._stage.words == _JUDGING:
            self._judging_cancelled.set()
        self._reading.cancel()

    def run(self) -> Report:
        """The report; KmsTuiError if no key could be listed, or credentials are missing."""
        reading = self._reading
        with reading.listening():
            reading.wait_for_listing()
            reading.check_listing()
            self._stage = Stage(_READING)
            reading.read()
            rows = [row for row in self._inventory.rows() if is_examined(row)]
            return self._judge(rows, self._read_further(rows))

    def _read_further(self, rows: Sequence[Row]) -> _FurtherFacts:
        further = _FurtherFacts()
        if self._reading.cancelled.is_set():
            return further
        described = [(row, row.key) for row in rows if row.key is not None]
        disabled: dict[AccountRegion, set[str]] = defaultdict(set)
        primaries: dict[str, str] = {}
        for row, key in described:
            needed = needs(key, self._checks)
            if Need.DISABLED_SINCE in needed:
                disabled[AccountRegion(row.account, row.region)].add(row.arn)
            if Need.PRIMARY_POLICY in needed and key.multi_region is not None:
                primaries[row.arn] = key.multi_region.primary_arn
        for arns in disabled.values():
            self._stage = Stage("searching CloudTrail for disabled keys", total=len(arns))
            services = self._services_for(next(iter(arns)))
            now = self._inventory.now()
            further.disabled_since |= disabled_since(services, arns, now, self._reading.cancelled.wait)
        policies = self._read_primaries(primaries.values())
        further.primary_policy = {
            arn: policies[primary] for arn, primary in primaries.items() if primary in policies
        }
        return further

    def _read_primaries(self, arns: Iterable[str]) -> Mapping[str, Fact[str]]:
        source = Primaries(self._kms_for, self._policy_of)
        found: dict[str, Fact[str]] = {}
        left = list(dict.fromkeys(arns))
        total = len(left)

        def work() -> None:
            while left and not self._reading.cancelled.is_set():
                try:
                    arn = left.pop()
                except IndexError:
                    return
                found[arn] = source.read(arn)
                self._stage = Stage("reading the policies of primaries", len(found), total)
                self._reading.wake()

        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(_THREADS, total))]
        for thread in threads:
            thread.start()
        self._reading.wait(lambda: len(found) == total)
        return dict(found)

    def _policy_of(self, arn: str) -> Fact[str] | None:
        """The policy of a key, if the inventory has read it."""
        row = self._inventory.row(arn)
        return row.policy if row is not None and isinstance(row.policy, Known | Denied | Failed) else None

    # Judging

    def _judge(self, rows: Sequence[Row], further: _FurtherFacts) -> Report:
        inventory = self._inventory
        judging = Judging(self._checks, self._settings, inventory.now(), self._reading.unanswered)
        order = {account: number for number, account in enumerate(inventory.accounts)}
        for region in sorted(inventory.regions, key=lambda region: order[region.account]):
            place = AccountRegion(region.account.id or region.account.name, region.name)
            judging.open(place)
            if not isinstance(region.keys, Known):
                judging.unlisted(place, region.keys)
        for number, row in enumerate(rows):
            if number % 50 == 0:
                self._stage = Stage(_JUDGING, number, len(rows))
            self._note_further(row, further)
            name = KeyName(
                row.region,
                row.aliases[0] if row.aliases else row.key_id,
                row.arn,
                row.key_id,
                row.account,
                row.aliases,
                row.key,
            )
            if self._judging_cancelled.is_set():
                judging.unjudged(name)
            elif row.key is None:
                judging.undescribed(name, row.described)
            else:
                judging.judge(name, self._examined(row, row.key, further))
        findings, gaps = judging.in_order()
        return Report(
            inventory.now(),
            self._settings,
            len(rows),
            inventory.tally(aws=True).keys,
            findings,
            gaps,
            judging.tallies(),
            judging.places(),
            complete=not (gaps and self._reading.cancelled.is_set()),
            unexamined=judging.unexamined,
            account_names={each.id: each.name for each in inventory.accounts if each.id and each.name},
        )

    def _note_further(self, row: Row, further: _FurtherFacts) -> None:
        """Have the row judged by what the examination alone has read."""
        policy, since = further.primary_policy.get(row.arn), further.disabled_since.get(row.arn)
        if policy is not None or since is not None:
            self._inventory.set_further(
                row.arn, primary_policy=policy or UNASKED, disabled_since=since or UNASKED
            )

    def _examined(self, row: Row, key: Key, further: _FurtherFacts) -> Examined:
        aliases: Fact[tuple[str, ...]] = Known(row.aliases)
        listed = row.place.aliases if row.place is not None else UNASKED
        if isinstance(listed, Denied | Failed):
            aliases = listed
        elif listed in (LOADING, UNASKED):
            aliases = UNASKED
        return Examined(
            key,
            aliases,
            row.rotation,
            row.policy,
            row.tags,
            row.last_usage,
            further.primary_policy.get(row.arn, UNASKED),
            further.disabled_since.get(row.arn, UNASKED),
        )
