"""One file on its way to another key: what is asked for, what became of it, and how it is replaced."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from kms_tui.atomic import FileError, atomic_file, file_errors, make_folder
from kms_tui.envelope.streams import NO_PROGRESS, Progress
from kms_tui.kms.errors import KmsTuiError
from kms_tui.reencryption.file_tree import FoundFile
from kms_tui.reencryption.key_move import Context, KeyMove

_FOLDER = 0o777


class Status(StrEnum):
    """What became of a file."""

    MOVED = "moved"
    WOULD_MOVE = "would move"
    ALREADY = "already there"
    OTHER_KEY = "other key"
    FAILED = "failed"
    UNREADABLE = "unreadable"
    NO_CIPHERTEXT = "no ciphertext"


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one file. All but the status may be untrusted."""

    path: Path
    status: Status
    form: str = ""
    """"Encryption SDK message", "sops, YAML", "KMS ciphertext, base64"; "" where it is not known."""
    keys: tuple[str, ...] = ()
    """The KMS keys that it is under (or was), as far as it or KMS names them."""
    sentence: str = ""
    next_step: str = ""


class UnreadableFileError(KmsTuiError):
    """A file cannot be read, so that nothing is known of it."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class MoveOptions:
    """What is asked for all files.

    ``context`` is that of plain ciphertexts, which get ``new_context``: messages and sops files name their
    own. ``out_folder`` gets the results, None: they take the place of the files. ``check_sops`` raises
    KmsTuiError for a moved sops file that sops does not open; it gets the content and the form.
    """

    move: KeyMove
    context: Context
    new_context: Context
    dry_run: bool = False
    out_folder: Path | None = None
    overwrite: bool = False
    allow_uncommitted: bool = False
    read_back: bool = True
    check_sops: Callable[[bytes, str], None] | None = None
    now: Callable[[], datetime] = utc_now
    progress: Progress = NO_PROGRESS
    """Of the message in hand, in bytes of its plaintext."""


@dataclass(slots=True)
class FileTask:
    """A file that is open; ``form`` and ``keys`` are what is known of it so far."""

    file: FoundFile
    options: MoveOptions
    stream: BinaryIO
    found: os.stat_result
    form: str = ""
    keys: tuple[str, ...] = ()

    def outcome(self, status: Status, sentence: str = "", next_step: str = "") -> FileOutcome:
        return FileOutcome(self.file.path, status, self.form, self.keys, sentence, next_step)

    def read(self, size: int) -> bytes:
        """UnreadableFileError where it cannot be read."""
        try:
            with file_errors(self.file.path, "read"):
                return self.stream.read(size)
        except FileError as error:
            raise UnreadableFileError(str(error)) from error

    @property
    def target(self) -> Path:
        folder = self.options.out_folder
        return self.file.path if folder is None else folder / self.file.place

    def moved(self, sentence: str) -> FileOutcome:
        """The outcome of a file that was replaced, or would be; ``sentence`` says by what."""
        if self.options.dry_run:
            return self.outcome(Status.WOULD_MOVE, sentence)
        if self.options.out_folder is None and self.found.st_nlink > 1:
            sentence = f"{sentence} Its other names (hard links) keep the old ciphertext.".strip()
        return self.outcome(Status.MOVED, sentence)

    @contextlib.contextmanager
    def replacement(self) -> Iterator[BinaryIO]:
        """The new file, which takes its name when the block ends well; its mode and owner stay.

        Raises FileError, also where somebody else has changed the file meanwhile.
        """
        in_place = self.options.out_folder is None
        if not in_place:
            with file_errors(self.target.parent, "made"):
                make_folder(self.target.parent, _FOLDER)
        for leftover in self.file.leftovers:
            with contextlib.suppress(OSError):
                leftover.unlink()
        with atomic_file(self.target, overwrite=in_place or self.options.overwrite) as new:
            yield new
            new.flush()
            if (self.found.st_uid, self.found.st_gid) != (os.geteuid(), os.getegid()):
                with contextlib.suppress(OSError):
                    os.chown(new.fileno(), self.found.st_uid, self.found.st_gid)
            os.fchmod(new.fileno(), stat.S_IMODE(self.found.st_mode))
            if in_place and _version(self.file.path.stat()) != _version(self.found):
                raise FileError(
                    f"{self.file.path} has changed meanwhile; it was not touched.",
                    next_step="Run the command again.",
                )


def _version(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_ino, found.st_size, found.st_mtime_ns
