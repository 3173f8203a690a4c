"""The objects of an S3 Inventory: its manifest, and its CSV files beside it.

The inventory says how an object is encrypted (EncryptionStatus: SSE-S3, SSE-C, SSE-KMS, DSSE-KMS, NOT-SSE),
not by which key, so it only sets aside what is under no key. Its files have no head: the manifest has the
names of the columns. Names of objects are URL-encoded (S3 user guide, "Amazon S3 Inventory list").
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import unquote_plus

from kms_tui.evidence.object_uses import ListedObject
from kms_tui.kms.errors import ConfigurationError

_PAGE = 1000
_LARGEST_MANIFEST = 16 << 20
_UNDER_KMS = ("SSE-KMS", "DSSE-KMS")


@dataclass(slots=True)
class ObjectInventory:
    """An inventory; ``set_aside`` counts the objects without a KMS key, by status, as ``pages`` is read."""

    bucket: str
    columns: Sequence[str]
    files: Sequence[Path]
    set_aside: Counter[str] = field(default_factory=Counter)

    def pages(self, prefix: str = "") -> Iterator[list[ListedObject]]:
        """The objects under a KMS key, or of which the inventory does not tell. Raises ConfigurationError."""
        page: list[ListedObject] = []
        for file in self.files:
            for row in self._rows(file):
                name = unquote_plus(row["Key"])
                if not name.startswith(prefix) or row.get("IsDeleteMarker", "").lower() == "true":
                    continue
                status = row.get("EncryptionStatus", "")
                if status and status not in _UNDER_KMS:
                    self.set_aside[status] += 1
                    continue
                page.append(ListedObject(name, row.get("VersionId", "")))
                if len(page) == _PAGE:
                    yield page
                    page = []
        if page:
            yield page

    def _rows(self, file: Path) -> Iterator[dict[str, str]]:
        number = 0
        try:
            with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as binary:
                lines = io.TextIOWrapper(binary, encoding="utf-8", newline="")
                for number, cells in enumerate(csv.reader(lines, strict=True), 1):
                    if len(cells) != len(self.columns):
                        found = f"{len(cells)} columns, not {len(self.columns)}"
                        raise ConfigurationError(f"{file}: line {number} has {found}, as the manifest says.")
                    yield dict(zip(self.columns, cells, strict=True))
        except OSError as error:
            raise ConfigurationError(f"{file} cannot be read: {error.strerror or error}.") from error
        except (csv.Error, UnicodeDecodeError, EOFError, zlib.error) as error:
            raise ConfigurationError(
                f"{file}: what follows line {number} is no CSV, or is cut off."
            ) from error


def read_manifest(path: Path) -> ObjectInventory:
    """The inventory of a manifest.json with its files: beside it, or where S3 puts them (``../data/``).

    Raises ConfigurationError.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_MANIFEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name cannot be used"
        raise ConfigurationError(f"{path} cannot be read: {reason}.") from error
    try:
        if len(content) > _LARGEST_MANIFEST:
            raise ValueError("too large")
        manifest = json.loads(content)
        bucket, form, schema = (manifest[name] for name in ("sourceBucket", "fileFormat", "fileSchema"))
        names = [each["key"] for each in manifest["files"]]
        if not all(isinstance(each, str) for each in (bucket, form, schema, *names)):
            raise ValueError("not texts")
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ConfigurationError(
            f"{path} is no manifest of an S3 Inventory.", next_step="Give its manifest.json."
        ) from None
    if form != "CSV":
        raise ConfigurationError(
            f"{path} is an inventory in {form}: only CSV can be read.",
            next_step="Set the inventory's format to CSV, or leave --inventory out and give --bucket.",
        )
    columns = [each.strip() for each in schema.split(",")]
    if "Key" not in columns or len(set(columns)) != len(columns):
        raise ConfigurationError(f"{path}: its fileSchema names no Key, or a column twice.")
    return ObjectInventory(bucket, columns, [_file(path, PurePosixPath(name).name) for name in names])


def _file(manifest: Path, name: str) -> Path:
    """The file of an inventory on this machine; only the last part of its key counts."""
    places = (manifest.parent, manifest.parent / "data", manifest.parent.parent / "data")
    for place in places:
        if name not in ("", ".", "..") and (place / name).is_file():
            return place / name
    raise ConfigurationError(
        f"{name} of the inventory is not beside {manifest}, nor in a folder data there.",
        next_step="Copy the inventory's files with the manifest: aws s3 cp --recursive.",
    )
