"""The operations on keys: making, describing, listing, switching, deleting, and their last use."""

from __future__ import annotations

from collections.abc import Mapping

from kms_tui.backend.local.engine.call import Call, JsonShape
from kms_tui.backend.local.engine.key_states import require_pending_deletion
from kms_tui.backend.local.engine.paging import limit_of, page, position_of
from kms_tui.backend.local.key_stores import key_store_rows
from kms_tui.backend.local.keys import aliases_and_tags, key_policies
from kms_tui.backend.local.keys.key_creation import new_key, new_material, put_new_key, require_room
from kms_tui.backend.local.keys.key_lookup import find_key, key_in_state
from kms_tui.backend.local.keys.key_metadata import metadata_of
from kms_tui.backend.local.keys.key_rotation import resumed_schedule
from kms_tui.backend.local.store import key_material
from kms_tui.backend.local.store.key_rows import KeyRow, related_keys, update_key
from kms_tui.backend.local.store.sources import DAY, to_datetime
from kms_tui.backend.local.store.stored_material import has_all_material
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import KEY_SPECS, SYMMETRIC_DEFAULT, Family
from kms_tui.kms.model import KeyOrigin, KeyState, KeyUsage

_DEFAULT_WINDOW, _SHORTEST_WINDOW, _LONGEST_WINDOW = 30, 7, 30
_DEFAULT_PAGE = 100
_IMPORTABLE = frozenset({Family.SYMMETRIC, Family.HMAC, Family.RSA, Family.ECC})


def create_key(call: Call) -> JsonShape:
    params = call.params
    spec, usage = _spec_and_usage(call)
    origin = params.get("Origin", KeyOrigin.AWS_KMS)
    _require_possible(call, spec, origin)
    call.authorize(call, None, "kms:CreateKey")
    aliases_and_tags.require_valid_tags(params.get("Tags", ()))
    if "Tags" in params:
        call.authorize(call, None, "kms:TagResource", "")
    key = new_key(
        call,
        spec=spec,
        usage=usage,
        origin=origin,
        description=params.get("Description", ""),
        multi_region=params.get("MultiRegion", False),
    )._replace(custom_key_store_id=params.get("CustomKeyStoreId"), xks_key_id=params.get("XksKeyId"))
    policy = key_policies.policy_for_new_key(call, key)
    materials = [] if origin == KeyOrigin.EXTERNAL else [new_material(call.store, key, call.now)]
    with call.write() as db:
        require_room(call, call.scope.region)
        key_store_rows.require_room(call, origin)
        key = call.key = put_new_key(call, db, key, materials, policy, params.get("Tags", ()))
    return {"KeyMetadata": metadata_of(call, key)}


def _spec_and_usage(call: Call) -> tuple[str, str]:
    params = call.params
    if "KeySpec" in params and "CustomerMasterKeySpec" in params:
        raise ServiceError(
            "ValidationException",
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. "
            "CustomerMasterKeySpec is deprecated.",
        )
    spec = params.get("KeySpec") or params.get("CustomerMasterKeySpec", SYMMETRIC_DEFAULT)
    if "KeyUsage" not in params and spec != SYMMETRIC_DEFAULT:
        raise ServiceError(
            "ValidationException",
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
        )
    usage = params.get("KeyUsage", KeyUsage.ENCRYPT_DECRYPT)
    if usage not in KEY_SPECS[spec].usages:
        raise ServiceError("ValidationException", f"KeyUsage {usage} is not compatible with KeySpec {spec}")
    return spec, usage


def _require_possible(call: Call, spec: str, origin: str) -> None:
    """What KMS does not offer, and what the cryptography library here cannot do."""
    key_spec = KEY_SPECS[spec]
    if key_spec.regions and not call.scope.region.startswith(key_spec.regions):
        raise ServiceError("UnsupportedOperationException", f"KeySpec {spec} is not supported in this Region")
    if spec not in key_material.SUPPORTED:
        raise ServiceError(
            "UnsupportedOperationException",
            f"KeySpec {spec} is not supported here: the cryptography library of this machine lacks it.",
        )
    if origin == KeyOrigin.EXTERNAL and key_spec.family not in _IMPORTABLE:
        raise ServiceError(
            "UnsupportedOperationException", f"KeySpec {spec} is not supported with Origin {origin}."
        )
    key_store_rows.require_possible(call, spec, origin)


def describe_key(call: Call) -> JsonShape:
    return {"KeyMetadata": metadata_of(call, find_key(call, call.params["KeyId"]))}


def list_keys(call: Call) -> JsonShape:
    call.authorize(call, None, "kms:ListKeys")
    limit, after = limit_of(call, _DEFAULT_PAGE), position_of(call)
    ids: list[str] = []
    # Keys of other accounts come by RAM, of which there is none here.
    if "SELF" in call.params.get("ResourceOwners", ["SELF"]):
        rows = call.store.rows(
            "SELECT key_id FROM keys WHERE account = ? AND region = ? AND key_id > ? ORDER BY key_id LIMIT ?",
            (call.scope.account, call.scope.region, after or "", limit + 1),
        )
        ids = [key_id for (key_id,) in rows]
    prefix = f"arn:{call.scope.partition}:kms:{call.scope.region}:{call.scope.account}:key/"
    entries = [{"KeyId": key_id, "KeyArn": prefix + key_id} for key_id in ids]
    return page(call, "Keys", entries, ids, limit)


def update_key_description(call: Call) -> JsonShape:
    with call.write() as db:
        key = key_in_state(call, call.params["KeyId"])
        update_key(db, key, description=call.params["Description"])
    return {}


def enable_key(call: Call) -> JsonShape:
    with call.write() as db:
        key = key_in_state(call, call.params["KeyId"])
        if key.state == KeyState.DISABLED:
            update_key(db, key, state=KeyState.ENABLED, **resumed_schedule(call, db, key))
    return {}


def disable_key(call: Call) -> JsonShape:
    with call.write() as db:
        update_key(db, key_in_state(call, call.params["KeyId"]), state=KeyState.DISABLED)
    return {}


def schedule_key_deletion(call: Call) -> JsonShape:
    window = call.params.get("PendingWindowInDays", _DEFAULT_WINDOW)
    if not _SHORTEST_WINDOW <= window <= _LONGEST_WINDOW:
        raise ServiceError("ValidationException", "PendingWindowInDays must be between 7 and 30")
    with call.write() as db:
        key = key_in_state(call, call.params["KeyId"])
        if key.is_primary and len(related_keys(call.store, key)) > 1:
            key = update_key(
                db, key, state=KeyState.PENDING_REPLICA_DELETION, pending_window=window, **_NO_TRANSITION
            )
        else:
            key = update_key(
                db,
                key,
                state=KeyState.PENDING_DELETION,
                pending_window=window,
                deletion_at=call.now + window * DAY,
                **_NO_TRANSITION,
            )
    answer = {"KeyId": call.arn(key), "KeyState": str(key.state), "PendingWindowInDays": window}
    if key.deletion_at is not None:
        answer["DeletionDate"] = to_datetime(key.deletion_at)
    return answer


_NO_TRANSITION: Mapping[str, None] = {"settles_at": None, "settles_to": None}


def cancel_key_deletion(call: Call) -> JsonShape:
    with call.write() as db:
        key = find_key(call, call.params["KeyId"])
        require_pending_deletion(call, key)
        key = update_key(
            db, key, state=_state_after_cancelling(call, key), deletion_at=None, pending_window=None
        )
    return {"KeyId": call.arn(key)}


def _state_after_cancelling(call: Call, key: KeyRow) -> KeyState:
    """Disabled, or waiting for its material where some is missing."""
    return KeyState.DISABLED if has_all_material(call.store, key) else KeyState.PENDING_IMPORT


def get_key_last_usage(call: Call) -> JsonShape:
    key = find_key(call, call.params["KeyId"])
    row = call.store.one("SELECT operation, at, event_id FROM last_uses WHERE key = ?", (key.row,))
    usage: JsonShape = {}
    if row:
        operation, at, event_id = row
        usage = {"Operation": operation, "Timestamp": to_datetime(at), "CloudTrailEventId": event_id}
    created = to_datetime(key.created_at)
    # Use has been recorded since the store's first day, so for every key since its own.
    return {
        "KeyId": key.key_id,
        "KeyLastUsage": usage,
        "TrackingStartDate": created,
        "KeyCreationDate": created,
    }


OPERATIONS = {
    "CreateKey": create_key,
    "DescribeKey": describe_key,
    "GetKeyLastUsage": get_key_last_usage,
    "ListKeys": list_keys,
    "UpdateKeyDescription": update_key_description,
    "EnableKey": enable_key,
    "DisableKey": disable_key,
    "ScheduleKeyDeletion": schedule_key_deletion,
    "CancelKeyDeletion": cancel_key_deletion,
}
