"""What KMS gives out for an import of key material: a wrapping key, and the token that goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class ImportParameters:
    """GetParametersForImport's answer; wrapping key and token belong together, until ``valid_to``."""

    public_key: bytes = field(repr=False)
    """SubjectPublicKeyInfo in DER."""
    token: bytes = field(repr=False)
    valid_to: datetime

    @classmethod
    def from_api(cls, shape: Mapping[str, Any]) -> Self:
        return cls(bytes(shape["PublicKey"]), bytes(shape["ImportToken"]), shape["ParametersValidTo"])
