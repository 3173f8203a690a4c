"""THE table of columns: what each shows of a row, how it sorts, which facts it needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from kms_tui.inventory import cells, slices
from kms_tui.inventory.cells import Cell
from kms_tui.inventory.row import FactName, Row
from kms_tui.inventory.row_class import Reading, RowClass
from kms_tui.inventory.slices import Sliced
from kms_tui.kms.facts import Known
from kms_tui.kms.keyspecs import spec_title


@dataclass(frozen=True, slots=True)
class Column:
    """The sort key is ``by_class`` or, without one, ``by_row``: None where it is not known."""

    name: str
    title: str
    cell: Callable[[Row, datetime], Cell]
    needs: tuple[FactName, ...] = ()
    by_class: Callable[[RowClass], Any] | None = None
    by_row: Callable[[Row], Any] = attrgetter("sort_name")


_DESCRIBED = (FactName.DESCRIBED,)
_ROTATION = (FactName.DESCRIBED, FactName.ROTATION)
_JUDGED = (*_ROTATION, FactName.POLICY)
_CANNOT_ROTATE = 100_000


def _if_described(value: Callable[[RowClass], str]) -> Callable[[RowClass], str | None]:
    return lambda row_class: value(row_class).lower() if row_class.described is Reading.KNOWN else None


def _rotation_key(row_class: RowClass) -> int | None:
    """Off first, then by period, then the keys that cannot rotate."""
    if row_class.rotation is Reading.KNOWN:
        return row_class.rotation_days
    return _CANNOT_ROTATE if row_class.rotation is Reading.NOT_APPLICABLE else None


_NOTHING_FOUND = (1000, 0)


def _attention_key(row_class: RowClass) -> tuple[int, int] | None:
    """The gravest first, among them those with more findings; then what passed all checks."""
    health = row_class.health
    if health.worst is not None:
        return health.worst.rank, -len(health.findings)
    return _NOTHING_FOUND if health.is_whole else None


def _description_key(row: Row) -> str | None:
    described = row.described
    return described.value.description.lower() if isinstance(described, Known) else None


def _last_used_key(row: Row) -> float | None:
    if not isinstance(row.last_usage, Known):
        return None
    return row.last_usage.value.time.timestamp() if row.last_usage.value.time else 0.0


# fmt: off
COLUMNS: Mapping[str, Column] = {
    column.name: column
    for column in (
        Column("name", "NAME", lambda row, _: Cell(cells.name(row))),
        Column("id", "KEY ID", lambda row, _: Cell(row.key_id), by_row=attrgetter("key_id")),
        Column("account", "ACCOUNT", lambda row, _: Cell(row.account_title), by_row=lambda row: row.account_title.lower()),
        Column("region", "REGION", lambda row, _: Cell(row.region), by_class=lambda it: it.region),
        Column("spec", "SPEC", lambda row, _: cells.spec(row), _DESCRIBED, by_class=_if_described(lambda it: spec_title(it.spec))),
        Column("usage", "USAGE", lambda row, _: cells.usage(row), _DESCRIBED, by_class=_if_described(lambda it: cells.USAGE_WORDS.get(it.usage, it.usage))),
        Column("state", "STATE", lambda row, _: cells.state(row), _DESCRIBED, by_class=_if_described(lambda it: cells.STATE_WORDS.get(it.state, it.state))),
        Column("rotation", "ROTATION", lambda row, _: cells.rotation(row), _ROTATION, by_class=_rotation_key),
        Column("attention", "ATTENTION", cells.attention, _JUDGED, by_class=_attention_key),
        Column("description", "DESCRIPTION", lambda row, _: cells.description(row), _DESCRIBED, by_row=_description_key),
        Column("origin", "ORIGIN", lambda row, _: cells.origin(row), _DESCRIBED, by_class=_if_described(lambda it: cells.ORIGIN_WORDS.get(it.origin, it.origin))),
        Column("created", "CREATED", lambda row, _: cells.created(row), _DESCRIBED, by_row=attrgetter("created")),
        Column("used", "LAST USED", cells.last_used, (FactName.LAST_USAGE,), by_row=_last_used_key),
    )
}
# fmt: on


by_name = attrgetter("sort_name")


@dataclass(frozen=True, slots=True)
class Sort:
    """By a column of COLUMNS, then by name; rows without the value come last either way."""

    column: str = "name"
    descending: bool = False

    def sorting(self, named: Sequence[Row]) -> Sliced[list[Row]]:
        """Sort rows that are in name order."""
        column = COLUMNS[self.column]
        if column.name == "name":
            return list(reversed(named)) if self.descending else list(named)
        if column.by_class is None:
            return (yield from slices.sort(named, column.by_row, reverse=self.descending))
        keys, groups = _Memo(column.by_class), defaultdict[Any, list[Row]](list)
        for index, each in enumerate(slices.slices(named)):
            if index:
                yield
            for row in each:
                groups[keys[row.row_class]].append(row)
        unknown = groups.pop(None, [])
        ordered = [groups[each] for each in sorted(groups, reverse=self.descending)]
        return [row for group in (*ordered, unknown) for row in group]

    def counting_known(self, rows: Sequence[Row]) -> Sliced[int]:
        """The number of rows whose sort value is known."""
        column = COLUMNS[self.column]
        if not column.needs:
            return len(rows)
        by_row = column.by_row
        if column.by_class is not None:
            keys = _Memo(column.by_class)
            return (yield from slices.count(rows, lambda row: keys[row.row_class] is not None))
        return (yield from slices.count(rows, lambda row: by_row(row) is not None))


class _Memo(dict[RowClass, Any]):
    """The sort key of each class, computed once."""

    def __init__(self, key: Callable[[RowClass], Any]) -> None:
        super().__init__()
        self._key = key

    def __missing__(self, row_class: RowClass) -> Any:
        value = self[row_class] = self._key(row_class)
        return value
