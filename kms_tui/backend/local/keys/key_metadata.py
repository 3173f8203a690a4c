"""KeyMetadata, which CreateKey, DescribeKey and ReplicateKey answer."""

from __future__ import annotations

from collections.abc import Mapping

from kms_tui.backend.local.engine.call import Call, JsonShape
from kms_tui.backend.local.engine.key_states import state_of
from kms_tui.backend.local.engine.request_validation import enum_values
from kms_tui.backend.local.key_stores.key_store_rows import key_store_of
from kms_tui.backend.local.store.key_rows import KeyRow, related_keys
from kms_tui.backend.local.store.sources import to_datetime
from kms_tui.backend.local.store.stored_material import PENDING, current_material, materials_of
from kms_tui.kms.keyspecs import KEY_SPECS, SYMMETRIC_DEFAULT
from kms_tui.kms.model import KeyOrigin, KeyState, KeyUsage

ALGORITHM_MEMBERS: Mapping[str, str] = {
    KeyUsage.ENCRYPT_DECRYPT: "EncryptionAlgorithms",
    KeyUsage.SIGN_VERIFY: "SigningAlgorithms",
    KeyUsage.GENERATE_VERIFY_MAC: "MacAlgorithms",
    KeyUsage.KEY_AGREEMENT: "KeyAgreementAlgorithms",
    KeyUsage.ENCAPSULATE_DECAPSULATE: "EncapsulationAlgorithms",
}
"""Key usage -> the member that lists the key's algorithms."""

_MATERIAL_ORIGINS = frozenset({KeyOrigin.AWS_KMS, KeyOrigin.EXTERNAL})


def algorithms_of(key: KeyRow) -> list[str]:
    """The key's algorithms as KMS lists them: by name, but variants that hash beforehand last."""
    algorithms = KEY_SPECS[key.spec].algorithms[KeyUsage(key.usage)]
    return sorted(algorithms, key=lambda algorithm: ("_PH_" in algorithm, algorithm))


def spec_members(key: KeyRow) -> JsonShape:
    """KeySpec and its old name, which only older specs have."""
    members = {"KeySpec": key.spec}
    if key.spec in enum_values("CustomerMasterKeySpec"):
        members["CustomerMasterKeySpec"] = key.spec
    return members


def metadata_of(call: Call, key: KeyRow) -> JsonShape:
    state = state_of(key)
    shape: JsonShape = {
        "AWSAccountId": key.account,
        "KeyId": key.key_id,
        "Arn": call.arn(key),
        "CreationDate": to_datetime(key.created_at),
        "Enabled": KeyState.ENABLED in (state, key.settles_to if state is KeyState.UPDATING else None),
        "Description": key.description,
        "KeyUsage": str(key.usage),
        "KeyState": str(state),
        "Origin": str(key.origin),
        "KeyManager": str(key.manager),
        **spec_members(key),
        ALGORITHM_MEMBERS[key.usage]: algorithms_of(key),
        "MultiRegion": bool(key.multi_region),
    }
    if state is KeyState.PENDING_DELETION and key.deletion_at is not None:
        shape["DeletionDate"] = to_datetime(key.deletion_at)
    if state is KeyState.PENDING_REPLICA_DELETION:
        shape["PendingDeletionWindowInDays"] = key.pending_window
    if key.custom_key_store_id:
        shape["CustomKeyStoreId"] = key.custom_key_store_id
        shape |= _of_key_store(call, key.custom_key_store_id)
    if key.xks_key_id:
        shape["XksKeyConfiguration"] = {"Id": key.xks_key_id}
    if key.multi_region:
        shape["MultiRegionConfiguration"] = _multi_region(call, key)
    return shape | _of_material(call, key)


def _of_key_store(call: Call, store_id: str) -> JsonShape:
    found = key_store_of(call.store, store_id)
    cluster = found.described.get("CloudHsmClusterId") if found else None
    return {"CloudHsmClusterId": cluster} if cluster else {}


def _of_material(call: Call, key: KeyRow) -> JsonShape:
    shape: JsonShape = {}
    if key.origin not in _MATERIAL_ORIGINS:
        return shape
    material = current_material(call.store, key)
    if material is None or key.state == KeyState.CREATING:
        return shape
    if key.spec == SYMMETRIC_DEFAULT:
        shape["CurrentKeyMaterialId"] = material.material_id
    if material.import_state == "IMPORTED":
        shape |= _of_expiry(call, key)
    return shape


def _of_expiry(call: Call, key: KeyRow) -> JsonShape:
    """The earliest expiry of all imported material that is the key's for good."""
    imported = [row for row in materials_of(call.store, key) if row.state not in PENDING]
    expiring = [row.valid_to for row in imported if row.valid_to is not None]
    if expiring:
        return {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": to_datetime(min(expiring))}
    return {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}


def _multi_region(call: Call, key: KeyRow) -> JsonShape:
    related = related_keys(call.store, key)
    described = [({"Arn": call.arn(other), "Region": other.region}, other.is_primary) for other in related]
    return {
        "MultiRegionKeyType": "PRIMARY" if key.is_primary else "REPLICA",
        "PrimaryKey": next(shape for shape, is_primary in described if is_primary),
        "ReplicaKeys": [shape for shape, is_primary in described if not is_primary],
    }
