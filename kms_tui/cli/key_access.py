"""The session of a command, and what decides about requests on a key: read through it, or from files."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kms_tui.formats import encoding_of
from kms_tui.kms.arn import Arn
from kms_tui.kms.errors import ConfigurationError
from kms_tui.session import BackendKind, Connection, Session, open_accounts, open_session

if TYPE_CHECKING:
    from kms_tui.backend.base import Backend
    from kms_tui.backend.kms_facade import Kms
    from kms_tui.config import Config
    from kms_tui.evidence.change_replay import KeyAccess
    from kms_tui.inventory import Pace
    from kms_tui.kms.model import Grant
    from kms_tui.policy.document import Document

STDIN = "-"
_MOST_BYTES = 4 << 20
"""Of a file with a policy (KMS takes 131,072) or with 50,000 grants and more."""


def opened(connection: Connection) -> Backend:
    """The backend of a connection; a local store that is not there is not made. Raises KmsTuiError."""
    from kms_tui.cli.connection import open_backend

    require_store_of(connection)
    return open_backend(connection)


def open_chosen(connection: Connection, config: Config, *, pace: Pace | None = None) -> Session:
    """A command's session on the chosen account, or accounts, with their settings in ``config``; slow.

    Nobody is asked for a passphrase or a code, and a local store that is not there is not made. Raises
    KmsTuiError.
    """
    if connection.accounts is None:
        settings = config.profile(connection.title)
        return open_session(
            connection, opened(connection), settings, settings_by_id=config.accounts, pace=pace
        )
    from kms_tui.cli.account_opening import chosen_accounts

    require_store_of(connection)
    chosen = chosen_accounts(connection, connection.accounts, config, None)
    return open_accounts(connection, chosen.sources, pace=pace)


def require_store_of(connection: Connection) -> None:
    """Raise StoreError where the connection's local store is not there: to open it would make it."""
    if connection.kind is BackendKind.LOCAL:
        from kms_tui.backend.local.default_store import default_path
        from kms_tui.backend.local.store.store_file import require_store

        require_store(connection.store or default_path())


def reading_kms(backend: Backend) -> Kms:
    """A façade that sends nothing but reads."""
    from kms_tui.backend.kms_facade import Kms
    from kms_tui.backend.wrappers.read_only import ReadOnly

    return Kms(ReadOnly(backend))


def is_key_arn(text: str) -> bool:
    """Whether a text is the ARN of a key, not of an alias."""
    try:
        arn = Arn.parse(text)
    except ValueError:
        return False
    return arn.service == "kms" and arn.resource.startswith("key/") and bool(arn.account and arn.region)


def access_of(
    kms: Kms | None, key: str, policy_file: str | None = None, grants_file: str | None = None
) -> tuple[KeyAccess, tuple[str, ...]]:
    """A key's policy, grants and facts, and sentences about what is not known.

    Without a connection ``key`` is its ARN and ``policy_file`` is given. Raises KmsTuiError.
    """
    from kms_tui.denials.replay_reading import GRANTS_UNKNOWN, read_access
    from kms_tui.evidence.change_replay import KeyAccess

    policy = None if policy_file is None else read_policy(policy_file)
    grants = None if grants_file is None else read_grants(grants_file)
    if kms is None:
        assert policy is not None, "without a connection the policy comes from a file"
        unknown = grants is None
        not_known = (f"{GRANTS_UNKNOWN} --grants-before gives them.",) if unknown else ()
        return KeyAccess(key, policy, grants or ()), not_known
    access, told = read_access(kms.in_region_of(key), key, policy)
    _require_valid(access.policy, "The key's policy")
    return (access, told) if grants is None else (replace(access, grants=grants), ())


def read_policy(name: str) -> Document:
    """A key policy from a file, "-" for standard input; also out of an answer of GetKeyPolicy.

    Raises ConfigurationError for what cannot be read and what is no policy, with the place of the fault.
    """
    from kms_tui.policy import pasted_text
    from kms_tui.policy.document import parse

    text = _text(name)
    paste = pasted_text.recognize(text)
    if paste is not None and paste.policy is not None:
        text = paste.policy
    document = parse(text)
    _require_valid(document, _shown(name))
    return document


def _require_valid(document: Document, name: str) -> None:
    if not document.is_valid:
        problem = document.problems[0]
        line, column = document.place(problem.span)
        raise ConfigurationError(f"{name} is no key policy: line {line}, column {column}: {problem.sentence}")


def read_grants(name: str) -> tuple[Grant, ...]:
    """The grants in an answer of ListGrants. Raises ConfigurationError."""
    try:
        found = json.loads(_text(name))
        entries = found["Grants"] if isinstance(found, dict) else found
        return tuple(_grant(entry) for entry in entries)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ConfigurationError(f"{_shown(name)} is no answer of ListGrants.") from None


def _grant(entry: object) -> Grant:
    from kms_tui.kms.model import Grant

    if not isinstance(entry, dict):
        raise ValueError("not an object")
    constraints = entry.get("Constraints", {})
    texts = [value for key, value in entry.items() if key not in ("Constraints", "Operations")]
    operations, pairs = entry["Operations"], list(constraints.values())
    if not all(isinstance(text, str | int | float) for text in texts):
        raise ValueError("a member is no text")
    if not isinstance(operations, list) or not all(isinstance(pair, dict) for pair in pairs):
        raise ValueError("the operations are no list, or a constraint is no object")
    if not all(isinstance(each, str) for each in (*operations, *(v for p in pairs for v in p.values()))):
        raise ValueError("an operation or a constraint is no text")
    return Grant.from_api(entry)


def _shown(name: str) -> str:
    return "Standard input" if name == STDIN else name


def _text(name: str) -> str:
    try:
        if name == STDIN:
            content = sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name cannot be used"
        raise ConfigurationError(f"{_shown(name)} cannot be read: {reason}.") from error
    if len(content) > _MOST_BYTES:
        raise ConfigurationError(f"{_shown(name)} is larger than any policy.")
    return content.decode(encoding_of(content), "replace")
