"""The local store as the program opens it: at its default place, in its own account."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

from kms_tui.backend.local.backend import LocalBackend
from kms_tui.backend.local.rootkey import Unlock
from kms_tui.backend.local.store import Store, open_store

DEFAULT_ACCOUNT = "111122223333"
DEFAULT_REGION = "us-east-1"
PASSPHRASE_VARIABLE = "KMS_TUI_PASSPHRASE"


def default_path() -> Path:
    return user_data_path("kms-tui") / "store.db"


def from_environment(_new: bool) -> str | None:
    """The passphrase that KMS_TUI_PASSPHRASE gives, if any."""
    return os.environ.get(PASSPHRASE_VARIABLE) or None


def account_of(store: Store) -> str:
    """The account whose keys the store holds; the default one where it holds none yet."""
    row = store.one("SELECT account FROM keys LIMIT 1")
    return str(row[0]) if row else DEFAULT_ACCOUNT


def open_default(
    path: Path | None = None,
    *,
    region: str | None = None,
    account_id: str | None = None,
    caller_arn: str | None = None,
    iam_policy: Path | None = None,
    unlock: Unlock = from_environment,
) -> LocalBackend:
    """Open or make the store at ``path``, or at its default place. Raises StoreError.

    The account is the one whose keys the store holds, unless another is given.
    """
    store = open_store(path or default_path(), unlock=unlock)
    return _on(store, region, account_id or account_of(store), caller_arn, iam_policy)


def open_ephemeral(
    *,
    region: str | None = None,
    account_id: str | None = None,
    caller_arn: str | None = None,
    iam_policy: Path | None = None,
) -> LocalBackend:
    """A new account in memory, which ends with the process."""
    return _on(open_store(), region, account_id or DEFAULT_ACCOUNT, caller_arn, iam_policy)


def _on(
    store: Store, region: str | None, account_id: str, caller_arn: str | None, iam_policy: Path | None
) -> LocalBackend:
    return LocalBackend(store, account_id=account_id, region=region or DEFAULT_REGION, caller_arn=caller_arn)
