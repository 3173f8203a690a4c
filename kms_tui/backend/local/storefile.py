"""The file of a store: whether it is ours, whether it is still the one under its name, what a failure means.

Nothing here judges bytes that SQLite may still roll back or forward. Two things no recovery changes, since a
store has them from its first commit on: the magic of SQLite, and our application id.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kms_tui.backend.local.schema import APPLICATION_ID
from kms_tui.kms.errors import StoreError

KEEP = (
    "Copy the store, with its -wal and .key files if there are any, to a safe place before anything else. "
    "Then look at a backup under a name of its own: --store BACKUP."
)
"""The next step where a store is damaged: a backup put over it would take what is newer."""
BUSY_SECONDS = 15
"""How long another program that holds the store is waited for."""
_CHECKPOINT_PAGES = 4000
"""How far the write-ahead log grows (16 MiB): most of its pages are written again and again."""
_HEADER_SIZE = 100
_MAGIC = b"SQLite format 3\0"
_MODE = 0o600
_OTHERS = 0o077

Identity = tuple[int, int]
"""Device and inode."""

_LOCK = threading.Lock()
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


def is_there(path: Path) -> bool:
    """Whether a store is there; an empty file is one that was never finished.

    StoreError for any other file, which is left as it is, and where only the log of a store is left: SQLite
    would delete that.
    """
    log = log_of(path)
    # Looked at first, since a log never comes before its store.
    has_log = log.exists() and log.stat().st_size > 0
    try:
        with _LOCK:
            header = _header(path)
    except OSError as error:
        raise StoreError(f"The local store {path} cannot be read: {error.strerror}.") from error
    if header == b"" and has_log:
        raise StoreError(
            f"There is no store at {path}, yet its log {log} is there and may hold keys.",
            next_step="Put the store back beside its log, or move the log to a safe place to begin anew.",
        )
    if header and not _is_ours(header):
        raise not_ours(path)
    return header != b""


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


def not_ours(path: Path) -> StoreError:
    return StoreError(
        f"{path} is not a kms-tui store; it was left as it is.", next_step="Choose another --store PATH."
    )


def make_empty(path: Path) -> None:
    """Make the file that a store will be in, for its owner alone; one that is there, empty, is made so.

    Raises OSError.
    """
    with _LOCK:
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE))
        except FileExistsError:
            if path.stat().st_mode & _OTHERS:
                path.chmod(_MODE)


class StoreFile:
    """A connection to the file of a store, or to a store in memory (None)."""

    def __init__(self, path: Path | None) -> None:
        """Connect. Raises StoreError."""
        self.path = path
        self._watched: dict[str, Identity] = {}
        with _LOCK:
            self.connection = _connect(":memory:" if path is None else str(path.absolute()))
            self._identity = None if path is None else _identity(str(path))
            if self._identity is not None:
                _connected[self._identity] += 1

    def watch(self) -> None:
        """Note which file and which log SQLite writes to, once it has opened both."""
        if self.path is not None:
            names = (str(self.path), str(log_of(self.path)))
            self._watched = {name: found for name in names if (found := _identity(name)) is not None}

    def require_in_place(self) -> None:
        """StoreError where the file or its log has lost its name: what is written there is lost."""
        for name, identity in self._watched.items():
            if _identity(name) != identity:
                raise StoreError(
                    f"The local store {self.path} is in use, but {name} was deleted, moved or replaced: "
                    "nothing more is written.",
                    next_step="Put it back under its name; or end this program and open the store again.",
                )

    def close(self) -> None:
        with _LOCK:
            self.connection.close()
            if self._identity is not None:
                _connected[self._identity] -= 1
                self._identity = None


def _identity(name: str) -> Identity | None:
    try:
        found = os.stat(name)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _connect(name: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            name,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
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
        f"The local store {path or 'in memory'} failed: {error}.",
        next_step=_NEXT_STEPS.get(code, "Run `kms-tui store verify`, which says what is wrong with it."),
    )
