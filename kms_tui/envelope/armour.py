"""Sealed messages as text: base64 or hex of any size, read as a stream.

Mail, JSON, clipboards and shells carry bytes so: wrapped into lines of any kind, in quotes, in UTF-16, with a
byte order mark. White space counts for nothing; everything else must be right to the end.
"""

from __future__ import annotations

import binascii
import codecs
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kms_tui.envelope.errors import EnvelopeError, UnreadableTextError
from kms_tui.envelope.header import looks_like_message
from kms_tui.envelope.streams import Prefixed, Readable
from kms_tui.formats import encoding_of
from kms_tui.kms.keyspecs import MAX_CIPHERTEXT

_CHUNK = 1 << 20
_START, _PROBE = 4, 256
_SHORT = 4 * MAX_CIPHERTEXT
"""Bytes that hold any ciphertext of KMS as text: what is longer and no message is nothing that we open."""
_QUOTES = "\"'`"
_URL_SAFE = str.maketrans("-_", "+/")


def message_in(source: Readable) -> tuple[Readable | None, bytes]:
    """A message to read, in the form that it has as bytes; or else None, and what the source begins with.

    That is all of it up to what a ciphertext of KMS can be as text, and text of it is UTF-8, unquoted.
    """
    start = Prefixed(b"", source).read(_START)
    if looks_like_message(start):
        return Prefixed(start, source), b""
    start += Prefixed(b"", source).read(_SHORT - _START)
    encoding = encoding_of(start)
    for digits in _DIGITS:
        try:
            if looks_like_message(Unarmoured(io.BytesIO(start[:_PROBE]), encoding, digits).read(_START)):
                return Unarmoured(Prefixed(start, source), encoding, digits), b""
        except EnvelopeError:
            continue
    return None, _plain(start, encoding)


class Unarmoured:
    """The bytes that a text stands for, decoded as they are read; UnreadableTextError where it is none."""

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
        """The digits without the prefix, once enough of them has come to tell; ``_begun`` says so."""
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
    """How a text can carry bytes: digits that belong together, what they stand for, what is passed over."""

    group: int
    decode: Callable[[str], bytes]
    separator: str = " "
    prefix: str = ""
    complete: Callable[[str], str] = str
    """The last digits with what a writer may leave out."""


def _with_padding(digits: str) -> str:
    """Base64url is often written without its =, and one digit alone is never all of a group."""
    missing = -len(digits) % 4
    return digits if missing == 3 or "=" in digits else digits + "=" * missing


_DIGITS: Mapping[str, _Digits] = {
    "base64": _Digits(4, _from_base64, complete=_with_padding),
    "hex": _Digits(2, bytes.fromhex, separator=":", prefix="0x"),
}


def _plain(start: bytes, encoding: str) -> bytes:
    """A text as UTF-8 without the quotes round it; anything else as it is."""
    try:
        text = start.decode(encoding).strip()
    except UnicodeDecodeError:
        return start
    if len(text) > 1 and text[0] in _QUOTES and text[0] == text[-1]:
        text = text[1:-1]
    return text.encode() if text.isascii() else start
