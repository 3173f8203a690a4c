"""The rows that a filter cannot decide yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from kms_tui.inventory.kind import Kind
from kms_tui.inventory.row import FactName, Row


class Undecided:
    """Made from a list at every keystroke; indexed and counted only once someone asks, or it changes."""

    def __init__(self, rows: Sequence[Row] = ()) -> None:
        self._rows = rows
        self._index: dict[Row, Kind] | None = None
        self._counts: Counter[Kind] | None = None

    def __len__(self) -> int:
        return len(self._rows if self._index is None else self._index)

    def rows(self) -> Sequence[Row]:
        return self._rows if self._index is None else list(self._index)

    def put(self, row: Row) -> None:
        """Add a row, or take in that a row that is there is of another kind now."""
        self._count(self._indexed().get(row), row.kind)
        self._indexed()[row] = row.kind

    def discard(self, row: Row) -> None:
        if len(self):
            self._count(self._indexed().pop(row, None), None)

    def refused(self, needs: Iterable[FactName]) -> int:
        """For how many a fact that is needed was denied, or could not be read."""
        if self._counts is None:
            self._counts = Counter(row.kind for row in self._rows)
        names = [name.value for name in needs]
        return sum(
            number
            for kind, number in self._counts.items()
            if any(kind.reading(name).refused for name in names)
        )

    def _indexed(self) -> dict[Row, Kind]:
        if self._index is None:
            self._index = {row: row.kind for row in self._rows}
            self._counts = Counter(self._index.values())
            self._rows = ()
        return self._index

    def _count(self, before: Kind | None, after: Kind | None) -> None:
        if self._counts is None:
            return
        if before is not None:
            self._counts[before] -= 1
        if after is not None:
            self._counts[after] += 1
