"""The little that sealing and opening ask of a stream."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from kms_tui.atomic import file_errors


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Writable(Protocol):
    def write(self, data: bytes, /) -> object: ...


class Source:
    """A stream whose failing reads raise FileError with the name that people know it by."""

    def __init__(self, stream: Readable, name: Path | str) -> None:
        self._stream = stream
        self._name = name

    def read(self, size: int, /) -> bytes:
        with file_errors(self._name, "read"):
            return self._stream.read(size)


class Prefixed:
    """Bytes already taken from a stream and then its rest; counts, and notes a read beyond the end.

    A read gives all that was asked for unless the stream ends, even where the stream is a pipe.
    """

    def __init__(self, prefix: bytes, source: Readable) -> None:
        self._prefix = prefix
        self._source = source
        self.position = 0
        self.ended = False

    def read(self, size: int, /) -> bytes:
        data, self._prefix = self._prefix[:size], self._prefix[size:]
        while len(data) < size:
            more = self._source.read(size - len(data))
            if not more:
                self.ended = True
                break
            data = data + more if data else more
        self.position += len(data)
        return data
