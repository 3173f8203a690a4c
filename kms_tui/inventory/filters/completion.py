"""What may come next in a filter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kms_tui.inventory.filters.fields import FIELDS
from kms_tui.inventory.filters.syntax import split


class Candidate(NamedTuple):
    """Replace ``start`` to ``end`` of the filter with ``text``; ``help`` says what it means."""

    text: str
    help: str
    start: int
    end: int


def complete(text: str, cursor: int, known: Mapping[str, Iterable[str]] | None = None) -> list[Candidate]:
    """Candidates for the term that ends at the cursor, the best first.

    ``known`` adds values for a field as they occur in this account ("region", "tag").
    """
    terms = split(text[:cursor])
    term = terms[-1] if terms and terms[-1].end == cursor else None
    if term is None:
        return [Candidate(f"{field.name}:", field.help, cursor, cursor) for field in FIELDS.values()]
    if not term.field:
        start = term.start + term.negated
        word = text[start:cursor].lower()
        return [
            Candidate(f"{field.name}:", field.help, start, cursor)
            for field in FIELDS.values()
            if field.name.startswith(word)
        ]
    field = FIELDS.get(term.field)
    if field is None:
        return []
    head, comma, last = term.value.rpartition(",")
    start = term.value_start + len(head) + len(comma)
    values = dict.fromkeys([*field.values, *(known or {}).get(field.name, ())])
    return [
        Candidate(_quoted(value), "", start, cursor)
        for value in values
        if value.lower().startswith(last.lower()) and value.lower() != last.lower()
    ]


def _quoted(value: str) -> str:
    return f'"{value}"' if any(character.isspace() for character in value) else value
