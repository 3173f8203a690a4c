"""The console's data on disk: policy drafts, replaced policies, import tokens.

One folder for each key below the platform's data folder, created with mode 0700, files with 0600; each file
is JSON and appears whole or not at all.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import secrets
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from kms_tui.atomic import FileError, file_errors, write_private
from kms_tui.kms.model import ImportParameters, PolicyVersion

T = TypeVar("T")

_UNSAFE = re.compile(r"[^A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Draft:
    """An unsaved policy text; ``base`` is the key's policy at its start.

    ``token`` tells the drafts of one key apart: each editor writes its own.
    """

    token: str
    time: datetime
    text: str
    base: str


def new_token() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class StoredFiles(Generic[T]):
    """Entries found on disk, the newest first, and files that cannot be read."""

    entries: tuple[T, ...] = ()
    unreadable: tuple[Path, ...] = ()


def policy_root() -> Path:
    """Where this platform keeps a program's data; the folder need not be there."""
    from platformdirs import user_data_path

    return user_data_path("kms-tui") / "policies"


@cache
def _folder_of_this_run() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="kms-tui-")


def passing_root() -> Path:
    """A folder that is gone when the program ends."""
    return Path(_folder_of_this_run().name)


def key_folder(root: Path, arn: str) -> Path:
    """A key's folder below another: a readable name, unique for each ARN."""
    digest = hashlib.sha256(arn.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return root / f"{_UNSAFE.sub('-', arn)[-80:].strip('-')}-{digest}"


def moment_of(text: str) -> datetime:
    """A time as files write it, with its zone; ValueError for any other text."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment


def policy_files(*, kept: bool) -> PolicyFiles:
    """The drafts and versions of this platform's user; those of a demo are not ``kept`` after the run."""
    return PolicyFiles(policy_root() if kept else passing_root())


class PolicyFiles:
    """Drafts and replaced versions of key policies, by key ARN. Several processes may share it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, arn: str) -> Path:
        return key_folder(self.root, arn)

    # Drafts

    def keep_draft(self, arn: str, draft: Draft) -> None:
        """Write a draft over the earlier one of its token; raises FileError."""
        shape = {"arn": arn, "time": draft.time.isoformat(), "text": draft.text, "base": draft.base}
        self._write(self._draft_path(arn, draft.token), shape)

    def drafts(self, arn: str) -> StoredFiles[Draft]:
        """Every draft for the key; raises FileError if the folder cannot be read."""

        def read(path: Path, shape: dict[str, str]) -> Draft:
            token = path.stem.removeprefix("draft-")
            return Draft(token, moment_of(shape["time"]), shape["text"], shape["base"])

        return self._read_all(arn, "draft-*.json", read, lambda draft: draft.time)

    def discard_draft(self, arn: str, token: str) -> None:
        """Remove a draft, if it still exists. Raises FileError."""
        path = self._draft_path(arn, token)
        with file_errors(path, "removed"):
            path.unlink(missing_ok=True)

    def _draft_path(self, arn: str, token: str) -> Path:
        return self.folder(arn) / f"draft-{token}.json"

    # Versions

    def keep_version(self, arn: str, version: PolicyVersion) -> None:
        """Keep a policy that is about to be replaced, unless it is the newest version. Raises FileError."""
        newest = next(iter(self.versions(arn).entries), None)
        if newest is not None and newest.text == version.text:
            return
        shape = {"arn": arn, "time": version.time.isoformat(), "text": version.text, "author": version.author}
        stamp = version.time.strftime("%Y%m%dT%H%M%S%f")
        self._write(self.folder(arn) / f"version-{stamp}-{secrets.token_hex(4)}.json", shape)

    def versions(self, arn: str) -> StoredFiles[PolicyVersion]:
        """Every kept version for the key; raises FileError if the folder cannot be read."""

        def read(_: Path, shape: dict[str, str]) -> PolicyVersion:
            return PolicyVersion(shape["text"], moment_of(shape["time"]), shape["author"])

        return self._read_all(arn, "version-*.json", read, lambda version: version.time)

    # Files

    def _write(self, path: Path, shape: dict[str, str]) -> None:
        # ASCII escapes: a lone surrogate survives, which UTF-8 has no form for.
        write_private(path, json.dumps(shape, indent=1).encode("ascii"))

    def _read_all(
        self, arn: str, pattern: str, read: Callable[[Path, dict[str, str]], T], age: Callable[[T], datetime]
    ) -> StoredFiles[T]:
        entries: list[T] = []
        unreadable: list[Path] = []
        folder = self.folder(arn)
        with file_errors(folder, "read"):
            paths = sorted(folder.glob(pattern)) if folder.is_dir() else []
        for path in paths:
            try:
                entries.append(read(path, _strings(path, arn)))
            except (FileError, ValueError, KeyError, RecursionError):
                unreadable.append(path)
        # Sorted by name first, so that what is equally old keeps one order.
        return StoredFiles(tuple(sorted(entries, key=age, reverse=True)), tuple(unreadable))


def _strings(path: Path, arn: str) -> dict[str, str]:
    """The members of a file's JSON object; ValueError for any other file, FileError."""
    with file_errors(path, "read"):
        data = path.read_bytes()
    shape: Any = json.loads(data)
    if not isinstance(shape, dict) or shape.get("arn") != arn or not all(_texts(shape)):
        raise ValueError("not a file of this key")
    return shape


def _texts(shape: dict[str, Any]) -> Iterator[bool]:
    return (isinstance(value, str) for value in shape.values())


# Wrapping on an HSM or an air-gapped machine can take longer than one run of the console, and a token is
# good for 24 hours (GetParametersForImport). A token is no secret: ImportKeyMaterial asks for a permission of
# its own; the files are for their owner alone all the same. One JSON file for each key, whole or not there.


def import_root() -> Path:
    """Where this platform keeps a program's data; the folder need not be there."""
    from platformdirs import user_data_path

    return user_data_path("kms-tui") / "imports"


def import_files() -> ImportFiles:
    """The import tokens of this platform's user."""
    return ImportFiles(import_root())


class ImportFiles:
    """Import parameters by key ARN. Several processes may share it: the last one written counts."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def keep(self, arn: str, parameters: ImportParameters) -> None:
        """Write a key's import parameters, in place of earlier ones; raises FileError."""
        shape = {
            "arn": arn,
            "public_key": base64.b64encode(parameters.public_key).decode(),
            "token": base64.b64encode(parameters.token).decode(),
            "valid_to": parameters.valid_to.isoformat(),
        }
        write_private(self._path(arn), json.dumps(shape, indent=1).encode())

    def held(self, arn: str, now: datetime) -> ImportParameters | None:
        """A key's valid import parameters; None without any, or if the file cannot be read."""
        try:
            with file_errors(self._path(arn), "read"):
                shape: Any = json.loads(self._path(arn).read_bytes())
            valid_to = datetime.fromisoformat(shape["valid_to"])
            public_key, token = (
                base64.b64decode(shape[name], validate=True) for name in ("public_key", "token")
            )
            good = shape["arn"] == arn and now < valid_to
        except (FileError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return ImportParameters(public_key, token, valid_to) if good else None

    def forget(self, arn: str) -> None:
        """Remove a key's file after its token was used. A file that cannot be removed does no harm."""
        with contextlib.suppress(OSError):
            self._path(arn).unlink(missing_ok=True)

    def _path(self, arn: str) -> Path:
        return self.root / f"{hashlib.sha256(arn.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}.json"
