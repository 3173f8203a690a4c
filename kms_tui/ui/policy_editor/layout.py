"""Formatting: white space only; every string and number stays as it was written."""

from __future__ import annotations

from collections.abc import Iterator

from kms_tui.policy import json_reader

_INDENT = "  "


def formatted(text: str) -> str:
    """The JSON text with one member or entry a line, indented by two spaces; raises ScanError.

    Idempotent.
    """
    return "".join(_pieces(text, json_reader.read(text), "\n"))


def _pieces(text: str, value: json_reader.Value, line: str) -> Iterator[str]:
    """``line`` is a line break and the indentation of where the value stands."""
    if isinstance(value, json_reader.Object) and value.members:
        inner = line + _INDENT
        for number, (key, member) in enumerate(value.members):
            yield ("," if number else "{") + inner + text[slice(*key.span)] + ": "
            yield from _pieces(text, member, inner)
        yield line + "}"
    elif isinstance(value, json_reader.Array) and value.items:
        inner = line + _INDENT
        for number, item in enumerate(value.items):
            yield ("," if number else "[") + inner
            yield from _pieces(text, item, inner)
        yield line + "]"
    elif isinstance(value, json_reader.Object | json_reader.Array):
        yield "{}" if isinstance(value, json_reader.Object) else "[]"
    else:
        yield text[slice(*value.span)]
