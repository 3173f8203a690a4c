"""Import of key material: its parameters, the import itself, and deletion."""

from __future__ import annotations

import hmac
import sqlite3
from datetime import timedelta

from kms_tui.backend.local.engine.call import Call, JsonShape
from kms_tui.backend.local.importing.import_token import (
    checked_material,
    open_token,
    require_wrapping,
    seal_token,
    unwrap_material,
)
from kms_tui.backend.local.keys.key_lookup import key_in_state
from kms_tui.backend.local.keys.key_rotation import require_primary, wrong_origin
from kms_tui.backend.local.store.key_material import generate_material, public_der
from kms_tui.backend.local.store.key_rows import KeyRow, related_keys
from kms_tui.backend.local.store.sources import DAY, to_datetime, to_millis
from kms_tui.backend.local.store.stored_material import (
    PENDING,
    PENDING_REGIONS,
    MaterialRow,
    apply_material_states,
    current_material,
    insert_material,
    material_by_id,
    materials_of,
)
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.model import KeyOrigin

_TOKEN_LIFE = DAY
_LONGEST_VALIDITY = timedelta(days=365)
_EXPIRES, _NEW, _EXISTING = "KEY_MATERIAL_EXPIRES", "NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"
_SYMMETRIC_MEMBERS = ("ImportType", "KeyMaterialDescription", "KeyMaterialId")
"""Members that ImportKeyMaterial takes for symmetric encryption keys only."""


def get_parameters_for_import(call: Call) -> JsonShape:
    algorithm, wrapping_spec = call.params["WrappingAlgorithm"], call.params["WrappingKeySpec"]
    key = _importable(call)
    require_wrapping(key.spec, algorithm, wrapping_spec)
    wrapping_key = generate_material(wrapping_spec)
    expires_at = call.now + _TOKEN_LIFE
    return {
        "KeyId": call.arn(key),
        "ImportToken": seal_token(call.store, call.arn(key), algorithm, expires_at, wrapping_key),
        "PublicKey": public_der(wrapping_spec, wrapping_key),
        "ParametersValidTo": to_datetime(expires_at),
    }


def _importable(call: Call) -> KeyRow:
    key = key_in_state(call, call.params["KeyId"])
    if key.origin != KeyOrigin.EXTERNAL:
        raise wrong_origin(call, key)
    return key


def import_key_material(call: Call) -> JsonShape:
    params = call.params
    _valid_to(call)
    key = _importable(call)
    _require_members(call, key)
    # Before the transaction: to check an RSA key takes a while.
    token = open_token(call.store, params["ImportToken"], call.arn(key), call.now)
    return put_material(
        call, checked_material(key.spec, unwrap_material(token, params["EncryptedKeyMaterial"]))
    )


def put_material(call: Call, material: bytes) -> JsonShape:
    """The rest of ImportKeyMaterial, once the material is unwrapped and checked."""
    params = call.params
    with call.write() as db:
        key = _importable(call)
        material_id = _material_id(call, key, material)
        known = materials_of(call.store, key)
        existing = next((row for row in known if row.material_id == material_id), None)
        if params.get("ImportType", _EXISTING if known else _NEW) == _NEW:
            _require_new(call, key, known, existing, material_id)
            existing = _add(call, db, key, known, material_id)
        elif existing is None or params.get("KeyMaterialId", material_id) != material_id:
            raise _incorrect()
        db.execute(
            "UPDATE materials SET wrapped = ?, import_state = 'IMPORTED', expiration_model = ?, "
            "valid_to = ?, description = ? WHERE key = ? AND material_id = ?",
            (
                call.store.root_key.wrap(key.key_id, material_id, material),
                params.get("ExpirationModel", _EXPIRES),
                _valid_to(call),
                params.get("KeyMaterialDescription", existing.description),
                key.row,
                material_id,
            ),
        )
        call.key = apply_material_states(call.store, db, key)
    return _answer(call, key, material_id)


def _valid_to(call: Call) -> int | None:
    """When the material is to expire, in milliseconds; None: never."""
    valid_to = call.params.get("ValidTo")
    if call.params.get("ExpirationModel", _EXPIRES) != _EXPIRES:
        if valid_to is not None:
            raise ServiceError(
                "ValidationException",
                "A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE",
            )
        return None
    if valid_to is None:
        raise ServiceError(
            "ValidationException", "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"
        )
    if not call.time < valid_to <= call.time + _LONGEST_VALIDITY:
        raise ServiceError(
            "ValidationException", "The validTo date must be in the future, and within 365 days."
        )
    return to_millis(valid_to)


def _require_members(call: Call, key: KeyRow) -> None:
    params = call.params
    for member in _SYMMETRIC_MEMBERS:
        if member in params and key.spec != SYMMETRIC_DEFAULT:
            raise ServiceError(
                "ValidationException", f"{member} is valid for symmetric encryption KMS keys only."
            )
    if params.get("ImportType") == _NEW and "KeyMaterialId" in params:
        raise ServiceError(
            "ValidationException", "KeyMaterialId cannot be specified with ImportType NEW_KEY_MATERIAL."
        )


def _material_id(call: Call, key: KeyRow, material: bytes) -> str:
    """The id of this material in this key and its related keys; another key gives it another id."""
    secret = call.store.root_key.derive("imported material ids", 32)
    return hmac.digest(secret, key.key_id.encode() + b"\0" + material, "sha256").hex()


def _require_new(
    call: Call, key: KeyRow, known: list[MaterialRow], existing: MaterialRow | None, material_id: str
) -> None:
    if existing is not None:
        raise _incorrect()
    require_primary(call, key)
    waiting = next((row.material_id for row in known if row.state in PENDING), None)
    if waiting is not None:
        raise ServiceError(
            "KMSInvalidStateException",
            f"New key material (id: {material_id}) cannot be imported into KMS key {call.arn(key)}, because "
            f"another key material (id: {waiting}) is pending rotation.",
        )


def _add(
    call: Call, db: sqlite3.Connection, key: KeyRow, known: list[MaterialRow], material_id: str
) -> MaterialRow:
    """Make room for new material: at once the current one of a key without any, else one that waits.

    Related keys know of it too, and wait for their own import.
    """
    row = MaterialRow(
        row=0,
        key=key.row,
        material_id=material_id,
        state=PENDING_REGIONS if known else "CURRENT",
        wrapped=None,
        created_at=call.now,
        rotated_at=None,
        rotation_type=None,
        import_state="PENDING_IMPORT",
        expiration_model=None,
        valid_to=None,
        description=None,
    )
    for each in related_keys(call.store, key):
        insert_material(db, row._replace(key=each.row))
    return row


def delete_imported_key_material(call: Call) -> JsonShape:
    with call.write() as db:
        key = _importable(call)
        material = _deleted(call, key)
        if material is not None:
            _delete(call, db, key, material)
            call.key = apply_material_states(call.store, db, key)
    call.keyring.forget()
    return _answer(call, key, material.material_id if material else None)


def _deleted(call: Call, key: KeyRow) -> MaterialRow | None:
    """The material to delete; None where the key has none, and nothing is to be done."""
    material_id = call.params.get("KeyMaterialId")
    if material_id is None:
        return current_material(call.store, key)
    material = material_by_id(call.store, key, material_id)
    if material is None:
        raise ServiceError(
            "NotFoundException", f"Key material {material_id} of key '{call.arn(key)}' does not exist"
        )
    return material


def _delete(call: Call, db: sqlite3.Connection, key: KeyRow, material: MaterialRow) -> None:
    """Delete the bytes; of material that waits for rotation the row goes, too, in all related keys."""
    if material.state in PENDING and not key.is_replica:
        db.executemany(
            "DELETE FROM materials WHERE key = ? AND material_id = ?",
            [(each.row, material.material_id) for each in related_keys(call.store, key)],
        )
        return
    db.execute(
        "UPDATE materials SET wrapped = NULL, import_state = 'PENDING_IMPORT', expiration_model = NULL, "
        "valid_to = NULL WHERE row = ?",
        (material.row,),
    )


def _answer(call: Call, key: KeyRow, material_id: str | None) -> JsonShape:
    answer: JsonShape = {"KeyId": call.arn(key)}
    if material_id is not None:
        answer["KeyMaterialId"] = material_id
    return answer


def _incorrect() -> ServiceError:
    return ServiceError("IncorrectKeyMaterialException", "")


OPERATIONS = {
    "GetParametersForImport": get_parameters_for_import,
    "ImportKeyMaterial": import_key_material,
    "DeleteImportedKeyMaterial": delete_imported_key_material,
}
