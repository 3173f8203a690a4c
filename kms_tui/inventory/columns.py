"""THE table of columns: what each shows of a row, how it sorts, and which facts it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from kms_tui.inventory import words
from kms_tui.inventory.kind import Concern, Kind, Reading
from kms_tui.inventory.row import FactName, Row
from kms_tui.inventory.words import Cell
from kms_tui.kms.facts import Known
from kms_tui.kms.keyspecs import spec_title


@dataclass(frozen=True, slots=True)
class Column:
    """What to sort by is given by ``by_kind`` or, without one, ``by_row``: None where it is not known."""

    name: str
    title: str
    cell: Callable[[Row, datetime], Cell]
    needs: tuple[FactName, ...] = ()
    by_kind: Callable[[Kind], Any] | None = None
    by_row: Callable[[Row], Any] = attrgetter("sort_name")


_DESCRIBED = (FactName.DESCRIBED,)
_ROTATION = (FactName.DESCRIBED, FactName.ROTATION)
_CANNOT_ROTATE = 100_000


def _if_described(value: Callable[[Kind], str]) -> Callable[[Kind], str | None]:
    return lambda kind: value(kind).lower() if kind.described is Reading.KNOWN else None


def _rotation_key(kind: Kind) -> int | None:
    """Off first, then by period, then the keys that cannot rotate."""
    if kind.rotation is Reading.KNOWN:
        return kind.rotation_days
    return _CANNOT_ROTATE if kind.rotation is Reading.NOT_APPLICABLE else None


def _attention_key(kind: Kind) -> int | None:
    return None if kind.concern is Concern.UNKNOWN else int(kind.concern)


def _description_key(row: Row) -> str | None:
    described = row.described
    return described.value.description.lower() if isinstance(described, Known) else None


def _last_used_key(row: Row) -> float | None:
    if not isinstance(row.last_usage, Known):
        return None
    return row.last_usage.value.time.timestamp() if row.last_usage.value.time else 0.0


COLUMNS: Mapping[str, Column] = {
    column.name: column
    for column in (
        Column("name", "NAME", lambda row, _: Cell(words.name(row))),
        Column("id", "KEY ID", lambda row, _: Cell(row.key_id), by_row=attrgetter("key_id")),
        Column("region", "REGION", lambda row, _: Cell(row.region), by_kind=lambda kind: kind.region),
        Column(
            "spec",
            "SPEC",
            lambda row, _: words.spec(row),
            _DESCRIBED,
            by_kind=_if_described(lambda kind: spec_title(kind.spec)),
        ),
        Column(
            "usage",
            "USAGE",
            lambda row, _: words.usage(row),
            _DESCRIBED,
            by_kind=_if_described(lambda kind: words.USAGE_WORDS.get(kind.usage, kind.usage)),
        ),
        Column(
            "state",
            "STATE",
            lambda row, _: words.state(row),
            _DESCRIBED,
            by_kind=_if_described(lambda kind: words.STATE_WORDS.get(kind.state, kind.state)),
        ),
        Column("rotation", "ROTATION", lambda row, _: words.rotation(row), _ROTATION, by_kind=_rotation_key),
        Column("attention", "ATTENTION", words.attention, _ROTATION, by_kind=_attention_key),
        Column(
            "description",
            "DESCRIPTION",
            lambda row, _: words.description(row),
            _DESCRIBED,
            by_row=_description_key,
        ),
        Column(
            "origin",
            "ORIGIN",
            lambda row, _: words.origin(row),
            _DESCRIBED,
            by_kind=_if_described(lambda kind: words.ORIGIN_WORDS.get(kind.origin, kind.origin)),
        ),
        Column(
            "created", "CREATED", lambda row, _: words.created(row), _DESCRIBED, by_row=attrgetter("created")
        ),
        Column("used", "LAST USED", words.last_used, (FactName.LAST_USAGE,), by_row=_last_used_key),
    )
}
