"""Which facts the checks need of which key, and so what a report costs in calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kms_tui.evidence.health.checks import Check
from kms_tui.evidence.health.facts import Need
from kms_tui.inventory.fact_reader import Missing
from kms_tui.inventory.pace import Pace
from kms_tui.inventory.row import FactName, Row
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
