"""The key file beside a store: the key that guards the root key of a store without a passphrase.

It is written and removed only under the store's lock for writing, and on the disk before the store needs it.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from kms_tui.atomic import atomic_file, file_errors, remove_parts, sync_folder
from kms_tui.kms.errors import StoreError

_SIZE = 32
_MARK = "kms-tui key file 1"


def key_file_of(store: Path) -> Path:
    """Where the key file of a store without a passphrase lies."""
    return store.with_name(store.name + ".key")


def read(store: Path) -> bytes:
    """The key in the key file of a store. Raises StoreError."""
    path = key_file_of(store)
    try:
        mark, _, digits = path.read_text("ascii").strip().partition("\n")
        key = bytes.fromhex(digits)
    except FileNotFoundError as error:
        raise StoreError(
            f"The key file {path} of the store is missing.",
            next_step="Put it back beside the store: without it the keys cannot be opened.",
        ) from error
    except (OSError, ValueError) as error:
        raise StoreError(
            f"The key file {path} cannot be read: {_reason(error)}.",
            next_step="Keep the store, and put a copy of its key file in the place of this one.",
        ) from error
    if mark != _MARK or len(key) != _SIZE:
        raise StoreError(
            f"{path} is not a kms-tui key file.",
            next_step="Keep the store, and put a copy of its key file in the place of this one.",
        )
    return key


def _reason(error: OSError | ValueError) -> str:
    """Why, without a word of the file's content."""
    return error.strerror or "" if isinstance(error, OSError) else "it is not a text of hexadecimal digits"


def read_or_make(store: Path) -> bytes:
    """The key for a store that is being made. A key file that is there already stays: a copy of a store may
    need it. Raises StoreError, FileError.
    """
    return read(store) if key_file_of(store).exists() else make(store)


def make(store: Path) -> bytes:
    """A new key in a new key file, which takes the place of any other. Raises FileError."""
    path, key = key_file_of(store), os.urandom(_SIZE)
    with file_errors(path, "written"):
        remove_parts(path)
    with atomic_file(path, overwrite=True) as file:
        file.write(content(key))
    return key


def content(key: bytes) -> bytes:
    """What a key file with this key holds."""
    return f"{_MARK}\n{key.hex()}\n".encode("ascii")


def digest(store: Path) -> str | None:
    """What tells a store's key file from every other; None where there is none. Raises FileError."""
    path = key_file_of(store)
    with file_errors(path, "read"):
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


def remove(store: Path, expected: str) -> None:
    """Remove the key file with this digest, if that is still the one beside the store. Raises FileError."""
    path = key_file_of(store)
    with file_errors(path, "removed"):
        remove_parts(path)
        if digest(store) == expected:
            path.unlink(missing_ok=True)
            sync_folder(path.parent)
