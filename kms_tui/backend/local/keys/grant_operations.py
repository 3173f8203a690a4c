"""The operations on grants."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kms_tui.backend.local.authorization.decision import (
    denied_elsewhere,
    is_administrator,
    require_account,
    require_allowed,
)
from kms_tui.backend.local.authorization.stored_grants import (
    GrantRow,
    as_grant,
    delete_grant,
    grant_by_id,
    grant_id_of,
    insert_grant,
    new_token,
    select_grants,
)
from kms_tui.backend.local.engine.call import Call, JsonShape
from kms_tui.backend.local.engine.key_states import require_state
from kms_tui.backend.local.engine.paging import limit_of, page, position_of
from kms_tui.backend.local.keys.key_lookup import find_key, key_in_state, locate
from kms_tui.backend.local.store.key_rows import KeyRow, key_by_row
from kms_tui.backend.local.store.sources import to_datetime
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.operations import grant_operations
from kms_tui.policy import Caller
from kms_tui.policy.grant_statements import EQUALS, SOURCE_ARN, SUBSET
from kms_tui.policy.principals import PrincipalKind, is_service_of

MAX_GRANTS = 50_000
"""Grants that one key may have (resource quotas of the developer guide)."""

_DEFAULT_PAGE = 50
_MAX_PAIRS, _MAX_VALUE = 8, 384
_ID_DIGITS = 64


def create_grant(call: Call) -> JsonShape:
    _require_principals(call)
    _require_one_context(call)
    with call.write() as db:
        key = key_in_state(call, call.params["KeyId"])
        _require_operations(call, key)
        _require_constraints(call, key)
        grant = _wanted(call, key)
        existing = _same(call, grant)
        if existing is None:
            _require_room(call, key)
        call.dry_run()
        if existing is None:
            insert_grant(db, grant)
    grant_id = existing.grant_id if existing else grant.grant_id
    return {"GrantToken": new_token(call.store, grant_id), "GrantId": grant_id}


def _require_principals(call: Call) -> None:
    params = call.params
    _require_one(call, "GranteePrincipal", "GranteeServicePrincipal")
    if "RetiringPrincipal" in params and "RetiringServicePrincipal" in params:
        raise ServiceError(
            "ValidationException",
            "You can specify either RetiringPrincipal or RetiringServicePrincipal, but not both.",
        )
    if "GranteeServicePrincipal" in params:
        _require_for_service(params)
    for member in ("GranteePrincipal", "RetiringPrincipal"):
        if member in params:
            _require_principal(call, params[member])


def _require_for_service(params: Mapping[str, Any]) -> None:
    """ValidationException unless a grant to a service has the constraint and the principal that it needs."""
    wanting = ""
    if SOURCE_ARN not in params.get("Constraints", {}):
        wanting = "a SourceArn grant constraint"
    elif "RetiringPrincipal" not in params and "RetiringServicePrincipal" not in params:
        wanting = "either a RetiringPrincipal or a RetiringServicePrincipal"
    if wanting:
        raise ServiceError(
            "ValidationException",
            f"When you specify a GranteeServicePrincipal, you must also specify {wanting}.",
        )


def _require_one(call: Call, member: str, other: str) -> None:
    if (member in call.params) == (other in call.params):
        raise ServiceError(
            "ValidationException", f"You must specify either {member} or {other}, but not both."
        )


def _require_principal(call: Call, text: str) -> None:
    """InvalidArnException for what is no account, user, role, session, federated user or AWS service.

    Another partition's is none here.
    """
    try:
        caller = Caller.parse(text)
    except ValueError as error:
        raise _no_principal(text) from error
    partition = call.scope.partition
    is_service = caller.kind is PrincipalKind.SERVICE
    if caller.partition not in ("", partition) or (is_service and not is_service_of(caller.name, partition)):
        raise _no_principal(text)


def _no_principal(text: str) -> ServiceError:
    return ServiceError("InvalidArnException", f"ARN does not refer to a valid principal: {text}")


def _require_one_context(call: Call) -> None:
    """ValidationException for both constraints on the encryption context, even where one is empty."""
    if {EQUALS, SUBSET} <= call.params.get("Constraints", {}).keys():
        raise ServiceError("ValidationException", "More than one constraint supplied")


def _require_operations(call: Call, key: KeyRow) -> None:
    operations = call.params["Operations"]
    if set(operations) <= {"CreateGrant"}:
        raise ServiceError("ValidationException", "Grants must not contain only the CreateGrant operation.")
    possible = grant_operations(key.spec, key.usage)
    for operation in operations:
        if operation not in possible:
            raise ServiceError(
                "ValidationException",
                f"Operation {operation} is not compatible with KeySpec {key.spec} and KeyUsage {key.usage}.",
            )


def _require_constraints(call: Call, key: KeyRow) -> None:
    constraints = call.params.get("Constraints", {})
    for member in (EQUALS, SUBSET):
        pairs = constraints.get(member, {})
        if pairs and not KEY_SPECS[key.spec].is_symmetric:
            raise ServiceError("ValidationException", f"{member} is not supported with KeySpec {key.spec}.")
        if len(pairs) > _MAX_PAIRS:
            raise ServiceError(
                "ValidationException", f"{member} can have at most {_MAX_PAIRS} encryption context pairs."
            )
        if any(len(value) > _MAX_VALUE for value in pairs.values()):
            raise ServiceError(
                "ValidationException",
                f"An encryption context value in {member} cannot exceed {_MAX_VALUE} characters.",
            )


def _wanted(call: Call, key: KeyRow) -> GrantRow:
    """The grant that a request asks for, not yet stored."""
    params = call.params
    constraints = {member: value for member, value in params.get("Constraints", {}).items() if value}
    return GrantRow(
        row=0,
        key=key.row,
        grant_id=call.store.ids.hex(_ID_DIGITS),
        name=params.get("Name", ""),
        grantee=params.get("GranteePrincipal", ""),
        grantee_service=params.get("GranteeServicePrincipal", ""),
        retiring=params.get("RetiringPrincipal", ""),
        retiring_service=params.get("RetiringServicePrincipal", ""),
        operations=json.dumps(list(dict.fromkeys(params["Operations"]))),
        constraints=json.dumps(constraints, sort_keys=True),
        issuing_account=f"arn:{call.scope.partition}:iam::{call.scope.account}:root",
        created_at=call.now,
    )


def _same(call: Call, grant: GrantRow) -> GrantRow | None:
    """The grant that the same request has made before; only a named one is looked for."""
    if not grant.name:
        return None
    named = select_grants(call.store, "key = ? AND name = ?", (grant.key, grant.name))
    return next((existing for existing in named if existing.terms == grant.terms), None)


def _require_room(call: Call, key: KeyRow) -> None:
    row = call.store.one("SELECT count(*) FROM grants WHERE key = ?", (key.row,))
    if row and row[0] >= MAX_GRANTS:
        raise ServiceError(
            "LimitExceededException",
            f"The key {call.arn(key)} has {MAX_GRANTS} grants, the most it may have.",
        )


def list_grants(call: Call) -> JsonShape:
    params = call.params
    if "GranteePrincipal" in params and "GranteeServicePrincipal" in params:
        _require_one(call, "GranteePrincipal", "GranteeServicePrincipal")
    key = find_key(call, params["KeyId"])
    _require_form(params.get("GrantId"))
    filters = {
        "key": key.row,
        "grant_id": params.get("GrantId"),
        "grantee": params.get("GranteePrincipal"),
        "grantee_service": params.get("GranteeServicePrincipal"),
    }
    return _page(call, {column: value for column, value in filters.items() if value is not None}, key.key_id)


def _require_form(grant_id: str | None) -> None:
    """InvalidGrantIdException for a text that is no grant id; whether there is such a grant is not asked."""
    if grant_id is not None and (len(grant_id) != _ID_DIGITS or not set(grant_id) <= set("0123456789abcdef")):
        raise ServiceError("InvalidGrantIdException", f"Invalid grant ID {grant_id}")


def list_retirable_grants(call: Call) -> JsonShape:
    _require_one(call, "RetiringPrincipal", "RetiringServicePrincipal")
    principal = call.params.get("RetiringPrincipal")
    if principal is not None:
        _require_principal(call, principal)
    service = call.params.get("RetiringServicePrincipal")
    call.authorize(call, None, "kms:ListRetirableGrants", principal or "*")
    by = {"retiring": principal} if principal is not None else {"retiring_service": service}
    return _page(call, by, f"{principal}\0{service}")


def _page(call: Call, filters: Mapping[str, Any], subject: str) -> JsonShape:
    limit, after = limit_of(call, _DEFAULT_PAGE), position_of(call, subject) or 0
    in_region = "EXISTS (SELECT 1 FROM keys WHERE keys.row = grants.key AND region = ?)"
    where = " AND ".join([*(f"{column} = ?" for column in filters), in_region])
    grants = select_grants(
        call.store, where, (*filters.values(), call.scope.region), after=after, limit=limit + 1
    )
    entries = [_entry(call, grant) for grant in grants]
    return page(call, "Grants", entries, [grant.row for grant in grants], limit, subject)


def _entry(call: Call, grant: GrantRow) -> JsonShape:
    key = key_by_row(call.store, grant.key)
    members = {
        "KeyId": call.arn(key) if key else None,
        "GrantId": grant.grant_id,
        "Name": grant.name,
        "CreationDate": to_datetime(grant.created_at),
        "GranteePrincipal": grant.grantee or None,
        "GranteeServicePrincipal": grant.grantee_service or None,
        "RetiringPrincipal": grant.retiring or None,
        "RetiringServicePrincipal": grant.retiring_service or None,
        "IssuingAccount": grant.issuing_account,
        "Operations": grant.permits,
        "Constraints": grant.limits or None,
    }
    return {name: value for name, value in members.items() if value is not None}


def retire_grant(call: Call) -> JsonShape:
    with call.write() as db:
        key, grant = _retired(call)
        call.key, call.constraints = key, grant.limits
        require_account(call, key)
        _require_may_retire(call, key, grant)
        require_state(call, key)
        call.dry_run()
        delete_grant(db, grant)
    return {}


def _retired(call: Call) -> tuple[KeyRow, GrantRow]:
    """The key and the grant that a token, or a key and a grant id, stand for."""
    params = call.params
    if ("GrantToken" in params) == ("GrantId" in params and "KeyId" in params):
        raise ServiceError(
            "ValidationException", "You must specify either a GrantToken, or both a GrantId and a KeyId."
        )
    if "GrantToken" not in params:
        key = locate(call, params["KeyId"])
        grant = grant_by_id(call.store, key, params["GrantId"])
        if grant is None and key.account != call.scope.account:
            raise denied_elsewhere(call, "kms:RetireGrant")  # as for a key that there is not
        if grant is None:
            raise _not_found(params["GrantId"])
        return key, grant
    grant_id = grant_id_of(call.store, params["GrantToken"])
    if grant_id is None:
        raise ServiceError("InvalidGrantTokenException", "")
    grant = next(iter(select_grants(call.store, "grant_id = ?", (grant_id,))), None)
    found = key_by_row(call.store, grant.key) if grant else None
    if grant is None or found is None or found.region != call.scope.region:
        raise _not_found(grant_id)
    return found, grant


def _require_may_retire(call: Call, key: KeyRow, grant: GrantRow) -> None:
    """The grant decides who may retire it; policies can only deny it, or pass an account's own right on."""
    if not is_administrator(call, key):
        require_allowed(call, key, "kms:RetireGrant", (as_grant(call, key, grant),))


def revoke_grant(call: Call) -> JsonShape:
    with call.write() as db:
        key = key_in_state(call, call.params["KeyId"])
        grant = grant_by_id(call.store, key, call.params["GrantId"])
        if grant is None:
            raise _not_found(call.params["GrantId"])
        call.dry_run()
        delete_grant(db, grant)
    return {}


def _not_found(grant_id: str) -> ServiceError:
    return ServiceError("NotFoundException", f"Grant ID {grant_id} not found")


OPERATIONS = {
    "CreateGrant": create_grant,
    "ListGrants": list_grants,
    "ListRetirableGrants": list_retirable_grants,
    "RetireGrant": retire_grant,
    "RevokeGrant": revoke_grant,
}
