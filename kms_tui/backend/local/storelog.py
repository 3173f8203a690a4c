"""Is the write-ahead log beside a store that store's own? Asked before SQLite takes it in.

SQLite takes whatever log lies beside a file for that file's: an older copy that was put over the store, or a
log of another store, would be mixed with it and the log deleted. A connection that can only read sees the
same mixture and changes neither.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kms_tui.backend.local.schema import APPLICATION_ID
from kms_tui.kms.errors import StoreError

if TYPE_CHECKING:
    from kms_tui.backend.local.rootkey import RootKey

_USERS_LOCK = 128
"""The byte of the -shm file on which whoever uses the log has a shared lock (SQLite: UNIX_SHM_DMS)."""
_NO_WHOLE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""How SQLite fails on a mixture; the last where a table is missing or another."""
_MADE_AT = "SELECT applied_at FROM migrations WHERE version = 1"
"""When a store was made, in milliseconds, which nothing changes: what tells it from another."""
_MATERIALS = (
    "SELECT key_id, material_id, wrapped FROM materials JOIN keys ON keys.row = materials.key "
    "WHERE wrapped IS NOT NULL"
)


def not_its_own(path: Path, log: Path, reason: str) -> StoreError:
    return StoreError(
        f"The log {log} is not that of the store {path}, or one of them is damaged: {reason}. Both were left "
        "as they are.",
        next_step="Copy both to a safe place. Then put back the store that the log was written for; or move "
        "the log away, and the store opens without the changes that are only in the log.",
    )


def is_in_use(log: Path) -> bool:
    """Whether another process uses the log; not to be asked where this one does, whose locks would go."""
    try:
        descriptor = os.open(log.with_name(log.name.removesuffix("-wal") + "-shm"), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _USERS_LOCK)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def hold(reader: sqlite3.Connection) -> None:
    """Have a connection that can only read open the log: as long as it is open, nobody deletes the log."""
    reader.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()


def require_own(reader: sqlite3.Connection, path: Path, log: Path) -> None:
    """StoreError where the store and its log make no whole together. Takes as long as reading all of it."""
    try:
        (verdict,) = reader.execute("PRAGMA integrity_check(1)").fetchone()
        (application,) = reader.execute("PRAGMA application_id").fetchone()
        together = reader.execute(_MADE_AT).fetchall()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF in _NO_WHOLE:
            raise not_its_own(path, log, str(error)) from error
        raise
    if verdict != "ok":
        raise not_its_own(path, log, str(verdict))
    if application != APPLICATION_ID or together != (_alone(path, _MADE_AT) or together):
        raise not_its_own(path, log, "the log is of another store")


def require_opened_by(root_key: RootKey, connection: sqlite3.Connection, path: Path, log: Path) -> None:
    """StoreError where key material comes from the log that the root key does not unwrap."""
    foreign = []
    for key_id, material_id, wrapped in connection.execute(_MATERIALS):
        try:
            root_key.unwrap(key_id, material_id, wrapped)
        except StoreError:
            foreign.append((key_id, material_id, wrapped))
    if foreign and not set(foreign) <= set(_alone(path, _MATERIALS)):
        raise not_its_own(path, log, "key material in the log is of another store")


def _alone(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """What a store says without its log; nothing where it cannot be read without that."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as alone:
            return alone.execute(sql).fetchall()
    except (sqlite3.Error, UnicodeDecodeError):
        return []
