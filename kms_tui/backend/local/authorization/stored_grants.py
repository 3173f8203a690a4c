"""Grants as the store keeps them, the tokens that stand for them, and what they allow a key's caller.

Source: the developer guide (grants, create-grant-overview, grant-manage) and GrantConstraints in the service
model. Grants are in force at once here, so a grant token is checked and adds nothing.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kms_tui.backend.local.authorization.condition_context import encryption_context
from kms_tui.backend.local.engine.call import Call
from kms_tui.backend.local.store.key_rows import KeyRow
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.operations import Trait, has
from kms_tui.policy import AccessRequest, Caller
from kms_tui.policy.principals import PrincipalKind

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


Pairs = Mapping[str, str]

EQUALS, SUBSET, SOURCE_ARN = "EncryptionContextEquals", "EncryptionContextSubset", "SourceArn"
"""The members of GrantConstraints."""


def require_tokens(call: Call) -> None:
    """InvalidGrantTokenException where one of the call's grant tokens is none."""
    for token in call.params.get("GrantTokens", ()):
        if grant_id_of(call.store, token) is None:
            raise ServiceError("InvalidGrantTokenException", "")


def is_granted(call: Call, key: KeyRow, action: str, request: AccessRequest, *, delegated: bool) -> bool:
    """Whether a grant lets the caller do this.

    A grant to an account lets its root user, and those whom its IAM policies allow the action
    (``delegated``).
    """
    operation = action.removeprefix("kms:")
    return any(
        operation in grant.permits
        and is_principal(grant.grantee, grant.grantee_service, request.caller, delegated=delegated)
        and _holds(call, grant, operation, action)
        for grant in select_grants(call.store, "key = ?", (key.row,))
    )


def may_retire(call: Call, key: KeyRow, grant: GrantRow, request: AccessRequest, *, delegated: bool) -> bool:
    """Whether the caller may retire a grant: the retiring principal, a grantee who was given RetireGrant,
    the key's account, or whom one of these accounts' IAM policies allow it.
    """
    caller = request.caller
    if is_principal(grant.retiring, grant.retiring_service, caller, delegated=delegated):
        return True
    if "RetireGrant" in grant.permits and is_principal(
        grant.grantee, grant.grantee_service, caller, delegated=delegated
    ):
        return True
    return caller.account == key.account and (delegated or caller.is_root)


def is_principal(principal: str, service: str, caller: Caller, *, delegated: bool = False) -> bool:
    """Whether a principal of a grant is the caller, the role of its session, or its account."""
    if not (principal or service):
        return False
    named = Caller.parse(service or principal)
    if named.kind is PrincipalKind.SERVICE:
        return caller.kind is PrincipalKind.SERVICE and named.name == caller.name
    if named.account != caller.account:
        return False
    if named.is_root:
        return caller.is_root or delegated
    if named.kind is PrincipalKind.ROLE and caller.kind is PrincipalKind.SESSION:
        return named.name == caller.name
    return named.arn == caller.arn


def _holds(call: Call, grant: GrantRow, operation: str, action: str) -> bool:
    """Whether a call satisfies the constraints of a grant."""
    constraints = grant.limits
    if SOURCE_ARN in constraints:
        return False  # no call here is made on behalf of a resource of a service
    if not has(operation, Trait.ENCRYPTION_CONTEXT):
        return True  # no encryption context to constrain it by
    if operation == "CreateGrant":
        return set(call.params["Operations"]) <= set(grant.permits) and _is_narrower(call, constraints)
    context = _folded(encryption_context(call, action))
    if EQUALS in constraints and _folded(constraints[EQUALS]) != context:
        return False
    return _folded(constraints.get(SUBSET, {})).items() <= context.items()


def _is_narrower(call: Call, constraints: Mapping[str, Any]) -> bool:
    """Whether the grant that is to be made is constrained no less than the one that allows to make it."""
    wanted = call.params.get("Constraints", {})
    equals = _folded(wanted[EQUALS]) if EQUALS in wanted else None
    if EQUALS in constraints and equals != _folded(constraints[EQUALS]):
        return False
    required = _folded(constraints.get(SUBSET, {})).items()
    return required <= (_folded(wanted.get(SUBSET, {})) if equals is None else equals).items()


def _folded(pairs: Pairs) -> dict[str, str]:
    """Pairs with their names in lower case: constraints ignore the case of names (GrantConstraints)."""
    return {name.lower(): value for name, value in pairs.items()}
