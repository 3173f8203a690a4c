"""Whether two key policies mean the same, however each is written; and their differences in words.

The same are: one value and a list of it, other orders, an action in other letters, an account by its id or
its root ARN, "*" and {"AWS": "*"}, a condition's value as text, number or Boolean, one statement cut into
several by its actions, a Sid, an Id. Source: the IAM user guide (reference_policies_elements).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from kms_tui.policy.access import Standing
from kms_tui.policy.document import parse
from kms_tui.policy.json_reader import ScanError, read
from kms_tui.policy.policy_diff import (
    StatementChangeKind,
    effect_changes,
    statement_changes,
    uncompared_parties,
)

_ROOT = re.compile(r"arn:[^:]+:iam::([0-9]{12}):root\Z")
_OLD_VERSION = "2008-10-17"

Values = frozenset[Any]


class _Shape(NamedTuple):
    """What a statement says beside its actions, in one form; None for an element that it has not."""

    effect: str
    principals: Values | None
    not_principals: Values | None
    not_actions: Values | None
    resources: Values | None
    not_resources: Values | None
    conditions: Values

    @property
    def is_plain(self) -> bool:
        """Whether its effects on principals and actions are all that it says."""
        return not self.conditions and self.resources == _EVERYTHING


class _Meaning(NamedTuple):
    version: str
    """Where it matters: only the newer version has policy variables."""
    actions: Mapping[_Shape, Values]
    """Kind of statement -> of which actions the policy says so."""


_EVERYTHING = frozenset({"*"})


def same_policy(one: str, other: str, *, account_id: str, partition: str = "aws") -> bool:
    """Whether two texts are policies of one meaning; texts that are no policies are the same if equal."""
    if one == other:
        return True
    first, second = _meaning(one), _meaning(other)
    if first is None or second is None:
        return False
    if first == second:
        return True
    return _differ_plainly(first, second) and not any(_effects(one, other, account_id, partition))


def difference_words(one: str, other: str, *, account_id: str, partition: str = "aws") -> list[str]:
    """What the second policy changes of the first: who gains or loses what, else which statements differ."""
    before, after = parse(one), parse(other)
    if not (before.is_valid and after.is_valid):
        return ["one of the two is no valid key policy"]
    if words := list(_effects(one, other, account_id, partition)):
        return words
    changes = statement_changes(before, after)
    return [
        f"{change.label} is {change.kind}"
        for change in changes
        if change.kind not in (StatementChangeKind.SAME, StatementChangeKind.MOVED)
    ] or ["its version differs"]


def _effects(one: str, other: str, account_id: str, partition: str) -> Iterator[str]:
    before, after = parse(one), parse(other)
    if not (before.is_valid and after.is_valid):
        yield "one of the two is no valid key policy"
        return
    if uncompared_parties(before, after, account_id=account_id, partition=partition):
        yield "the policies name too many principals to compare what each may do"
    for change in effect_changes(before, after, account_id=account_id, partition=partition):
        if not change.before is change.after is Standing.ALLOWED:
            yield change.sentence


def _meaning(text: str) -> _Meaning | None:
    """None for a text that is no policy."""
    try:
        read(text)
        policy = json.loads(text)
        version = policy.get("Version", _OLD_VERSION) if "${" in text else ""
        actions: dict[_Shape, Values] = {}
        for statement in _listed(policy.get("Statement", [])):
            shape = _shape(statement)
            actions[shape] = actions.get(shape, frozenset()) | (_actions(statement, "Action") or frozenset())
    except (ScanError, ValueError, RecursionError, AttributeError, TypeError):
        return None
    return _Meaning(version, actions)


def _shape(statement: Mapping[str, Any]) -> _Shape:
    return _Shape(
        str(statement.get("Effect")),
        _principals(statement, "Principal"),
        _principals(statement, "NotPrincipal"),
        _actions(statement, "NotAction"),
        _texts(statement, "Resource"),
        _texts(statement, "NotResource"),
        frozenset(
            (operator.lower(), key.lower(), frozenset(_scalar(value, operator) for value in _listed(values)))
            for operator, pairs in statement.get("Condition", {}).items()
            for key, values in pairs.items()
        ),
    )


def _principals(statement: Mapping[str, Any], element: str) -> Values | None:
    if element not in statement:
        return None
    named = statement[element]
    return frozenset(
        (kind, _account_id(str(value)) if kind == "AWS" else str(value))
        for kind, values in ({"AWS": named} if isinstance(named, str) else named).items()
        for value in _listed(values)
    )


def _account_id(principal: str) -> str:
    """The id for an account's root; any other principal as it is."""
    root = _ROOT.match(principal)
    return root[1] if root else principal


def _actions(statement: Mapping[str, Any], element: str) -> Values | None:
    texts = _texts(statement, element)
    return None if texts is None else frozenset(map(str.lower, texts))


def _texts(statement: Mapping[str, Any], element: str) -> Values | None:
    return frozenset(map(str, _listed(statement[element]))) if element in statement else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _scalar(value: Any, operator: str) -> str:
    """A value of a condition as the text that IAM compares; 1.50 and 1.5 are one number."""
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float) or "numeric" in operator.lower():
        try:
            return f"{Decimal(str(value)).normalize():f}"
        except (ArithmeticError, ValueError):
            return str(value)
    return str(value)


def _differ_plainly(first: _Meaning, second: _Meaning) -> bool:
    """Whether their effects on principals and actions are all in which they may differ."""
    differing = set(first.actions.items()) ^ set(second.actions.items())
    return first.version == second.version and all(shape.is_plain for shape, _ in differing)
