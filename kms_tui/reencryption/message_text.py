"""Messages of the Encryption SDK that a file holds as base64 text: read, and written in the same lines."""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass
from typing import BinaryIO

from kms_tui.envelope.header import DecodedText, message_in
from kms_tui.envelope.streams import Readable, Writable
from kms_tui.kms.errors import KmsTuiError

_START = 8192
_LINE = re.compile(rb"\s*([A-Za-z0-9+/]+={0,2})(\r?\n)?")


@dataclass(frozen=True, slots=True)
class Base64Lines:
    """How a text is written: characters in a line (0: all in one), the line break, whether one ends it."""

    width: int
    line_break: bytes
    ends_with_break: bool

    def reading(self, source: Readable) -> DecodedText:
        return DecodedText(source, "utf-8", "base64")

    def writing(self, target: Writable) -> Base64Writer:
        return Base64Writer(target, self)


class Base64Writer:
    """Writes bytes as base64; ``finish`` writes the last ones."""

    def __init__(self, target: Writable, lines: Base64Lines) -> None:
        self._target = target
        self._lines = lines
        self._rest = b""
        self._column = 0

    def write(self, data: bytes, /) -> None:
        data = self._rest + data
        whole = len(data) - len(data) % 3
        self._rest = data[whole:]
        self._write(base64.b64encode(data[:whole]))

    def finish(self) -> None:
        self._write(base64.b64encode(self._rest))
        if self._lines.ends_with_break:
            self._target.write(self._lines.line_break)

    def _write(self, digits: bytes) -> None:
        width = self._lines.width
        if not width:
            self._target.write(digits)
            return
        parts: list[bytes] = []
        position = 0
        while position < len(digits):
            if self._column == width:
                parts.append(self._lines.line_break)
                self._column = 0
            part = digits[position : position + width - self._column]
            parts.append(part)
            position += len(part)
            self._column += len(part)
        self._target.write(b"".join(parts))


def lines_of_message(stream: BinaryIO) -> Base64Lines | None:
    """How a file holds a message as base64; None for a file that holds none as text.

    The stream is at its start again. KmsTuiError for a message as another kind of text.
    """
    message, _ = message_in(stream)
    stream.seek(0)
    if not isinstance(message, DecodedText):
        return None
    start = stream.read(_START)
    size = stream.seek(-1, os.SEEK_END) + 1
    ends_with_break = stream.read(1) == b"\n"
    stream.seek(0)
    first = _LINE.match(start)
    if first is None or (first[2] is None and first.end() < len(start)):
        raise KmsTuiError(
            "It is a message of the Encryption SDK in hex, quotes, UTF-16 or another kind of text.",
            next_step="Write it as bytes, or as base64.",
        )
    is_wrapped = first[2] is not None and first.end() < size
    return Base64Lines(len(first[1]) if is_wrapped else 0, first[2] or b"\n", ends_with_break)
