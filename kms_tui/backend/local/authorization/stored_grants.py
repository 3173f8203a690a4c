"""Grants as the store keeps them, as policies judge them, and the tokens that stand for them.

Source: the developer guide (grants, create-grant-overview, grant-manage). Grants are in force at once here,
so a grant token is checked and adds nothing.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from kms_tui.backend.local.engine.call import Call
from kms_tui.backend.local.store.key_rows import KeyRow
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import Grant

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
        """What two requests for the same grant have in common."""
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
    """The grants that meet an SQL condition, oldest first."""
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
    """A token for a grant, a new one each time; only this store can make it, so it is not stored."""
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


def require_tokens(call: Call) -> None:
    """InvalidGrantTokenException where one of the call's grant tokens is none."""
    for token in call.params.get("GrantTokens", ()):
        if grant_id_of(call.store, token) is None:
            raise ServiceError("InvalidGrantTokenException", "")


def grants_for(call: Call, key: KeyRow, action: str) -> tuple[Grant, ...]:
    """The key's grants that allow an action, under whatever constraints."""
    operation = json.dumps(action.removeprefix("kms:"))
    rows = select_grants(call.store, "key = ? AND instr(operations, ?)", (key.row, operation))
    return tuple(as_grant(call, key, row) for row in rows)


def as_grant(call: Call, key: KeyRow, row: GrantRow) -> Grant:
    """A grant as policies judge it."""
    return Grant(
        row.grant_id,
        call.arn(key),
        row.grantee or row.grantee_service,
        tuple(row.permits),
        row.name,
        row.retiring or row.retiring_service,
        row.issuing_account,
        constraints=row.limits,
    )
