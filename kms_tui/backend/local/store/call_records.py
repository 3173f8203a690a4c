"""What a call leaves in the store beside what it changes: its event, and which keys it used last.

The oldest events are deleted now and then; the last use of each key is kept apart.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple


class CallRecord(NamedTuple):
    """A row of ``events`` without its number, and the rows of the keys that the call used.

    ``at`` is in milliseconds; ``source_key`` the ARN of ReEncrypt's.
    """

    event_id: str
    at: int
    account: str
    region: str
    operation: str
    key_id: str | None
    caller: str
    error: str
    request: str
    key_account: str | None
    source_key: str | None
    message: str
    address: str
    agent: str
    used: tuple[int, ...]


MAX_EVENTS = 100_000
"""Calls that the store keeps, about 35 MB."""
_EVERY = 1_000
"""Calls between two clearings, whose cost (a few milliseconds) they share."""

_EVENT = CallRecord._fields[:-1]
_INSERT_EVENT = f"INSERT INTO events ({', '.join(_EVENT)}) VALUES ({', '.join('?' * len(_EVENT))})"
# A key that another process has deleted meanwhile is used no more.
_NOTE_USE = (
    "INSERT INTO last_uses SELECT row, ?, ?, ? FROM keys WHERE row = ? ON CONFLICT (key) DO UPDATE "
    "SET operation = excluded.operation, at = excluded.at, event_id = excluded.event_id"
)


def write_records(db: sqlite3.Connection, records: Iterable[CallRecord]) -> None:
    """Write records in their order; of several uses of a key the last counts."""
    uses: dict[int, CallRecord] = {}
    for record in records:
        written = db.execute(_INSERT_EVENT, record[:-1]).lastrowid or 0
        if written % _EVERY == 0:
            db.execute("DELETE FROM events WHERE row <= ?", (written - MAX_EVENTS,))
        for key in record.used:
            uses[key] = record
    for key, record in uses.items():
        db.execute(_NOTE_USE, (record.operation, record.at, record.event_id, key))
