"""Looking after a store: what is in it, another passphrase, and a copy of it while it is in use."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kms_tui.atomic import AlreadyThereError, atomic_file, file_errors
from kms_tui.backend.local.clock import to_datetime
from kms_tui.backend.local.rootkey import Protection, Unlock, key_file_of
from kms_tui.backend.local.store import Store, open_store
from kms_tui.kms.errors import StoreError


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """A store in figures; ``size`` in bytes, with its write-ahead log."""

    path: Path
    version: int
    protection: Protection
    size: int
    places: Mapping[tuple[str, str], int]
    """(account, Region) -> keys."""
    states: Mapping[str, int]
    """Key state as stored -> keys."""
    events: int
    oldest_event: datetime | None


def open_existing(path: Path, unlock: Unlock) -> Store:
    """Open a store that is there already. Raises StoreError."""
    path = path.expanduser()
    if not path.exists():
        raise StoreError(f"There is no store at {path}.", next_step="Name another with --store PATH.")
    return open_store(path, unlock=unlock)


def info(store: Store) -> StoreInfo:
    path = _path_of(store)
    (version,) = store.one("PRAGMA user_version") or (0,)
    events, oldest = store.one("SELECT count(*), min(at) FROM events") or (0, None)
    log = path.with_name(path.name + "-wal")
    places = store.rows("SELECT account, region, count(*) FROM keys GROUP BY 1, 2 ORDER BY 1, 2")
    states = store.rows("SELECT state, count(*) FROM keys GROUP BY 1 ORDER BY 1")
    return StoreInfo(
        path=path,
        version=version,
        protection=store.protection,
        size=sum(file.stat().st_size for file in (path, log) if file.exists()),
        places={(account, region): count for account, region, count in places},
        states={row[0]: row[1] for row in states},
        events=events,
        oldest_event=None if oldest is None else to_datetime(oldest),
    )


def change_protection(store: Store, passphrase: str | None) -> None:
    """Guard the store by another passphrase, or by a key file beside it (None). Raises StoreError.

    Either the old guard opens the store or the new one, whatever happens on the way.
    """
    path = _path_of(store)
    key_file = key_file_of(path)
    if passphrase is None and store.protection is Protection.KEY_FILE:
        raise StoreError(f"The store {path} has no passphrase.")
    with file_errors(key_file, "replaced"):
        if passphrase is None:
            # An older one that was left behind may be in other hands.
            key_file.unlink(missing_ok=True)
        store.protect(store.root_key.sealed(path, passphrase))
        if passphrase is not None:
            key_file.unlink(missing_ok=True)


def back_up(store: Store, target: Path) -> None:
    """Copy the store to a new file of mode 0600, with its key file if it has one, while others use it.

    What is there already is never overwritten: AlreadyThereError. Raises StoreError and FileError.
    """
    source = _path_of(store)
    target = target.expanduser()
    if target.exists():
        raise AlreadyThereError(
            f"{target} exists already; it was not touched.", next_step="Choose another name."
        )
    if store.protection is not Protection.KEY_FILE:
        _copy_database(store, target)
        return
    key_file = key_file_of(target)
    with atomic_file(key_file) as file:
        file.write(key_file_of(source).read_bytes())
    try:
        _copy_database(store, target)
    except BaseException:
        key_file.unlink(missing_ok=True)
        raise


def _copy_database(store: Store, target: Path) -> None:
    with (
        file_errors(target, "written"),
        tempfile.TemporaryDirectory(prefix=".kms-tui-", dir=target.parent) as directory,
    ):
        copy = Path(directory) / "store.db"
        _copy(store, copy)
        with atomic_file(target) as file, copy.open("rb") as content:
            shutil.copyfileobj(content, file)
            file.flush()
            os.fsync(file.fileno())


def _copy(store: Store, path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        store.copy_into(connection)
        # One file that is whole by itself; whoever opens it as a store gives it a log again.
        connection.execute("PRAGMA journal_mode = DELETE")
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"The store could not be copied: {error}.") from error
    finally:
        connection.close()
    if verdict != "ok":
        raise StoreError(f"The copy of the store is damaged: {verdict}.")


def _path_of(store: Store) -> Path:
    """Where the store is; ValueError for one in memory, which has no place and no guard."""
    if store.path is None:
        raise ValueError("a store in memory is not looked after")
    return store.path
