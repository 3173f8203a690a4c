"""Reads the header of a sealed file without a key, and messages in base64 or hex text."""

from __future__ import annotations

import binascii
import codecs
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.identifiers import AlgorithmSuite
from aws_encryption_sdk.internal.defaults import ENCODED_SIGNER_KEY
from aws_encryption_sdk.internal.formatting.deserialize import deserialize_header
from aws_encryption_sdk.internal.formatting.serialize import serialize_header

from kms_tui.envelope.errors import CutShortError, EnvelopeError, NotAMessageError, UnreadableTextError
from kms_tui.envelope.streams import Prefixed, Readable
from kms_tui.formats import encoding_of
from kms_tui.kms.keyspecs import MAX_CIPHERTEXT

KMS_PROVIDER = "aws-kms"
MAX_DATA_KEYS = 64
"""A header may name 65,535 keys; each takes a call."""
RESERVED_CONTEXT_PREFIX = "aws-crypto-"
"""The prefix of context keys that the Encryption SDK uses itself, such as for the signature's public key."""


@dataclass(frozen=True, slots=True)
class MessageKey:
    """One key that can open the message; ``name`` of a KMS key is its ARN."""

    provider: str
    name: str


@dataclass(frozen=True, slots=True)
class MessageInfo:
    """A message's header before verification: all of it is untrusted."""

    suite: str
    """The algorithm suite's name in the Encryption SDK ("AES_256_GCM_HKDF_SHA512_COMMIT_KEY")."""
    suite_id: int
    committed: bool
    signed: bool
    context: Mapping[str, str]
    """The encryption context, without the SDK's own entries."""
    keys: tuple[MessageKey, ...]
    frame_length: int
    """Bytes of plaintext in a frame; 0 for a body in one piece."""
    header_size: int


def looks_like_message(start: bytes) -> bool:
    """Whether content with this start (4 bytes suffice) can be an Encryption SDK message.

    A version 1 message begins 01 80, a version 2 message 02 and its suite; a KMS ciphertext begins
    differently.
    """
    if start[:2] == b"\x01\x80":
        return _suite(start[2:4]) is not None
    return start[:1] == b"\x02" and _suite(start[1:3]) is not None


def describe(message: bytes | Readable) -> MessageInfo:
    """Read the header of a message (or of its first bytes); raises NotAMessageError or CutShortError."""
    source = io.BytesIO(message) if isinstance(message, bytes) else message
    return read_header(source)[0]


def read_header(source: Readable) -> tuple[MessageInfo, bytes]:
    """The header and its bytes; the source is left right after them."""
    start = Prefixed(b"", source).read(4)
    if not looks_like_message(start):
        raise NotAMessageError("it is empty" if not start else "it begins differently")
    replayed = Prefixed(start, source)
    try:
        header, raw = deserialize_header(replayed, MAX_DATA_KEYS)
    except (AWSEncryptionSDKClientError, UnicodeDecodeError) as error:
        if replayed.ended:
            raise CutShortError(replayed.position) from error
        raise NotAMessageError("its header is not valid") from error
    if header.version.value != header.algorithm.message_format_version:
        # The SDK notices only at the body, where the keys of one version lack what the other needs.
        raise NotAMessageError("its header is not valid")
    return info_of(header), raw


def wrapped_data_keys(header: bytes) -> tuple[tuple[tuple[str, bytes], ...], Mapping[str, str]]:
    """Of the bytes of a header: the ARN and the ciphertext of each KMS key's data key, and their encryption
    context, with the SDK's own entries.
    """
    read, _ = deserialize_header(io.BytesIO(header), MAX_DATA_KEYS)
    keys = tuple(
        (entry.key_provider.key_info.decode(errors="backslashreplace"), bytes(entry.encrypted_data_key))
        for entry in read.encrypted_data_keys
        if entry.key_provider.provider_id == KMS_PROVIDER
    )
    return keys, dict(read.encryption_context)


def _suite(identifier: bytes) -> Any:
    try:
        return AlgorithmSuite.get_by_id(int.from_bytes(identifier))
    except KeyError:
        return None


def info_of(header: Any) -> MessageInfo:
    """The content of the Encryption SDK's MessageHeader."""
    suite = header.algorithm
    keys = (
        MessageKey(
            entry.key_provider.provider_id, entry.key_provider.key_info.decode(errors="backslashreplace")
        )
        for entry in header.encrypted_data_keys
    )
    return MessageInfo(
        suite=suite.name,
        suite_id=suite.algorithm_id,
        committed=bool(suite.is_committing()),
        signed=suite.signing_algorithm_info is not None,
        context={n: v for n, v in header.encryption_context.items() if n != ENCODED_SIGNER_KEY},
        keys=tuple(sorted(keys, key=lambda key: (key.provider, key.name))),
        frame_length=header.frame_length,
        header_size=len(serialize_header(header)),
    )


# Mail, JSON, clipboards and shells carry bytes as text: wrapped into lines of any kind, in quotes, in UTF-16,
# with a byte order mark. White space is ignored; everything else must be right to the end.

_CHUNK = 1 << 20
_START, _PROBE = 4, 256
_SHORT = 4 * MAX_CIPHERTEXT
"""Bytes that hold any KMS ciphertext as text; longer content that is not a message is not opened."""
_QUOTES = "\"'`"
_URL_SAFE = str.maketrans("-_", "+/")


def message_in(source: Readable) -> tuple[Readable | None, bytes]:
    """A readable message as bytes, and b""; or None, and the start of the source.

    The start holds any KMS ciphertext as text; text is UTF-8 and unquoted.
    """
    start = Prefixed(b"", source).read(_START)
    if looks_like_message(start):
        return Prefixed(start, source), b""
    start += Prefixed(b"", source).read(_SHORT - _START)
    encoding = encoding_of(start)
    for digits in _DIGITS:
        try:
            if looks_like_message(DecodedText(io.BytesIO(start[:_PROBE]), encoding, digits).read(_START)):
                return DecodedText(Prefixed(start, source), encoding, digits), b""
        except EnvelopeError:
            continue
    return None, _plain(start, encoding)


class DecodedText:
    """The bytes of a base64 or hex text, decoded while reading; UnreadableTextError for other text."""

    def __init__(self, source: Readable, encoding: str, digits: str) -> None:
        """``digits`` names an entry of the table below ("base64", "hex")."""
        self._source = source
        self._text = codecs.getincrementaldecoder(encoding)()
        self._name = digits
        self._digits = _DIGITS[digits]
        self._bytes = bytearray()
        self._rest = ""
        self._quote: str | None = None
        self._begun = self._closed = self._padded = self._ended = False

    def read(self, size: int, /) -> bytes:
        while len(self._bytes) < size and not self._ended:
            self._take(self._source.read(_CHUNK))
        data = bytes(self._bytes[:size])
        del self._bytes[:size]
        return data

    def _take(self, chunk: bytes) -> None:
        self._ended = not chunk
        try:
            text = "".join(self._text.decode(chunk, self._ended).split())
            text = text.replace(self._digits.separator, "")
            digits = self._without_prefix(self._rest + self._unquoted(text))
            if self._ended and not self._padded:
                digits = self._digits.complete(digits)
            whole = len(digits) - len(digits) % self._digits.group if self._begun else 0
            self._rest = digits[whole:]
            if (self._ended and self._rest) or (self._padded and whole):
                raise ValueError("the last group of digits is not whole, or not the last")
            self._padded = self._padded or digits[:whole].endswith("=")
            self._bytes += self._digits.decode(digits[:whole])
        except ValueError as error:
            raise UnreadableTextError(self._name) from error

    def _without_prefix(self, digits: str) -> str:
        """The digits without the prefix, once there are enough to tell; then ``_begun`` is set."""
        if not self._begun and (self._ended or len(digits) >= len(self._digits.prefix)):
            self._begun = True
            return digits.removeprefix(self._digits.prefix)
        return digits

    def _unquoted(self, text: str) -> str:
        if self._quote is None and text:
            self._quote = text[0] if text[0] in _QUOTES else ""
            text = text.removeprefix(self._quote)
        if self._quote and self._quote in text:
            text, _, after = text.partition(self._quote)
            if self._closed or after:
                raise ValueError("more follows the closing quote")
            self._closed = True
        elif self._closed and text:
            raise ValueError("more follows the closing quote")
        if self._ended and self._quote and not self._closed:
            raise ValueError("the closing quote is missing")
        return text


def _from_base64(digits: str) -> bytes:
    return binascii.a2b_base64(digits.translate(_URL_SAFE), strict_mode=True)


@dataclass(frozen=True, slots=True)
class _Digits:
    """An encoding of bytes as text: digits in a group, their decoding, ignored separators and prefix."""

    group: int
    decode: Callable[[str], bytes]
    separator: str = " "
    prefix: str = ""
    complete: Callable[[str], str] = str
    """Completes the last digits with padding that a writer may leave out."""


def _with_padding(digits: str) -> str:
    """Add the padding that base64url often lacks; a single digit is never a whole group."""
    missing = -len(digits) % 4
    return digits if missing == 3 or "=" in digits else digits + "=" * missing


_DIGITS: Mapping[str, _Digits] = {
    "base64": _Digits(4, _from_base64, complete=_with_padding),
    "hex": _Digits(2, bytes.fromhex, separator=":", prefix="0x"),
}


def _plain(start: bytes, encoding: str) -> bytes:
    """A text as UTF-8 without quotes around it; anything else unchanged."""
    try:
        text = start.decode(encoding).strip()
    except UnicodeDecodeError:
        return start
    if len(text) > 1 and text[0] in _QUOTES and text[0] == text[-1]:
        text = text[1:-1]
    return text.encode() if text.isascii() else start
