"""A policy text laid out anew, its meaning and its spelling of every string and number untouched."""

from __future__ import annotations

from kms_tui.policy import scan
from kms_tui.policy.scan import Array, Object, Value


def formatted(text: str, indent: int = 2) -> str:
    """The text with one element or value a line; ValueError (ScanError) where it is not strict JSON."""
    return _laid_out(scan.read(text), text, "\n", " " * indent)


def _laid_out(value: Value, text: str, line: str, indent: str) -> str:
    inner = line + indent
    if isinstance(value, Object) and value.members:
        members = (
            f"{text[slice(*key.span)]}: {_laid_out(member, text, inner, indent)}"
            for key, member in value.members
        )
        return "{" + inner + f",{inner}".join(members) + line + "}"
    if isinstance(value, Array) and value.items:
        items = (_laid_out(item, text, inner, indent) for item in value.items)
        return "[" + inner + f",{inner}".join(items) + line + "]"
    if isinstance(value, Object | Array):
        return "{}" if isinstance(value, Object) else "[]"
    return text[slice(*value.span)]
