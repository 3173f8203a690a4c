"""The files of trees, in order: no symbolic link is followed, version control's own folders are left out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from kms_tui.atomic import FileError, file_errors

_LEFT_OUT = frozenset({".git", ".hg", ".svn", ".bzr"})
_PART = re.compile(r"\.(.+)\.[0-9a-f]{12}\.part\Z", re.DOTALL)
"""The name of an unfinished file that a killed program left (``atomic.py``)."""


class FoundFile(NamedTuple):
    """A file to look at, or a folder that could not be read, with the error."""

    path: Path
    place: Path
    """Below the folder that was named; the name alone of a file that was named."""
    is_named: bool
    leftovers: tuple[Path, ...] = ()
    """Unfinished files of an earlier run."""
    error: FileError | None = None


def files_of(names: Sequence[Path], *, left_out: Path | None = None) -> Iterator[FoundFile]:
    """The files that are named, and those below the folders that are; each once, ``left_out`` not."""
    seen: set[str] = set()
    avoided = None if left_out is None else os.path.realpath(left_out)
    for name in names:
        found = _below(name, name, avoided) if name.is_dir() else [FoundFile(name, Path(name.name), True)]
        for file in found:
            whole = os.path.realpath(file.path)
            if whole not in seen:
                seen.add(whole)
                yield file


def _below(top: Path, root: Path, avoided: str | None) -> Iterator[FoundFile]:
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            with file_errors(folder, "read"), os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except FileError as error:
            yield FoundFile(folder, Path(), False, error=error)
            continue
        leftovers: dict[str, list[Path]] = {}
        kept: list[os.DirEntry[str]] = []
        for entry in listed:
            part = _PART.match(entry.name)
            if part is not None:
                leftovers.setdefault(part[1], []).append(folder / entry.name)
            elif not entry.is_symlink():
                kept.append(entry)
        for entry in kept:
            if entry.is_file(follow_symlinks=False):
                path = folder / entry.name
                yield FoundFile(path, path.relative_to(root), False, tuple(leftovers.get(entry.name, ())))
        waiting += reversed(
            [
                folder / entry.name
                for entry in kept
                if entry.is_dir(follow_symlinks=False)
                and entry.name not in _LEFT_OUT
                and os.path.realpath(folder / entry.name) != avoided
            ]
        )
