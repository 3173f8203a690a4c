"""Files that appear whole under their name, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kms_tui.kms.errors import KmsTuiError

PRIVATE = 0o600
SHARED = 0o666
"""What the umask makes of an ordinary new file."""

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_HARD_LINKS = {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class FileError(KmsTuiError):
    """A file cannot be read or written; the sentence names the file (untrusted text) and the cause."""


class AlreadyThereError(FileError):
    """The target exists and was not to be overwritten; it is untouched."""


class NoRoomError(FileError):
    """The disk is full, the quota used up, or the file too large for its file system."""


def typed_path(text: str) -> Path:
    """The path that somebody typed: ``~`` is a home folder, and stays as it is where nobody has such a one.

    (Path.expanduser raises RuntimeError for ``~nobody``.)
    """
    return Path(os.path.expanduser(text.strip()))


@contextlib.contextmanager
def atomic_file(path: Path, *, overwrite: bool = False, mode: int = PRIVATE) -> Iterator[BinaryIO]:
    """A file to write that takes its name when the block ends well; otherwise no trace of it stays.

    It is written beside its target, with ``mode`` less the umask. Where it replaces a file it is on the disk
    before the old one goes; a new file is left to the system's own time, as every copying tool does. An
    OSError of the block counts as a failure to write. Raises AlreadyThereError (before the block, and at its
    end if somebody was quicker), NoRoomError, FileError.
    """
    target = Path(os.path.realpath(path))
    _refuse(path, target, overwrite)
    part = target.with_name(f".{target.name[:200]}.{secrets.token_hex(6)}.part")
    try:
        with file_errors(path, "written"):
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
            with os.fdopen(descriptor, "wb") as file:
                yield file
                if overwrite and target.exists():
                    file.flush()
                    os.fsync(descriptor)
            if overwrite:
                part.replace(target)
            else:
                _name_if_free(part, target, path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


@contextlib.contextmanager
def file_errors(path: Path | str, done: str) -> Iterator[None]:
    """Turn an OSError into a FileError: "``path`` could not be ``done``: …"."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        if error.errno in _NO_ROOM:
            raise NoRoomError(
                f"{path} could not be {done}: {reason}.",
                next_step="Make room, or choose another place.",
            ) from error
        raise FileError(f"{path} could not be {done}: {reason}.") from error


def _refuse(path: Path, target: Path, overwrite: bool) -> None:
    try:
        found = target.stat()
    except OSError:
        return  # not there, or not to be seen: opening the temporary file tells which
    if stat.S_ISDIR(found.st_mode):
        raise FileError(f"{path} is a directory.", next_step="Name a file in it.")
    if not stat.S_ISREG(found.st_mode):
        raise FileError(f"{path} is not a regular file, so it cannot be replaced as a whole.")
    if not overwrite:
        raise _already_there(path)


def _already_there(path: Path) -> AlreadyThereError:
    return AlreadyThereError(f"{path} exists already; it was not touched.", next_step="Choose another name.")


def _name_if_free(part: Path, target: Path, path: Path) -> None:
    """Give the file its name unless that is taken: a hard link never replaces, as a rename would."""
    try:
        try:
            target.hardlink_to(part)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE))
            part.replace(target)
    except FileExistsError:
        raise _already_there(path) from None
