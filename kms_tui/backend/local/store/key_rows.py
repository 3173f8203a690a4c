"""The rows of keys and their policies as named tuples, and the SQL that reads and writes them."""

from __future__ import annotations

import sqlite3
from operator import itemgetter
from typing import Any, NamedTuple

from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.kms.model import KeyState


class KeyRow(NamedTuple):
    """A KMS key; times in milliseconds, windows and periods in days.

    ``state`` is what is stored: a key whose custom key store is offline has ``available`` 0 besides.
    ``rotation_period`` is None while automatic rotation is off.
    """

    row: int
    account: str
    region: str
    key_id: str
    manager: str
    spec: str
    usage: str
    origin: str
    state: str
    available: int
    description: str
    created_at: int
    multi_region: int
    primary_region: str | None
    deletion_at: int | None
    pending_window: int | None
    rotation_period: int | None
    next_rotation_at: int | None
    settles_at: int | None
    settles_to: str | None
    expires_at: int | None
    custom_key_store_id: str | None
    xks_key_id: str | None
    due_at: int | None

    @property
    def is_primary(self) -> bool:
        return self.primary_region == self.region

    @property
    def is_replica(self) -> bool:
        return bool(self.multi_region) and not self.is_primary

    def next_due(self) -> int | None:
        """When something next happens to this key by itself."""
        moments = [self.settles_at, self.expires_at]
        if self.state == KeyState.PENDING_DELETION:
            moments.append(self.deletion_at)
        if self.state == KeyState.ENABLED and not self.is_replica:
            moments.append(self.next_rotation_at)
        return min((moment for moment in moments if moment is not None), default=None)


_KEY_COLUMNS = ", ".join(KeyRow._fields)
_BY_ID = f"SELECT {_KEY_COLUMNS} FROM keys WHERE account = ? AND region = ? AND key_id = ?"
_BY_ROW = f"SELECT {_KEY_COLUMNS} FROM keys WHERE row = ?"
_BY_ALIAS = (
    f"SELECT {', '.join('keys.' + column for column in KeyRow._fields)} FROM aliases "
    "JOIN keys ON keys.row = aliases.key "
    "WHERE aliases.account = ? AND aliases.region = ? AND aliases.name = ?"
)
_RELATED = (
    f"SELECT {_KEY_COLUMNS} FROM keys WHERE account = ? AND key_id = ? AND multi_region = 1 ORDER BY region"
)
_DUE = f"SELECT {_KEY_COLUMNS} FROM keys WHERE due_at <= ? ORDER BY due_at LIMIT 1"
_NEXT_DUE = "SELECT min(due_at) FROM keys WHERE due_at IS NOT NULL"
_INSERT_KEY = (
    f"INSERT INTO keys ({', '.join(KeyRow._fields[1:])}) "
    f"VALUES ({', '.join('?' * (len(KeyRow._fields) - 1))})"
)
_UPDATE_KEY = f"UPDATE keys SET {', '.join(f'{column} = ?' for column in KeyRow._fields[1:])} WHERE row = ?"


def _key(row: tuple[Any, ...] | None) -> KeyRow | None:
    return KeyRow._make(row) if row else None


def key_by_id(store: Store, account: str, region: str, key_id: str) -> KeyRow | None:
    return store.remembered(KeyRow._make, _BY_ID, (account, region, key_id))


def key_by_row(store: Store, row: int) -> KeyRow | None:
    return _key(store.one(_BY_ROW, (row,)))


def key_by_alias(store: Store, account: str, region: str, name: str) -> KeyRow | None:
    """The key that an alias (with its ``alias/``) names."""
    return store.remembered(KeyRow._make, _BY_ALIAS, (account, region, name))


def related_keys(store: Store, key: KeyRow) -> list[KeyRow]:
    """All keys of a multi-Region set, this one included, by region; only itself for any other key."""
    if not key.multi_region:
        return [key]
    return [KeyRow._make(row) for row in store.rows(_RELATED, (key.account, key.key_id))]


def next_due(store: Store) -> int | None:
    """When something next happens to any key by itself."""
    due_at: int | None = store.remembered(itemgetter(0), _NEXT_DUE)
    return due_at


def first_due(store: Store, now: int) -> KeyRow | None:
    return _key(store.one(_DUE, (now,)))


def insert_key(db: sqlite3.Connection, key: KeyRow) -> KeyRow:
    """Store a new key; the answer has its row number."""
    key = key._replace(due_at=key.next_due())
    return key._replace(row=db.execute(_INSERT_KEY, key[1:]).lastrowid or 0)


def update_key(db: sqlite3.Connection, key: KeyRow, **changes: Any) -> KeyRow:
    """Store a key with some members changed."""
    key = key._replace(**changes)
    key = key._replace(due_at=key.next_due())
    db.execute(_UPDATE_KEY, (*key[1:], key.row))
    return key


def policy_of(store: Store, key: KeyRow) -> str:
    """The text of the key policy in force."""
    text = store.remembered(
        itemgetter(0),
        "SELECT text FROM policies WHERE key = ? AND name = 'default' ORDER BY version DESC LIMIT 1",
        (key.row,),
    )
    return text or ""


def policies_of(store: Store, key: KeyRow) -> list[tuple[str, int, str]]:
    """Every version of the key policy, newest first: its text, when it was put (milliseconds), by whom."""
    return [
        (str(text), int(at), str(author))
        for text, at, author in store.rows(
            "SELECT text, put_at, put_by FROM policies WHERE key = ? AND name = 'default' "
            "ORDER BY version DESC",
            (key.row,),
        )
    ]
