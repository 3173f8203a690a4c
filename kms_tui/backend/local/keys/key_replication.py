"""ReplicateKey and UpdatePrimaryRegion: one key in several Regions."""

from __future__ import annotations

from kms_tui.backend.local.engine.call import Call, JsonShape
from kms_tui.backend.local.engine.key_states import require_state
from kms_tui.backend.local.keys import aliases_and_tags, key_policies
from kms_tui.backend.local.keys.key_creation import put_new_key, require_room
from kms_tui.backend.local.keys.key_lookup import key_in_state
from kms_tui.backend.local.keys.key_metadata import metadata_of
from kms_tui.backend.local.keys.key_rotation import require_primary
from kms_tui.backend.local.store.key_rows import KeyRow, key_by_id, related_keys, update_key
from kms_tui.backend.local.store.stored_material import (
    MaterialRow,
    apply_pending_material_states,
    materials_of,
)
from kms_tui.backend.regions import regions_of
from kms_tui.kms.arn import key_arn
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import KeyOrigin, KeyState


def replicate_key(call: Call) -> JsonShape:
    params = call.params
    with call.write() as db:
        primary = _primary(call)
        call.authorize(call, None, "kms:CreateKey")
        if "Tags" in params:
            call.authorize(call, None, "kms:TagResource", "")
        _require_free_region(call, primary, params["ReplicaRegion"])
        require_room(call, params["ReplicaRegion"])
        aliases_and_tags.require_valid_tags(params.get("Tags", ()))
        replica = _replica(call, primary)
        policy = key_policies.policy_for_new_key(call, replica)
        materials = [_copy(primary, material) for material in materials_of(call.store, primary)]
        replica = put_new_key(call, db, replica, materials, policy, params.get("Tags", ()))
        apply_pending_material_states(call.store, db, replica)
    answer: JsonShape = {"ReplicaKeyMetadata": metadata_of(call, replica), "ReplicaPolicy": policy}
    return answer | ({"ReplicaTags": params["Tags"]} if params.get("Tags") else {})


def _primary(call: Call) -> KeyRow:
    key = key_in_state(call, call.params["KeyId"])
    if not key.multi_region:
        raise ServiceError(
            "UnsupportedOperationException", f"{call.arn(key)} is not a multi-region primary key."
        )
    require_primary(call, key)
    return key


def _require_free_region(call: Call, primary: KeyRow, region: str) -> None:
    partition = call.scope.partition
    if region not in regions_of(partition):
        raise ServiceError(
            "ValidationException", f"ReplicaRegion {region} is no Region of the partition {partition}."
        )
    if region in [key.region for key in related_keys(call.store, primary)]:
        arn = key_arn(partition, region, primary.account, primary.key_id)
        raise ServiceError("AlreadyExistsException", f"Key '{arn}' already exists")


def _replica(call: Call, primary: KeyRow) -> KeyRow:
    """The new key, which shares with its primary what makes ciphertext interoperable, and nothing else."""
    waits = primary.origin == KeyOrigin.EXTERNAL
    return primary._replace(
        row=0,
        region=call.params["ReplicaRegion"],
        state=KeyState.CREATING,
        settles_at=call.now + call.store.transition_millis,
        settles_to=KeyState.PENDING_IMPORT if waits else KeyState.ENABLED,
        description=call.params.get("Description", ""),
        created_at=call.now,
        expires_at=None,
    )


def _copy(primary: KeyRow, material: MaterialRow) -> MaterialRow:
    """The same material; what was imported has to be imported into the replica again."""
    if primary.origin != KeyOrigin.EXTERNAL:
        return material
    return material._replace(
        wrapped=None, import_state="PENDING_IMPORT", expiration_model=None, valid_to=None
    )


def update_primary_region(call: Call) -> JsonShape:
    region = call.params["PrimaryRegion"]
    with call.write() as db:
        primary = _primary(call)
        if region == primary.region:
            raise ServiceError(
                "UnsupportedOperationException",
                f"{call.arn(primary)} is already the multi-region primary key.",
            )
        replica = key_by_id(call.store, primary.account, region, primary.key_id)
        if replica is None:
            arn = key_arn(call.scope.partition, region, primary.account, primary.key_id)
            raise ServiceError("NotFoundException", f"Key '{arn}' does not exist")
        call.authorize(call, replica, "kms:UpdatePrimaryRegion")
        require_state(call, replica)
        for key in related_keys(call.store, primary):
            key = update_key(db, key, primary_region=region)
            if key.region in (region, primary.region):
                settled = key.settles_to if key.state == KeyState.UPDATING else key.state
                settles_at = call.now + call.store.transition_millis
                update_key(db, key, state=KeyState.UPDATING, settles_at=settles_at, settles_to=settled)
    return {}


OPERATIONS = {"ReplicateKey": replicate_key, "UpdatePrimaryRegion": update_primary_region}
