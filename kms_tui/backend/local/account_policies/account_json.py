"""Reads the bytes of a file of account policies as JSON, more strictly than Python's own reader."""

from __future__ import annotations

import json
from typing import Any

from kms_tui.backend.local.account_policies.account_file import AccountFileError, NamedFile
from kms_tui.formats import encoding_of, members_once

MAX_BYTES = 64 * 1024 * 1024
_HINT = (
    "A file holds what `aws iam get-account-authorization-details` prints, or other members that `kms-tui "
    "store policies set --help` names."
)


class _NotJsonError(Exception):
    """What Python's reader takes, and JSON or IAM does not."""


def json_of(name: str, content: bytes) -> NamedFile:
    """A file as JSON. Raises AccountFileError with the line of what is wrong."""
    if len(content) > MAX_BYTES:
        raise AccountFileError(f"{name} is longer than {MAX_BYTES // 1024 // 1024} MB.")
    try:
        found = json.loads(
            content.decode(encoding_of(content)).removeprefix("\ufeff"),
            object_pairs_hook=members_once,
            parse_constant=_no_constant,
        )
    except UnicodeDecodeError as error:
        raise AccountFileError(f"{name} is no text: byte {error.start + 1} cannot be read.") from error
    except json.JSONDecodeError as error:
        raise AccountFileError(
            f"{name} is no JSON: line {error.lineno}, column {error.colno}: {error.msg}."
        ) from error
    except (_NotJsonError, ValueError) as error:
        raise AccountFileError(f"{name} cannot be read: {error}.") from error
    except RecursionError as error:
        raise AccountFileError(f"{name} is nested too deeply.") from error
    if not isinstance(found, dict):
        raise AccountFileError(f"{name} is no JSON object.", next_step=_HINT)
    return NamedFile(name, found)


def _no_constant(word: str) -> Any:
    raise _NotJsonError(f"{word} is no JSON")
