"""Files named in a form. The preview reads them as one types, so only regular ones are opened, up to a size.

Anything else may block for ever (a pipe), never end (``/dev/zero``) or take the terminal's keys
(``/dev/stdin``), and half a path often names something else.
"""

from __future__ import annotations

import stat
from pathlib import Path

from kms_tui.atomic import FileError, file_errors, typed_path

_LONGEST_PATH = 4096
"""Linux's PATH_MAX; a longer text is something that was pasted into the wrong field."""


def named_file(text: str, what: str) -> Path:
    """The regular file that was typed, not opened; ``what`` goes on "Name the file". Raises FileError."""
    if not text.strip():
        raise FileError(f"Name the file {what}.")
    if len(text) > _LONGEST_PATH:
        raise FileError(f"A text of {len(text):,} characters names no file.")
    path = typed_path(text)
    try:
        with file_errors(path, "read"):
            mode = path.stat().st_mode
    except ValueError as error:  # a NUL, or half a surrogate pair
        raise FileError("This text can name no file.") from error
    if not stat.S_ISREG(mode):
        kind = "a directory" if stat.S_ISDIR(mode) else "no regular file, so it is not opened"
        raise FileError(f"{path} is {kind}.")
    return path


def read_named(text: str, what: str, most: int) -> bytes:
    """The content of a regular file of at most ``most`` bytes. Raises FileError."""
    path = named_file(text, what)
    with file_errors(path, "read"), path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise FileError(f"{path} has more than {most:,} bytes, which no such file has.")
    return content
