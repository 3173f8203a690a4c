"""The ciphertext of symmetric keys, which names its key and material, and is authenticated.

    magic and version   4   01 4B 54 01
    form of key id      1   0 UUID, 1 multi-Region
    key id             16
    account             8
    material id        32
    nonce              12
    check               8   start of the SHA-256 of all the above
    AES-256-GCM         n   plaintext and tag

The header (without the check) and the encryption context are authenticated. The check tells a damaged blob
from one of a key that is not here, which are different answers of KMS.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MAGIC = b"\x01KT\x01"
_HEADER = struct.Struct(">4sB16sQ32s12s")
_CHECK_SIZE = 8
_NONCE_SIZE = 12
_MULTI_REGION = "mrk-"


@dataclass(frozen=True, slots=True)
class Ciphertext:
    """A well-formed blob, not yet opened."""

    account: str
    key_id: str
    material_id: str
    _header: bytes
    _body: bytes

    def open(self, cipher: AESGCM, context: Mapping[str, str]) -> bytes | None:
        """The plaintext; None for a blob that was changed, or another encryption context."""
        try:
            return cipher.decrypt(self._header[-_NONCE_SIZE:], self._body, self._header + encoded(context))
        except InvalidTag:
            return None


def seal(
    cipher: AESGCM, account: str, key_id: str, material_id: str, plaintext: bytes, context: Mapping[str, str]
) -> bytes:
    multi_region = key_id.startswith(_MULTI_REGION)
    raw_id = bytes.fromhex(key_id.removeprefix(_MULTI_REGION).replace("-", ""))
    nonce = os.urandom(_NONCE_SIZE)
    header = _HEADER.pack(_MAGIC, multi_region, raw_id, int(account), bytes.fromhex(material_id), nonce)
    return header + _check(header) + cipher.encrypt(nonce, plaintext, header + encoded(context))


def parse(blob: bytes) -> Ciphertext | None:
    """The parts of a blob; None for other bytes, or where the header was changed."""
    header, rest = blob[: _HEADER.size], blob[_HEADER.size :]
    if not header.startswith(_MAGIC) or rest[:_CHECK_SIZE] != _check(header):
        return None
    _, multi_region, raw_id, account, raw_material, _ = _HEADER.unpack(header)
    digits = raw_id.hex()
    if multi_region:
        key_id = _MULTI_REGION + digits
    else:
        key_id = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return Ciphertext(f"{account:012d}", key_id, raw_material.hex(), header, rest[_CHECK_SIZE:])


def encoded(context: Mapping[str, str]) -> bytes:
    """An encryption context as bytes, the same for the same pairs in any order, and unambiguous."""
    if not context:
        return b""
    parts = []
    for name, value in sorted((name.encode(), value.encode()) for name, value in context.items()):
        parts += [len(name).to_bytes(4, "big"), name, len(value).to_bytes(4, "big"), value]
    return b"".join(parts)


def _check(header: bytes) -> bytes:
    return hashlib.sha256(header).digest()[:_CHECK_SIZE]
