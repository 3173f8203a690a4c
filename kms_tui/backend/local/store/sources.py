"""The sources that a store is given: time, identifiers and key material.

Time is kept in whole milliseconds since 1970, in UTC, as KMS answers it.
"""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from kms_tui.backend.local.store.key_material import MaterialSource, RandomMaterial
from kms_tui.backend.local.store.schema import VERIFY
from kms_tui.kms.errors import StoreError

Clock = Callable[[], datetime]
"""Gives the present moment as an aware datetime."""

DAY = 24 * 60 * 60 * 1000
MINUTE = 60 * 1000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def utc_now() -> datetime:
    return datetime.now(UTC)


def to_millis(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def to_datetime(millis: int) -> datetime:
    """The moment; StoreError where no calendar has it, as in a store that is damaged."""
    try:
        return _EPOCH + timedelta(milliseconds=millis)
    except OverflowError as error:
        raise StoreError(f"The local store is damaged: {millis} is no time.", next_step=VERIFY) from error


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
    """The UUID of version 4 (RFC 9562) made of 16 random bytes."""
    digits = random_bytes.hex()
    variant = "89ab"[random_bytes[8] >> 4 & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


class RandomIds:
    """Identifiers from the operating system's random source."""

    def key_id(self) -> str:
        return _uuid4(os.urandom(16))

    def multi_region_key_id(self) -> str:
        return "mrk-" + secrets.token_hex(16)

    def material_id(self) -> str:
        return secrets.token_hex(32)

    def event_id(self) -> str:
        return _uuid4(os.urandom(16))

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


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a store takes time, identifiers and key material from.

    ``transition_millis`` is how long the transient key states Creating and Updating last.
    """

    clock: Clock = utc_now
    ids: Ids = field(default_factory=RandomIds)
    material: MaterialSource = field(default_factory=RandomMaterial)
    transition_millis: int = 0
