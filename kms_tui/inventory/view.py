"""What a list shows of an inventory: a scope, a filter, an order and marks. For one thread: the screen's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple

from kms_tui.inventory.columns import COLUMNS
from kms_tui.inventory.core import Inventory
from kms_tui.inventory.filters import Query, parse
from kms_tui.inventory.notify import Changes
from kms_tui.inventory.reading import Missing, missing_of
from kms_tui.inventory.row import FactName, Row
from kms_tui.kms.facts import LOADING, Denied, Failed

_BY_NAME = attrgetter("sort_name")
_RESORT = 10_000
"""Up to so many matches are sorted afresh at every keystroke; more keep the order of the last sort."""


class Scope(StrEnum):
    CUSTOMER = "customer"
    AWS = "aws"
    ALL = "all"


_MANAGED_BY_AWS = {Scope.CUSTOMER: (False,), Scope.AWS: (True,), Scope.ALL: (False, True)}


@dataclass(frozen=True, slots=True)
class Sort:
    """By a column of COLUMNS; rows that lack the value come last in either direction."""

    column: str = "name"
    descending: bool = False


class Summary(NamedTuple):
    """What the list is of, in numbers."""

    shown: int
    total: int
    """Keys in the scope."""
    undecided: int
    """Keys for which a fact that the filter needs has not been read."""
    unreadable: int
    """Keys for which that fact cannot be read."""
    names_only: int
    """Keys of which a filter of words could only see alias and id: their description has not been read."""
    arrived: int
    """Rows at the end that came, or came to match, after the last sort."""
    waiting: int
    """Keys held back until their aliases are listed."""
    sort_known: int
    """Shown rows whose value in the sorted column was known when they were sorted."""
    marked: int
    marked_hidden: int


class View:
    """``rows`` are the shown rows in order. What arrives is added at the end and moves nothing.

    Call ``update`` with each Changes of the inventory; the setters sort and filter everything afresh.
    """

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.rows: list[Row] = []
        self.scope = Scope.CUSTOMER
        self.sort = Sort()
        self.query: Query = parse("", inventory.now())
        self.marks: set[str] = set()
        self._base: list[Row] = []
        self._maybe: dict[str, Row] = {}
        self._held: dict[str, Row] = {}
        self._shown: set[str] | None = None
        self._arrived = 0
        self._sort_known = 0
        self._stale = True
        self._shape = -1
        self._sifted_by: Query | None = None
        self.rebuild()

    # What the user asks for

    def set_filter(self, text: str) -> None:
        """Filter by a text; FilterError where it cannot be understood, and nothing changes."""
        query = parse(text, self.inventory.now())
        before, self.query = self.query, query
        candidates: Sequence[Row] = self._base
        if not self._stale and before is self._sifted_by and before and query.narrows(before):
            candidates = [*self.rows, *self._maybe.values()] if self._maybe else self.rows
        elif self._stale:
            self._gather()
            candidates = self._base
        self._sift(candidates)

    def set_scope(self, scope: Scope) -> None:
        self.scope = scope
        self.rebuild()

    def set_sort(self, sort: Sort) -> None:
        self.sort = sort
        self.rebuild()

    def rebuild(self) -> None:
        """Sort and filter everything afresh: rows move."""
        self._gather()
        self._base = self._sorted(self._base)
        self._sift(self._base)

    # What arrives

    def update(self, changes: Changes) -> bool:
        """Take in what changed in the inventory; whether rows were added at the end."""
        arriving = []
        shown = self._shown_keys()
        for row_key in changes.rows:
            row = self.inventory.row(row_key)
            if row is None:
                continue
            self._stale = True
            if row_key not in shown and self._decide(row):
                arriving.append(row)
        if changes.listing:
            self._stale = True
            arriving += self._named()
        return self._append(arriving)

    def release(self) -> bool:
        """Show the keys that wait for their aliases; whether there were any."""
        held, self._held = list(self._held.values()), {}
        return self._append(held)

    # Marks

    def toggle_mark(self, row_key: str) -> None:
        self.marks ^= {row_key}

    def mark(self, row_keys: Iterable[str]) -> None:
        self.marks.update(row_keys)

    def clear_marks(self) -> None:
        self.marks.clear()

    # Numbers

    def summary(self) -> Summary:
        total, described = 0, 0
        for aws in self._scopes():
            tally = self.inventory.tally(aws=aws)
            total += tally.keys
            described += tally.described
        needs = self.query.needs
        bad = len([row for row in self._maybe.values() if _unreadable(row, needs)])
        names_only = 0
        if self.query and self.query.words_only:
            names_only = max(0, total - described - sum(1 for row in self.rows if row.key is None))
        marked_shown = sum(1 for row in self.rows if row.arn in self.marks) if self.marks else 0
        return Summary(
            len(self.rows),
            total,
            len(self._maybe) - bad,
            bad,
            names_only,
            self._arrived,
            len(self._held),
            self._sort_known,
            len(self.marks),
            len(self.marks) - marked_shown,
        )

    @property
    def missing(self) -> Missing:
        """The next fact of a row that the filter, then the sort, needs."""
        by_filter = self.query.missing
        by_sort = missing_of(*COLUMNS[self.sort.column].needs)
        holds = self.query.holds

        def missing(row: Row) -> FactName | None:
            return by_filter(row) or (by_sort(row) if holds(row) else None)

        return missing

    def read_missing(self) -> None:
        """Ask the inventory to read what the filter and the sort need, in the order of the list."""
        if self.query.words_only and not COLUMNS[self.sort.column].needs:
            self.inventory.cancel_demand()
        else:
            self.inventory.demand([*self.rows, *self._maybe.values()], self.missing)

    # How it is done

    def _scopes(self) -> tuple[bool, ...]:
        return _MANAGED_BY_AWS[self.scope]

    def _gather(self) -> None:
        """Take in rows that are new, keeping the order of those that were there."""
        shape = self.inventory.shape
        if shape != self._shape:
            self._shape = shape
            rows = self.inventory.rows()
            present = set(map(id, rows))
            kept = [row for row in self._base if id(row) in present]
            there = set(map(id, kept))
            self._base = kept + sorted((row for row in rows if id(row) not in there), key=_BY_NAME)
        self._stale = False

    def _sorted(self, rows: list[Row]) -> list[Row]:
        column = COLUMNS[self.sort.column]
        rows = sorted(rows, key=_BY_NAME)
        if column.name == "name":
            return rows[::-1] if self.sort.descending else rows
        keyed = [(column.sort(row), row) for row in rows]
        known = [pair for pair in keyed if pair[0] is not None]
        known.sort(key=lambda pair: pair[0], reverse=self.sort.descending)
        return [row for _, row in known] + [row for key, row in keyed if key is None]

    def _sift(self, candidates: Sequence[Row]) -> None:
        if self.scope is not Scope.ALL:
            aws = self.scope is Scope.AWS
            candidates = [row for row in candidates if row.aws is aws]
        if self.query:
            rows, maybe = self.query.sift(candidates)
        else:
            rows, maybe = list(candidates), []
        if self._stale_names() and not self.query:
            self._held = {row.arn: row for row in rows if self._is_held(row)}
            rows = [row for row in rows if row.arn not in self._held] if self._held else rows
        else:
            self._held = {}
        self.rows = self._sorted(rows) if self.query and len(rows) <= _RESORT else rows
        self._maybe = {row.arn: row for row in maybe}
        self._shown = None
        self._arrived = 0
        self._sifted_by = self.query
        self._sort_known = self._count_known()

    def _count_known(self) -> int:
        column = COLUMNS[self.sort.column]
        if not column.needs:
            return len(self.rows)
        return sum(1 for row in self.rows if column.sort(row) is not None)

    def _shown_keys(self) -> set[str]:
        if self._shown is None:
            self._shown = {row.arn for row in self.rows}
        return self._shown

    def _decide(self, row: Row) -> bool:
        """Whether a row that is not shown now belongs on the list."""
        if row.gone or row.aws not in self._scopes():
            return False
        verdict = self.query.holds(row)
        if verdict is None:
            self._maybe[row.arn] = row
            return False
        self._maybe.pop(row.arn, None)
        if verdict and not self.query and self._is_held(row):
            self._held[row.arn] = row
            return False
        self._held.pop(row.arn, None)
        return verdict

    def _append(self, rows: list[Row]) -> bool:
        rows.sort(key=_BY_NAME)
        self._shown_keys().update(row.arn for row in rows)
        if rows and self._out_of_order(rows[0]):
            self._arrived += len(rows)
        self.rows.extend(rows)
        return bool(rows)

    def _out_of_order(self, row: Row) -> bool:
        if not self.rows:
            return False
        return self.sort != Sort() or self._arrived > 0 or row.sort_name < self.rows[-1].sort_name

    # Keys whose aliases are still being listed wait, so that names come in order and stay where they are.

    def _is_held(self, row: Row) -> bool:
        return not row.aliases and row.region in self._unnamed_regions()

    def _unnamed_regions(self) -> set[str]:
        return {region.name for region in self.inventory.regions if region.aliases is LOADING}

    def _stale_names(self) -> bool:
        return bool(self._unnamed_regions())

    def _named(self) -> list[Row]:
        ready = [row for row in self._held.values() if not self._is_held(row)]
        for row in ready:
            del self._held[row.arn]
        return ready


def _unreadable(row: Row, needs: Iterable[FactName]) -> bool:
    return any(isinstance(row.fact(name), Denied | Failed) for name in needs)
