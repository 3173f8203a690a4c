"""What a key's grants allow its caller.

Source: the developer guide (grants, create-grant-overview, grant-manage) and GrantConstraints in the service
model. Grants are in force at once here, so a grant token is checked and adds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kms_tui.backend.local.authorise_context import encryption_context
from kms_tui.backend.local.call import Call
from kms_tui.backend.local.grants_rows import GrantRow, grant_id_of, select_grants
from kms_tui.backend.local.rows import KeyRow
from kms_tui.kms.errors import ServiceError
from kms_tui.policy import AccessRequest, Caller
from kms_tui.policy.principals import PrincipalKind

Pairs = Mapping[str, str]

EQUALS, SUBSET, SOURCE_ARN = "EncryptionContextEquals", "EncryptionContextSubset", "SourceArn"
"""The members of GrantConstraints."""

_WITHOUT_CONTEXT = frozenset({"DescribeKey", "RetireGrant", "GetPublicKey"})
"""Grant operations that no encryption context constrains."""


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
        and names(grant.grantee, grant.grantee_service, request.caller, delegated=delegated)
        and _holds(call, grant, operation, action)
        for grant in select_grants(call.store, "key = ?", (key.row,))
    )


def may_retire(call: Call, key: KeyRow, grant: GrantRow, request: AccessRequest, *, delegated: bool) -> bool:
    """Whether the caller may retire a grant: the retiring principal, a grantee who was given RetireGrant,
    the key's account, or whom one of these accounts' IAM policies allow it.
    """
    caller = request.caller
    if names(grant.retiring, grant.retiring_service, caller, delegated=delegated):
        return True
    if "RetireGrant" in grant.permits and names(
        grant.grantee, grant.grantee_service, caller, delegated=delegated
    ):
        return True
    return caller.account == key.account and (delegated or caller.is_root)


def names(principal: str, service: str, caller: Caller, *, delegated: bool = False) -> bool:
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
    if operation in _WITHOUT_CONTEXT:
        return True
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
    """Names without their case: a constraint heeds that of values only (GrantConstraints)."""
    return {name.lower(): value for name, value in pairs.items()}
