"""Encryption contexts as people enter them: rows, or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from kms_tui.scratch.fields import Field, InputError

Pair = tuple[str, str]
IN_THE_CLEAR = "Stands in CloudTrail in the clear: no secrets here."
"""What everyone who enters an encryption context should know (developer guide, encryption context)."""


def from_rows(rows: Sequence[Pair], field: Field = Field.CONTEXT) -> dict[str, str]:
    """The context of the rows; those that are empty do not count. InputError names the row that is wrong."""
    context: dict[str, str] = {}
    for number, (name, value) in enumerate(rows, 1):
        if not name and not value:
            continue
        if not name:
            raise InputError(field, f"Row {number} of the context has a value but no name.")
        if name in context:
            raise InputError(field, f"The context has the name {name} twice; each stands once.")
        context[name] = value
    return context


def from_json(text: str) -> dict[str, str]:
    """The context of a JSON object of strings; InputError says what else it is."""
    try:
        document = json.loads(text, object_pairs_hook=_once_each)
    except json.JSONDecodeError as error:
        raise InputError(
            Field.CONTEXT, f"This is not JSON: line {error.lineno}, column {error.colno}: {error.msg}."
        ) from error
    if not isinstance(document, dict):
        raise InputError(Field.CONTEXT, 'A context is a JSON object, like {"tenant": "42"}.')
    for name, value in document.items():
        if not isinstance(value, str):
            raise InputError(
                Field.CONTEXT,
                f"The value of {name} is not a string; KMS takes strings only.",
                next_step='Put it in quotes: {"tenant": "42"}.',
            )
    return document


def _once_each(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    document: dict[str, object] = {}
    for name, value in pairs:
        if name in document:
            raise InputError(Field.CONTEXT, f"The JSON has the name {name} twice; each stands once.")
        document[name] = value
    return document


def in_words(context: Mapping[str, str]) -> str:
    """ "tenant=42, table=orders", or "none"."""
    return ", ".join(f"{name}={value}" for name, value in context.items()) or "none"
