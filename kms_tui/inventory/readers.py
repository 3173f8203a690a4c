"""How each fact about a key is read: one call of the façade each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kms_tui.backend.kms_facade import Kms
from kms_tui.inventory.row import FactName
from kms_tui.kms.errors import AnswerError, KmsTuiError
from kms_tui.kms.facts import Denied, Failed, Known, unreadable

# By key id or ARN, never by alias: DescribeKey on a predefined alias makes the key.
READERS: Mapping[FactName, Callable[[Kms, str], Any]] = {
    FactName.DESCRIBED: Kms.describe,
    FactName.ROTATION: Kms.rotation_status,
    FactName.TAGS: lambda kms, key_id: tuple(kms.tags(key_id)),
    FactName.LAST_USAGE: Kms.last_usage,
    FactName.POLICY: Kms.key_policy,
    FactName.ROTATIONS: lambda kms, key_id: len(kms.rotations(key_id)),
}


def read(kms: Callable[[], Kms], name: FactName, key_id: str) -> Known[Any] | Denied | Failed:
    """Read one fact; an error is a fact as well."""
    try:
        return Known(READERS[name](kms(), key_id))
    except KmsTuiError as error:
        return unreadable(error)
    except Exception as error:
        # A cut or foreign answer must cost this cell, not the thread that reads all others.
        return Failed(AnswerError.of(error))
