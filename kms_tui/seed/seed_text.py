"""Reads the text of a seed: YAML, JSON or TOML, into plain values and the line of each.

YAML is read by its events, with the plain values of its core schema: no tags, so that nothing is made but
texts, numbers, true, false, null, lists and objects; what looks like a date stays a text. Aliases (``*name``)
are read within a bound, so that a short text cannot stand for a huge one.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import yaml

from kms_tui.atomic import file_errors
from kms_tui.formats import encoding_of
from kms_tui.seed.seed_document import MemberPath, SeedDocument, SeedError, dotted

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 40
"""Levels of lists and objects: a policy in a seed has fewer than twenty."""
MAX_VALUES = 500_000
"""Values of a seed, those of aliases counted each time."""
_LONGEST_NUMBER = 15
"""Characters; what is longer is an id or key material, and a text."""
_MOST_BITS = 128
"""Of an integer; Python writes none of more than 4,300 digits, so that no sentence could name it."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where PyYAML was built with it, which is ten times as fast."""
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_CONSTANTS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")

Lines = dict[MemberPath, int]
_SURROGATE = "has half of a character (U+D800 to U+DFFF)"


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_file(path: Path) -> SeedDocument:
    """The seed of a file. Raises FileError, and SeedError for what is no YAML, JSON or TOML."""
    with file_errors(path, "read"), path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    return read_text(_decoded(str(path), content), str(path), path.parent)


def read_bytes(
    content: bytes, name: str, folder: Path | None = None, *, is_toml: bool = False
) -> SeedDocument:
    """The seed in the bytes of a text, as ``read_text`` reads it. Raises SeedError."""
    return read_text(_decoded(name, content), name, folder, is_toml=is_toml)


def _decoded(name: str, content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise SeedError([f"{name} is longer than {MAX_BYTES // 1024 // 1024} MB."])
    try:
        return content.decode(encoding_of(content)).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise SeedError([f"{name} is no text: byte {error.start + 1:,} cannot be read."]) from error


def read_text(text: str, name: str, folder: Path | None = None, *, is_toml: bool = False) -> SeedDocument:
    """The seed in a text, by the ending of its name and by its first character. Raises SeedError.

    ``is_toml`` reads as TOML, not as YAML, what neither tells.
    """
    if len(text) > MAX_BYTES:
        raise SeedError([f"{name} is longer than {MAX_BYTES // 1024 // 1024} MB."])
    lines: Lines = {}
    suffix = Path(name).suffix.lower()
    if suffix == ".json" or (suffix != ".toml" and text.lstrip().startswith("{")):
        data = _json(text, name, lines, strict=suffix == ".json")
    elif is_toml or suffix == ".toml":
        data = _toml(text, name, lines)
    else:
        data = _YamlReader(text, name, lines).whole()
    return SeedDocument(name, data, lines, folder)


def from_mapping(data: Mapping[str, Any], name: str, folder: Path | None = None) -> SeedDocument:
    """The seed that a program wrote down as Python's own values. Raises SeedError."""
    return SeedDocument(name, _plain(name, data), {}, folder)


# YAML


class _YamlReader:
    """Walks the events of one YAML document."""

    def __init__(self, text: str, name: str, lines: Lines) -> None:
        self._name = name
        self._lines = lines
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_Loader))
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._problems: list[str] = []
        self._values = 0

    def whole(self) -> Any:
        try:
            return self._document()
        except yaml.YAMLError as error:
            raise SeedError([f"{self._name}{_yaml_reason(error)}"]) from error
        except UnicodeEncodeError as error:
            raise SeedError([f"{self._name} {_SURROGATE}."]) from error

    def _document(self) -> Any:
        next(self._events)  # the start of the stream
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        data, _ = self._value(next(self._events), (), 0)
        next(self._events)
        following = next(self._events)
        if not isinstance(following, yaml.StreamEndEvent):
            self._problem(following, "a second document begins here; a seed is one")
        if self._problems:
            raise SeedError(self._problems)
        return data

    def _problem(self, event: Any, sentence: str) -> None:
        self._problems.append(f"{self._name}, line {_line_of(event)}: {sentence}.")

    def _value(self, event: Any, path: MemberPath, depth: int) -> tuple[Any, int]:
        """The value that begins with an event, and how many values it holds."""
        self._lines.setdefault(path, _line_of(event))
        if isinstance(event, yaml.AliasEvent):
            value, size = self._aliased(event)
        else:
            if event.tag is not None:
                self._problem(event, f"the tag {event.tag[:40]} is not read; leave it out")
            value, size = self._own(event, path, depth)
            if event.anchor is not None:
                self._anchors[event.anchor] = value, size
        return value, size

    def _own(self, event: Any, path: MemberPath, depth: int) -> tuple[Any, int]:
        self._count(1)
        if isinstance(event, yaml.ScalarEvent):
            if not _is_encodable(event.value):
                self._problem(event, f"{dotted(path)} {_SURROGATE}")
            return _scalar(event), 1
        if depth >= MAX_DEPTH:
            raise SeedError([f"{self._name}, line {_line_of(event)}: it is nested too deeply."])
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(path, depth)
        return self._object(path, depth)

    def _list(self, path: MemberPath, depth: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        total = 1
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            value, size = self._value(event, (*path, len(found)), depth + 1)
            found.append(value)
            total += size
        return found, total

    def _object(self, path: MemberPath, depth: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        total = 1
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise SeedError([f"{self._name}, line {_line_of(event)}: a name must be a text."])
            name = str(event.value)
            inner = (*path, name)
            if name in found:
                self._problem(event, f"{dotted(inner)} is there twice")
            else:
                self._lines[inner] = _line_of(event)
            found[name], size = self._value(next(self._events), inner, depth + 1)
            total += size
        return found, total

    def _aliased(self, event: Any) -> tuple[Any, int]:
        known = self._anchors.get(event.anchor)
        if known is None:
            raise SeedError(
                [f"{self._name}, line {_line_of(event)}: *{event.anchor[:40]} stands for nothing."]
            )
        self._count(known[1])
        return known

    def _count(self, size: int) -> None:
        self._values += size
        if self._values > MAX_VALUES:
            raise SeedError([f"{self._name} has more than {MAX_VALUES:,} values."])


def _line_of(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _scalar(event: Any) -> Any:
    """A plain scalar as JSON would read it; anything else is a text."""
    text = str(event.value)
    if not event.implicit[0] or event.style:
        return text
    if text in _NULLS:
        return None
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if len(text) <= _LONGEST_NUMBER:
        if _INTEGER.match(text):
            return int(text)
        if _NUMBER.match(text):
            return float(text)
    return text


def _yaml_reason(error: yaml.YAMLError) -> str:
    """Where YAML ends, and why: ", line 3, column 5 is no YAML: …"."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark: Any = error.problem_mark or error.context_mark
        what = error.problem or error.context or "it cannot be read"
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        return f"{where} is no YAML: {what}."
    reason = getattr(error, "reason", "") or "it cannot be read"
    return f" is no YAML: {reason}."


# JSON


def _json(text: str, name: str, lines: Lines, *, strict: bool) -> Any:
    """The value of a JSON text; without ``strict``, what is no JSON may be YAML."""
    twice: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [each for each, _ in pairs]
            twice.append(next(each for each in names if names.count(each) > 1))
        return found

    try:
        data = json.loads(text, object_pairs_hook=members, parse_constant=_no_constant, parse_int=_integer)
    except json.JSONDecodeError as error:
        if strict:
            where = f"{name}, line {error.lineno}, column {error.colno}"
            raise SeedError([f"{where} is no JSON: {error.msg}."]) from error
        return _YamlReader(text, name, lines).whole()
    except ValueError as error:
        raise SeedError([f"{name} is no JSON: {error}."]) from error
    except RecursionError as error:
        raise SeedError([f"{name} is nested too deeply."]) from error
    if twice:
        raise SeedError([f"{name}: an object has the member {each[:80]} twice." for each in twice])
    data = _plain(name, data)
    _note_lines(text, lines)
    return data


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def _integer(digits: str) -> int:
    if len(digits) > _MOST_BITS:
        raise ValueError(f"a number has {len(digits):,} digits")
    return int(digits)


def _note_lines(text: str, lines: Lines) -> None:
    """The lines of a JSON text, which is YAML but for some escapes and tabs: where it is not, they are
    unknown.
    """
    try:
        _YamlReader(text, "", lines).whole()
    except SeedError:
        lines.clear()


# TOML

_HEADER = re.compile(r"\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?\Z")
_LONGEST_HEAD = 300
"""Characters of a line in which a header or the name of a member is looked for."""
_MEMBER = re.compile(r"\s*([A-Za-z0-9_.\"' -]+?)\s*=")


def _toml(text: str, name: str, lines: Lines) -> Any:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SeedError([f"{name} is no TOML: {error}."]) from error
    except ValueError as error:  # Python converts no more than 4,300 digits
        raise SeedError([f"{name} is no TOML: a number in it is too long."]) from error
    except RecursionError as error:
        raise SeedError([f"{name} is nested too deeply."]) from error
    data = _plain(name, data)
    _note_toml_lines(text, lines)
    return data


def _note_toml_lines(text: str, lines: Lines) -> None:
    """The lines of headers and of what stands below them; tomllib tells none."""
    table: MemberPath = ()
    counts: dict[MemberPath, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        line = line[:_LONGEST_HEAD]
        if header := _HEADER.match(line):
            table = ()
            *above, last = _toml_names(header[2])
            for part in above:
                table = (*table, part)
                if table in counts:
                    table = (*table, counts[table])
            table = (*table, last)
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                lines.setdefault(table, number)
                table = (*table, counts[table])
            lines.setdefault(table, number)
        elif member := _MEMBER.match(line):
            lines.setdefault((*table, *_toml_names(member[1])), number)


def _toml_names(text: str) -> list[str]:
    return [part.strip().strip("\"'") for part in text.split(".")]


# Values


def _plain(name: str, data: Any) -> Any:
    """A copy in which moments are texts; SeedError for a value that no seed has, or too many or too deep
    ones.
    """
    count = 0

    def copied(value: Any, path: MemberPath) -> Any:
        nonlocal count
        count += 1
        if count > MAX_VALUES:
            raise SeedError([f"{name} has more than {MAX_VALUES:,} values."])
        if isinstance(value, str) and not _is_encodable(value):
            raise SeedError([f"{name}: {dotted(path)} {_SURROGATE}."])
        if isinstance(value, int) and value.bit_length() > _MOST_BITS:
            raise SeedError([f"{name}: {dotted(path)} is a number that is too large."])
        if value is None or isinstance(value, (str, bool, int, float)):
            return value
        if len(path) >= MAX_DEPTH:
            raise SeedError([f"{name} is nested too deeply."])
        if isinstance(value, Mapping):
            return {str(each): copied(inner, (*path, str(each))) for each, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [copied(inner, (*path, place)) for place, inner in enumerate(value)]
        written = _WRITTEN.get(type(value))
        if written is None:
            raise SeedError(
                [f"{name}: {dotted(path)} is of the type {type(value).__name__}, which no seed has."]
            )
        return written(value)

    return copied(data, ())


_WRITTEN: Mapping[type, Callable[[Any], str]] = {
    datetime: lambda value: str(value.isoformat()),
    date: lambda value: str(value.isoformat()),
    time: lambda value: str(value.isoformat()),
}
