"""The file of a store and its log: are they ours, still those under their names, and what a failure means.

Nothing here judges bytes that SQLite may still roll back or forward. Two things no recovery changes, since a
store has them from its first commit on: the magic of SQLite, and our application id.

SQLite takes whatever write-ahead log lies beside a file for that file's: an older copy that was put over the
store, or a log of another store, would be mixed with it and the log deleted. So a log is judged before SQLite
takes it in. A connection that can only read sees the same mixture and changes neither.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import stat
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from kms_tui.backend.local.store.root_key import RootKey, key_file_of
from kms_tui.backend.local.store.schema import APPLICATION_ID, KEEP, VERIFY
from kms_tui.kms.errors import StoreError

BUSY_SECONDS = 15
"""How long another program that holds the store is waited for."""
_CHECKPOINT_PAGES = 4000
"""How far the write-ahead log grows (16 MiB): most of its pages are written again and again."""
_HEADER_SIZE = 100
_MAGIC = b"SQLite format 3\0"
_LOGGED = b"\2\2"
"""Where SQLite marks a file as one with a write-ahead log (bytes 18 and 19)."""
_MODE = 0o600
_OTHERS = 0o077

Identity = tuple[int, int]
"""Device and inode."""

_LOCK = threading.RLock()
"""Entered again where a store that nobody closed is collected within."""
_descriptors: dict[Identity, int] = {}
"""A descriptor of each file in ``_connected``, to look at its content; closed after the last connection."""
_connected: Counter[Identity] = Counter()
"""The files that this process has connections to. To close any other descriptor of such a file would drop the
locks that SQLite holds on it (POSIX advisory locks), and another process could then take its log away.
"""

_NEXT_STEPS: dict[int, str] = {
    sqlite3.SQLITE_BUSY: "Another program holds it: try again when that is done.",
    sqlite3.SQLITE_LOCKED: "Another program holds it: try again when that is done.",
    sqlite3.SQLITE_FULL: "Make room on the disk and try again; what was acknowledged before is kept.",
    sqlite3.SQLITE_READONLY: "Let yourself write the store and its folder, then try again.",
    sqlite3.SQLITE_CANTOPEN: "Let yourself write the store and its folder, then try again.",
    sqlite3.SQLITE_IOERR: "Look at the disk and the room on it, then try again.",
    sqlite3.SQLITE_CORRUPT: KEEP,
    sqlite3.SQLITE_NOTADB: KEEP,
}
"""SQLite's primary result code -> what to do, none of which can lose a key."""

SQLITE_FAILURES = (sqlite3.Error, UnicodeDecodeError)
"""What Python's sqlite3 raises; the second where SQLite's own message quotes a damaged name."""


def log_of(path: Path) -> Path:
    """The write-ahead log, which SQLite keeps beside the file that a link leads to."""
    return Path(os.path.realpath(path) + "-wal")


def store_exists(path: Path) -> bool:
    """Whether a store is there; an empty file is one that was never finished.

    StoreError for any other file, which is left as it is, and where only the log or the key file of a store
    is left beside an empty file: SQLite would delete the one, and a new store would take the other.
    """
    log, key_file = log_of(path), key_file_of(path)
    # Looked at before the store, as none of them is there before it. While a store is made, its journal is
    # there before its key file, and until the store is there.
    try:
        has_log = _has_content(log)
        left = [file for file in (log, key_file) if file.exists()]
        is_being_made = Path(os.path.realpath(path) + "-journal").exists()
        with _LOCK:
            header = _header(path)
            is_empty = header == b"" and path.exists()
    except OSError as error:
        raise StoreError(f"The local store {path} cannot be read: {error.strerror}.") from error
    if header == b"" and has_log:
        raise StoreError(
            f"There is no store at {path}, yet its log {log} is there and may hold keys.",
            next_step="Put the store back beside its log, or move the log to a safe place to begin anew.",
        )
    if is_empty and left and not is_being_made:
        raise StoreError(
            f"There is no store at {path}: the file is empty, yet {' and '.join(map(str, left))} beside it "
            "tells that a store was there. Nothing was changed.",
            next_step="Move these files to a safe place. Then restore a backup, with its key file, under its "
            "own name: --store BACKUP.",
        )
    if header and not _is_ours(header):
        raise not_ours(path)
    if header and has_log and not _is_logged(header):
        raise foreign_log(path, log, "a store that has a log is marked so, and this one is not")
    return header != b""


def require_store(path: Path) -> None:
    """StoreError where no store is there; one is not made."""
    if not store_exists(path):
        raise no_store(path)


def no_store(path: Path) -> StoreError:
    reason = ": the file is empty" if path.exists() else ""
    return StoreError(f"There is no store at {path}{reason}.", next_step="Name another with --store PATH.")


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _header(path: Path) -> bytes | None:
    """The first bytes of a file, none where there is none; None for one that this process knows for ours."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return b""
    if not stat.S_ISREG(found.st_mode):
        raise not_ours(path)
    if _connected[found.st_dev, found.st_ino]:
        return None
    with path.open("rb") as file:
        return file.read(_HEADER_SIZE)


def _is_ours(header: bytes) -> bool:
    application = int.from_bytes(header[68:72], "big")
    return len(header) == _HEADER_SIZE and header.startswith(_MAGIC) and application == APPLICATION_ID


def _is_logged(header: bytes) -> bool:
    """Whether a store has had a log; it is marked so before its first log is made. A backup has had none."""
    return header[18:20] == _LOGGED


def not_ours(path: Path) -> StoreError:
    return StoreError(
        f"{path} is not a kms-tui store; it was left as it is.", next_step="Choose another --store PATH."
    )


def make_empty_file(path: Path) -> bool:
    """Make the file that a store will be in, for its owner alone; one that is there, empty, is made so.

    Whether there was none. Raises OSError.
    """
    with _LOCK:
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE))
        except FileExistsError:
            if path.stat().st_mode & _OTHERS:
                path.chmod(_MODE)
            return False
    return True


class StoreFile:
    """A connection to the file of a store, or to a store in memory (None).

    Beside it lies one that can only read. Whichever of the two is closed last decides about the log: SQLite
    writes it into the store and deletes it at the end of the last connection, unless that can only read.
    """

    def __init__(self, path: Path | None) -> None:
        """Connect. StoreError, and nothing was changed, where the log beside the file is not its own."""
        self.path = path
        self._is_closed = True
        self._watched: dict[str, Identity] = {}
        self.log_was_left = False
        self._size = 0
        self._identity: Identity | None = None
        self._reader: sqlite3.Connection | None = None
        if path is None:
            self.connection = _connect(":memory:")
            self._is_closed = False
            return
        with _LOCK:
            self._reader = _reader(path)
            try:
                if _has_content(log_of(path)):
                    self._judge_log(path, self._reader)
                self.connection = _connect(str(path.absolute()))
                self._identity = _hold(path)
                self._is_closed = False
            except BaseException:
                self._reader.close()
                raise

    def _judge_log(self, path: Path, reader: sqlite3.Connection) -> None:
        """Judge a log that was left behind; one in use was judged when its first user came."""
        log = log_of(path)
        self.log_was_left = not (_connected[_identity(str(path)) or (0, 0)] or is_log_in_use(log))
        with named_failures(path):
            if self.log_was_left:
                require_own_log(reader, path, log)
            else:
                hold_log(reader)

    def watch(self) -> None:
        """Note which file and which log SQLite writes to, once it has opened both."""
        if self.path is not None and self._reader is not None:
            with named_failures(self.path):
                hold_log(self._reader)
            names = (str(self.path), str(log_of(self.path)))
            self._watched = {name: found for name in names if (found := _identity(name)) is not None}

    def require_in_place(self) -> None:
        """StoreError where the file or its log has lost its name, or the file its content: what is written
        there is lost.
        """
        change = self._change()
        if change:
            raise StoreError(
                f"The local store {self.path} is in use, but {change}: nothing more is written.",
                next_step="Put it back under its name; or end this program and open the store again.",
            )

    def is_named(self) -> bool:
        """Whether the file is still the one under its name."""
        return self._identity is not None and _identity(str(self.path)) == self._identity

    def _change(self) -> str:
        """What another program did to the files in use, or ""."""
        for name, identity in self._watched.items():
            if _identity(name) != identity:
                return f"{name} was deleted, moved or replaced"
        if self._watched and self._identity is not None:
            descriptor = _descriptors[self._identity]
            header, size = os.pread(descriptor, _HEADER_SIZE, 0), os.fstat(descriptor).st_size
            # A store never shrinks: the room of what is deleted is used again.
            if size < self._size or not (_is_ours(header) and _is_logged(header)):
                return f"{self.path} was cut short or overwritten"
            self._size = size
        return ""

    def close(self) -> None:
        """Close; the log stays where the store was never opened in full, or is not in place any more."""
        with _LOCK:
            if self._is_closed:
                return
            self._is_closed = True
            keep_log = not self._watched or bool(self._change())
            connections = (self.connection, self._reader) if keep_log else (self._reader, self.connection)
            for connection in connections:
                if connection is not None:
                    connection.close()
            if self._identity is not None:
                _release(self._identity)
                self._identity, self._watched = None, {}

    def __del__(self) -> None:
        self.close()


def _hold(path: Path) -> Identity | None:
    """Count a connection to a file, and keep a descriptor of it."""
    identity = _identity(str(path))
    if identity is not None:
        if identity not in _descriptors:
            _descriptors[identity] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        _connected[identity] += 1
    return identity


def _release(identity: Identity) -> None:
    _connected[identity] -= 1
    if not _connected[identity]:
        del _connected[identity]
        os.close(_descriptors.pop(identity))


def _reader(path: Path) -> sqlite3.Connection:
    """A connection that changes neither the file nor its log. Nothing is read before it is asked to."""
    try:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise StoreError(f"The local store {path} cannot be opened: {error}.") from error


def _identity(name: str) -> Identity | None:
    try:
        found = os.stat(name)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _connect(name: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            name, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    except sqlite3.Error as error:
        raise StoreError(f"The local store {name} cannot be opened: {error}.") from error
    return connection


@contextmanager
def named_failures(path: Path | None) -> Iterator[None]:
    """Turn SQLite's errors into StoreErrors that name the store, and what to do."""
    try:
        yield
    except SQLITE_FAILURES as error:
        raise failure(path, error) from error


def failure(path: Path | None, error: sqlite3.Error | UnicodeDecodeError) -> StoreError:
    if isinstance(error, UnicodeDecodeError):
        return StoreError(
            f"The local store {path or 'in memory'} is damaged: names in it are no text.", next_step=KEEP
        )
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return StoreError(
        f"The local store {path or 'in memory'} failed: {error}.", next_step=_NEXT_STEPS.get(code, VERIFY)
    )


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


def foreign_log(path: Path, log: Path, reason: str) -> StoreError:
    return StoreError(
        f"The log {log} is not that of the store {path}, or one of them is damaged: {reason}. Both were left "
        "as they are.",
        next_step="Copy both to a safe place. Then put back the store that the log was written for; or move "
        "the log away, and the store opens without the changes that are only in the log.",
    )


def is_log_in_use(log: Path) -> bool:
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


def hold_log(reader: sqlite3.Connection) -> None:
    """Have a connection that can only read open the log: as long as it is open, nobody deletes the log."""
    reader.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()


def require_own_log(reader: sqlite3.Connection, path: Path, log: Path) -> None:
    """StoreError where the store and its log make no whole together. Takes as long as reading all of it."""
    try:
        (verdict,) = reader.execute("PRAGMA integrity_check(1)").fetchone()
        (application,) = reader.execute("PRAGMA application_id").fetchone()
        together = reader.execute(_MADE_AT).fetchall()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF in _NO_WHOLE:
            raise foreign_log(path, log, str(error)) from error
        raise
    if verdict != "ok":
        raise foreign_log(path, log, str(verdict))
    if application != APPLICATION_ID or together != (_alone(path, _MADE_AT) or together):
        raise foreign_log(path, log, "the log is of another store")


def require_log_under(root_key: RootKey, connection: sqlite3.Connection, path: Path, log: Path) -> None:
    """StoreError where key material comes from the log that the root key does not unwrap."""
    foreign = []
    for key_id, material_id, wrapped in connection.execute(_MATERIALS):
        try:
            root_key.unwrap(key_id, material_id, wrapped)
        except StoreError:
            foreign.append((key_id, material_id, wrapped))
    if foreign and not set(foreign) <= set(_alone(path, _MATERIALS)):
        raise foreign_log(path, log, "key material in the log is of another store")


def _alone(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """What a store says without its log; nothing where it cannot be read without that."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as alone:
            return alone.execute(sql).fetchall()
    except (sqlite3.Error, UnicodeDecodeError):
        return []
