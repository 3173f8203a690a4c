"""Rotation of key material: automatic, on demand, and its history."""

from __future__ import annotations

import sqlite3
from typing import Any

from kms_tui.backend.local.engine.call import Call, JsonShape
from kms_tui.backend.local.engine.key_states import state_of
from kms_tui.backend.local.engine.paging import limit_of, page, position_of
from kms_tui.backend.local.keys.key_creation import new_material
from kms_tui.backend.local.keys.key_lookup import find_key, key_in_state
from kms_tui.backend.local.store.key_rows import KeyRow, related_keys, update_key
from kms_tui.backend.local.store.sources import DAY, MINUTE, to_datetime
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.local.store.stored_material import (
    PENDING_ROTATION,
    MaterialRow,
    apply_material_states,
    insert_material,
    materials_of,
)
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.model import KeyOrigin, KeyState

DEFAULT_PERIOD = 365
"""Days (RotationPeriodInDays)."""

MAX_ON_DEMAND = 25
"""On-demand rotations that one key may have (RotateKeyOnDemand)."""

_CONFLICT_WINDOW = 20 * MINUTE
_DEFAULT_PAGE = 100
_ROTATABLE_ORIGINS = frozenset({KeyOrigin.AWS_KMS, KeyOrigin.EXTERNAL})


def enable_key_rotation(call: Call) -> JsonShape:
    period = call.params.get("RotationPeriodInDays", DEFAULT_PERIOD)
    with call.write() as db:
        key = key_in_state(call, call.params["KeyId"])
        _require_symmetric(key)
        _require_own_material(call, key)
        _schedule(call, db, key, period, call.now + period * DAY)
    return {}


def disable_key_rotation(call: Call) -> JsonShape:
    """Nothing to do, and nothing to refuse, for a key spec that never rotates."""
    with call.write() as db:
        key = key_in_state(call, call.params["KeyId"])
        _require_own_material(call, key)
        _schedule(call, db, key, None, None)
    return {}


def _schedule(
    call: Call, db: sqlite3.Connection, key: KeyRow, period: int | None, next_at: int | None
) -> None:
    """The schedule is a property that all keys of a multi-Region set share."""
    for each in related_keys(call.store, key):
        update_key(db, each, rotation_period=period, next_rotation_at=next_at)


def resumed_schedule(call: Call, db: sqlite3.Connection, key: KeyRow) -> dict[str, int]:
    """How a key's schedule changes when the key is enabled again.

    A rotation that was missed meanwhile happens at once, and the period starts anew (GetKeyRotationStatus).
    """
    if key.rotation_period is None or key.next_rotation_at is None or key.next_rotation_at > call.now:
        return {}
    if not key.is_replica:
        rotate(call.store, db, key, call.now, "AUTOMATIC")
    return {"next_rotation_at": call.now + key.rotation_period * DAY}


def get_key_rotation_status(call: Call) -> JsonShape:
    key = find_key(call, call.params["KeyId"])
    if key.origin != KeyOrigin.AWS_KMS:
        raise wrong_origin(call, key)
    state = state_of(key)
    deleting = state in (KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION)
    enabled = key.rotation_period is not None and not deleting
    answer: JsonShape = {"KeyId": call.arn(key), "KeyRotationEnabled": enabled}
    if enabled and state is not KeyState.DISABLED and key.next_rotation_at is not None:
        answer["RotationPeriodInDays"] = key.rotation_period
        answer["NextRotationDate"] = to_datetime(key.next_rotation_at)
    return answer


def rotate_key_on_demand(call: Call) -> JsonShape:
    with call.write() as db:
        key = key_in_state(call, call.params["KeyId"])
        _require_symmetric(key)
        if key.origin not in _ROTATABLE_ORIGINS:
            raise wrong_origin(call, key)
        require_primary(call, key)
        if key.next_rotation_at is not None and key.next_rotation_at <= call.now + _CONFLICT_WINDOW:
            raise ServiceError(
                "ConflictException",
                f"An automatic rotation of {call.arn(key)} is in progress or about to begin.",
            )
        materials = materials_of(call.store, key)
        if sum(material.rotation_type == "ON_DEMAND" for material in materials) >= MAX_ON_DEMAND:
            raise ServiceError(
                "LimitExceededException",
                "The on-demand rotations limit has been reached for the given keyId. "
                f"No more on-demand rotations can be performed for this key: {call.arn(key)}",
            )
        waiting = [m for m in materials if m.state == PENDING_ROTATION and m.import_state == "IMPORTED"]
        if key.origin == KeyOrigin.EXTERNAL and not waiting:
            raise ServiceError(
                "KMSInvalidStateException",
                f"No available key material pending rotation for the key: {call.arn(key)}.",
            )
        rotate(call.store, db, key, call.now, "ON_DEMAND")
    return {"KeyId": call.arn(key)}


def rotate(store: Store, db: sqlite3.Connection, key: KeyRow, at: int, rotation_type: str) -> None:
    """Replace the current material by new one, or by the imported one that waits, in all related keys."""
    fresh = None if key.origin == KeyOrigin.EXTERNAL else new_material(store, key, at)
    for each in related_keys(store, key):
        db.execute(
            "UPDATE materials SET state = 'NON_CURRENT' WHERE key = ? AND state = 'CURRENT'", (each.row,)
        )
        if fresh:
            rotated = fresh._replace(key=each.row, rotated_at=at, rotation_type=rotation_type)
            insert_material(db, rotated)
        else:
            db.execute(
                "UPDATE materials SET state = 'CURRENT', rotated_at = ?, rotation_type = ? "
                "WHERE key = ? AND state = 'PENDING_ROTATION'",
                (at, rotation_type, each.row),
            )
            apply_material_states(store, db, each)


def list_key_rotations(call: Call) -> JsonShape:
    key = find_key(call, call.params["KeyId"])
    _require_symmetric(key)
    if key.origin not in _ROTATABLE_ORIGINS:
        raise wrong_origin(call, key)
    limit, after = limit_of(call, _DEFAULT_PAGE), position_of(call, key.key_id) or 0
    everything = call.params.get("IncludeKeyMaterial") == "ALL_KEY_MATERIAL"
    materials = [
        material
        for material in materials_of(call.store, key)
        if material.row > after and (everything or material.rotated_at is not None)
    ]
    entries = [_entry(key, material) for material in materials]
    return page(call, "Rotations", entries, [material.row for material in materials], limit, key.key_id)


def _entry(key: KeyRow, material: MaterialRow) -> JsonShape:
    members: dict[str, Any] = {
        "KeyId": key.key_id,
        "KeyMaterialId": material.material_id,
        "KeyMaterialState": material.state,
        "RotationDate": to_datetime(material.rotated_at) if material.rotated_at is not None else None,
        "RotationType": material.rotation_type,
        "ImportState": material.import_state,
        "KeyMaterialDescription": material.description,
        "ExpirationModel": material.expiration_model,
        "ValidTo": to_datetime(material.valid_to) if material.valid_to is not None else None,
    }
    return {name: value for name, value in members.items() if value is not None}


def _require_own_material(call: Call, key: KeyRow) -> None:
    if key.origin != KeyOrigin.AWS_KMS:
        raise wrong_origin(call, key)
    require_primary(call, key)


def _require_symmetric(key: KeyRow) -> None:
    if key.spec != SYMMETRIC_DEFAULT:
        raise ServiceError("UnsupportedOperationException", "")


def require_primary(call: Call, key: KeyRow) -> None:
    """UnsupportedOperationException for a replica: what related keys share is changed on their primary."""
    if key.is_replica:
        raise ServiceError(
            "UnsupportedOperationException", f"{call.arn(key)} is not a multi-region primary key."
        )


def wrong_origin(call: Call, key: KeyRow) -> ServiceError:
    """UnsupportedOperationException for a key whose origin does not allow the operation."""
    return ServiceError(
        "UnsupportedOperationException",
        f"{call.arn(key)} origin is {key.origin} which is not valid for this operation.",
    )


OPERATIONS = {
    "EnableKeyRotation": enable_key_rotation,
    "DisableKeyRotation": disable_key_rotation,
    "GetKeyRotationStatus": get_key_rotation_status,
    "RotateKeyOnDemand": rotate_key_on_demand,
    "ListKeyRotations": list_key_rotations,
}
