"""The local store that the program opens: its default place, account and Region."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

from kms_tui.backend.local.attestation.attestations import NO_TRUST, AttestationTrust
from kms_tui.backend.local.authorization.callers import identity_of
from kms_tui.backend.local.local_backend import LocalBackend
from kms_tui.backend.local.store.root_key import Unlock
from kms_tui.backend.local.store.sources import Clock, utc_now
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.local.store.store_opening import open_store
from kms_tui.kms.arn import arn_partition
from kms_tui.policy.layers import UNREAD, Layers

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


def accounts_of(store: Store) -> tuple[str, ...]:
    """The accounts whose keys the store holds."""
    return tuple(str(row[0]) for row in store.rows("SELECT DISTINCT account FROM keys ORDER BY account"))


def open_default(
    path: Path | None = None,
    *,
    region: str | None = None,
    account_id: str | None = None,
    caller_arn: str | None = None,
    limits: Layers = UNREAD,
    endpoint: str = "",
    attestation_trust: AttestationTrust = NO_TRUST,
    unlock: Unlock = from_environment,
) -> LocalBackend:
    """Open or make the store at ``path``, or at its default place. Raises StoreError.

    The account is the one whose keys the store holds, unless another is given. ``caller_arn`` calls with its
    identity policies in ``limits`` and within the others, through a VPC ``endpoint`` if there is one; a layer
    that is unread there is what the store's account policies say. KmsTuiError where it is no principal.
    """
    if caller_arn:
        identity_of(arn_partition(region or DEFAULT_REGION), DEFAULT_ACCOUNT, caller_arn)
    store = open_store(path or default_path(), unlock=unlock)
    return LocalBackend(
        store,
        account_id=account_id or account_of(store),
        region=region or DEFAULT_REGION,
        caller_arn=caller_arn,
        limits=limits,
        endpoint=endpoint,
        attestation_trust=attestation_trust,
    )


def open_ephemeral(
    *,
    region: str | None = None,
    account_id: str | None = None,
    caller_arn: str | None = None,
    limits: Layers = UNREAD,
    endpoint: str = "",
    attestation_trust: AttestationTrust = NO_TRUST,
    clock: Clock = utc_now,
) -> LocalBackend:
    """A new account in memory, which ends with the process; its time is that of ``clock``."""
    return LocalBackend(
        open_store(clock=clock),
        account_id=account_id or DEFAULT_ACCOUNT,
        region=region or DEFAULT_REGION,
        caller_arn=caller_arn,
        limits=limits,
        endpoint=endpoint,
        attestation_trust=attestation_trust,
    )
