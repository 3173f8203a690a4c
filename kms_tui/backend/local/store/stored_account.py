"""The policies of an account in a store: looked up row by row, replaced all together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from kms_tui.backend.local.account_policies.account_rows import AccountRow, Content, RowKind
from kms_tui.backend.local.store.schema import VERIFY
from kms_tui.backend.local.store.sqlite_store import Row, Store
from kms_tui.kms.errors import StoreError

_STATE = "SELECT max(row) FROM account_policies"
_ALL = "SELECT kind, account, name, content FROM account_policies ORDER BY row"
_ROW_BITS = 64
_COUNTS = "SELECT kind, count(*) FROM account_policies GROUP BY kind ORDER BY min(row)"


class StoredAccount:
    """``AccountRows`` of a store. Raises StoreError for a row that cannot be read."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def state(self) -> int | None:
        """A number for what is held now, which no other state has or had; None where nothing is held.

        It is read once until somebody writes to the store (``Store.notice_changes``).
        """
        return self._numbered(self._store.remembered(_first, _STATE))

    def state_now(self) -> int | None:
        """``state``, read at this moment."""
        row = self._store.one(_STATE)
        return None if row is None else self._numbered(_first(row))

    def _numbered(self, row: int | None) -> int | None:
        """A store that was put back counts rows anew: its generation tells them apart."""
        return None if row is None else row + (self._store.generation << _ROW_BITS)

    def find(self, kind: RowKind, account: str, name: str) -> Content | None:
        found = self._store.one(
            "SELECT content FROM account_policies WHERE kind = ? AND account = ? AND name = ?",
            (kind, account, name),
        )
        return None if found is None else _content(found[0], f"{kind} {name}")

    def holds(self, kind: RowKind, account: str) -> bool:
        """Whether there is any row of a kind in an account."""
        query = "SELECT 1 FROM account_policies WHERE kind = ? AND account = ? LIMIT 1"
        return self._store.one(query, (kind, account)) is not None

    def every(self, kind: RowKind) -> Sequence[Content]:
        rows = self._store.rows(
            "SELECT name, content FROM account_policies WHERE kind = ? ORDER BY row", (kind,)
        )
        return [_content(content, f"{kind} {name}") for name, content in rows]


def _first(row: Row) -> int | None:
    number: int | None = row[0]
    return number


def _content(text: str, what: str) -> Content:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"The {what} in the store cannot be read.", next_step=VERIFY) from error
    if not isinstance(found, dict):
        raise StoreError(f"The {what} in the store is none.", next_step=VERIFY)
    return found


def account_rows(store: Store) -> list[AccountRow]:
    """All rows, as they were put. Raises StoreError for one that cannot be read."""
    return [
        AccountRow(_kind(kind), account, name, _content(content, f"{kind} {name}"))
        for kind, account, name, content in store.rows(_ALL)
    ]


def _kind(text: str) -> RowKind:
    try:
        return RowKind(text)
    except ValueError as error:
        raise StoreError(f"The store holds a {text}, which no account has.", next_step=VERIFY) from error


def account_counts(store: Store) -> Mapping[str, int]:
    """Kind as stored -> rows; empty where nothing is held."""
    return dict(store.rows(_COUNTS))


def replace_account(store: Store, rows: Sequence[AccountRow]) -> None:
    """Put these rows in the place of all that are there, in one transaction."""
    with store.write() as db:
        db.execute("DELETE FROM account_policies")
        db.executemany(
            "INSERT INTO account_policies (kind, account, name, content) VALUES (?, ?, ?, ?)",
            [(row.kind, row.account, row.name, json.dumps(row.content)) for row in rows],
        )
