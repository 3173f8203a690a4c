"""Whether a seed has the shape that ``seed.schema.json`` gives, in sentences.

The schema, which ships with the program, is the one truth: it says in its descriptions what is expected, and
with ``writeOnly`` which values are never quoted.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from kms_tui.seed.seed_document import MemberPath, SeedDocument, SeedError, alike, ended

_IRI_SYNTAX = "rfc3987_syntax"


@contextmanager
def _iri_syntax_later() -> Iterator[None]:
    """jsonschema imports the syntax of IRIs where that is installed, which compiles 38 grammars in two
    seconds. The schema of seeds has no IRI: they are compiled when somebody first checks one.
    """
    if _IRI_SYNTAX in sys.modules or find_spec(_IRI_SYNTAX) is None:
        yield
        return
    later = ModuleType(_IRI_SYNTAX)
    vars(later)["is_valid_syntax"] = lambda *given: import_module(_IRI_SYNTAX).is_valid_syntax(*given)
    sys.modules[_IRI_SYNTAX] = later
    try:
        yield
    finally:
        del sys.modules[_IRI_SYNTAX]


with _iri_syntax_later():
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError
    from jsonschema.validators import extend

_QUOTED = 60
"""Characters of a value that a sentence quotes."""


@cache
def schema_text() -> str:
    """The JSON schema of seeds."""
    return files("kms_tui.seed").joinpath("seed.schema.json").read_text("utf-8")


def _pattern(validator: Any, pattern: str, instance: object, _: object) -> Iterator[ValidationError]:
    """The keyword ``pattern`` as JSON schema means it: its ``$`` is the end of a text, not before a line
    end.
    """
    whole = pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern
    if isinstance(instance, str) and not re.search(whole, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_Validator: Any = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]


@cache
def _validator() -> Any:
    return _Validator(json.loads(schema_text()))


def require_shape(document: SeedDocument) -> None:
    """SeedError with a sentence for each member that is not as the schema says."""
    problems: dict[str, int] = {}
    for error in _validator().iter_errors(document.data):
        path = tuple(error.absolute_path)
        for inner, sentence in _SENTENCES.get(str(error.validator), _unexpected)(error):
            problems[ended(f"{document.place((*path, *inner))} {sentence}")] = document.line((*path, *inner))
    if problems:
        raise SeedError(sorted(problems, key=lambda problem: problems[problem]))


_Sentences = Iterator[tuple[MemberPath, str]]
"""The path of a member below that of the error, and what is wrong with it."""


def _unexpected(error: ValidationError) -> _Sentences:
    schema = error.schema
    expected = (
        schema.get("description", "something else") if isinstance(schema, Mapping) else "something else"
    )
    yield (), f"{_shown(error)}, expected {expected}"


def _shown(error: ValidationError) -> str:
    """What a value is, without a secret."""
    schema, value = error.schema, error.instance
    if isinstance(value, Mapping):
        return "is an object" if value else "is an empty object"
    if isinstance(value, (list, tuple)):
        return "is a list" if value else "is an empty list"
    if value is None:
        return "is empty"
    if isinstance(schema, Mapping) and schema.get("writeOnly"):
        return "is not as it should be"
    quoted = json.dumps(value, ensure_ascii=False)
    shown = quoted if len(quoted) <= _QUOTED else f"{quoted[:_QUOTED]}…"
    return f"is the number {shown}" if type(value) in (int, float) else f"is {shown}"


def _unknown_members(error: ValidationError) -> _Sentences:
    schema = error.schema
    assert isinstance(schema, Mapping)
    known: Sequence[str] = list(schema["properties"])
    what = schema.get("title", "seed")
    for name in _members(error):
        if name not in known:
            meant = alike(name, known) or f"; expected one of {', '.join(known)}"
            yield (name,), f"is no member of a {what}{meant}"


def _members(error: ValidationError) -> Mapping[str, object]:
    assert isinstance(error.instance, Mapping)
    return error.instance


def _listed(error: ValidationError) -> Sequence[object]:
    assert isinstance(error.validator_value, list)
    return error.validator_value


def _missing_members(error: ValidationError) -> _Sentences:
    schema = error.schema
    assert isinstance(schema, Mapping)
    for name in schema["required"]:
        if name not in _members(error):
            yield (), f"lacks the member {name}"


def _no_choice(error: ValidationError) -> _Sentences:
    if not isinstance(error.instance, str):
        yield from _unexpected(error)
        return
    choices = [str(each) for each in _listed(error)]
    meant = alike(error.instance, choices)
    yield (), f"{_shown(error)}, expected one of {', '.join(choices)}{meant}"


_SENTENCES: Mapping[str, Callable[[ValidationError], _Sentences]] = {
    "additionalProperties": _unknown_members,
    "required": _missing_members,
    "enum": _no_choice,
}
"""Keyword of JSON schema -> the sentences for what it refuses."""
