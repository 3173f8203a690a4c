"""What keys and calls cost, put into words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from kms_tui.evidence.cost import (
    AccountCost,
    CallsCost,
    MonthlyCost,
    PricedKey,
    Prices,
    account_cost,
    calls_cost,
    money,
    monthly_cost,
)
from kms_tui.inventory import Row
from kms_tui.kms.facts import Denied, Failed, Known
from kms_tui.session import BackendKind, Session

__all__ = ["Costs", "calls_so_far", "calls_words", "money", "work_out"]


@dataclass(frozen=True, slots=True)
class Costs:
    """The account's keys with what each costs, the dearest first; and what the marked ones would save."""

    account: AccountCost
    keys: Sequence[tuple[Row, MonthlyCost | None]]
    """None where a key is not described."""
    marked: AccountCost
    marked_keys: int
    replicas_left: int
    """Replicas of marked primaries that are not marked themselves: they go on costing."""
    refused: int
    """Keys whose rotations may not be read, or could not be."""
    undescribed: int
    """Keys that may not be described, or could not be."""


def work_out(rows: Iterable[Row], marks: Collection[str], prices: Prices) -> Costs:
    """Everything that the cost screen says; AWS-managed keys are left out."""
    ours = [row for row in rows if not row.aws and not row.gone]
    keys = [(row, monthly_cost(row.key, _rotations(row), prices) if row.key else None) for row in ours]
    keys.sort(key=lambda entry: (-(entry[1].dollars if entry[1] else 0.0), entry[0].sort_name))
    marked = [row for row in ours if row.arn in marks]
    return Costs(
        account_cost([_priced(row) for row in ours], prices),
        keys,
        account_cost([_priced(row) for row in marked], prices),
        len(marked),
        len({arn for row in marked for arn in _replicas(row)} - set(marks)),
        sum(isinstance(row.rotations, Denied | Failed) for row in ours),
        sum(isinstance(row.described, Denied | Failed) for row in ours),
    )


def _priced(row: Row) -> PricedKey:
    return PricedKey(row.key, _rotations(row))


def _rotations(row: Row) -> int | None:
    return row.rotations.value if isinstance(row.rotations, Known) else None


def _replicas(row: Row) -> Sequence[str]:
    multi = row.key.multi_region if row.key is not None else None
    return multi.replica_arns if multi is not None and multi.is_primary else ()


def calls_so_far(session: Session, prices: Prices) -> CallsCost:
    """The price of this sitting's calls."""

    def spec_of(arn: str) -> str:
        row = session.inventory.row(arn)
        return row.key.spec if row is not None and row.key is not None else ""

    calls, uses = session.meter.so_far()
    return calls_cost(calls, uses, spec_of, prices)


def calls_words(session: Session, prices: Prices) -> str:
    """ "142 calls, less than $0.01"."""
    cost = calls_so_far(session, prices)
    price = money(cost.dollars) if cost.dollars >= 0.01 else "less than $0.01"
    words = f"{cost.calls:,} calls, {'at least ' if cost.at_least else ''}{price}"
    if cost.at_least:
        words += f" ({cost.unknown:,} on keys whose spec is not known)"
    if session.connection.kind is BackendKind.LOCAL:
        words += " on AWS; the local store costs nothing"
    return words
