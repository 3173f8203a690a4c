"""Key material in the store: its rows, what imported material means for its key, and material ready for use.

Source of the states: KeyMaterialState and DeleteImportedKeyMaterial in the service model.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from typing import NamedTuple

from kms_tui.backend.local.store.key_material import LoadedMaterial, load_material
from kms_tui.backend.local.store.key_rows import KeyRow, related_keys, update_key
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import KeyOrigin, KeyState


class MaterialRow(NamedTuple):
    """Key material; ``wrapped`` is None for material that is made on first use, or was deleted.

    ``fixed`` is 1 where a seed gave the bytes.
    """

    row: int
    key: int
    material_id: str
    state: str
    wrapped: bytes | None
    created_at: int
    rotated_at: int | None
    rotation_type: str | None
    import_state: str | None
    expiration_model: str | None
    valid_to: int | None
    description: str | None
    fixed: int = 0


_MATERIAL_COLUMNS = ", ".join(MaterialRow._fields)
_CURRENT_MATERIAL = f"SELECT {_MATERIAL_COLUMNS} FROM materials WHERE key = ? AND state = 'CURRENT'"
_MATERIAL = f"SELECT {_MATERIAL_COLUMNS} FROM materials WHERE key = ? AND material_id = ?"
_MATERIALS = f"SELECT {_MATERIAL_COLUMNS} FROM materials WHERE key = ? ORDER BY row"
_INSERT_MATERIAL = (
    f"INSERT INTO materials ({', '.join(MaterialRow._fields[1:])}) "
    f"VALUES ({', '.join('?' * (len(MaterialRow._fields) - 1))})"
)


def current_material(store: Store, key: KeyRow) -> MaterialRow | None:
    return store.remembered(MaterialRow._make, _CURRENT_MATERIAL, (key.row,))


def material_by_id(store: Store, key: KeyRow, material_id: str) -> MaterialRow | None:
    return store.remembered(MaterialRow._make, _MATERIAL, (key.row, material_id))


def materials_of(store: Store, key: KeyRow) -> list[MaterialRow]:
    """Oldest first."""
    return [MaterialRow._make(row) for row in store.rows(_MATERIALS, (key.row,))]


def insert_material(db: sqlite3.Connection, material: MaterialRow) -> None:
    db.execute(_INSERT_MATERIAL, material[1:])


def has_all_material(store: Store, key: KeyRow) -> bool:
    """Whether no material of the key is missing; material that waits for rotation does not count."""
    if key.origin != KeyOrigin.EXTERNAL:
        return True
    states = store.rows(
        "SELECT import_state FROM materials WHERE key = ? AND state IN ('CURRENT', 'NON_CURRENT')", (key.row,)
    )
    return bool(states) and all(state == "IMPORTED" for (state,) in states)


PENDING_ROTATION = "PENDING_ROTATION"
PENDING_REGIONS = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
PENDING = (PENDING_ROTATION, PENDING_REGIONS)
"""States of material that waits for a rotation, and does not belong to the key yet."""

_DELETION = (KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION)


def apply_material_states(store: Store, db: sqlite3.Connection, key: KeyRow) -> KeyRow:
    """Bring a key's state and next expiry, and its set's pending rotation, in line with its materials."""
    apply_pending_material_states(store, db, key)
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


def apply_pending_material_states(store: Store, db: sqlite3.Connection, key: KeyRow) -> None:
    """Material waits for rotation only once it was imported into every related key."""
    for each in related_keys(store, key):
        db.execute(
            "UPDATE materials SET state = iif(EXISTS (SELECT 1 FROM materials AS others "
            "JOIN keys ON keys.row = others.key WHERE keys.account = ? AND keys.key_id = ? "
            "AND others.material_id = materials.material_id AND others.import_state <> 'IMPORTED'), ?, ?) "
            "WHERE key = ? AND state IN (?, ?)",
            (each.account, each.key_id, PENDING_REGIONS, PENDING_ROTATION, each.row, *PENDING),
        )


_CACHED_MATERIALS = 512
"""Materials that a ``Keyring`` keeps."""


class Keyring:
    """Gives the loaded material of a row just read from the store.

    What it keeps is found again only by the very bytes that unwrapping authenticated, with the ids they
    were bound to. So material that another process replaced, deleted or tampered with is never served
    from here: the caller's row is always fresh.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._loaded: OrderedDict[tuple[bytes, str, str, str], LoadedMaterial] = OrderedDict()

    def load(self, key: KeyRow, material: MaterialRow) -> LoadedMaterial:
        """The material ready for use; with a lazy source it is made at its first use."""
        wrapped = material.wrapped
        if wrapped is None:
            if material.import_state is not None:
                raise ServiceError("KMSInvalidStateException", "The key material is not imported.")
            wrapped = self._make(key, material)
        entry = (wrapped, key.key_id, material.material_id, key.spec)
        with self._lock:
            loaded = self._loaded.get(entry)
            if loaded is not None:
                self._loaded.move_to_end(entry)
                return loaded
        loaded = load_material(
            key.spec, self._store.root_key.unwrap(key.key_id, material.material_id, wrapped)
        )
        with self._lock:
            self._loaded[entry] = loaded
            if len(self._loaded) > _CACHED_MATERIALS:
                self._loaded.popitem(last=False)
        return loaded

    def _make(self, key: KeyRow, material: MaterialRow) -> bytes:
        """Make the material outside any transaction, and store it unless another was quicker."""
        secret = self._store.material.make(key.spec, key.key_id, material.material_id)
        wrapped = self._store.root_key.wrap(key.key_id, material.material_id, secret)
        with self._store.write() as db:
            # All replicas of a multi-Region key share the material, and so its id.
            db.execute(
                "UPDATE materials SET wrapped = ? WHERE material_id = ? AND wrapped IS NULL",
                (wrapped, material.material_id),
            )
            stored = db.execute("SELECT wrapped FROM materials WHERE row = ?", (material.row,)).fetchone()
        return bytes(stored[0])

    def forget(self) -> None:
        """Drop what is kept, as after a key's deletion."""
        with self._lock:
            self._loaded.clear()
