"""Reads a seed: from a file, a text or Python's own values, in our form or in that of local-kms."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kms_tui.backend.local.default_store import DEFAULT_ACCOUNT, DEFAULT_REGION
from kms_tui.seed.local_kms_seed import from_local_kms, is_local_kms
from kms_tui.seed.seed_document import SeedDocument, SeedError
from kms_tui.seed.seed_keys import read_keys
from kms_tui.seed.seed_members import MemberReader
from kms_tui.seed.seed_model import Seed
from kms_tui.seed.seed_principals import read_principals
from kms_tui.seed.seed_shape import require_shape
from kms_tui.seed.seed_text import from_mapping, read_file, read_text

_TEXT_NAME = "the seed"


def read_seed(
    source: Path | str | Mapping[str, Any],
    *,
    name: str = "",
    folder: Path | None = None,
    account: str = "",
    region: str = "",
) -> Seed:
    """The seed in a file (a Path), in a text (YAML, JSON; TOML by the ending of ``name``), or of Python's
    values.

    ``name`` stands for the source in sentences; files that the seed names lie in ``folder``, or beside the
    file. ``account`` and ``region`` are those of a seed that names none. Raises SeedError, with every problem
    that was found, and FileError.
    """
    if isinstance(source, Path):
        document = read_file(source)
    elif isinstance(source, str):
        document = read_text(source, name or _TEXT_NAME, folder)
    else:
        document = from_mapping(source, name or _TEXT_NAME, folder)
    return seed_of(document, account, region)


def seed_of(document: SeedDocument, account: str = "", region: str = "") -> Seed:
    """The seed that a document means; ``account`` and ``region`` as for ``read_seed``. Raises SeedError."""
    notes: tuple[str, ...] = ()
    if is_local_kms(document.data):
        document, notes = from_local_kms(document, account, region)
    elif document.data is None:
        document = SeedDocument(document.name, {})
    require_shape(document)
    reader = MemberReader(document, account or DEFAULT_ACCOUNT, region or DEFAULT_REGION)
    keys = read_keys(reader)
    access_keys, rows = read_principals(reader)
    if reader.problems:
        raise SeedError(reader.problems)
    return Seed(document.name, reader.account, reader.region, keys, access_keys, rows, notes)
