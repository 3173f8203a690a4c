"""Changing what guards a store, in one step; what a crash cuts off is ended when the store is next opened.

The order, under SQLite's lock for writing, which ends with the process that holds it:

1. What guards the store is read again: where another change was quicker, this one is refused.
2. A new key file, and its name in the folder, are on the disk before anything needs them.
3. The root key, sealed anew, is committed: from here on the new guard opens the store, and it alone.
4. A key file that a passphrase took the place of is removed. The root key's row names it until that is done.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from kms_tui.atomic import FileError
from kms_tui.backend.local import keyfile
from kms_tui.backend.local.rootkey import Protection, SealedRootKey
from kms_tui.backend.local.store import Store
from kms_tui.kms.errors import StoreError


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
            return store.root_key.under_key(keyfile.make(path))
        if former.protection is Protection.KEY_FILE:
            return by_passphrase.with_former_key_file(keyfile.digest(path))
        return by_passphrase

    store.protect(seal)
    end_change(store)
    with suppress(StoreError):
        store.empty_log()
    return keyfile.key_file_of(path) if store.former_key_file else None


def end_change(store: Store) -> None:
    """Remove the key file that a passphrase took the place of, if that is yet to be done and can be."""
    if store.former_key_file is None:
        return
    path = path_of(store)

    def remove_former(sealed: SealedRootKey) -> SealedRootKey:
        keyfile.remove(path, sealed.former_key_file or "")
        return sealed.with_former_key_file(None)

    with suppress(StoreError, FileError):
        store.protect(remove_former)


def path_of(store: Store) -> Path:
    """Where the store is; ValueError for one in memory, which has no place and no guard."""
    if store.path is None:
        raise ValueError("a store in memory is not looked after")
    return store.path
