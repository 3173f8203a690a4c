"""THE table of operation and key state: what is refused, and with which error.

Source: the developer guide's key state table (key-state), with its footnotes' messages. An operation that is
not in the table works in every state. The check comes after that of the key usage and before any other that
depends on the key: a disabled key answers DisabledException even to a rotation that its spec does not allow.
"""

from __future__ import annotations

from collections.abc import Mapping

from kms_tui.backend.local.engine.call import Call
from kms_tui.backend.local.store.key_rows import KeyRow
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import KeyState
from kms_tui.kms.operations import CRYPTOGRAPHIC

_DISABLED, _PENDING_DELETION = KeyState.DISABLED, KeyState.PENDING_DELETION
_PENDING_REPLICAS, _PENDING_IMPORT = KeyState.PENDING_REPLICA_DELETION, KeyState.PENDING_IMPORT
_UNAVAILABLE, _CREATING, _UPDATING = KeyState.UNAVAILABLE, KeyState.CREATING, KeyState.UPDATING

_DELETION = frozenset({_PENDING_DELETION, _PENDING_REPLICAS})
_USE = _DELETION | {_DISABLED, _PENDING_IMPORT, _UNAVAILABLE, _CREATING}
_SWITCH = _DELETION | {_PENDING_IMPORT, _CREATING, _UPDATING}
_ROTATION = _DELETION | {_DISABLED, _CREATING}
_REPLICATION = _DELETION | {_DISABLED, _PENDING_IMPORT, _CREATING}

REFUSED: Mapping[str, frozenset[KeyState]] = {
    **dict.fromkeys(CRYPTOGRAPHIC - {"GenerateRandom"}, _USE),
    "CreateAlias": _DELETION,
    "CreateGrant": _DELETION | {_DISABLED, _PENDING_IMPORT, _CREATING},
    "DeleteImportedKeyMaterial": frozenset({_CREATING, _UPDATING}),
    "DisableKey": _SWITCH,
    "DisableKeyRotation": _ROTATION,
    "EnableKey": _SWITCH,
    "EnableKeyRotation": _ROTATION,
    "GetPublicKey": _USE - {_DISABLED},
    "GetParametersForImport": _DELETION | {_CREATING, _UPDATING},
    "ImportKeyMaterial": _DELETION | {_CREATING},
    "ReplicateKey": _REPLICATION | {_UPDATING},
    "RotateKeyOnDemand": _ROTATION | {_PENDING_IMPORT, _UPDATING},
    "ScheduleKeyDeletion": _DELETION | {_UPDATING},
    "TagResource": _DELETION,
    "UntagResource": _DELETION,
    "UpdateAlias": _DELETION,
    "UpdateKeyDescription": _DELETION,
    "UpdatePrimaryRegion": _REPLICATION,
}

_WORDS: Mapping[KeyState, str] = {
    _DISABLED: "is disabled.",
    _PENDING_DELETION: "is pending deletion.",
    _PENDING_REPLICAS: "is pending replica deletion.",
    _PENDING_IMPORT: "is pending import.",
    _UNAVAILABLE: "is unavailable.",
    _CREATING: "is creating.",
    _UPDATING: "is updating.",
}


def state_of(key: KeyRow) -> KeyState:
    """The key state as DescribeKey shows it."""
    state = KeyState(key.state)
    if not key.available and state in (KeyState.ENABLED, _DISABLED):
        return _UNAVAILABLE
    return state


def require_state(call: Call, key: KeyRow) -> None:
    """DisabledException or KMSInvalidStateException where the key's state refuses the call's operation."""
    state = state_of(key)
    if state in REFUSED.get(call.operation, ()):
        code = "DisabledException" if state is _DISABLED else "KMSInvalidStateException"
        raise ServiceError(code, f"{call.arn(key)} {_WORDS[state]}")


def require_pending_deletion(call: Call, key: KeyRow) -> None:
    if state_of(key) not in _DELETION:
        raise ServiceError("KMSInvalidStateException", f"{call.arn(key)} is not pending deletion.")
