"""Policies read from files, written to files, and edited in the person's own editor."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from kms_tui.atomic import SHARED, FileError, atomic_file, file_errors

MAX_BYTES = 1_048_576
"""Far more than KMS takes: a file beyond it is not a policy."""


def read_policy(path: Path) -> str:
    """The text of a file as it is; raises FileError."""
    with file_errors(path, "read"), path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise FileError(f"{path} is larger than any policy: KMS takes 131,072 bytes.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is not UTF-8: byte {error.start + 1} cannot be read.") from error


def write_policy(path: Path, text: str, *, overwrite: bool) -> None:
    """Write the text as it is; raises FileError."""
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise FileError(
            f"{path} was not written: the text holds half of a surrogate pair, which UTF-8 has no form for."
        ) from error
    with atomic_file(path, overwrite=overwrite, mode=SHARED) as file:
        file.write(data)


def editor_command(environ: Mapping[str, str] = os.environ) -> Sequence[str]:
    """The command in VISUAL or EDITOR, with its arguments; ``vi`` where neither is set."""
    for name in ("VISUAL", "EDITOR"):
        if environ.get(name, "").strip():
            return shlex.split(environ[name])
    return ["vi"]


class OutsideEdit:
    """A private file that another program edits; it is kept when something goes wrong, so nothing is lost."""

    def __init__(self, text: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="kms-tui-"))
        self.path = self._folder / "policy.json"
        with file_errors(self.path, "written"):
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode("utf-8", "surrogatepass"))

    def run(self, command: Sequence[str]) -> str:
        """Run the program in the foreground and return the text that it left; FileError names the file."""
        try:
            code = subprocess.call([*command, str(self.path)])
        except OSError as error:
            self.remove()
            raise FileError(
                f"{command[0]} could not be started: {error.strerror}.",
                next_step="Set VISUAL or EDITOR to the program of your choice.",
            ) from error
        if code:
            raise FileError(f"{command[0]} ended with code {code}; what it wrote is kept in {self.path}.")
        try:
            text = read_policy(self.path)
        except FileError as error:
            raise FileError(f"{error} It is kept there.") from error
        self.remove()
        return text

    def remove(self) -> None:
        """Remove the file and its folder, with what the program may have left there."""
        shutil.rmtree(self._folder, ignore_errors=True)
