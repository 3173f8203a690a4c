"""Putting rows in order by a column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from kms_tui.inventory.columns import COLUMNS
from kms_tui.inventory.kind import Kind
from kms_tui.inventory.row import Row

by_name = attrgetter("sort_name")


@dataclass(frozen=True, slots=True)
class Sort:
    """By a column of COLUMNS, and by name within equals; what lacks the value comes last either way."""

    column: str = "name"
    descending: bool = False

    def sorted(self, named: Sequence[Row]) -> list[Row]:
        """Rows that are in the order of their names, in this order."""
        column = COLUMNS[self.column]
        if column.name == "name":
            return list(reversed(named)) if self.descending else list(named)
        if column.by_kind is not None:
            return self._by_kind(named, column.by_kind)
        return self._by_row(named, column.by_row)

    def known(self, rows: Sequence[Row]) -> int:
        """Of how many rows the value to sort by is known."""
        column = COLUMNS[self.column]
        if not column.needs:
            return len(rows)
        if column.by_kind is not None:
            keys = _Memo(column.by_kind)
            return len([row for row in rows if keys[row.kind] is not None])
        return len(rows) - list(map(column.by_row, rows)).count(None)

    def _by_kind(self, named: Sequence[Row], key: Callable[[Kind], Any]) -> list[Row]:
        kinds: defaultdict[Kind, list[Row]] = defaultdict(list)
        for row in named:
            kinds[row.kind].append(row)
        groups: defaultdict[Any, list[list[Row]]] = defaultdict(list)
        for kind, rows in kinds.items():
            groups[key(kind)].append(rows)
        unknown = groups.pop(None, [])
        ordered = [groups[each] for each in sorted(groups, reverse=self.descending)]
        return [row for group in [*ordered, unknown] for row in _merged(group)]

    def _by_row(self, named: Sequence[Row], key: Callable[[Row], Any]) -> list[Row]:
        # Lists of one plain type sort several times as fast as pairs, and leave the collector nothing to do.
        values = list(map(key, named))
        known = [row for row, value in zip(named, values, strict=True) if value is not None]
        unknown = [row for row, value in zip(named, values, strict=True) if value is None]
        present = iter([value for value in values if value is not None])
        known.sort(key=lambda _: next(present), reverse=self.descending)
        return known + unknown


def _merged(rows: list[list[Row]]) -> list[Row]:
    """The rows of several kinds, by name again."""
    return rows[0] if len(rows) == 1 else sorted((row for each in rows for row in each), key=by_name)


class _Memo(dict[Kind, Any]):
    def __init__(self, key: Callable[[Kind], Any]) -> None:
        super().__init__()
        self._key = key

    def __missing__(self, kind: Kind) -> Any:
        value = self[kind] = self._key(kind)
        return value
