"""A key list as a table for other programs, in AWS's own words; each state of a fact has its own word."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from kms_tui.export import Table
from kms_tui.inventory.cells import attention, name
from kms_tui.inventory.row import Row
from kms_tui.kms.facts import NOT_APPLICABLE, Denied, Failed, Known
from kms_tui.kms.model import Key, KeyLastUsage, KeyRotationStatus, Tag


def _text(value: Any) -> str:
    """A time in ISO 8601, anything else as it is."""
    return value.isoformat() if isinstance(value, datetime) else "" if value is None else str(value)


def _fact(fact_name: str, word: Callable[[Any], Any]) -> Callable[[Row], str]:
    """The value, or "denied", "failed", "not read"; "" where there is no such fact."""

    def cell(row: Row) -> str:
        fact = getattr(row, fact_name)
        if isinstance(fact, Known):
            return _text(word(fact.value))
        if isinstance(fact, Denied):
            return "denied"
        if isinstance(fact, Failed):
            return "failed"
        return "" if fact is NOT_APPLICABLE else "not read"

    return cell


def _key(member: Callable[[Key], Any]) -> Callable[[Row], str]:
    return _fact("described", member)


def _rotation(status: KeyRotationStatus) -> str:
    return f"{status.period_days} days" if status.period_days else "on" if status.enabled else "off"


def _next_rotation(status: KeyRotationStatus) -> datetime | None:
    return status.next_date


def _last_used(usage: KeyLastUsage) -> str:
    return _text(usage.time) or f"not since {_text(usage.tracking_start)}"


def _tags(tags: Sequence[Tag]) -> str:
    return " ".join(f"{tag.key}={tag.value}" for tag in tags)


_COLUMNS: Mapping[str, Callable[[Row], str]] = {
    "name": name,
    "key_id": lambda row: row.key_id,
    "region": lambda row: row.region,
    "aliases": lambda row: " ".join(row.aliases),
    "spec": _key(lambda key: key.spec),
    "usage": _key(lambda key: key.usage),
    "state": _key(lambda key: key.state),
    "origin": _key(lambda key: key.origin),
    "manager": _key(lambda key: key.manager),
    "rotation": _fact("rotation", _rotation),
    "next_rotation": _fact("rotation", _next_rotation),
    "created": _key(lambda key: key.created),
    "deletion_date": _key(lambda key: key.deletion_date),
    "expires": _key(lambda key: key.valid_to),
    "last_used": _fact("last_usage", _last_used),
    "tags": _fact("tags", _tags),
    "description": _key(lambda key: key.description),
    "arn": lambda row: row.arn,
}


def table_of(rows: Sequence[Row], *, title: str, now: datetime, marks: Collection[str] = ()) -> Table:
    """The rows in their order; with ``marks`` (ARNs), a column says which rows are marked."""
    columns: dict[str, Callable[[Row], str]] = {}
    if marks:
        columns["marked"] = lambda row: "yes" if row.arn in marks else ""
    columns |= _COLUMNS
    if any(row.account_name for row in rows):
        columns["account"] = lambda row: row.account
        columns["account_name"] = lambda row: row.account_name
    columns["attention"] = lambda row: attention(row, now).text
    return Table(title, tuple(columns), [[cell(row) for cell in columns.values()] for row in rows])
