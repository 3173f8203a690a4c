"""Moves the keys of a store in memory, which has the same root key, into another: all of them or none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from kms_tui.backend.local.store.sqlite_store import Store

_OF_KEYS = ("materials", "aliases", "policies", "tags", "grants")
"""The tables whose rows belong to a key, by their column ``key``."""


class TakenError(Exception):
    """A store holds already what was to be added; nothing was changed. ``taken`` names each thing."""

    def __init__(self, taken: Sequence[str]) -> None:
        super().__init__("; ".join(taken))
        self.taken = tuple(taken)


def merge_keys(source: Store, target: Store) -> None:
    """Add the keys of ``source`` to ``target``, with all that belongs to them. Raises TakenError,
    StoreError.
    """
    with target.write() as db:
        taken = list(_taken(source, db))
        if taken:
            raise TakenError(taken)
        numbers: dict[int, int] = {}
        columns = _columns(source, "keys")
        for row in source.rows(f"SELECT row, {', '.join(columns)} FROM keys ORDER BY row"):
            numbers[row[0]] = db.execute(_insertion("keys", columns), row[1:]).lastrowid or 0
        for table in _OF_KEYS:
            columns = _columns(source, table)
            place = columns.index("key")
            rows = source.rows(
                f"SELECT {', '.join(columns)} FROM {table}{_ORDERS.get(table, ' ORDER BY row')}"
            )
            db.executemany(
                _insertion(table, columns),
                [(*row[:place], numbers[row[place]], *row[place + 1 :]) for row in rows],
            )


_ORDERS = {"aliases": "", "policies": ""}
"""Of the tables that have no row numbers."""


def _columns(store: Store, table: str) -> list[str]:
    """The columns that a row keeps; both stores have the newest schema."""
    return [name for _, name, *_ in store.rows(f"PRAGMA table_info({table})") if name != "row"]


def _insertion(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _taken(source: Store, db: sqlite3.Connection) -> Iterator[str]:
    """What the other store has already."""
    for account, region, key_id, related in source.rows(
        "SELECT account, region, key_id, multi_region FROM keys "
        "WHERE ifnull(primary_region, region) = region ORDER BY row"
    ):
        where = "multi_region = 1" if related else "region = ?"
        places = (account, key_id) if related else (account, key_id, region)
        found = db.execute(
            f"SELECT region FROM keys WHERE account = ? AND key_id = ? AND {where}", places
        ).fetchone()
        if found:
            yield f"the key {key_id} of account {account} in {found[0]}"
    for account, region, name in source.rows("SELECT account, region, name FROM aliases ORDER BY 1, 2, 3"):
        if db.execute(
            "SELECT 1 FROM aliases WHERE account = ? AND region = ? AND name = ?", (account, region, name)
        ).fetchone():
            yield f"{name} of account {account} in {region}"
    for (grant_id,) in source.rows("SELECT grant_id FROM grants ORDER BY row"):
        if db.execute("SELECT 1 FROM grants WHERE grant_id = ?", (grant_id,)).fetchone():
            yield f"the grant {grant_id}"
