"""What happens to keys by itself in time: expiry, deletion, rotation, the end of a transient state.

It is applied at the next call, as there is no thread in the background.
"""

from __future__ import annotations

import sqlite3

from kms_tui.backend.local.keys.key_rotation import rotate
from kms_tui.backend.local.store.key_rows import KeyRow, first_due, next_due, related_keys, update_key
from kms_tui.backend.local.store.sources import DAY
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.local.store.stored_material import apply_material_states, apply_pending_material_states
from kms_tui.kms.model import KeyState


def apply_due_transitions(store: Store, now: int) -> bool:
    """Apply every transition that is due by now, in the order of time; whether there was any."""
    due_at = next_due(store)
    if due_at is None or due_at > now:
        return False
    with store.write() as db:
        while (key := first_due(store, now)) is not None:
            _apply(store, db, key, now)
    return True


def _apply(store: Store, db: sqlite3.Connection, key: KeyRow, now: int) -> None:
    """Apply the transition of a key that is due first."""
    if key.settles_at is not None and key.settles_at <= now:
        update_key(db, key, state=key.settles_to, settles_at=None, settles_to=None)
    elif key.expires_at is not None and key.expires_at <= now:
        _expire(store, db, key, now)
    elif key.state == KeyState.PENDING_DELETION:
        _delete(store, db, key)
    else:
        _rotate(store, db, key)


def _expire(store: Store, db: sqlite3.Connection, key: KeyRow, now: int) -> None:
    """Imported material that has expired is deleted, and the key waits for it to be imported again."""
    db.execute(
        "UPDATE materials SET wrapped = NULL, import_state = 'PENDING_IMPORT', expiration_model = NULL, "
        "valid_to = NULL WHERE key = ? AND import_state = 'IMPORTED' AND valid_to <= ?",
        (key.row, now),
    )
    apply_material_states(store, db, key)


def _delete(store: Store, db: sqlite3.Connection, key: KeyRow) -> None:
    """Remove the key and what belongs to it; with the last replica its primary's waiting period begins."""
    others = [other for other in related_keys(store, key) if other.row != key.row]
    db.execute("DELETE FROM keys WHERE row = ?", (key.row,))
    apply_pending_material_states(store, db, key)
    if len(others) == 1 and others[0].state == KeyState.PENDING_REPLICA_DELETION:
        (primary,) = others
        deletion_at = (key.deletion_at or 0) + (primary.pending_window or 0) * DAY
        update_key(db, primary, state=KeyState.PENDING_DELETION, deletion_at=deletion_at)


def _rotate(store: Store, db: sqlite3.Connection, key: KeyRow) -> None:
    at, period = key.next_rotation_at or 0, key.rotation_period or 0
    rotate(store, db, key, at, "AUTOMATIC")
    for each in related_keys(store, key):
        update_key(db, each, next_rotation_at=at + period * DAY)
