"""The statement, or the grant, that allows exactly one request, and the policy text with it.

Source: the KMS developer guide (conditions-kms, grants, create-grant-overview) and CreateGrant in the service
model: quotas, and what a grant to a service needs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kms_tui.kms.model import Grant
from kms_tui.kms.operations import Trait, has
from kms_tui.policy import actions
from kms_tui.policy.actions import lowered
from kms_tui.policy.condition_keys import ENCRYPTION_CONTEXT, ENCRYPTION_CONTEXT_KEYS
from kms_tui.policy.document import Document
from kms_tui.policy.evaluation import AccessRequest
from kms_tui.policy.grant_statements import EQUALS, SUBSET
from kms_tui.policy.principals import PrincipalKind
from kms_tui.policy.snippets import StatementShape, as_text

_MAX_PAIRS, _MAX_VALUE = 8, 384
"""Pairs of a grant's encryption context constraint, and characters of a value."""
_NOT_IN_SID = re.compile(r"[^A-Za-z0-9 ]")
"""A Sid has letters and digits, in key policies spaces, too."""
_ABOUT_GRANTS = ("CreateGrant", "RetireGrant")
"""A grant may not hold CreateGrant alone, and lets retire none but itself."""
_EXACT_KEYS = ("kms:ViaService", "aws:SourceArn", "aws:SourceAccount")
"""Condition keys of a service's request that the statement asks for as they were."""


def principal_arn(request: AccessRequest) -> str:
    """The ARN to name: for a session its role's, with the path where the request tells it."""
    known = request.resolve("aws:principalarn") or ""
    if request.caller.kind is PrincipalKind.SESSION and ":role/" in known:
        return known
    return request.caller.principal_arn


def key_policy_statement(request: AccessRequest) -> StatementShape:
    """The statement of a key policy that allows the request and no more."""
    caller = request.caller
    service = caller.kind is PrincipalKind.SERVICE
    principal = {"Service": caller.name} if service else {"AWS": principal_arn(request)}
    name = _NOT_IN_SID.sub(" ", caller.name) or "the root user"
    statement: StatementShape = {
        "Sid": f"Allow {name} to {actions.canonical(request.action).removeprefix(actions.PREFIX)}",
        "Effect": "Allow",
        "Principal": principal,
        "Action": actions.canonical(request.action),
        "Resource": "*",
    }
    return statement | _conditions(request)


def identity_statement(request: AccessRequest) -> StatementShape:
    """The statement of an identity-based policy that allows the request and no more."""
    operation = actions.canonical(request.action).removeprefix(actions.PREFIX)
    statement: StatementShape = {
        "Sid": f"Allow{operation}",
        "Effect": "Allow",
        "Action": actions.canonical(request.action),
        "Resource": request.key_arn or "*",
    }
    return statement | _conditions(request)


def _conditions(request: AccessRequest) -> StatementShape:
    """The encryption context and the calling service of the request, as conditions."""
    exact: dict[str, str] = {
        f"kms:EncryptionContext:{name}": value for name, value in encryption_context(request).items()
    }
    for key in _EXACT_KEYS:
        value = request.resolve(key.lower())
        if value:
            exact[key] = value
    return {"Condition": {"StringEquals": exact}} if exact else {}


def encryption_context(request: AccessRequest) -> dict[str, str]:
    """The encryption context of the request as far as its condition keys tell it, names as they were given.

    Condition keys ignore case, and kms:EncryptionContextKeys has the names in theirs.
    """
    if not has(actions.canonical(request.action).removeprefix(actions.PREFIX), Trait.ENCRYPTION_CONTEXT):
        return {}
    spelled = {name.lower(): name for name in request.known.get(ENCRYPTION_CONTEXT_KEYS) or ()}
    found: dict[str, str] = {}
    for key in request.context:
        value = request.resolve(lowered(key))
        if lowered(key).startswith(ENCRYPTION_CONTEXT) and value is not None:
            name = key[len(ENCRYPTION_CONTEXT) :]
            found[spelled.get(name.lower(), name)] = value
    return found


def grant_request(request: AccessRequest) -> Mapping[str, Any] | None:
    """The members of CreateGrant for a grant that allows the request; None where no grant can."""
    operation = actions.canonical(request.action).removeprefix(actions.PREFIX)
    caller = request.caller
    pairs = encryption_context(request)
    if not has(operation, Trait.GRANTABLE) or operation in _ABOUT_GRANTS:
        return None
    if len(pairs) > _MAX_PAIRS or any(len(value) > _MAX_VALUE for value in pairs.values()):
        return None
    if caller.kind is PrincipalKind.SERVICE:
        return None  # it would need somebody to retire it
    members: dict[str, Any] = {
        "KeyId": request.key_arn,
        "GranteePrincipal": principal_arn(request),
        "Operations": [operation],
    }
    if pairs:
        members["Constraints"] = {EQUALS if request.complete else SUBSET: pairs}
    return members


def grant_of(members: Mapping[str, Any]) -> Grant:
    """The grant that CreateGrant would make, before it has an id."""
    return Grant.from_api({"GrantId": "the new grant", **members})


def with_statement(document: Document, statement: StatementShape) -> str:
    """The policy's text with one more statement at its end; what is there stays as it is written.

    The document is valid. A Sid that is taken gets a number.
    """
    sid = _free(str(statement["Sid"]), {each.sid for each in document.statements})
    new = as_text({**statement, "Sid": sid})
    last = document.statements[-1].span
    text = document.text
    if isinstance(json.loads(text)["Statement"], list):
        margin = _margin(text, last.start)
        lines = new.replace("\n", "\n" + margin)
        return f"{text[: last.end]},\n{margin}{lines}{text[last.end :]}"
    both = f"[{text[last.start : last.end]}, {new}]"
    return text[: last.start] + both + text[last.end :]


def _margin(text: str, position: int) -> str:
    """The white space before a place in its line."""
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _free(sid: str, taken: set[str]) -> str:
    names = [sid, *(f"{sid} {number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)
