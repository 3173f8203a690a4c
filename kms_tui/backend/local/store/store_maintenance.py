"""Looking after a store: what is in it, a copy of it while it is in use, and what guards it.

A change of what guards the store is one step, and what a crash cuts off is ended when the store is next
opened. The order, under SQLite's lock for writing, which ends with the process that holds it:

1. What guards the store is read again: where another change was quicker, this one is refused.
2. A new key file, and its name in the folder, are on the disk before anything needs them.
3. The root key, sealed anew, is committed: from here on the new guard opens the store, and it alone.
4. A key file that a passphrase took the place of is removed. The root key's row names it until that is done.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kms_tui.atomic import AlreadyThereError, FileError, atomic_file, file_errors
from kms_tui.backend.local.store.root_key import (
    Protection,
    SealedRootKey,
    key_file_content,
    key_file_digest,
    key_file_of,
    make_key_file,
    read_key_file,
    remove_key_file,
    sealed_root_key,
)
from kms_tui.backend.local.store.schema import KEEP
from kms_tui.backend.local.store.sources import to_datetime
from kms_tui.backend.local.store.sqlite_store import ROOT_KEY, Store
from kms_tui.backend.local.store.store_file import SQLITE_FAILURES, log_of
from kms_tui.backend.local.store.stored_account import account_counts
from kms_tui.kms.errors import StoreError


def path_of(store: Store) -> Path:
    """Where the store is; ValueError for one in memory, which has no place and no guard."""
    if store.path is None:
        raise ValueError("a store in memory is not looked after")
    return store.path


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
    fixed: int
    """Keys with material that a seed gave: whoever has the seed has these keys."""
    account_policies: Mapping[str, int]
    """What is held of IAM, the organization and VPC endpoints: the kind of row -> rows."""
    events: int
    oldest_event: datetime | None


def store_info(store: Store) -> StoreInfo:
    path = path_of(store)
    (version,) = store.one("PRAGMA user_version") or (0,)
    events, oldest = store.one("SELECT count(*), min(at) FROM events") or (0, None)
    log = log_of(path)
    places = store.rows("SELECT account, region, count(*) FROM keys GROUP BY 1, 2 ORDER BY 1, 2")
    states = store.rows("SELECT state, count(*) FROM keys GROUP BY 1 ORDER BY 1")
    (fixed,) = store.one("SELECT count(DISTINCT key) FROM materials WHERE fixed = 1") or (0,)
    return StoreInfo(
        path=path,
        version=version,
        protection=store.protection,
        size=sum(file.stat().st_size for file in (path, log) if file.exists()),
        places={(account, region): count for account, region, count in places},
        states={row[0]: row[1] for row in states},
        fixed=fixed,
        account_policies=account_counts(store),
        events=events,
        oldest_event=None if oldest is None else to_datetime(oldest),
    )


def back_up(store: Store, target: Path) -> Protection:
    """Copy the store to a new file of mode 0600, with its key file if it has one, while others use it.

    Gives what protects the copy. What is there already is never overwritten: AlreadyThereError. Raises
    StoreError and FileError; then nothing of the copy stays.
    """
    source, target = path_of(store), Path(os.path.expanduser(target))
    for taken in (target, log_of(target)):
        if taken.exists():
            raise AlreadyThereError(
                f"{taken} exists already; it was not touched.", next_step="Choose another name."
            )
    with (
        file_errors(target, "written"),
        tempfile.TemporaryDirectory(prefix=".kms-tui-", dir=target.parent) as directory,
    ):
        copy = Path(directory) / "store.db"
        protection, key_file = _copy(store, source, copy)
        _put_in_place(copy, target, key_file)
    return protection


def _put_in_place(copy: Path, target: Path, key: bytes | None) -> None:
    """The key file first: a copy that is there can be opened."""
    with ExitStack() as undo:
        if key is not None:
            with atomic_file(key_file_of(target)) as file:
                file.write(key_file_content(key))
            undo.callback(key_file_of(target).unlink, missing_ok=True)
        with atomic_file(target) as file, copy.open("rb") as content:
            shutil.copyfileobj(content, file)
        undo.pop_all()


def _copy(store: Store, source: Path, copy: Path) -> tuple[Protection, bytes | None]:
    """Copy the store into one file; what protects the copy, and the key of its key file if it has one.

    The key file and the store are two files: where what protects the store is changed between the two, they
    do not belong together, and both are taken again.
    """
    while True:
        sealed = _copy_database(store, source, copy)
        if sealed.protection is not Protection.KEY_FILE:
            return sealed.protection, None
        try:
            key = read_key_file(source)
            store.root_key.require_opens(key, sealed, source)
            return sealed.protection, key
        except StoreError:
            if sealed == sealed_root_key(store.rows(ROOT_KEY), source):
                raise
        copy.unlink()


def _copy_database(store: Store, source: Path, copy: Path) -> SealedRootKey:
    connection = sqlite3.connect(copy, isolation_level=None)
    try:
        store.copy_into(connection)
        # One file that is whole by itself; whoever opens it as a store gives it a log again.
        connection.execute("PRAGMA journal_mode = DELETE")
        (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        rows = connection.execute(ROOT_KEY).fetchall()
    except SQLITE_FAILURES as error:
        raise StoreError(f"The store could not be copied: {error}.", next_step=KEEP) from error
    finally:
        connection.close()
    if verdict != "ok":
        raise StoreError(f"The copy of the store is damaged: {verdict}.", next_step=KEEP)
    return sealed_root_key(rows, source)


def change_protection(store: Store, passphrase: str | None) -> Path | None:
    """Guard the store by another passphrase, or by a key file beside it (None). Raises StoreError, FileError.

    An error means that nothing was changed. Gives the former key file where it could not be removed: it
    opens the store no more, but copies of the store from before.
    """
    path = path_of(store)
    if passphrase is None and store.protection is Protection.KEY_FILE:
        raise StoreError(f"The store {path} has no passphrase.")
    if passphrase == "":
        raise StoreError("An empty passphrase protects nothing; nothing was changed.")
    by_passphrase = store.root_key.under_passphrase(passphrase) if passphrase is not None else None

    def seal(former: SealedRootKey) -> SealedRootKey:
        if by_passphrase is None:
            return store.root_key.under_key(make_key_file(path))
        if former.protection is Protection.KEY_FILE:
            return by_passphrase.with_former_key_file(key_file_digest(path))
        return by_passphrase

    store.protect(seal)
    end_change(store)
    with suppress(StoreError):
        store.empty_log()
    return key_file_of(path) if store.former_key_file else None


def end_change(store: Store) -> None:
    """Remove the key file that a passphrase took the place of, if that is yet to be done and can be."""
    if store.former_key_file is None:
        return
    path = path_of(store)

    def remove_former(sealed: SealedRootKey) -> SealedRootKey:
        remove_key_file(path, sealed.former_key_file or "")
        return sealed.with_former_key_file(None)

    with suppress(StoreError, FileError):
        store.protect(remove_former)
