"""What a key's state refuses, by ``kms_tui.kms.operations``, and with which error.

Source: the developer guide's key state table (key-state), with its footnotes' messages. The check comes after
that of the key usage and before any other that depends on the key: a disabled key answers DisabledException
even to a rotation that its spec does not allow.
"""

from __future__ import annotations

from collections.abc import Mapping

from kms_tui.backend.local.engine.call import Call
from kms_tui.backend.local.store.key_rows import KeyRow
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import KeyState
from kms_tui.kms.operations import REFUSED_BY_STATE, state_error

_DISABLED, _PENDING_DELETION = KeyState.DISABLED, KeyState.PENDING_DELETION
_DELETION = frozenset({_PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION})

_WORDS: Mapping[KeyState, str] = {
    _DISABLED: "is disabled.",
    _PENDING_DELETION: "is pending deletion.",
    KeyState.PENDING_REPLICA_DELETION: "is pending replica deletion.",
    KeyState.PENDING_IMPORT: "is pending import.",
    KeyState.UNAVAILABLE: "is unavailable.",
    KeyState.CREATING: "is creating.",
    KeyState.UPDATING: "is updating.",
}


def state_of(key: KeyRow) -> KeyState:
    """The key state as DescribeKey shows it."""
    state = KeyState(key.state)
    if not key.available and state in (KeyState.ENABLED, _DISABLED):
        return KeyState.UNAVAILABLE
    return state


def require_state(call: Call, key: KeyRow) -> None:
    """DisabledException or KMSInvalidStateException where the key's state refuses the call's operation."""
    state = state_of(key)
    if state in REFUSED_BY_STATE.get(call.operation, ()):
        raise ServiceError(state_error(state), f"{call.arn(key)} {_WORDS[state]}")


def require_pending_deletion(call: Call, key: KeyRow) -> None:
    if state_of(key) not in _DELETION:
        raise ServiceError("KMSInvalidStateException", f"{call.arn(key)} is not pending deletion.")
