"""What a writer of code gives back, and how its files are written."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from kms_tui.atomic import SHARED, atomic_file, file_errors


class Code(NamedTuple):
    """Files by name, the main one first, and what the reader must know: sentences, one a line."""

    files: Mapping[str, str]
    notes: tuple[str, ...] = ()


def write_files(code: Code, directory: Path, *, overwrite: bool) -> list[Path]:
    """Write all files into a directory, which is made, or none of them.

    Raises AlreadyThereError for the first that exists, unless ``overwrite``; NoRoomError, FileError.
    """
    with file_errors(directory, "made"):
        directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / name for name in code.files]
    with ExitStack() as stack:
        files = [stack.enter_context(atomic_file(path, overwrite=overwrite, mode=SHARED)) for path in paths]
        for file, text in zip(files, code.files.values(), strict=True):
            file.write(text.encode())
    return paths
