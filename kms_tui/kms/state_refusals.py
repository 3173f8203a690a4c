"""THE table of operation and key state: what a state refuses.

Source: the developer guide's key state table (key-state). An operation that is not in the table works
in every state.
"""

from __future__ import annotations

from collections.abc import Mapping

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


def refusal_code(state: KeyState) -> str:
    """The error code of an operation that a state refuses."""
    return "DisabledException" if state is KeyState.DISABLED else "KMSInvalidStateException"
