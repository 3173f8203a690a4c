"""The streams of sealing and opening, and their progress, which can be cancelled."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from kms_tui.atomic import file_errors
from kms_tui.envelope.errors import CancelledByUserError


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Writable(Protocol):
    def write(self, data: bytes, /) -> object: ...


class Source:
    """A stream whose failing reads raise FileError with its name."""

    def __init__(self, stream: Readable, name: Path | str) -> None:
        self._stream = stream
        self._name = name

    def read(self, size: int, /) -> bytes:
        with file_errors(self._name, "read"):
            return self._stream.read(size)


class Prefixed:
    """Bytes already read from a stream, then its rest; counts, and notes its end.

    A read returns all requested bytes unless the stream ends, even from a pipe.
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
    """A stream that another thread writes; all writes are done when the block ends.

    A failing write raises at a later write or at the end. For files only: on a pipe that no one reads, a
    write could block the end of a cancelled block.
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


class ProgressKind(Enum):
    """The steps of envelope encryption, as sentences."""

    DATA_KEY_ASKED = "Asked KMS for a new data key under {detail}"
    DATA_KEY_COPIED = "Had the data key encrypted under {detail} as well"
    HEADER_STORED = "Stored the encrypted data key and the encryption context in the header: {detail}"
    SEALED = "Sealed with the data key, here: {detail}"
    HEADER_READ = "Read the header: {detail}"
    DATA_KEY_DECRYPTED = "Had KMS decrypt the data key under {detail}"
    VERIFIED = "Opened and verified to the last byte: {detail}"
    KEY_FORGOTTEN = "Forgot the data key"


@dataclass(frozen=True, slots=True)
class ProgressStep:
    """One finished step; ``detail`` may come from the file, so it is untrusted text."""

    kind: ProgressKind
    detail: str = ""

    @property
    def sentence(self) -> str:
        return f"{self.kind.value.format(detail=self.detail)}."


def _ignore_progress(done: int, total: int | None) -> None:
    pass


def _ignore_step(step: ProgressStep) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Progress:
    """Callbacks on the working thread, called at least once for each frame.

    ``progress`` gets the bytes of the source done and their total (None for a pipe); ``cancelled`` says
    whether to stop before the next frame.
    """

    progress: Callable[[int, int | None], None] = _ignore_progress
    cancelled: Callable[[], bool] = lambda: False
    step: Callable[[ProgressStep], None] = _ignore_step

    def tick(self, done: int, total: int | None) -> None:
        """Report progress; raises CancelledByUserError if cancelled."""
        if self.cancelled():
            raise CancelledByUserError
        self.progress(done, total)


NO_PROGRESS = Progress()
