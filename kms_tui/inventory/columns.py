"""THE table of columns: what each shows of a row, how it sorts, and which facts it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kms_tui.inventory import words
from kms_tui.inventory.row import Concern, FactName, Row
from kms_tui.inventory.words import Cell
from kms_tui.kms.facts import NOT_APPLICABLE, Known


@dataclass(frozen=True, slots=True)
class Column:
    """``sort`` gives what a row sorts by, or None where that is not known yet; all of one type."""

    name: str
    title: str
    cell: Callable[[Row, datetime], Cell]
    sort: Callable[[Row], Any]
    needs: tuple[FactName, ...] = ()


def _described(name: str, title: str, cell: Callable[[Row], Cell]) -> Column:
    def sort(row: Row) -> str | None:
        return cell(row).text.lower() if row.described.__class__ is Known else None

    return Column(name, title, lambda row, _: cell(row), sort, (FactName.DESCRIBED,))


def _rotation_key(row: Row) -> int | None:
    """Off first, then by period, then the keys that cannot rotate."""
    if isinstance(row.rotation, Known):
        status = row.rotation.value
        return (status.period_days or 365) if status.enabled else 0
    return 100_000 if row.rotation is NOT_APPLICABLE else None


def _created_key(row: Row) -> float | None:
    key = row.key
    return key.created.timestamp() if key is not None and key.created is not None else None


def _last_used_key(row: Row) -> float | None:
    if not isinstance(row.last_usage, Known):
        return None
    return row.last_usage.value.time.timestamp() if row.last_usage.value.time else 0.0


def _attention_key(row: Row) -> int | None:
    return None if row.concern is Concern.UNKNOWN else int(row.concern)


_ROTATION = (FactName.DESCRIBED, FactName.ROTATION)

COLUMNS: Mapping[str, Column] = {
    column.name: column
    for column in (
        Column("name", "NAME", lambda row, _: Cell(words.name(row)), lambda row: row.sort_name),
        Column("id", "KEY ID", lambda row, _: Cell(row.key_id), lambda row: row.key_id),
        Column("region", "REGION", lambda row, _: Cell(row.region), lambda row: row.region),
        _described("spec", "SPEC", words.spec),
        _described("usage", "USAGE", words.usage),
        _described("state", "STATE", words.state),
        Column("rotation", "ROTATION", lambda row, _: words.rotation(row), _rotation_key, _ROTATION),
        Column("attention", "ATTENTION", words.attention, _attention_key, _ROTATION),
        _described("description", "DESCRIPTION", words.description),
        _described("origin", "ORIGIN", words.origin),
        Column("created", "CREATED", lambda row, _: words.created(row), _created_key, (FactName.DESCRIBED,)),
        Column("used", "LAST USED", words.last_used, _last_used_key, (FactName.LAST_USAGE,)),
    )
}
