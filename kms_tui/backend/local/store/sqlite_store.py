"""The embedded store: one SQLite file in WAL mode that several processes may share, or one in memory."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, Self, TypeVar

from kms_tui.backend.local.store.call_records import CallRecord, write_records
from kms_tui.backend.local.store.root_key import Protection, RootKey, SealedRootKey, sealed_root_key
from kms_tui.backend.local.store.sources import Sources, to_millis
from kms_tui.backend.local.store.store_file import SQLITE_FAILURES, StoreFile, failure, named_failures
from kms_tui.kms.errors import StoreError

ROOT_KEY = "SELECT protection, parameters, sealed FROM root_key"
_REMEMBERED = 1024
"""Rows that a ``Store`` remembers."""

T = TypeVar("T")
Row = tuple[Any, ...]


class Store:
    """An open store: SQL under one lock, the root key, and the sources of time, ids and key material.

    Every method is safe to call from several threads. Failures of the file raise StoreError.
    """

    def __init__(
        self, file: StoreFile, root_key: RootKey, sealed: SealedRootKey | None, sources: Sources
    ) -> None:
        self.path = file.path
        self.root_key = root_key
        self.ids = sources.ids
        self.material = sources.material
        self.transition_millis = sources.transition_millis
        self.clock = sources.clock
        self.generation = 0
        """How often the whole content was replaced."""
        self._file = file
        self._connection = file.connection
        self._sealed = sealed
        self._lock = threading.RLock()
        self._in_transaction = False
        self._durable: bool | None = None
        self._remembered: dict[tuple[str, tuple[Any, ...]], Any] = {}
        self._version = 0
        self._group: list[CallRecord] | None = None
        if file.path is None:
            # Python 3.13 warns of a connection that nobody closed; a store in memory needs no other care.
            weakref.finalize(self, file.connection.close)

    @property
    def protection(self) -> Protection:
        """What guarded the root key when the store was opened, or changed from here."""
        return self._sealed.protection if self._sealed else Protection.MEMORY

    def now(self) -> int:
        """The injected clock's present moment, in milliseconds."""
        return to_millis(self.clock())

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        try:
            with self._lock:
                return self._connection.execute(sql, parameters).fetchall()
        except SQLITE_FAILURES as error:
            raise failure(self.path, error) from error

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        try:
            with self._lock:
                row: Row | None = self._connection.execute(sql, parameters).fetchone()
        except SQLITE_FAILURES as error:
            raise failure(self.path, error) from error
        return row

    def remembered(self, make: Callable[[Row], T], sql: str, parameters: tuple[Any, ...] = ()) -> T | None:
        """What ``make`` makes of one row, as it was at the last ``notice_changes`` or later.

        It is read once, until somebody writes to the store; within a transaction it is read anew. Not for
        what ``record`` writes.
        """
        asked = (sql, parameters)
        with self._lock:
            if asked in self._remembered and not self._in_transaction:
                found: T | None = self._remembered[asked]
                return found
            row = self.one(sql, parameters)
            found = None if row is None else make(row)
            if not self._in_transaction:
                if len(self._remembered) >= _REMEMBERED:
                    self._remembered.clear()
                self._remembered[asked] = found
            return found

    def notice_changes(self) -> None:
        """Forget what is remembered if another connection has written to the store."""
        if self.path is None:
            return
        with self._lock:
            if self._group is not None:
                return
            version = self.one("PRAGMA data_version")
            if version and version[0] != self._version:
                self._version = version[0]
                self._remembered.clear()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction, all or nothing; within another one of this thread it is a part of that.

        It is on the disk when this returns, and outlives a loss of power. StoreError, too, where the file is
        no longer the one under its name: before anything is written, and before what was written counts as
        done.
        """
        with self._lock:
            if self._in_transaction:
                yield self._connection
                return
            try:
                with self._transaction(durable=True):
                    yield self._connection
            finally:
                self._remembered.clear()

    def record(self, record: CallRecord) -> None:
        """Write the record of a call: now, or at the end of the group that the call belongs to.

        It outlives the process, and may be lost with the machine.
        """
        with self._lock:
            if self._group is None:
                self._write_records([record])
            else:
                self._group.append(record)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Have the calls that this thread makes within recorded in one transaction, at the end.

        StoreError at the end means that none of them counts as made. Meanwhile other threads wait, so that
        this is for calls that take no time.
        """
        with self._lock:
            self.notice_changes()
            self._group = []
            try:
                yield
                if self._group:
                    self._write_records(self._group)
            finally:
                self._group = None

    def _write_records(self, records: Sequence[CallRecord]) -> None:
        with self._transaction(durable=False):
            write_records(self._connection, records)

    @contextmanager
    def _transaction(self, *, durable: bool) -> Iterator[None]:
        """Commit at the end, or take all back; the lock is held."""
        try:
            self._begin(durable)
            yield
            self._connection.execute("COMMIT")
            self._file.require_in_place()
        except BaseException as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if isinstance(error, SQLITE_FAILURES):
                raise failure(self.path, error) from error
            raise
        finally:
            self._in_transaction = False

    def _begin(self, durable: bool) -> None:
        if durable is not self._durable:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable
        self._file.require_in_place()
        self._connection.execute("BEGIN IMMEDIATE")
        self._file.require_in_place()
        self._in_transaction = True

    def copy_into(self, target: sqlite3.Connection) -> None:
        """Copy the whole store as it is at one moment; others go on using it meanwhile."""
        with self._lock, named_failures(self.path):
            self._connection.backup(target)

    def content(self) -> bytes:
        """All that a store in memory holds, at one moment; ValueError for one on the disk."""
        self._require_in_memory()
        with self._lock, named_failures(self.path):
            return self._connection.serialize()

    def replace_content(self, content: bytes) -> None:
        """Put what another store in memory held in the place of all that is here."""
        self._require_in_memory()
        with closing(sqlite3.connect(":memory:")) as source, self._lock, named_failures(self.path):
            # Not into the store's own connection: its statements would take the new pages for the old.
            source.deserialize(content)
            source.backup(self._connection)
            self._remembered.clear()
            self.generation += 1

    def _require_in_memory(self) -> None:
        if self.path is not None:
            raise ValueError("only a store in memory has states to go back to")

    def protect(self, seal: Callable[[SealedRootKey], SealedRootKey]) -> None:
        """Replace what guards the root key, in one transaction; the root key stays the same.

        ``seal`` makes it of what guards the root key now; nobody else can write to the store meanwhile.
        StoreError, and nothing changed, where another program was quicker.
        """
        if self.path is None:
            raise ValueError("a store in memory has no guard")
        with self._lock, named_failures(self.path):
            self._connection.execute("PRAGMA secure_delete = ON")
            with self.write() as db:
                present = sealed_root_key(db.execute(ROOT_KEY).fetchall(), self.path)
                if present != self._sealed:
                    raise StoreError(
                        f"What protects the store {self.path} was changed by another program meanwhile; "
                        "nothing was changed from here.",
                        next_step="Open it again, by what protects it now.",
                    )
                sealed = seal(present)
                db.execute(
                    "UPDATE root_key SET protection = ?, parameters = ?, sealed = ?",
                    (sealed.protection, sealed.parameters, sealed.sealed),
                )
            self._sealed = sealed

    @property
    def former_key_file(self) -> str | None:
        """The digest of a key file that opens nothing any more and is to be removed, if there is one."""
        return self._sealed.former_key_file if self._sealed else None

    def empty_log(self) -> None:
        """Have the log written into the store and emptied, as far as others who read it let that happen."""
        with self._lock, named_failures(self.path):
            self._file.require_in_place()
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
