"""The one seam through which key material is wrapped for the disk: AES-256-GCM under the store's root key.

The root key itself lies in the store, sealed under a key that comes from a passphrase (scrypt), from a key
file beside the store, or, for a store in memory, from nowhere: then it is never written.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from kms_tui.atomic import AlreadyThereError, atomic_file
from kms_tui.kms.errors import StoreError

Unlock = Callable[[bool], str | None]
"""Asked with True for a new store's passphrase (None: use a key file), with False for an existing one's."""

_KEY_SIZE = 32
_NONCE_SIZE = 12
_KEY_FILE_MARK = "kms-tui key file 1"
_SCRYPT = {"n": 2**15, "r": 8, "p": 1}
"""About 32 MiB and a tenth of a second, OWASP's floor for scrypt (Password Storage Cheat Sheet)."""


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
    sealed: bytes


class RootKey:
    """Wraps and unwraps key material; its repr shows nothing."""

    __slots__ = ("_cipher", "_key")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._cipher = AESGCM(key)

    def derive(self, purpose: str, size: int) -> bytes:
        """Bytes for another purpose, which tell nothing of the root key; the same each time (HKDF)."""
        return HKDF(hashes.SHA256(), size, None, f"kms-tui {purpose}".encode()).derive(self._key)

    def sealed(self, store: Path, passphrase: str | None) -> SealedRootKey:
        """This root key under a passphrase, or else under the key file beside the store, made if need be."""
        return seal(self._key, store, passphrase)

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
                next_step="Restore the store from a backup.",
            ) from error


def _associated(key_id: str, material_id: str) -> bytes:
    """Unambiguous, since neither id has a NUL."""
    return f"kms-tui material\0{key_id}\0{material_id}".encode()


def new_root_key() -> bytes:
    return os.urandom(_KEY_SIZE)


def key_file_of(store: Path) -> Path:
    """Where the key file of a store without a passphrase lies."""
    return store.with_name(store.name + ".key")


def seal(root_key: bytes, store: Path, passphrase: str | None) -> SealedRootKey:
    """Seal a root key under a passphrase, or else under the key file beside the store, made if need be."""
    if passphrase is None:
        return SealedRootKey(Protection.KEY_FILE, "{}", _encrypt(_key_file_key(store, make=True), root_key))
    salt = os.urandom(16)
    parameters: dict[str, str | int] = {"kdf": "scrypt", "salt": salt.hex(), **_SCRYPT}
    return SealedRootKey(
        Protection.PASSPHRASE, json.dumps(parameters), _encrypt(_derive(passphrase, parameters), root_key)
    )


def unseal(sealed: SealedRootKey, store: Path, unlock: Unlock | None) -> bytes:
    """The root key; StoreError for a wrong passphrase, none at all, or a missing or foreign key file."""
    if sealed.protection is Protection.KEY_FILE:
        try:
            return _decrypt(_key_file_key(store, make=False), sealed.sealed)
        except InvalidTag as error:
            raise StoreError(f"The key file {key_file_of(store)} does not belong to {store}.") from error
    passphrase = unlock(False) if unlock else None
    if not passphrase:
        raise StoreError(
            f"The store {store} is protected by a passphrase.",
            next_step="Give its passphrase, or set KMS_TUI_PASSPHRASE.",
        )
    try:
        return _decrypt(_derive(passphrase, json.loads(sealed.parameters)), sealed.sealed)
    except InvalidTag as error:
        raise StoreError(f"Wrong passphrase for the store {store}.", next_step="Try again.") from error


def _derive(passphrase: str, parameters: dict[str, str | int]) -> bytes:
    kdf = Scrypt(
        salt=bytes.fromhex(str(parameters["salt"])),
        length=_KEY_SIZE,
        n=int(parameters["n"]),
        r=int(parameters["r"]),
        p=int(parameters["p"]),
    )
    return kdf.derive(passphrase.encode())


def _encrypt(key: bytes, root_key: bytes) -> bytes:
    nonce = os.urandom(_NONCE_SIZE)
    return nonce + AESGCM(key).encrypt(nonce, root_key, b"kms-tui root key")


def _decrypt(key: bytes, sealed: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], b"kms-tui root key")


def _key_file_key(store: Path, *, make: bool) -> bytes:
    path = key_file_of(store)
    if make:
        _make_key_file(path)
    try:
        mark, _, digits = path.read_text("ascii").strip().partition("\n")
        key = bytes.fromhex(digits)
    except FileNotFoundError as error:
        raise StoreError(
            f"The key file {path} of the store is missing.",
            next_step="Put it back beside the store: without it the keys cannot be opened.",
        ) from error
    except (OSError, ValueError) as error:
        raise StoreError(f"The key file {path} cannot be read: {error}.") from error
    if mark != _KEY_FILE_MARK or len(key) != _KEY_SIZE:
        raise StoreError(f"{path} is not a kms-tui key file.")
    return key


def _make_key_file(path: Path) -> None:
    """A new key file, unless another process was quicker: then that one is good."""
    with contextlib.suppress(AlreadyThereError), atomic_file(path) as file:
        file.write(f"{_KEY_FILE_MARK}\n{os.urandom(_KEY_SIZE).hex()}\n".encode("ascii"))
