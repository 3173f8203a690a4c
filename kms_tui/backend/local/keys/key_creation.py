"""A new key in the store: its row, its first material, its policy and its tags, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from kms_tui.backend.local.engine.call import Call
from kms_tui.backend.local.store.key_rows import KeyRow, insert_key
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.local.store.stored_material import MaterialRow, insert_material
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.model import KeyManager, KeyOrigin, KeyState, KeyUsage

DEFAULT_POLICY_NAME = "default"
MAX_KEYS = 100_000
"""Customer managed keys that an account may have in a Region (resource quotas of the developer guide)."""

_ALL = "SELECT count(*) FROM keys WHERE account = ? AND region = ?"
_CUSTOMERS = f"{_ALL} AND manager = 'CUSTOMER'"


def require_room(call: Call, region: str) -> None:
    """LimitExceededException where the account has all the customer managed keys that a Region may have."""
    # The cheapest bound first: row numbers are not below the number of keys, and an index counts all keys.
    place = (call.scope.account, region)
    bounds = (("SELECT coalesce(max(row), 0) FROM keys", ()), (_ALL, place), (_CUSTOMERS, place))
    keys = 0
    for query, parameters in bounds:
        (keys,) = call.store.one(query, parameters) or (0,)
        if keys < MAX_KEYS:
            return
    raise ServiceError(
        "LimitExceededException",
        f"Key quota for this account in this region is {MAX_KEYS} but the current usage is {keys}.",
    )


def new_key(
    call: Call,
    *,
    spec: str = SYMMETRIC_DEFAULT,
    usage: str = KeyUsage.ENCRYPT_DECRYPT,
    origin: str = KeyOrigin.AWS_KMS,
    manager: str = KeyManager.CUSTOMER,
    description: str = "",
    multi_region: bool = False,
) -> KeyRow:
    """A key of this account and Region, not yet stored; without material it waits for its import."""
    ids = call.store.ids
    return KeyRow(
        row=0,
        account=call.scope.account,
        region=call.scope.region,
        key_id=ids.multi_region_key_id() if multi_region else ids.key_id(),
        manager=manager,
        spec=spec,
        usage=usage,
        origin=origin,
        state=KeyState.PENDING_IMPORT if origin == KeyOrigin.EXTERNAL else KeyState.ENABLED,
        available=1,
        description=description,
        created_at=call.now,
        multi_region=int(multi_region),
        primary_region=call.scope.region if multi_region else None,
        deletion_at=None,
        pending_window=None,
        rotation_period=None,
        next_rotation_at=None,
        settles_at=None,
        settles_to=None,
        expires_at=None,
        custom_key_store_id=None,
        xks_key_id=None,
        due_at=None,
    )


def new_material(store: Store, key: KeyRow, now: int) -> MaterialRow:
    """Material that KMS makes for a key, as its current one; not yet stored.

    Where the store's source is lazy, it is made on first use. Making it may take a second (RSA_4096), so
    not inside a transaction.
    """
    material_id = store.ids.material_id()
    wrapped = None
    if not store.material.lazy:
        secret = store.material.make(key.spec, key.key_id, material_id)
        wrapped = store.root_key.wrap(key.key_id, material_id, secret)
    return MaterialRow(
        row=0,
        key=key.row,
        material_id=material_id,
        state="CURRENT",
        wrapped=wrapped,
        created_at=now,
        rotated_at=None,
        rotation_type=None,
        import_state=None,
        expiration_model=None,
        valid_to=None,
        description=None,
    )


def put_new_key(
    call: Call,
    db: sqlite3.Connection,
    key: KeyRow,
    materials: Sequence[MaterialRow],
    policy: str,
    tags: Sequence[Mapping[str, str]] = (),
) -> KeyRow:
    """Store a key with all that belongs to it; the answer has its row number."""
    key = insert_key(db, key)
    for material in materials:
        insert_material(db, material._replace(key=key.row))
    put_policy(call, db, key, policy)
    put_tags(db, key, tags)
    return key


def put_policy(call: Call, db: sqlite3.Connection, key: KeyRow, text: str) -> None:
    """A new version of the key's policy; the ones before it stay."""
    db.execute(
        "INSERT INTO policies SELECT ?1, ?2, coalesce(max(version), 0) + 1, ?3, ?4, ?5 "
        "FROM policies WHERE key = ?1 AND name = ?2",
        (key.row, DEFAULT_POLICY_NAME, text, call.now, call.caller.arn),
    )


def put_tags(db: sqlite3.Connection, key: KeyRow, tags: Sequence[Mapping[str, str]]) -> None:
    """Add tags, or give those that are there their new values."""
    db.executemany(
        "INSERT INTO tags (key, tag_key, tag_value) VALUES (?, ?, ?) "
        "ON CONFLICT (key, tag_key) DO UPDATE SET tag_value = excluded.tag_value",
        [(key.row, tag["TagKey"], tag["TagValue"]) for tag in tags],
    )
