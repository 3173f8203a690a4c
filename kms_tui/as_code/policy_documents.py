"""A key policy as Terraform's data source aws_iam_policy_document, where that can say it.

Source: the data source of the AWS provider 5.100; it writes a version always, sorts lists, wants distinct
Sids, and takes ``&{`` for the beginning of a policy variable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kms_tui.as_code.hcl import Block
from kms_tui.as_code.policy_text import exact_members

KIND = "aws_iam_policy_document"
_VERSIONS = {"2012-10-17", "2008-10-17"}
_USUAL = "2012-10-17"
_PLAIN = {
    "Sid": "sid",
    "Effect": "effect",
    "Action": "actions",
    "NotAction": "not_actions",
    "Resource": "resources",
    "NotResource": "not_resources",
}
_PRINCIPALS = {"Principal": "principals", "NotPrincipal": "not_principals"}
_EVERYBODY = "*"


class _NotSaid(Exception):  # noqa: N818 - never leaves the module
    """The data source has no way to say it."""


def policy_document(name: str, policy: str, provider: Mapping[str, object]) -> Block | None:
    """The data block; None for a policy that only a text or ``jsonencode`` says."""
    members = exact_members(policy)
    if members is None or "&{" in policy or members.keys() - {"Version", "Id", "Statement"}:
        return None
    try:
        if members.get("Version") not in _VERSIONS:
            raise _NotSaid
        statements = _listed(members.get("Statement"))
        sids = [each.get("Sid") for each in statements if isinstance(each, dict) and each.get("Sid")]
        if len(set(sids)) < len(sids):
            raise _NotSaid
        head: dict[str, object] = {}
        if members.get("Id"):
            head["policy_id"] = _text(members["Id"])
        if members["Version"] != _USUAL:
            head["version"] = members["Version"]
        return Block("data", (KIND, name), [provider, head], [_statement(each) for each in statements])
    except _NotSaid:
        return None


def _statement(statement: Any) -> Block:
    if not isinstance(statement, dict) or statement.keys() - {*_PLAIN, *_PRINCIPALS, "Condition"}:
        raise _NotSaid
    body: dict[str, object] = {}
    for element, argument in _PLAIN.items():
        if element in statement:
            value = statement[element]
            body[argument] = _text(value) if element in ("Sid", "Effect") else _texts(value)
    blocks = [
        Block(block, (), [{"type": kind, "identifiers": identifiers}])
        for element, block in _PRINCIPALS.items()
        if element in statement
        for kind, identifiers in _principals(statement[element])
    ]
    blocks += [
        Block("condition", (), [{"test": test, "variable": variable, "values": values}])
        for test, variable, values in _conditions(statement.get("Condition", {}))
    ]
    return Block("statement", (), [body], blocks)


def _principals(principal: Any) -> Iterator[tuple[str, list[str]]]:
    if principal == _EVERYBODY:
        yield _EVERYBODY, [_EVERYBODY]
        return
    if not isinstance(principal, dict) or not principal:
        raise _NotSaid
    for kind, identifiers in principal.items():
        yield kind, _texts(identifiers)


def _conditions(conditions: Any) -> Iterator[tuple[str, str, list[str]]]:
    if not isinstance(conditions, dict):
        raise _NotSaid
    for test, pairs in conditions.items():
        if not isinstance(pairs, dict):
            raise _NotSaid
        for variable, values in pairs.items():
            yield test, variable, [_scalar(value) for value in _listed(values)]


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else _text(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _NotSaid
    return value


def _texts(value: Any) -> list[str]:
    return [_text(each) for each in _listed(value)]


def _listed(value: Any) -> list[Any]:
    """A value, or a list of some; an empty list is left out of a document, and so not said."""
    values = value if isinstance(value, list) else [value]
    if not values:
        raise _NotSaid
    return values
