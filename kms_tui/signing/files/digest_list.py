"""Lists of digests of files, as ``sha256sum`` writes and checks them: one signature for a whole release."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from kms_tui.atomic import file_errors
from kms_tui.kms.errors import KmsTuiError
from kms_tui.signing.files.file_signatures import Ticks, no_ticks, stream_digest

MOST_BYTES = 64 << 20
_LINE = re.compile(r"(?P<escaped>\\?)(?P<digest>[0-9a-fA-F]{64}) [ *](?P<name>.+)")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_UNESCAPED = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}


class DigestListError(KmsTuiError):
    """A text is no list of SHA-256 digests; the sentence names the line."""


class FileState(StrEnum):
    """What became of a file in a list."""

    SAME = "same"
    CHANGED = "changed"
    MISSING = "missing"


class ListedFile(NamedTuple):
    """A line of a list: a path as written, and the SHA-256 digest in hex."""

    name: str
    digest: str

    def line(self) -> str:
        """The line with GNU's escapes for a name with a backslash or a line break."""
        name = "".join(_ESCAPES.get(character, character) for character in self.name)
        return f"{self.digest}  {name}\n" if name == self.name else f"\\{self.digest}  {name}\n"


def listed(path: Path, name: str, ticks: Ticks = no_ticks) -> ListedFile:
    """A file's line. Raises FileError."""
    with file_errors(path, "read"), path.open("rb") as source:
        return ListedFile(name, stream_digest(source, "sha256", ticks).hex())


def written(files: Iterable[ListedFile]) -> bytes:
    """The list, in the given order."""
    return "".join(each.line() for each in files).encode("utf-8", "surrogateescape")


def read_list(data: bytes) -> tuple[ListedFile, ...]:
    """The files of a list. Raises DigestListError."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    found = []
    for number, line in enumerate(lines, start=1):
        bare = line.removesuffix("\r")
        if not bare:
            continue
        match = _LINE.fullmatch(bare)
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
    """Each file's name and state; relative names are looked up in ``folder``. Raises FileError."""
    for each in files:
        path = folder / each.name
        if not path.is_file():
            yield each.name, FileState.MISSING
        else:
            same = listed(path, each.name, ticks).digest == each.digest
            yield each.name, FileState.SAME if same else FileState.CHANGED
