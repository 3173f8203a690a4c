"""Material at hand: read from the store, unwrapped, loaded, and kept for a while."""

from __future__ import annotations

import threading
from collections import OrderedDict

from kms_tui.backend.local.material import LoadedMaterial, load
from kms_tui.backend.local.rows import KeyRow, MaterialRow
from kms_tui.backend.local.store import Store
from kms_tui.kms.errors import ServiceError

_CACHED_MATERIALS = 512


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
        """Ready for use; material never used before is made now, where its source is a lazy one."""
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
        loaded = load(key.spec, self._store.root_key.unwrap(key.key_id, material.material_id, wrapped))
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
