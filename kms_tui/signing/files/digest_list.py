"""Lists of digests of files, as ``sha256sum`` writes and checks them: one signature for a whole release."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from kms_tui.atomic import FileError, file_errors
from kms_tui.kms.errors import KmsTuiError
from kms_tui.signing.files.file_signatures import Ticks, no_ticks, stream_digest

MOST_BYTES = 64 << 20
_LINES = (
    re.compile(r"(?P<escaped>\\?)(?P<digest>[0-9a-fA-F]{64}) [ *](?P<name>.+)"),
    re.compile(r"(?P<escaped>\\?)SHA256 \((?P<name>.+)\) = (?P<digest>[0-9a-fA-F]{64})"),
)
"""The line of ``sha256sum``, and that of ``sha256sum --tag`` and of BSD's ``sha256``."""
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_UNESCAPED = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}


class DigestListError(KmsTuiError):
    """A text is no list of SHA-256 digests; the sentence names the line."""


class FileState(StrEnum):
    """What became of a file in a list."""

    SAME = "same"
    CHANGED = "changed"
    MISSING = "missing"
    UNREADABLE = "unreadable"


class ListedFile(NamedTuple):
    """A line of a list: a path as written, and the SHA-256 digest in hex."""

    name: str
    digest: str

    def line(self) -> str:
        """The line with GNU's escapes for a name with a backslash or a line break."""
        name = "".join(_ESCAPES.get(character, character) for character in self.name)
        return f"{self.digest}  {name}\n" if name == self.name else f"\\{self.digest}  {name}\n"


def name_beside(list_path: Path, file: str) -> str:
    """The name of a file as seen from the folder of a list, where whoever checks it looks the name up."""
    folder, name = os.path.split(file)
    return os.path.relpath(os.path.join(os.path.realpath(folder), name), os.path.realpath(list_path.parent))


def listed(path: Path, name: str, ticks: Ticks = no_ticks) -> ListedFile:
    """A file's line. Raises FileError."""
    with file_errors(path, "read"), path.open("rb") as source:
        return ListedFile(name, stream_digest(source, "sha256", ticks).hex())


def written(files: Iterable[ListedFile]) -> bytes:
    """The list, in the given order."""
    return "".join(each.line() for each in files).encode("utf-8", "surrogateescape")


def require_size(data: bytes) -> None:
    """DigestListError for more bytes than a list may have."""
    if len(data) > MOST_BYTES:
        raise DigestListError(f"The list of digests has more than {MOST_BYTES >> 20} MiB.")


def read_list(data: bytes) -> tuple[ListedFile, ...]:
    """The files of a list. Raises DigestListError."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    found = []
    for number, line in enumerate(lines, start=1):
        bare = line.removesuffix("\r")
        if not bare:
            continue
        match = next((whole for form in _LINES if (whole := form.fullmatch(bare))), None)
        if match is None:
            raise DigestListError(
                f'Line {number} is none of sha256sum: "64 hex digits, two spaces, name" is expected.'
            )
        name = match["name"]
        if match["escaped"]:
            name = re.sub(r"\\[\\nr]", lambda escape: _UNESCAPED[escape[0]], name)
        found.append(ListedFile(name, match["digest"].lower()))
    if not found:
        raise DigestListError("The list of digests is empty.")
    return tuple(found)


def check(
    files: Iterable[ListedFile], folder: Path, ticks: Ticks = no_ticks
) -> Iterator[tuple[str, FileState]]:
    """Each file's name and state. Names are looked up from ``folder``, as ``sha256sum -c`` does there.

    They may lead out of it: all that is told of a file is whether it is the one that was listed.
    """
    for each in files:
        path = folder / each.name
        if not os.path.isfile(path):  # which is no error for a name that no file can have
            yield each.name, FileState.MISSING
            continue
        try:
            same = listed(path, each.name, ticks).digest == each.digest
        except FileError:
            yield each.name, FileState.UNREADABLE
        else:
            yield each.name, FileState.SAME if same else FileState.CHANGED
