"""Import tokens on disk: what KMS gave out for an import, kept until the material comes back wrapped.

Wrapping elsewhere (an HSM, an air-gapped machine) takes longer than one run of the console, and a token is
good for 24 hours (GetParametersForImport). A token is no secret: ImportKeyMaterial asks for a permission of
its own; the files are for their owner alone all the same. One JSON file for each key, whole or not there.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from kms_tui.atomic import FileError, file_errors, write_private
from kms_tui.kms.model import ImportParameters


def default_root() -> Path:
    """Where this platform keeps a program's data; the folder need not be there."""
    from platformdirs import user_data_path

    return user_data_path("kms-tui") / "imports"


def import_files() -> ImportFiles:
    """The import tokens of this platform's user."""
    return ImportFiles(default_root())


class ImportFiles:
    """Import parameters by key ARN. Safe to share between processes: the last one written counts."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def keep(self, arn: str, parameters: ImportParameters) -> None:
        """Write what was given out for a key, in place of anything earlier; raises FileError."""
        shape = {
            "arn": arn,
            "public_key": base64.b64encode(parameters.public_key).decode(),
            "token": base64.b64encode(parameters.token).decode(),
            "valid_to": parameters.valid_to.isoformat(),
        }
        write_private(self._path(arn), json.dumps(shape, indent=1).encode())

    def held(self, arn: str, now: datetime) -> ImportParameters | None:
        """What was kept for a key and is still good; None where nothing is, or its file cannot be read."""
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
        """Remove a key's file: the token was used. A file that cannot be removed does no harm."""
        with contextlib.suppress(OSError):
            self._path(arn).unlink(missing_ok=True)

    def _path(self, arn: str) -> Path:
        return self.root / f"{hashlib.sha256(arn.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}.json"
