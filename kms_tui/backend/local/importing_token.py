"""Import parameters: a wrapping key, and the import token that holds its private half.

The token is sealed by the store and names its key, so nothing of a request that is never used stays behind.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_der_private_key

from kms_tui.backend.local.store import Store
from kms_tui.kms.errors import ServiceError

_MAGIC = b"\x01KI\x01"
_NONCE_SIZE = 12
_HEAD = struct.Struct(">QBH")
"""When it expires (milliseconds), and the sizes of the algorithm's name and the key's ARN, which follow."""


@dataclass(frozen=True, slots=True)
class ImportToken:
    """What GetParametersForImport decided; its repr shows no key."""

    key_arn: str
    algorithm: str
    expires_at: int
    wrapping_key: rsa.RSAPrivateKey

    def __repr__(self) -> str:
        return f"<import token of {self.key_arn}>"


def seal_token(store: Store, key_arn: str, algorithm: str, expires_at: int, wrapping_key: bytes) -> bytes:
    """An import token; ``wrapping_key`` is DER-encoded PKCS #8."""
    name, arn = algorithm.encode(), key_arn.encode()
    body = _HEAD.pack(expires_at, len(name), len(arn)) + name + arn + wrapping_key
    nonce = os.urandom(_NONCE_SIZE)
    return _MAGIC + nonce + _cipher(store).encrypt(nonce, body, _MAGIC)


def open_token(store: Store, token: bytes, key_arn: str, now: int) -> ImportToken:
    """The token's content; InvalidImportTokenException for any other bytes and for another key's token,
    ExpiredImportTokenException after its time.
    """
    nonce, sealed = token[len(_MAGIC) :][:_NONCE_SIZE], token[len(_MAGIC) + _NONCE_SIZE :]
    try:
        body = _cipher(store).decrypt(nonce, sealed, token[: len(_MAGIC)])
    except (InvalidTag, ValueError) as error:
        raise ServiceError("InvalidImportTokenException", "") from error
    expires_at, name_size, arn_size = _HEAD.unpack_from(body)
    rest = body[_HEAD.size :]
    name, arn = rest[:name_size].decode(), rest[name_size:][:arn_size].decode()
    if arn != key_arn:
        raise ServiceError("InvalidImportTokenException", "")
    if expires_at <= now:
        raise ServiceError("ExpiredImportTokenException", "")
    # The store made this key and has authenticated it, so the slow check adds nothing.
    private_key = load_der_private_key(
        rest[name_size + arn_size :], None, unsafe_skip_rsa_key_validation=True
    )
    if not isinstance(private_key, rsa.RSAPrivateKey):
        raise TypeError("an import token holds an RSA key")
    return ImportToken(arn, name, expires_at, private_key)


def _cipher(store: Store) -> AESGCM:
    return AESGCM(store.root_key.derive("import tokens", 32))
