"""Moves a message to another KMS key: opened and sealed anew in one pass, in constant memory.

The message format has no way to replace an encrypted data key. The header is authenticated with AES-GCM under
the message's own key and a fixed IV of zeros (version 2; writers of version 1 do the same), and a signature,
if any, covers header and body. Authenticating a second header under that key and IV would repeat a nonce:
whoever has both files, the old one in a backup, could work out GCM's authentication key and forge frames.
So every message gets a new data key, and a new signature; its encryption context, whether it is signed
and, where it can be, its frame length stay. A message without key commitment gets it.

Source: the message format reference of the AWS Encryption SDK's developer guide (header authentication);
NIST SP 800-38D, 8 and appendix A, on repeated IVs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from kms_tui.backend.base import Backend
from kms_tui.envelope.errors import AlteredError
from kms_tui.envelope.message import FRAME_LENGTH, MAX_PIECE, Opening, Sealed, seal
from kms_tui.envelope.streams import NO_PROGRESS, Progress, Readable, Writable

_FRAME_STEP = 128
"""The SDK for Python seals frames of a multiple of this many bytes; those of other languages differ."""


@dataclass(frozen=True, slots=True)
class Resealed:
    """The result of moving a message; ``digest`` is the SHA-256 of its plaintext."""

    sealed: Sealed
    opened_with: str
    """The ARN of the key that opened the old message."""
    digest: bytes


def reseal(
    source: Readable,
    target: Writable,
    *,
    opener: Backend,
    sealer: Backend,
    old_key: str | None,
    keys: Sequence[str],
    allow_uncommitted: bool = False,
    progress: Progress = NO_PROGRESS,
) -> Resealed:
    """Open a message with ``old_key`` (None: any that it names) and seal its plaintext under ``keys``.

    ``target`` must stay hidden until this returns: only then is the old message verified to its end. Raises
    EnvelopeError, the backends' errors, and OSError from the streams.
    """
    opening = Opening(
        source, backend=opener, key=old_key, allow_uncommitted=allow_uncommitted, progress=progress
    )
    info = opening.info
    hashed = _Hashed(opening)
    try:
        sealed = seal(
            hashed,
            target,
            backend=sealer,
            keys=keys,
            context=info.context,
            signed=info.signed,
            frame_length=_frame_length(info.frame_length),
            progress=progress,
        )
    finally:
        opening.forget()
    return Resealed(sealed, opening.key_arn, hashed.digest)


def require_same(source: Readable, digest: bytes, *, backend: Backend, key: str) -> None:
    """Open a message with ``key``; AlteredError unless its plaintext has this SHA-256."""
    hashed = _Hashed(Opening(source, backend=backend, key=key))
    while hashed.read(FRAME_LENGTH):
        pass
    if hashed.digest != digest:
        raise AlteredError("what was sealed anew does not open to the same bytes")


def _frame_length(old: int) -> int:
    """That of the old message, unless its body is in one piece, or the SDK for Python cannot write it."""
    fits = 0 < old <= MAX_PIECE and old % _FRAME_STEP == 0
    return old if fits else FRAME_LENGTH


class _Hashed:
    def __init__(self, source: Readable) -> None:
        self._source = source
        self._hash = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        data = self._source.read(size)
        self._hash.update(data)
        return data

    @property
    def digest(self) -> bytes:
        return self._hash.digest()
