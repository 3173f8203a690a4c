"""A policy in words: conditions as clauses, values short, quoted and printable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.operators import FOR_ALL, FOR_ANY

MAX_QUOTED = 80


def printable(text: str) -> str:
    """The text with escapes for control characters, invisible ones, and any beyond Latin-1."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char.isprintable() and char <= "\xff" else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def quoted(text: str) -> str:
    """The text in double quotes, at most 80 characters of it."""
    return f'"{shortened(printable(text[: MAX_QUOTED + 1]))}"'


def shortened(text: str) -> str:
    return text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 1] + "…"


def listed(items: Sequence[str], limit: int = 4, word: str = "and") -> str:
    """``a, b and c``; ``a, b, c, d and 3 more`` past the limit."""
    if len(items) > limit:
        items = [*items[:limit], f"{len(items) - limit} more"]
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {word} {items[-1]}"


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


def condition(test: ConditionTest, *, holds: bool = True) -> str:
    """The condition as a clause: ``aws:SourceIp is in "203.0.113.0/24"``; its opposite without ``holds``."""
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
