"""Grants as the store keeps them, and the tokens that stand for them."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from kms_tui.backend.local.rows import KeyRow
from kms_tui.backend.local.store import Store

_ID_SIZE, _SALT_SIZE, _CHECK_SIZE = 32, 16, 16


class GrantRow(NamedTuple):
    """A grant; principals and names that it does not have are "", operations and constraints JSON."""

    row: int
    key: int
    grant_id: str
    name: str
    grantee: str
    grantee_service: str
    retiring: str
    retiring_service: str
    operations: str
    constraints: str
    issuing_account: str
    created_at: int

    @property
    def permits(self) -> list[str]:
        """The operations, as CreateGrant was given them."""
        operations: list[str] = json.loads(self.operations)
        return operations

    @property
    def limits(self) -> dict[str, Any]:
        """GrantConstraints."""
        constraints: dict[str, Any] = json.loads(self.constraints)
        return constraints

    @property
    def terms(self) -> tuple[Any, ...]:
        """What the request of the same grant would have in common with this one."""
        principals = (self.grantee, self.grantee_service, self.retiring, self.retiring_service)
        return self.name, *principals, sorted(self.permits), self.constraints


_COLUMNS = ", ".join(GrantRow._fields)
_INSERT = (
    f"INSERT INTO grants ({', '.join(GrantRow._fields[1:])}) "
    f"VALUES ({', '.join('?' * (len(GrantRow._fields) - 1))})"
)


def select_grants(
    store: Store, where: str, parameters: Sequence[Any], *, after: int = 0, limit: int = -1
) -> list[GrantRow]:
    """The grants that a condition of ours finds, oldest first."""
    rows = store.rows(
        f"SELECT {_COLUMNS} FROM grants WHERE {where} AND row > ? ORDER BY row LIMIT ?",
        (*parameters, after, limit),
    )
    return [GrantRow._make(row) for row in rows]


def grant_by_id(store: Store, key: KeyRow, grant_id: str) -> GrantRow | None:
    return next(iter(select_grants(store, "key = ? AND grant_id = ?", (key.row, grant_id))), None)


def insert_grant(db: sqlite3.Connection, grant: GrantRow) -> None:
    db.execute(_INSERT, grant[1:])


def delete_grant(db: sqlite3.Connection, grant: GrantRow) -> None:
    db.execute("DELETE FROM grants WHERE row = ?", (grant.row,))


def new_token(store: Store, grant_id: str) -> str:
    """A token for a grant, another one each time; it needs no record, as only this store can make it."""
    body = bytes.fromhex(grant_id) + bytes.fromhex(store.ids.hex(2 * _SALT_SIZE))
    return base64.b64encode(body + _check(store, body)).decode("ascii")


def grant_id_of(store: Store, token: str) -> str | None:
    """The grant that a token stands for, which may be gone; None for what is no token of this store."""
    try:
        raw = base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError):
        return None
    body, check = raw[:-_CHECK_SIZE], raw[-_CHECK_SIZE:]
    if len(body) != _ID_SIZE + _SALT_SIZE or not hmac.compare_digest(check, _check(store, body)):
        return None
    return body[:_ID_SIZE].hex()


def _check(store: Store, body: bytes) -> bytes:
    return hmac.digest(store.root_key.derive("grant tokens", 32), body, "sha256")[:_CHECK_SIZE]
