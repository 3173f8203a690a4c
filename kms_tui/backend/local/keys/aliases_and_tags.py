"""The operations on aliases, which name keys in one account and Region, and on the tags of keys."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kms_tui.backend.local.authorization.decision import require_account
from kms_tui.backend.local.engine.call import Call, JsonShape
from kms_tui.backend.local.engine.paging import limit_of, page, position_of
from kms_tui.backend.local.keys import aws_managed_keys
from kms_tui.backend.local.keys.key_creation import put_tags
from kms_tui.backend.local.keys.key_lookup import find_key, key_in_state, locate
from kms_tui.backend.local.store.key_rows import KeyRow, key_by_alias
from kms_tui.backend.local.store.sources import to_datetime
from kms_tui.kms.arn import ALIAS_PREFIX, AWS_ALIAS_PREFIX
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import alias_kind

MAX_ALIASES = 50
"""Aliases that one key may have (resource quotas of the developer guide)."""

_DEFAULT_PAGE = 50
_NAME = re.compile(r"alias/[a-zA-Z0-9/_-]+\Z")


def _require_name(name: str) -> None:
    if not name.startswith(ALIAS_PREFIX):
        raise ServiceError(
            "ValidationException",
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        )
    if name.startswith(AWS_ALIAS_PREFIX):
        raise ServiceError("NotAuthorizedException", "")
    if not _NAME.match(name):
        raise ServiceError("ValidationException", f"{name} contains invalid characters for an alias")


def _require_target(call: Call, target: str) -> KeyRow:
    if target.startswith(ALIAS_PREFIX) or ":alias/" in target:
        raise ServiceError("ValidationException", "Aliases must refer to keys. Not aliases")
    return key_in_state(call, target)


def _require_alias(call: Call, name: str) -> KeyRow:
    key = key_by_alias(call.store, call.scope.account, call.scope.region, name)
    if key is None:
        raise ServiceError("NotFoundException", f"Alias {call.alias_arn(name)} is not found.")
    return key


def create_alias(call: Call) -> JsonShape:
    name = call.params["AliasName"]
    _require_name(name)
    scope = call.scope
    call.authorize(call, None, "kms:CreateAlias", call.alias_arn(name))
    with call.write() as db:
        key = _require_target(call, call.params["TargetKeyId"])
        if key_by_alias(call.store, scope.account, scope.region, name):
            raise ServiceError(
                "AlreadyExistsException", f"An alias with the name {call.alias_arn(name)} already exists"
            )
        _require_room(call, key)
        db.execute(
            "INSERT INTO aliases VALUES (?, ?, ?, ?, ?, ?)",
            (scope.account, scope.region, name, key.row, call.now, call.now),
        )
    return {}


def _require_room(call: Call, key: KeyRow) -> None:
    row = call.store.one("SELECT count(*) FROM aliases WHERE key = ?", (key.row,))
    if row and row[0] >= MAX_ALIASES:
        raise ServiceError(
            "LimitExceededException",
            f"The key {call.arn(key)} has {MAX_ALIASES} aliases, the most it may have.",
        )


def update_alias(call: Call) -> JsonShape:
    name = call.params["AliasName"]
    _require_name(name)
    call.authorize(call, None, "kms:UpdateAlias", call.alias_arn(name))
    with call.write() as db:
        former = _require_alias(call, name)
        call.authorize(call, former, "kms:UpdateAlias")
        key = _require_target(call, call.params["TargetKeyId"])
        if alias_kind(key.spec, key.usage) != alias_kind(former.spec, former.usage):
            raise ServiceError(
                "ValidationException",
                f"Alias {call.alias_arn(name)} cannot be updated to refer to {call.arn(key)}: the current "
                "and the new key must be of the same type and have the same key usage.",
            )
        if key.row != former.row:
            _require_room(call, key)
        db.execute(
            "UPDATE aliases SET key = ?, updated_at = ? WHERE account = ? AND region = ? AND name = ?",
            (key.row, call.now, call.scope.account, call.scope.region, name),
        )
    return {}


def delete_alias(call: Call) -> JsonShape:
    name = call.params["AliasName"]
    _require_name(name)
    call.authorize(call, None, "kms:DeleteAlias", call.alias_arn(name))
    with call.write() as db:
        key = call.key = _require_alias(call, name)
        call.authorize(call, key, "kms:DeleteAlias")
        db.execute(
            "DELETE FROM aliases WHERE account = ? AND region = ? AND name = ?",
            (call.scope.account, call.scope.region, name),
        )
    return {}


def list_aliases(call: Call) -> JsonShape:
    call.authorize(call, None, "kms:ListAliases")
    if "KeyId" in call.params:
        key = call.key = locate(call, call.params["KeyId"])
        require_account(call, key)
        return _list_of_key(call, key)
    limit, after = limit_of(call, _DEFAULT_PAGE), position_of(call) or ""
    rows = call.store.rows(
        "SELECT aliases.name, aliases.created_at, aliases.updated_at, keys.key_id FROM aliases "
        "JOIN keys ON keys.row = aliases.key "
        "WHERE aliases.account = ? AND aliases.region = ? AND aliases.name > ? ORDER BY aliases.name LIMIT ?",
        (call.scope.account, call.scope.region, after, limit + 1),
    )
    return _page(call, _with_predefined(call, rows, after), limit)


def _with_predefined(call: Call, rows: list[tuple[Any, ...]], after: str) -> list[tuple[Any, ...]]:
    """The rows in order with the predefined aliases that no key stands behind yet."""
    taken = {
        name
        for (name,) in call.store.rows(
            "SELECT name FROM aliases WHERE account = ? AND region = ? AND name >= ? AND name < ?",
            (call.scope.account, call.scope.region, AWS_ALIAS_PREFIX, "alias/aws0"),
        )
    }
    free = [
        (name, None, None, None) for name in aws_managed_keys.LISTED if name > after and name not in taken
    ]
    return sorted([*rows, *free])


def _list_of_key(call: Call, key: KeyRow) -> JsonShape:
    limit = limit_of(call, _DEFAULT_PAGE)
    rows = call.store.rows(
        "SELECT name, created_at, updated_at, ? FROM aliases WHERE key = ? AND name > ? "
        "ORDER BY name LIMIT ?",
        (key.key_id, key.row, position_of(call, key.key_id) or "", limit + 1),
    )
    return _page(call, rows, limit, key.key_id)


def _page(call: Call, rows: list[tuple[Any, ...]], limit: int, subject: str = "") -> JsonShape:
    entries = [_entry(call, *row) for row in rows]
    return page(call, "Aliases", entries, [row[0] for row in rows], limit, subject)


def _entry(call: Call, name: str, created: int | None, updated: int | None, key_id: str | None) -> JsonShape:
    entry: JsonShape = {"AliasName": name, "AliasArn": call.alias_arn(name)}
    if key_id is not None and created is not None and updated is not None:
        entry |= {
            "TargetKeyId": key_id,
            "CreationDate": to_datetime(created),
            "LastUpdatedDate": to_datetime(updated),
        }
    return entry


# Tags

MAX_TAGS = 50

_RESERVED_PREFIX = "aws:"


def require_valid_tags(tags: Sequence[Mapping[str, str]]) -> None:
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
        require_valid_tags(call.params["Tags"])
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
    "CreateAlias": create_alias,
    "UpdateAlias": update_alias,
    "DeleteAlias": delete_alias,
    "ListAliases": list_aliases,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListResourceTags": list_resource_tags,
}
