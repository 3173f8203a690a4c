"""Pages of lists: opaque markers that name the last entry seen, never a count."""

from __future__ import annotations

import base64
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


def sealed_marker(scope: bytes, position: Any) -> str:
    """An opaque text that stands for a position, and is good for ``scope`` (what is listed) alone."""
    body = json.dumps(position, separators=(",", ":")).encode()
    return base64.b64encode(_check(scope, body) + body).decode("ascii")


def position_in(scope: bytes, marker: str) -> Any:
    """The position that a marker stands for; ValueError for one of another scope, or none of ours."""
    raw = base64.b64decode(marker, validate=True)
    check, body = raw[:_CHECK_SIZE], raw[_CHECK_SIZE:]
    if check != _check(scope, body):
        raise ValueError("a marker of something else")
    return json.loads(body)


def _check(scope: bytes, body: bytes) -> bytes:
    return hashlib.sha256(scope + b"\0" + body).digest()[:_CHECK_SIZE]


def position_of(call: Call, subject: str = "") -> Any:
    """The position that the caller's marker stands for, None at the start; or InvalidMarkerException.

    ``subject`` is what is listed (a key's id): the marker of another list is refused.
    """
    marker = call.params.get("Marker")
    if marker is None:
        return None
    try:
        return position_in(_scope(call, subject), marker)
    except ValueError as error:
        raise ServiceError("InvalidMarkerException", "Could not deserialize marker") from error


def page(
    call: Call, member: str, entries: Sequence[T], positions: Sequence[Any], limit: int, subject: str = ""
) -> JsonShape:
    """A List answer from up to ``limit`` + 1 entries, each with the position that a marker names it by."""
    answer: JsonShape = {member: list(entries[:limit]), "Truncated": len(entries) > limit}
    if answer["Truncated"]:
        answer["NextMarker"] = sealed_marker(_scope(call, subject), positions[limit - 1])
    return answer


def _scope(call: Call, subject: str) -> bytes:
    return "\0".join((call.operation, call.scope.account, call.scope.region, subject)).encode()
