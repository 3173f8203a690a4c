"""The root key, under which key material is wrapped for the disk (AES-256-GCM), and what guards it.

It lies in the store, sealed under a key that comes from a passphrase (scrypt), from a key file beside the
store, or, for a store in memory, from nowhere: then it is never written. A key file is written and removed
only under the store's lock for writing, and is on the disk before the store needs it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from kms_tui.atomic import atomic_file, file_errors, remove_parts, sync_folder
from kms_tui.backend.local.store.schema import KEEP
from kms_tui.kms.errors import StoreError

Unlock = Callable[[bool], str | None]
"""Asked with True for a new store's passphrase (None: use a key file), with False for an existing one's."""

_KEY_SIZE = 32
_NONCE_SIZE = 12
_SEALED_SIZE = _NONCE_SIZE + _KEY_SIZE + 16
_SCRYPT = {"n": 2**15, "r": 8, "p": 1}
"""About 32 MiB and a tenth of a second: OWASP's minimum for scrypt (Password Storage Cheat Sheet)."""
_MAX_N, _MAX_R, _MAX_P = 2**18, 32, 16
"""At most 1 GiB; another program may have chosen larger parameters than ours, but not any."""


FORMER_KEY_FILE = "former_key_file"


class Protection(StrEnum):
    """What guards the root key."""

    MEMORY = "memory"
    KEY_FILE = "key file"
    PASSPHRASE = "passphrase"


@dataclass(frozen=True, slots=True)
class SealedRootKey:
    """The root key as the store keeps it."""

    protection: Protection
    parameters: str
    """A JSON object: how a passphrase becomes a key, and ``FORMER_KEY_FILE``."""
    sealed: bytes = field(repr=False)

    def parameter_table(self) -> dict[str, Any]:
        """The parameters as a table; ValueError where they are none."""
        try:
            table = json.loads(self.parameters)
        except (ValueError, RecursionError):
            table = None
        if not isinstance(table, dict):
            raise ValueError("the parameters of its root key are not a JSON object")
        return table

    @property
    def former_key_file(self) -> str | None:
        """The digest of the key file that guarded the store before and is to be removed, if there is one."""
        former = self.parameter_table().get(FORMER_KEY_FILE)
        return former if isinstance(former, str) else None

    def with_former_key_file(self, digest: str | None) -> SealedRootKey:
        table = {name: value for name, value in self.parameter_table().items() if name != FORMER_KEY_FILE}
        if digest is not None:
            table[FORMER_KEY_FILE] = digest
        return replace(self, parameters=json.dumps(table))


class RootKey:
    """Wraps and unwraps key material; its repr shows nothing."""

    __slots__ = ("_cipher", "_key")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._cipher = AESGCM(key)

    def derive(self, purpose: str, size: int) -> bytes:
        """Bytes for another purpose, which tell nothing of the root key; the same each time (HKDF)."""
        return HKDF(hashes.SHA256(), size, None, f"kms-tui {purpose}".encode()).derive(self._key)

    def under_passphrase(self, passphrase: str) -> SealedRootKey:
        """This root key sealed under a passphrase; slow on purpose."""
        parameters: dict[str, str | int] = {"kdf": "scrypt", "salt": os.urandom(16).hex(), **_SCRYPT}
        key = _derived(passphrase, _Scrypt.from_json(parameters))
        return SealedRootKey(Protection.PASSPHRASE, json.dumps(parameters), _encrypt(key, self._key))

    def under_key(self, key: bytes) -> SealedRootKey:
        """This root key sealed under the key of a key file."""
        return SealedRootKey(Protection.KEY_FILE, "{}", _encrypt(key, self._key))

    def require_opens(self, key: bytes, sealed: SealedRootKey, store: Path) -> None:
        """StoreError unless the key of a key file opens what was sealed, and this root key is in it."""
        if _by_key_file(key, sealed, store) != self._key:
            raise damaged(store, "its key file opens another root key than the one in use")

    def wrap(self, key_id: str, material_id: str, material: bytes) -> bytes:
        nonce = os.urandom(_NONCE_SIZE)
        return nonce + self._cipher.encrypt(nonce, material, _associated(key_id, material_id))

    def unwrap(self, key_id: str, material_id: str, wrapped: bytes) -> bytes:
        """The material; StoreError where the row, its key id or its material id was tampered with."""
        try:
            return self._cipher.decrypt(
                wrapped[:_NONCE_SIZE], wrapped[_NONCE_SIZE:], _associated(key_id, material_id)
            )
        except (InvalidTag, ValueError) as error:
            raise StoreError(
                f"The key material {material_id} of key {key_id} in the local store has been tampered with.",
                next_step=KEEP,
            ) from error


def _associated(key_id: str, material_id: str) -> bytes:
    """Unambiguous, since neither id has a NUL."""
    return f"kms-tui material\0{key_id}\0{material_id}".encode()


def new_root_key() -> bytes:
    return os.urandom(_KEY_SIZE)


def unseal(sealed: SealedRootKey, store: Path, unlock: Unlock | None) -> bytes:
    """The root key; StoreError for a wrong passphrase, none at all, or a missing or foreign key file."""
    if sealed.protection is Protection.KEY_FILE:
        return _by_key_file(read_key_file(store), sealed, store)
    try:
        parameters = _Scrypt.from_json(sealed.parameter_table())
    except ValueError as error:
        raise damaged(store, str(error)) from error
    passphrase = unlock(False) if unlock else None
    if not passphrase:
        raise StoreError(
            f"The store {store} is protected by a passphrase.",
            next_step="Give its passphrase, or set KMS_TUI_PASSPHRASE.",
        )
    try:
        return _decrypt(_derived(passphrase, parameters), sealed.sealed)
    except InvalidTag as error:
        raise StoreError(f"Wrong passphrase for the store {store}.", next_step="Try again.") from error


def _by_key_file(key: bytes, sealed: SealedRootKey, store: Path) -> bytes:
    try:
        return _decrypt(key, sealed.sealed)
    except InvalidTag as error:
        raise StoreError(
            f"The key file {key_file_of(store)} does not belong to {store}.",
            next_step="Put that of this store in its place; keep this one, it may be another store's.",
        ) from error


def sealed_root_key(rows: Sequence[Sequence[Any]], store: Path) -> SealedRootKey:
    """What the rows of the store's table ``root_key`` say; StoreError unless that is one whole root key."""
    if len(rows) != 1:
        raise damaged(store, f"it has {len(rows)} root keys instead of one")
    protection, parameters, sealed = rows[0]
    if protection not in (Protection.KEY_FILE, Protection.PASSPHRASE):
        raise damaged(store, "what protects it is unknown to this kms-tui")
    if not isinstance(parameters, str) or not isinstance(sealed, bytes) or len(sealed) != _SEALED_SIZE:
        raise damaged(store, "its sealed root key is not whole")
    found = SealedRootKey(Protection(protection), parameters, sealed)
    try:
        found.parameter_table()
    except ValueError as error:
        raise damaged(store, str(error)) from error
    return found


def damaged(store: Path, what: str) -> StoreError:
    """The root key's row cannot be used; nothing of the store was changed."""
    return StoreError(f"The store {store} is damaged: {what}. It was left as it is.", next_step=KEEP)


@dataclass(frozen=True, slots=True)
class _Scrypt:
    """The parameters of scrypt, as a store keeps them in JSON."""

    salt: bytes
    n: int
    r: int
    p: int

    @classmethod
    def from_json(cls, table: Mapping[str, Any]) -> _Scrypt:
        """ValueError where they are not scrypt's, or would take memory or time without end."""
        numbers = [table[name] for name in ("n", "r", "p") if type(table.get(name)) is int]
        if table.get("kdf") != "scrypt" or len(numbers) != 3:
            raise ValueError("how its passphrase was used is not recorded in a way known to this kms-tui")
        n, r, p = numbers
        if not (1 < n <= _MAX_N and n & (n - 1) == 0 and 1 <= r <= _MAX_R and 1 <= p <= _MAX_P):
            raise ValueError("the recorded parameters of scrypt are out of all bounds")
        try:
            salt = bytes.fromhex(str(table.get("salt")))
        except ValueError:
            raise ValueError("the recorded salt is not hexadecimal") from None
        return cls(salt, n, r, p)


def _derived(passphrase: str, parameters: _Scrypt) -> bytes:
    kdf = Scrypt(parameters.salt, _KEY_SIZE, parameters.n, parameters.r, parameters.p)
    return kdf.derive(passphrase.encode(errors="surrogatepass"))  # bytes of a terminal that are no UTF-8


def _encrypt(key: bytes, root_key: bytes) -> bytes:
    nonce = os.urandom(_NONCE_SIZE)
    return nonce + AESGCM(key).encrypt(nonce, root_key, b"kms-tui root key")


def _decrypt(key: bytes, sealed: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], b"kms-tui root key")


_MARK = "kms-tui key file 1"


def key_file_of(store: Path) -> Path:
    """Where the key file of a store without a passphrase lies."""
    return store.with_name(store.name + ".key")


def read_key_file(store: Path) -> bytes:
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
    if mark != _MARK or len(key) != _KEY_SIZE:
        raise StoreError(
            f"{path} is not a kms-tui key file.",
            next_step="Keep the store, and put a copy of its key file in the place of this one.",
        )
    return key


def _reason(error: OSError | ValueError) -> str:
    """Why, without a word of the file's content."""
    return error.strerror or "" if isinstance(error, OSError) else "it is not a text of hexadecimal digits"


def read_or_make_key_file(store: Path) -> bytes:
    """The key for a store that is being made. A key file that is there already stays: a copy of a store may
    need it. Raises StoreError, FileError.
    """
    return read_key_file(store) if key_file_of(store).exists() else make_key_file(store)


def make_key_file(store: Path) -> bytes:
    """A new key in a new key file, which takes the place of any other. Raises FileError."""
    path, key = key_file_of(store), os.urandom(_KEY_SIZE)
    with file_errors(path, "written"):
        remove_parts(path)
    with atomic_file(path, overwrite=True) as file:
        file.write(key_file_content(key))
    return key


def key_file_content(key: bytes) -> bytes:
    """What a key file with this key holds."""
    return f"{_MARK}\n{key.hex()}\n".encode("ascii")


def key_file_digest(store: Path) -> str | None:
    """The digest that identifies a store's key file; None where there is none. Raises FileError."""
    path = key_file_of(store)
    with file_errors(path, "read"):
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


def remove_key_file(store: Path, expected: str) -> None:
    """Remove the key file with this digest, if that is still the one beside the store. Raises FileError."""
    path = key_file_of(store)
    with file_errors(path, "removed"):
        remove_parts(path)
        if key_file_digest(store) == expected:
            path.unlink(missing_ok=True)
            sync_folder(path.parent)
