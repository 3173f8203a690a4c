"""Where a store that a seed is made in takes time, ids and key material from: the seed's, and else the
target's.
"""

from __future__ import annotations

import hmac
from collections import deque
from datetime import datetime

from kms_tui.backend.local.store.sources import RandomIds, to_datetime
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.seed.seed_model import SeedKey, SeedMaterial

_PURPOSE = b"kms-tui fixed key material"
_GRANT_DIGITS = 64


class SeedSources:
    """Clock, ``Ids`` and ``MaterialSource`` in one; what is to be handed out next is given before each
    call.
    """

    def __init__(self, target: Store) -> None:
        self._target = target
        self._unseen = RandomIds()
        self._materials: deque[SeedMaterial] = deque()
        self._key: SeedKey | None = None
        self._key_id = self._grant_id = ""
        self.now = target.now()

    def clock(self) -> datetime:
        return to_datetime(self.now)

    def for_key(self, key: SeedKey) -> None:
        """The key that is to be made next, with its first material."""
        self.forget()
        self._key, self._key_id = key, key.key_id
        self._materials.extend(key.materials[:1])

    def for_rotation(self, key: SeedKey, material: SeedMaterial) -> None:
        self.forget()
        self._key = key
        self._materials.append(material)

    def for_grant(self, grant_id: str) -> None:
        self._grant_id = grant_id

    def forget(self) -> None:
        """Hand out nothing of the seed."""
        self._materials.clear()
        self._key, self._key_id, self._grant_id = None, "", ""

    # Ids

    def key_id(self) -> str:
        return self._key_id or self._target.ids.key_id()

    def multi_region_key_id(self) -> str:
        return self._key_id or self._target.ids.multi_region_key_id()

    def material_id(self) -> str:
        """The given id; for fixed material of a key with a fixed id, one that is the same each time.

        So ciphertexts of one run are those of the next.
        """
        material, key = (self._materials[0] if self._materials else None), self._key
        if material is not None and key is not None:
            if material.material_id:
                return material.material_id
            if material.fixed is not None and key.key_id:
                named = f"{key.account}/{key.key_id}/".encode() + material.fixed
                return hmac.digest(_PURPOSE, named, "sha256").hex()
        return self._target.ids.material_id()

    def event_id(self) -> str:
        return self._unseen.event_id()

    def hex(self, digits: int) -> str:
        if digits == _GRANT_DIGITS:
            return self._grant_id or self._target.ids.hex(digits)
        return self._unseen.hex(digits)

    # Key material

    @property
    def lazy(self) -> bool:
        """As the target's source, but for fixed material."""
        fixed = bool(self._materials) and self._materials[0].fixed is not None
        return self._target.material.lazy and not fixed

    def make(self, spec: str, key_id: str, material_id: str) -> bytes:
        material = self._materials.popleft() if self._materials else None
        if material is not None and material.fixed is not None:
            return material.fixed
        return self._target.material.make(spec, key_id, material_id)
