"""Opening a store: SQLite recovers it first, and only then is it judged; one that is not there is made.

Making is one transaction under SQLite's lock, key file included. Where it was cut off, SQLite rolls it back,
no table is left, and the store is made anew: nothing in it was ever acknowledged.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kms_tui.atomic import PRIVATE_FOLDER, make_folder
from kms_tui.backend.local.store import store_file
from kms_tui.backend.local.store.key_material import MaterialSource, RandomMaterial
from kms_tui.backend.local.store.root_key import (
    RootKey,
    SealedRootKey,
    Unlock,
    key_file_of,
    new_root_key,
    read_or_make_key_file,
    sealed_root_key,
    unseal,
)
from kms_tui.backend.local.store.schema import APPLICATION_ID, MIGRATIONS
from kms_tui.backend.local.store.sources import Clock, Ids, RandomIds, Sources, to_millis, utc_now
from kms_tui.backend.local.store.sqlite_store import ROOT_KEY, Store
from kms_tui.backend.local.store.store_file import StoreFile, named_failures
from kms_tui.backend.local.store.store_maintenance import end_change
from kms_tui.kms.errors import StoreError

_BETWEEN_TRIES = 0.005
"""Seconds until a switch that others hindered is tried again."""


def open_store(
    path: str | Path | None = None,
    *,
    clock: Clock = utc_now,
    ids: Ids | None = None,
    material: MaterialSource | None = None,
    unlock: Unlock | None = None,
    transition_millis: int = 0,
    root_key: bytes | None = None,
    make: bool = True,
) -> Store:
    """Open the store at ``path``; None: a new one in memory.

    Where there is none it is made (mode 0600), or StoreError without ``make``.
    ``unlock(True)`` gives the passphrase of a new store or None for a key file, ``unlock(False)`` that of an
    existing one; without it a new store gets a key file. ``transition_millis`` is how long the transient
    states Creating and Updating last; ``root_key`` is that of a store in memory which must repeat itself. A
    file that is not ours, damaged, of a newer version, or that cannot be unlocked raises StoreError and is
    left as it was.
    """
    sources = Sources(clock, ids or RandomIds(), material or RandomMaterial(), transition_millis)
    now = to_millis(clock())
    if path is None:
        return Store(_in_memory(now), RootKey(root_key or new_root_key()), None, sources)
    path = Path(os.path.expanduser(path))
    file, made = _recovered(path), None
    if file is None:
        if not make:
            raise store_file.no_store(path)
        made = _make(path, now, unlock)
        file = _recovered(path)
    if file is None:
        raise StoreError(f"The local store {path} was removed while it was opened.", next_step="Try again.")
    try:
        with named_failures(path):
            _bring_up_to_date(file.connection, path, now)
            sealed, unsealed = _unsealed(file.connection, path, unlock, made)
            if file.log_was_left:
                store_file.require_log_under(unsealed, file.connection, path, store_file.log_of(path))
            file.connection.execute("SELECT row FROM keys LIMIT 1").fetchone()
        file.watch()
        store = Store(file, unsealed, sealed, sources)
        end_change(store)
    except BaseException:
        file.close()
        raise
    return store


def open_beside(store: Store, *, clock: Clock, ids: Ids, material: MaterialSource) -> Store:
    """A new, empty store in memory with the root key of another, to which its rows can be moved."""
    return Store(_in_memory(to_millis(clock())), store.root_key, None, Sources(clock, ids, material))


def _in_memory(now: int) -> StoreFile:
    memory = StoreFile(None)
    memory.connection.execute("BEGIN")
    _create_tables(memory.connection, now)
    memory.connection.execute("COMMIT")
    return memory


def _recovered(path: Path) -> StoreFile | None:
    """The file of a store, as SQLite recovers it; None where there is none, or one never finished."""
    if not store_file.store_exists(path):
        return None
    file = StoreFile(path)
    try:
        with named_failures(path):
            if _has_tables(file.connection):
                return file
    except BaseException:
        file.close()
        raise
    file.close()
    return None


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is not None


def _make(path: Path, now: int, unlock: Unlock | None) -> tuple[SealedRootKey, RootKey] | None:
    """Make the file, its tables and its root key; None where another program was quicker."""
    passphrase = unlock(True) if unlock else None
    root_key = RootKey(new_root_key())
    sealed = root_key.under_passphrase(passphrase) if passphrase else None
    try:
        make_folder(path.parent, PRIVATE_FOLDER)
        is_new = store_file.make_empty_file(path)
    except OSError as error:
        raise StoreError(f"The local store {path} cannot be made: {error.strerror}.") from error
    file = StoreFile(path)
    connection = file.connection
    try:
        with named_failures(path):
            connection.execute("BEGIN IMMEDIATE")
            if _has_tables(connection) or not file.is_named():
                return None
            with _leaving_nothing(path, connection, is_new):
                # Before the switch to WAL, so that the mark of ours is in the file itself from its first
                # commit; and before the key file, so that a journal tells that a store is being made.
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                _create_tables(connection, now)
                sealed = sealed or root_key.under_key(read_or_make_key_file(path))
                connection.execute(
                    "INSERT INTO root_key VALUES (1, ?, ?, ?)",
                    (sealed.protection, sealed.parameters, sealed.sealed),
                )
                connection.execute("COMMIT")
    finally:
        file.close()
    return sealed, root_key


@contextmanager
def _leaving_nothing(path: Path, connection: sqlite3.Connection, is_new: bool) -> Iterator[None]:
    """Have a failure leave neither a key file nor, where it was not there before, an empty file.

    Both go under SQLite's lock for writing: nobody else is making this store.
    """
    had_key_file = key_file_of(path).exists()
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error, OSError):
            if not connection.in_transaction:
                connection.execute("BEGIN IMMEDIATE")
            if not had_key_file:
                key_file_of(path).unlink(missing_ok=True)
            if is_new:
                path.unlink()
        raise


def _bring_up_to_date(connection: sqlite3.Connection, path: Path, now: int) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise store_file.not_ours(path)
    _require_known(path, _version(connection))
    _use_log(connection)
    if _version(connection) < len(MIGRATIONS):
        connection.execute("BEGIN IMMEDIATE")
        _require_known(path, _version(connection))
        _create_tables(connection, now)
        connection.execute("COMMIT")


def _use_log(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log. Where several open a new store at once, SQLite itself waits for nobody."""
    deadline = time.monotonic() + store_file.BUSY_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(_BETWEEN_TRIES)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _require_known(path: Path, version: int) -> None:
    if version > len(MIGRATIONS):
        raise StoreError(
            f"The local store {path} was made by a newer kms-tui (schema {version}, this one knows "
            f"{len(MIGRATIONS)}); it was left as it is.",
            next_step="Upgrade kms-tui.",
        )


def _create_tables(connection: sqlite3.Connection, now: int) -> None:
    """Have a store see every migration that it has not seen."""
    for number, migration in enumerate(MIGRATIONS[_version(connection) :], _version(connection) + 1):
        for statement in migration.split(";\n"):
            connection.execute(statement)
        connection.execute("INSERT INTO migrations VALUES (?, ?)", (number, now))
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _unsealed(
    connection: sqlite3.Connection,
    path: Path,
    unlock: Unlock | None,
    made: tuple[SealedRootKey, RootKey] | None,
) -> tuple[SealedRootKey, RootKey]:
    """The root key, sealed and bare; what guards it may change while somebody is asked for a passphrase."""
    while True:
        sealed = sealed_root_key(connection.execute(ROOT_KEY).fetchall(), path)
        try:
            found = made if made and made[0] == sealed else (sealed, RootKey(unseal(sealed, path, unlock)))
        except StoreError:
            if sealed == sealed_root_key(connection.execute(ROOT_KEY).fetchall(), path):
                raise
        else:
            if sealed == sealed_root_key(connection.execute(ROOT_KEY).fetchall(), path):
                return found


def open_existing(path: Path, unlock: Unlock) -> Store:
    """Open a store that is there already. Raises StoreError."""
    return open_store(path, unlock=unlock, make=False)
