"""Splits a filter into terms, each with its place in the text."""

from __future__ import annotations

import re
from typing import NamedTuple


class FilterError(Exception):
    """A filter with a mistake: what is wrong, and the span of the text."""

    def __init__(self, sentence: str, start: int, end: int) -> None:
        super().__init__(sentence)
        self.start = start
        self.end = end


class Term(NamedTuple):
    """One term: a word (``field`` is "") or ``field:value``, without quotes and negation.

    ``start`` to ``end`` is the whole term in the text, and its value begins at ``value_start``.
    """

    field: str
    value: str
    negated: bool
    start: int
    end: int
    value_start: int


_NEGATION = ("-", "!")
# Anything but blanks, or a quoted part, which may hold blanks; an open quote runs to the end of the text.
_CHUNK = re.compile(r'(?:"[^"]*(?:"|\Z)|[^\s"])+')
_FIELD = re.compile(r"([A-Za-z][A-Za-z-]*):")


def split(text: str) -> list[Term]:
    """The terms of a filter, in order; every text splits into terms."""
    terms = []
    for chunk in _CHUNK.finditer(text):
        start, body = chunk.start(), chunk[0]
        negated = len(body) > 1 and body[0] in _NEGATION
        value_start = start + negated
        body = body[negated:]
        match = None if body.startswith(("arn:", "alias/")) else _FIELD.match(body)
        field = ""
        if match is not None:
            field = match[1].lower()
            value_start += match.end()
            body = body[match.end() :]
        terms.append(Term(field, body.replace('"', ""), negated, start, chunk.end(), value_start))
    return terms
