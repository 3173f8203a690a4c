"""What the imported materials of a key mean for its state, and for the rotation that waits.

Source: KeyMaterialState and DeleteImportedKeyMaterial in the service model.
"""

from __future__ import annotations

import sqlite3

from kms_tui.backend.local.rows import KeyRow, has_all_material, related_keys, update_key
from kms_tui.backend.local.store import Store
from kms_tui.kms.model import KeyState

PENDING_ROTATION = "PENDING_ROTATION"
PENDING_REGIONS = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
PENDING = (PENDING_ROTATION, PENDING_REGIONS)
"""States of material that waits for a rotation, and is not the key's for good yet."""

_DELETION = (KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION)


def settle(store: Store, db: sqlite3.Connection, key: KeyRow) -> KeyRow:
    """Bring a key's state and next expiry, and its set's pending rotation, in line with its materials."""
    settle_pending(store, db, key)
    (expires_at,) = db.execute(
        "SELECT min(valid_to) FROM materials WHERE key = ? AND import_state = 'IMPORTED'", (key.row,)
    ).fetchone()
    if key.state == KeyState.UPDATING:
        settles_to = _state(store, key, key.settles_to or key.state)
        return update_key(db, key, settles_to=settles_to, expires_at=expires_at)
    return update_key(db, key, state=_state(store, key, key.state), expires_at=expires_at)


def _state(store: Store, key: KeyRow, state: str) -> str:
    if state in _DELETION:
        return state
    if not has_all_material(store, key):
        return KeyState.PENDING_IMPORT
    return KeyState.ENABLED if state == KeyState.PENDING_IMPORT else state


def settle_pending(store: Store, db: sqlite3.Connection, key: KeyRow) -> None:
    """Material waits for rotation only once it was imported into every related key."""
    for each in related_keys(store, key):
        db.execute(
            "UPDATE materials SET state = iif(EXISTS (SELECT 1 FROM materials AS others "
            "JOIN keys ON keys.row = others.key WHERE keys.account = ? AND keys.key_id = ? "
            "AND others.material_id = materials.material_id AND others.import_state <> 'IMPORTED'), ?, ?) "
            "WHERE key = ? AND state IN (?, ?)",
            (each.account, each.key_id, PENDING_REGIONS, PENDING_ROTATION, each.row, *PENDING),
        )
