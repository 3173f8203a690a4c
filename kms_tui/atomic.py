"""Files that appear whole under their name, or not at all."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kms_tui.kms.errors import KmsTuiError

PRIVATE = 0o600
SHARED = 0o666
"""The mode of an ordinary new file, before the umask."""

PRIVATE_FOLDER = 0o700

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_HARD_LINKS = {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_LONGEST = 200
"""Characters of a file's name that its temporary file's name repeats."""


class FileError(KmsTuiError):
    """A file cannot be read or written; the sentence names the file (untrusted text) and the cause."""


class AlreadyThereError(FileError):
    """The target exists and must not be overwritten; it is unchanged."""


class NoRoomError(FileError):
    """The disk is full, the quota is used up, or the file is too large for its file system."""


def typed_path(text: str) -> Path:
    """A path that the user typed, with ``~`` as a home folder; an unknown ``~nobody`` stays as it is.

    (Path.expanduser raises RuntimeError for ``~nobody``.)
    """
    return Path(os.path.expanduser(text.strip()))


@contextlib.contextmanager
def atomic_file(path: Path, *, overwrite: bool = False, mode: int = PRIVATE) -> Iterator[BinaryIO]:
    """A file to write (and read back) that takes its name when the block ends well; otherwise no trace of it
    stays.

    It is written beside its target, with ``mode`` less the umask and less what the file in whose place it
    comes does not permit; what that permits its group is that group's. It is on the disk before it takes its
    name, and the name when this ends, so that a loss of power takes neither. An OSError of the block counts
    as a failure to write. Raises AlreadyThereError (before the block, and at its end if somebody was
    quicker), NoRoomError, FileError.
    """
    target = Path(os.path.realpath(path))
    replaced = _replaced(path, target, overwrite)
    if replaced is not None:
        mode &= stat.S_IMODE(replaced.st_mode)
    part = target.with_name(_part_of(target.name[:_LONGEST], os.urandom(6).hex()))
    try:
        with file_errors(path, "written"):
            descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
            with os.fdopen(descriptor, "w+b") as file:
                if replaced is not None:
                    _keep_group(descriptor, replaced.st_gid)
                yield file
                file.flush()
                _sync(descriptor)
            if overwrite:
                part.replace(target)
            else:
                _name_if_free(part, target, path)
            sync_folder(target.parent)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, in place of any other; a missing folder is created, private
    too.

    Raises FileError, NoRoomError.
    """
    with file_errors(path.parent, "made"):
        # The mode is that of the last folder only; those above it hold nothing but folders.
        make_folder(path.parent, PRIVATE_FOLDER)
    with atomic_file(path, overwrite=True) as file:
        file.write(content)


def remove_parts(path: Path) -> None:
    """Remove temporary files that killed programs left; only when no one else can be writing this file."""
    target = Path(os.path.realpath(path))
    for part in target.parent.glob(_part_of(glob.escape(target.name[:_LONGEST]), "*")):
        part.unlink(missing_ok=True)


def make_folder(folder: Path, mode: int) -> None:
    """Create a folder and missing ones above it, with their names synced to disk. Raises OSError."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    for made in missing:
        sync_folder(made.parent)


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder to disk, if its file system can. Raises OSError."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        return  # a folder that may be written but not read cannot be synced by us
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def file_errors(path: Path | str, done: str) -> Iterator[None]:
    """Turn an OSError into a FileError: "``path`` could not be ``done``: …"."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        if error.errno in _NO_ROOM:
            raise NoRoomError(
                f"{path} could not be {done}: {reason}.", next_step="Make room, or choose another place."
            ) from error
        raise FileError(f"{path} could not be {done}: {reason}.") from error


def _part_of(name: str, mark: str) -> str:
    return f".{name}.{mark}.part"


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def _replaced(path: Path, target: Path, overwrite: bool) -> os.stat_result | None:
    """What is known of the file that is to be replaced; None where there is none. Raises FileError."""
    try:
        found = target.stat()
    except OSError:
        return None  # not there, or not to be seen: opening the temporary file tells which
    if stat.S_ISDIR(found.st_mode):
        raise FileError(f"{path} is a directory.", next_step="Name a file in it.")
    if not stat.S_ISREG(found.st_mode):
        raise FileError(f"{path} is not a regular file, so it cannot be replaced as a whole.")
    if not overwrite:
        raise _already_there(path)
    return found


def _keep_group(descriptor: int, group: int) -> None:
    """Give a file to a group; where that is refused, permit its own group no more than everybody."""
    made = os.fstat(descriptor)
    if made.st_gid == group:
        return
    try:
        os.fchown(descriptor, -1, group)
    except OSError:
        everybody = made.st_mode & stat.S_IRWXO
        os.fchmod(descriptor, stat.S_IMODE(made.st_mode) & (~stat.S_IRWXG | everybody << 3))


def _already_there(path: Path) -> AlreadyThereError:
    return AlreadyThereError(f"{path} exists already; it was not touched.", next_step="Choose another name.")


def _name_if_free(part: Path, target: Path, path: Path) -> None:
    """Give the file its name unless that exists: unlike a rename, a hard link never replaces."""
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
