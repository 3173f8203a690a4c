"""Seals and opens streams: constant memory, one frame at a time, can be cancelled between frames.

The algorithm suite is the Encryption SDK's AES-256-GCM with key commitment. Its default adds an ECDSA
signature, which halves the speed and proves only that the file was not made by someone who may only open
files. If those who seal and those who open trust each other, as at a console, AWS advises to leave it out;
``signed=True`` adds it. Both kinds are opened.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import aws_encryption_sdk
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError, CustomMaximumValueExceeded
from aws_encryption_sdk.identifiers import Algorithm, CommitmentPolicy
from cryptography.exceptions import InvalidSignature, InvalidTag

from kms_tui.backend.base import Backend
from kms_tui.counts import counted
from kms_tui.envelope.errors import (
    AlteredError,
    ContextMismatchError,
    CutShortError,
    EnvelopeError,
    PieceTooLargeError,
    UncommittedError,
)
from kms_tui.envelope.header import MAX_DATA_KEYS, RESERVED_CONTEXT_PREFIX, MessageInfo, info_of, read_header
from kms_tui.envelope.keys import BackendKeys
from kms_tui.envelope.streams import (
    NO_PROGRESS,
    Prefixed,
    Progress,
    ProgressKind,
    ProgressStep,
    Readable,
    Writable,
)

FRAME_LENGTH = 1 << 20
"""Bytes of plaintext in a frame: the fastest power of two, 8 times as fast as the SDK's 4 KiB."""
MAX_PIECE = 1 << 29
"""The largest frame, or body in one piece, that is opened; memory holds it several times."""
_LARGE_BLOCK = 24 << 20

T = TypeVar("T")

_SUITES = {
    False: Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
    True: Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384,
}


@dataclass(frozen=True, slots=True)
class Sealed:
    """The result of sealing; sizes are bytes."""

    info: MessageInfo
    plaintext_size: int
    message_size: int


@dataclass(frozen=True, slots=True)
class Opened:
    """The result of opening; ``info`` is verified now. Sizes are bytes."""

    info: MessageInfo
    plaintext_size: int
    message_size: int
    key_arn: str
    """The key that opened it."""


def seal(
    source: Readable,
    target: Writable,
    *,
    backend: Backend,
    keys: Sequence[str],
    context: Mapping[str, str] | None = None,
    total: int | None = None,
    signed: bool = False,
    frame_length: int = FRAME_LENGTH,
    progress: Progress = NO_PROGRESS,
) -> Sealed:
    """Encrypt a stream under a new data key that any one of ``keys`` (ids, ARNs, aliases) can decrypt.

    The first key creates the data key (GenerateDataKey), the others also encrypt it (Encrypt), each in the
    region of its ARN. ``total`` is the source's size for progress. Raises the backend's errors,
    EnvelopeError, and OSError from the streams; the content of ``target`` is then of no use.
    """
    _check_context(context or {})
    _keep_memory()
    counting = Prefixed(b"", source)

    def work() -> tuple[MessageInfo, int]:
        provider = BackendKeys(backend=backend, on_step=progress.step)
        provider.add_master_keys_from_list(keys)
        stream = _client(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT).stream(
            mode="encrypt",
            source=counting,
            key_provider=provider,
            encryption_context=dict(context or {}),
            algorithm=_SUITES[signed],
            frame_length=frame_length,
        )
        progress.tick(0, total)
        info = info_of(stream.header)
        progress.step(ProgressStep(ProgressKind.HEADER_STORED, counted(info.header_size, "byte")))
        written = 0
        while chunk := stream.read(frame_length):
            target.write(chunk)
            written += len(chunk)
            progress.tick(counting.position, total)
        return info, written

    info, written = _forgetting(work, _sealing_error)
    size = counting.position
    progress.step(
        ProgressStep(
            ProgressKind.SEALED, f"{counted(size, 'byte')}, {counted(size // frame_length + 1, 'frame')}"
        )
    )
    progress.step(ProgressStep(ProgressKind.KEY_FORGOTTEN))
    return Sealed(info, size, written)


class Opening:
    """The plaintext of a message as a stream; all of it is verified once a read has returned b"".

    Keys, regions and the encryption context come from the message; it must contain ``context``, and ``key``
    (id, ARN or alias), if given, must open it. The key is asked at the first read. Raises EnvelopeError, the
    backend's errors, and OSError from the source.
    """

    def __init__(
        self,
        source: Readable,
        *,
        backend: Backend,
        context: Mapping[str, str] | None = None,
        key: str | None = None,
        allow_uncommitted: bool = False,
        progress: Progress = NO_PROGRESS,
    ) -> None:
        self.info, header = read_header(source)
        _expect_context(context or {}, self.info)
        if not self.info.committed and not allow_uncommitted:
            raise UncommittedError
        _keep_memory()
        progress.step(ProgressStep(ProgressKind.HEADER_READ, counted(self.info.header_size, "byte")))
        self.plaintext_size = 0
        self.is_verified = False
        self._source = source
        self._replayed = Prefixed(header, source)
        self._progress = progress
        self._used: list[str] = []
        self._stream: Any = None
        self._client: Any = _client(_policy(self.info))
        self._keys = BackendKeys(backend=backend, on_step=self._note, only=key)

    @property
    def position(self) -> int:
        """Bytes of the message that are read so far."""
        return self._replayed.position

    @property
    def key_arn(self) -> str:
        """The key that opened it; known after the first read."""
        return self._used[-1]

    def read(self, size: int, /) -> bytes:
        try:
            return _forgetting(lambda: self._read(size), lambda error: _opening_error(error, self._replayed))
        except BaseException:
            self.forget()
            raise

    def forget(self) -> None:
        """Forget the data key; there is no more to read then."""
        self._stream = self._client = None

    def _read(self, size: int) -> bytes:
        if self.is_verified:
            return b""
        if self._stream is None:
            if self._client is None:
                raise ValueError("read after the data key was forgotten")
            self._stream = self._client.stream(
                mode="decrypt", source=self._replayed, key_provider=self._keys, max_body_length=MAX_PIECE
            )
        chunk = bytes(self._stream.read(size))
        self.plaintext_size += len(chunk)
        if not chunk:
            self._stream.close()
            if self._source.read(1):
                raise AlteredError("more follows its end")
            self._progress.step(ProgressStep(ProgressKind.VERIFIED, counted(self.plaintext_size, "byte")))
            self.is_verified = True
            self.forget()
        return chunk

    def _note(self, step: ProgressStep) -> None:
        self._used.append(step.detail)
        self._progress.step(step)


def unseal(
    source: Readable,
    target: Writable,
    *,
    backend: Backend,
    context: Mapping[str, str] | None = None,
    key: str | None = None,
    total: int | None = None,
    allow_uncommitted: bool = False,
    progress: Progress = NO_PROGRESS,
) -> Opened:
    """Decrypt a message (see ``Opening``); ``target`` must stay hidden until this returns.

    Raises EnvelopeError, the backend's errors, and OSError from the streams.
    """
    opening = Opening(
        source,
        backend=backend,
        context=context,
        key=key,
        allow_uncommitted=allow_uncommitted,
        progress=progress,
    )

    def work() -> None:
        progress.tick(0, total)
        while chunk := opening.read(opening.info.frame_length or MAX_PIECE):
            target.write(chunk)
            progress.tick(opening.position, total)

    try:
        _forgetting(work, lambda error: error)
    finally:
        opening.forget()
    progress.step(ProgressStep(ProgressKind.KEY_FORGOTTEN))
    return Opened(opening.info, opening.plaintext_size, opening.position, opening.key_arn)


@cache
def _keep_memory() -> None:
    """Make the C library keep freed buffers of a few MiB instead of asking the kernel for each; once in a
    process, since writing the block takes as long as a small message.

    glibc keeps blocks up to the largest one freed so far (mallopt(3), dynamic M_MMAP_THRESHOLD); without
    this, half of all processor time goes into page faults. It has no effect elsewhere.
    """
    bytes(_LARGE_BLOCK)


def _client(policy: CommitmentPolicy) -> Any:
    return aws_encryption_sdk.EncryptionSDKClient(
        commitment_policy=policy, max_encrypted_data_keys=MAX_DATA_KEYS
    )


def _policy(info: MessageInfo) -> CommitmentPolicy:
    if info.committed:
        return CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
    return CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT


def _forgetting(work: Callable[[], T], translate: Callable[[BaseException], BaseException]) -> T:
    """Do the work; on failure, remove data keys and plaintext from the traceback."""
    try:
        return work()
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)
        translated = translate(error)
        if translated is error:
            raise
        raise translated from error


def _sealing_error(error: BaseException) -> BaseException:
    if isinstance(error, AWSEncryptionSDKClientError):
        return EnvelopeError(f"The Encryption SDK could not seal this: {error}")
    return error


def _opening_error(error: BaseException, source: Prefixed) -> BaseException:
    """The Encryption SDK's errors as ours; the end of the source tells cut short from altered."""
    if isinstance(error, CustomMaximumValueExceeded):
        return PieceTooLargeError(MAX_PIECE)
    if isinstance(error, AWSEncryptionSDKClientError) and source.ended:
        return CutShortError(source.position)
    if isinstance(error, AWSEncryptionSDKClientError | InvalidTag | InvalidSignature):
        return AlteredError("it does not verify")
    return error


def _check_context(context: Mapping[str, str]) -> None:
    for name in context:
        if name.startswith(RESERVED_CONTEXT_PREFIX):
            raise EnvelopeError(
                f"The encryption context key {name} is reserved: the Encryption SDK uses "
                f"{RESERVED_CONTEXT_PREFIX}… itself.",
                next_step="Choose another name for it.",
            )


def _expect_context(expected: Mapping[str, str], info: MessageInfo) -> None:
    differing = [name for name, value in expected.items() if info.context.get(name) != value]
    if differing:
        raise ContextMismatchError(differing)
