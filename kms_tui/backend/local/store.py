"""The embedded store: one SQLite file in WAL mode that several processes may share, or one in memory."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from kms_tui.backend.local import rootkey
from kms_tui.backend.local.clock import Clock, to_millis, utc_now
from kms_tui.backend.local.ids import Ids, RandomIds
from kms_tui.backend.local.material import MaterialSource, RandomMaterial
from kms_tui.backend.local.rootkey import Protection, RootKey, SealedRootKey, Unlock
from kms_tui.backend.local.schema import APPLICATION_ID, MIGRATIONS
from kms_tui.kms.errors import StoreError

_BUSY_SECONDS = 15
_CHECKPOINT_PAGES = 4000
"""How far the write-ahead log grows (16 MiB): most of its pages are written again and again."""
_HEADER_SIZE = 100
_MAGIC = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Sources:
    """What a store does not make up by itself: time, ids, and material.

    ``transition_millis`` is how long the transient key states Creating and Updating last.
    """

    clock: Clock = utc_now
    ids: Ids = field(default_factory=RandomIds)
    material: MaterialSource = field(default_factory=RandomMaterial)
    transition_millis: int = 0


class Store:
    """An open store: SQL under one lock, the root key, and the sources of time, ids and key material.

    Every method is safe to call from several threads. Failures of the file raise StoreError.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path | None,
        root_key: RootKey,
        protection: Protection,
        sources: Sources,
    ) -> None:
        self.path = path
        self.root_key = root_key
        self.protection = protection
        self.ids = sources.ids
        self.material = sources.material
        self.transition_millis = sources.transition_millis
        self._clock = sources.clock
        self._connection = connection
        self._lock = threading.RLock()
        self._in_transaction = False
        self._durable: bool | None = None

    def now(self) -> int:
        """The injected clock's present moment, in milliseconds."""
        return to_millis(self._clock())

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise _failure(self.path, error) from error

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        try:
            with self._lock:
                row: tuple[Any, ...] | None = self._connection.execute(sql, parameters).fetchone()
        except sqlite3.Error as error:
            raise _failure(self.path, error) from error
        return row

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """One transaction, all or nothing; within another one of this thread, a part of that.

        ``durable`` ones are on the disk when this returns and outlive a loss of power; the others outlive
        the process, and may be lost with the machine.
        """
        with self._lock:
            if self._in_transaction:
                yield self._connection
                return
            try:
                self._begin(durable)
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise _failure(self.path, error) from error
                raise
            finally:
                self._in_transaction = False

    def _begin(self, durable: bool) -> None:
        if durable is not self._durable:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable
        self._connection.execute("BEGIN IMMEDIATE")
        self._in_transaction = True

    def copy_into(self, target: sqlite3.Connection) -> None:
        """Copy the whole store as it is at one moment; others go on using it meanwhile."""
        with self._lock, _named_failures(self.path):
            self._connection.backup(target)

    def protect(self, sealed: SealedRootKey) -> None:
        """Replace what guards the root key, and leave no trace of what did; the root key stays the same."""
        with self._lock, _named_failures(self.path):
            self._connection.execute("PRAGMA secure_delete = ON")
            with self.write() as db:
                db.execute(
                    "UPDATE root_key SET protection = ?, parameters = ?, sealed = ?",
                    (sealed.protection, sealed.parameters, sealed.sealed),
                )
            self.protection = sealed.protection
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


@contextmanager
def _named_failures(path: Path | None) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _failure(path, error) from error


def _failure(path: Path | None, error: sqlite3.Error) -> StoreError:
    return StoreError(
        f"The local store {path or 'in memory'} failed: {error}.",
        next_step="If another program holds it, try again; if it is damaged, restore a backup.",
    )


def open_store(
    path: str | Path | None = None,
    *,
    clock: Clock = utc_now,
    ids: Ids | None = None,
    material: MaterialSource | None = None,
    unlock: Unlock | None = None,
    transition_millis: int = 0,
    root_key: bytes | None = None,
) -> Store:
    """Open the store at ``path``, making it (mode 0600) where there is none; None: a new one in memory.

    ``unlock(True)`` gives the passphrase of a new store or None for a key file, ``unlock(False)`` that of an
    existing one; without it a new store gets a key file. ``transition_millis`` is how long the transient
    states Creating and Updating last; ``root_key`` is that of a store in memory which must repeat itself. A
    file that is not ours, damaged, of a newer version, or that cannot be unlocked raises StoreError and is
    left as it was.
    """
    sources = Sources(clock, ids or RandomIds(), material or RandomMaterial(), transition_millis)
    if path is None:
        connection = _connect(":memory:")
        _create_tables(connection, to_millis(clock()), None)
        root = RootKey(root_key or rootkey.new_root_key())
        return Store(connection, None, root, Protection.MEMORY, sources)
    path = Path(path).expanduser()
    made = None if _is_ours(path) else _create(path, to_millis(clock()), unlock)
    connection = _connect(str(path))
    try:
        with _named_failures(path):
            _migrate(connection, path, to_millis(clock()))
            protection, parameters, sealed = connection.execute(
                "SELECT protection, parameters, sealed FROM root_key"
            ).fetchone()
            connection.execute("SELECT row FROM keys LIMIT 1").fetchone()
        sealed_key = SealedRootKey(Protection(protection), parameters, sealed)
        if made and made[0] == sealed_key:
            unsealed = RootKey(made[1])
        else:
            unsealed = RootKey(rootkey.unseal(sealed_key, path, unlock))
    except BaseException:
        connection.close()
        raise
    return Store(connection, path, unsealed, sealed_key.protection, sources)


def _connect(name: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            name,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    except sqlite3.Error as error:
        raise StoreError(f"The local store {name} cannot be opened: {error}.") from error
    return connection


def _is_ours(path: Path) -> bool:
    """Whether a store is there, judged by its bytes alone; an empty file is one that was never finished."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_SIZE)
        size = path.stat().st_size
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"The local store {path} cannot be read: {error.strerror}.") from error
    if not header:
        return False
    if len(header) < _HEADER_SIZE or not header.startswith(_MAGIC) or _number(header, 68) != APPLICATION_ID:
        raise StoreError(
            f"{path} is not a kms-tui store; it was left as it is.", next_step="Choose another --store PATH."
        )
    _refuse_newer(path, _number(header, 60))
    page_size = int.from_bytes(header[16:18], "big")
    if size < _number(header, 28) * (65536 if page_size == 1 else page_size):
        raise StoreError(f"The local store {path} is cut short.", next_step="Restore it from a backup.")
    return True


def _number(header: bytes, offset: int) -> int:
    return int.from_bytes(header[offset : offset + 4], "big")


def _refuse_newer(path: Path, version: int) -> None:
    if version > len(MIGRATIONS):
        raise StoreError(
            f"The local store {path} was made by a newer kms-tui (schema {version}, this one knows "
            f"{len(MIGRATIONS)}); it was left as it is.",
            next_step="Upgrade kms-tui.",
        )


def _create(path: Path, now: int, unlock: Unlock | None) -> tuple[SealedRootKey, bytes]:
    """Make the file, its tables and its root key (sealed, and bare); a quicker process has its own way."""
    passphrase = unlock(True) if unlock else None
    root_key = rootkey.new_root_key()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        sealed = rootkey.seal(root_key, path, passphrase)
    except OSError as error:
        raise StoreError(f"The local store {path} cannot be made: {error.strerror}.") from error
    connection = _connect(str(path))
    try:
        with _named_failures(path):
            _create_tables(connection, now, sealed)
            connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    return sealed, root_key


def _create_tables(connection: sqlite3.Connection, now: int, sealed: SealedRootKey | None) -> None:
    # Before the switch to WAL, so that the mark of ours is in the file itself from its first commit on.
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        _apply(connection, 0, now)
        if sealed is not None:
            connection.execute(
                "INSERT INTO root_key VALUES (1, ?, ?, ?)",
                (sealed.protection, sealed.parameters, sealed.sealed),
            )
    connection.execute("COMMIT")


def _migrate(connection: sqlite3.Connection, path: Path, now: int) -> None:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    _refuse_newer(path, version)
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL")
    if version < len(MIGRATIONS):
        connection.execute("BEGIN IMMEDIATE")
        _apply(connection, connection.execute("PRAGMA user_version").fetchone()[0], now)
        connection.execute("COMMIT")


def _apply(connection: sqlite3.Connection, version: int, now: int) -> None:
    for number, migration in enumerate(MIGRATIONS[version:], version + 1):
        for statement in migration.split(";\n"):
            connection.execute(statement)
        connection.execute("INSERT INTO migrations VALUES (?, ?)", (number, now))
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
