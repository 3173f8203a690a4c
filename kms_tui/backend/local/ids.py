"""Where new identifiers come from: random ones, or the same ones each time for a demo or a test."""

from __future__ import annotations

import random
import secrets
import uuid
from typing import Protocol


class Ids(Protocol):
    """A source of identifiers in AWS's forms."""

    def key_id(self) -> str:
        """A UUID."""

    def multi_region_key_id(self) -> str:
        """``mrk-`` and 32 hex digits."""

    def material_id(self) -> str:
        """64 hex digits."""

    def event_id(self) -> str:
        """A UUID."""

    def hex(self, digits: int) -> str:
        """Any other identifier: grant ids, key store ids, tokens."""


def _uuid4(random_bytes: bytes) -> str:
    return str(uuid.UUID(bytes=random_bytes, version=4))


class RandomIds:
    """Identifiers from the operating system's random source."""

    def key_id(self) -> str:
        return str(uuid.uuid4())

    def multi_region_key_id(self) -> str:
        return "mrk-" + secrets.token_hex(16)

    def material_id(self) -> str:
        return secrets.token_hex(32)

    def event_id(self) -> str:
        return str(uuid.uuid4())

    def hex(self, digits: int) -> str:
        return secrets.token_hex((digits + 1) // 2)[:digits]


class SeededIds:
    """The same identifiers for the same seed; each kind has a stream of its own.

    So another kind of identifier drawn in between does not change the key ids that follow. Never for keys
    that matter: these identifiers can be foreseen.
    """

    def __init__(self, seed: str) -> None:
        self._streams = {
            kind: random.Random(f"{seed}/{kind}") for kind in ("key", "material", "event", "hex")
        }

    def key_id(self) -> str:
        return _uuid4(self._streams["key"].randbytes(16))

    def multi_region_key_id(self) -> str:
        return "mrk-" + self._streams["key"].randbytes(16).hex()

    def material_id(self) -> str:
        return self._streams["material"].randbytes(32).hex()

    def event_id(self) -> str:
        return _uuid4(self._streams["event"].randbytes(16))

    def hex(self, digits: int) -> str:
        return self._streams["hex"].randbytes((digits + 1) // 2).hex()[:digits]
