"""Conditions in words."""

from __future__ import annotations

from collections.abc import Mapping

from kms_tui.policy.conditions import Test
from kms_tui.policy.operators import FOR_ALL, FOR_ANY
from kms_tui.policy.wording import listed, printable, quoted

_VERBS: Mapping[str, str] = {
    "StringEquals": "is",
    "StringNotEquals": "is not",
    "StringEqualsIgnoreCase": "is (in any case)",
    "StringNotEqualsIgnoreCase": "is not (in any case)",
    "StringLike": "is like",
    "StringNotLike": "is not like",
    "ArnEquals": "is like",
    "ArnLike": "is like",
    "ArnNotEquals": "is not like",
    "ArnNotLike": "is not like",
    "NumericEquals": "is",
    "NumericNotEquals": "is not",
    "NumericLessThan": "is below",
    "NumericLessThanEquals": "is at most",
    "NumericGreaterThan": "is above",
    "NumericGreaterThanEquals": "is at least",
    "DateEquals": "is",
    "DateNotEquals": "is not",
    "DateLessThan": "is before",
    "DateLessThanEquals": "is not after",
    "DateGreaterThan": "is after",
    "DateGreaterThanEquals": "is not before",
    "Bool": "is",
    "BinaryEquals": "is",
    "IpAddress": "is in",
    "NotIpAddress": "is not in",
}


_OPPOSITES: Mapping[str, str] = {
    "is": "is not",
    "is (in any case)": "is not (in any case)",
    "is like": "is not like",
    "is below": "is at least",
    "is at most": "is above",
    "is before": "is not before",
    "is after": "is not after",
    "is in": "is not in",
}
_OPPOSITE = {**_OPPOSITES, **{other: verb for verb, other in _OPPOSITES.items()}}


def condition(test: Test, *, holds: bool = True) -> str:
    """The condition as a clause: ``aws:SourceIp is in "203.0.113.0/24"``; with ``holds`` false its
    opposite.
    """
    key = printable(test.key_text)
    if test.operator.base.family == "null":
        return f"{key} is {'absent' if test.asks_for_absence == holds else 'present'}"
    subject = {FOR_ALL: f"every value of {key}", FOR_ANY: f"a value of {key}"}.get(
        test.operator.qualifier, key
    )
    values = listed([quoted(text.value) for text in test.values], 3, "or") or "in an empty list"
    verb = _VERBS[test.operator.base.name]
    if not holds and not test.operator.qualifier and not test.operator.if_exists:
        return f"{subject} {_OPPOSITE[verb]} {values}"
    clause = f"{subject} {verb} {values}"
    if test.operator.if_exists:
        clause += " (or is absent)"
    return clause if holds else f"not ({clause})"
