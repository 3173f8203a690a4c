"""Tags of keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kms_tui.backend.local.call import Call, JsonShape
from kms_tui.backend.local.creation import put_tags
from kms_tui.backend.local.paging import limit_of, page, position_of
from kms_tui.backend.local.references import find_key, key_in_state
from kms_tui.kms.errors import ServiceError

MAX_TAGS = 50
_DEFAULT_PAGE = 50
_RESERVED_PREFIX = "aws:"


def require_valid(tags: Sequence[Mapping[str, str]]) -> None:
    """TagException for too many tags, for one key twice, and for the prefix that AWS keeps to itself."""
    keys = [tag["TagKey"] for tag in tags]
    if len(keys) > MAX_TAGS:
        raise ServiceError("TagException", "Too many tags")
    if len(set(keys)) < len(keys):
        raise ServiceError("TagException", "Duplicate tag keys")
    if any(key.lower().startswith(_RESERVED_PREFIX) for key in keys):
        raise ServiceError("TagException", "Tags beginning with aws: are reserved")


def tag_resource(call: Call) -> JsonShape:
    with call.write() as db:
        key = key_in_state(call, call.params["KeyId"])
        require_valid(call.params["Tags"])
        put_tags(db, key, call.params["Tags"])
        (count,) = db.execute("SELECT count(*) FROM tags WHERE key = ?", (key.row,)).fetchone()
        if count > MAX_TAGS:
            raise ServiceError("TagException", "Too many tags")
    return {}


def untag_resource(call: Call) -> JsonShape:
    with call.write() as db:
        key = key_in_state(call, call.params["KeyId"])
        db.executemany(
            "DELETE FROM tags WHERE key = ? AND tag_key = ?",
            [(key.row, tag_key) for tag_key in call.params["TagKeys"]],
        )
    return {}


def list_resource_tags(call: Call) -> JsonShape:
    key = find_key(call, call.params["KeyId"])
    limit, after = limit_of(call, _DEFAULT_PAGE), position_of(call, key.key_id)
    rows = call.store.rows(
        "SELECT row, tag_key, tag_value FROM tags WHERE key = ? AND row > ? ORDER BY row LIMIT ?",
        (key.row, after or 0, limit + 1),
    )
    entries = [{"TagKey": tag_key, "TagValue": value} for _, tag_key, value in rows]
    return page(call, "Tags", entries, [row for row, _, _ in rows], limit, key.key_id)


OPERATIONS = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListResourceTags": list_resource_tags,
}
