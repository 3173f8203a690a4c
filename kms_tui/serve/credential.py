"""The credential with which clients of the server sign."""

from __future__ import annotations

import secrets
from base64 import b32encode, b64encode
from dataclasses import dataclass, field

from kms_tui.backend.local.store import Store

_ID_BYTES, _SECRET_BYTES = 10, 30
_PURPOSE = "credential of serve"


@dataclass(frozen=True, slots=True)
class Credential:
    """An access key in the form of AWS's: 20 characters, and a secret of 40 that stays out of the repr."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


def random_credential() -> Credential:
    """A credential for this one run."""
    return _credential(secrets.token_bytes(_ID_BYTES + _SECRET_BYTES))


def credential_of(store: Store) -> Credential:
    """The store's own credential: it follows from the root key, so it stays the same and is not written."""
    return _credential(store.root_key.derive(_PURPOSE, _ID_BYTES + _SECRET_BYTES))


def _credential(seed: bytes) -> Credential:
    return Credential(
        "AKIA" + b32encode(seed[:_ID_BYTES]).decode("ascii"), b64encode(seed[_ID_BYTES:]).decode("ascii")
    )
