"""The little that sealing and opening ask of a stream, and the streams that they put round others."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator
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


@contextlib.contextmanager
def write_behind(target: Writable) -> Iterator[Writable]:
    """A stream whose writes are done on another thread meanwhile; all of them are done when the block ends.

    A failing write raises at a later write or at the end. For files only: on a pipe that nobody reads, a
    write could hold up the end of a block that was given up.
    """
    writer = _Behind(target)
    try:
        yield writer
    finally:
        writer.stop()
    writer.raise_failure()


class _Behind:
    def __init__(self, target: Writable) -> None:
        self._target = target
        self._failure: BaseException | None = None
        self._waiting: queue.Queue[bytes | None] = queue.Queue(maxsize=2)
        self._thread = threading.Thread(target=self._run, name="kms-tui writer", daemon=True)
        self._thread.start()

    def write(self, data: bytes, /) -> None:
        self.raise_failure()
        self._waiting.put(data)

    def stop(self) -> None:
        self._waiting.put(None)
        self._thread.join()

    def raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        while (data := self._waiting.get()) is not None:
            if self._failure is None:
                try:
                    self._target.write(data)
                except BaseException as error:
                    self._failure = error
