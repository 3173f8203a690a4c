"""Pages of the List operations: opaque markers that name the last entry seen, never a count."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from kms_tui.backend.local.engine.call import Call, JsonShape
from kms_tui.kms.errors import ServiceError

T = TypeVar("T")

_CHECK_SIZE = 8


def limit_of(call: Call, default: int) -> int:
    return int(call.params.get("Limit", default))


def position_of(call: Call, subject: str = "") -> Any:
    """Where the caller's marker points to, or None at the start; InvalidMarkerException for any other marker.

    ``subject`` is what is listed (a key's id): the marker of another list is no good.
    """
    marker = call.params.get("Marker")
    if marker is None:
        return None
    try:
        raw = base64.b64decode(marker, validate=True)
        check, body = raw[:_CHECK_SIZE], raw[_CHECK_SIZE:]
        if check != _check(call, subject, body):
            raise ValueError("foreign marker")
        return json.loads(body)
    except (binascii.Error, ValueError) as error:
        raise ServiceError("InvalidMarkerException", "Could not deserialize marker") from error


def page(
    call: Call, member: str, entries: Sequence[T], positions: Sequence[Any], limit: int, subject: str = ""
) -> JsonShape:
    """A List answer from up to ``limit`` + 1 entries, each with the position that a marker names it by."""
    answer: JsonShape = {member: list(entries[:limit]), "Truncated": len(entries) > limit}
    if answer["Truncated"]:
        body = json.dumps(positions[limit - 1], separators=(",", ":")).encode()
        answer["NextMarker"] = base64.b64encode(_check(call, subject, body) + body).decode("ascii")
    return answer


def _check(call: Call, subject: str, body: bytes) -> bytes:
    text = "\0".join((call.operation, call.scope.account, call.scope.region, subject)).encode()
    return hashlib.sha256(text + b"\0" + body).digest()[:_CHECK_SIZE]
