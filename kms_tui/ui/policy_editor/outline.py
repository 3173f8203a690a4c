"""The structure of a policy that is still being written, and so may be no JSON yet.

New statements are inserted here too: their place depends on the statements around the cursor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from kms_tui.policy import snippets
from kms_tui.policy.document import CURRENT_VERSION
from kms_tui.policy.json_reader import ScanError
from kms_tui.policy.snippets import StatementShape
from kms_tui.ui.base.policy_words import formatted

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*(?:"|(?=\n)|\Z)|[{}\[\]:,]', re.DOTALL)
MAX_DEPTH = 64
"""Deeper brackets are not followed: no policy nests so deep."""


@dataclass(slots=True)
class _Frame:
    """An object or list that is open where the text is being read."""

    opened: int
    is_object: bool
    key: str | None = None
    """The member whose value is being read, in an object."""
    index: int = 0
    keys: list[str] = field(default_factory=list)
    expects_key: bool = True

    @property
    def step(self) -> str | int | None:
        return self.key if self.is_object else self.index


@dataclass(frozen=True, slots=True)
class TextPosition:
    """Where an offset stands in a policy text: in which element, and in which string, if any.

    ``names`` are the elements that enclose it, lists left out: ("Statement", "Condition", "Bool"). ``is_key``
    says that the name of a member is to be written here. ``start`` and ``end`` are what a completion
    replaces: the inside of the string, or nothing. ``typed`` is the part of it before the offset.
    """

    names: tuple[str, ...]
    is_key: bool
    in_string: bool
    start: int
    end: int
    typed: str
    siblings: tuple[str, ...] = ()
    """The members that the enclosing object has before the offset."""
    is_closed: bool = True
    """Whether the string has its closing quote."""


@dataclass(frozen=True)
class Outline:
    """The statements and positions in one text."""

    text: str

    @cached_property
    def statements(self) -> tuple[tuple[int, int], ...]:
        """Start and end of each statement, as offsets; one that is not closed ends with the text."""
        return tuple(self._statements())

    def _statements(self) -> Iterator[tuple[int, int]]:
        frames: list[_Frame] = []
        for token in _TOKEN.finditer(self.text):
            if token[0] == "}" and frames and frames[-1].is_object and _is_statement(frames):
                yield frames[-1].opened, token.end()
            _take(frames, token)
        for depth in range(len(frames)):
            if frames[depth].is_object and _is_statement(frames[: depth + 1]):
                yield frames[depth].opened, len(self.text)

    def position(self, offset: int) -> TextPosition:
        """The elements and the string that enclose an offset."""
        frames: list[_Frame] = []
        for token in _TOKEN.finditer(self.text):
            if token.start() >= offset:
                break
            if token[0][0] == '"' and _holds(token, offset):
                return self._in_string(frames, token, offset)
            _take(frames, token)
        return _position(frames, offset, offset, "", in_string=False)

    def _in_string(self, frames: list[_Frame], token: re.Match[str], offset: int) -> TextPosition:
        start, end = token.start() + 1, token.end() - _closed(token[0])
        closed = _closed(token[0])
        return _position(frames, start, end, self.text[start:offset], in_string=True, is_closed=closed)


def _closed(token: str) -> bool:
    return len(token) > 1 and token[-1] == '"' and not _escapes_its_end(token)


def _escapes_its_end(token: str) -> bool:
    body = token[1:-1]
    return (len(body) - len(body.rstrip("\\"))) % 2 == 1


def _holds(token: re.Match[str], offset: int) -> bool:
    """Whether an offset is inside a string: after its first quote, and not after its last."""
    return offset < token.end() or (offset == token.end() and not _closed(token[0]))


def _take(frames: list[_Frame], token: re.Match[str]) -> None:
    """Step over a token."""
    mark, top = token[0], frames[-1] if frames else None
    if mark in "{[":
        if len(frames) < MAX_DEPTH:
            frames.append(_Frame(token.start(), mark == "{"))
    elif mark in "}]":
        if frames:
            frames.pop()
    elif top is None:
        return
    elif mark == ",":
        top.index += 1
        top.expects_key, top.key = True, None if top.is_object else top.key
    elif mark == ":":
        top.expects_key = False
    elif top.is_object and top.expects_key:
        top.key = mark.strip('"')
        top.keys.append(top.key)


def _is_statement(frames: list[_Frame]) -> bool:
    return _names(frames[:-1]) == ("Statement",)


def _names(frames: list[_Frame]) -> tuple[str, ...]:
    return tuple(frame.key for frame in frames if frame.is_object and frame.key is not None)


def _position(
    frames: list[_Frame], start: int, end: int, typed: str, *, in_string: bool, is_closed: bool = True
) -> TextPosition:
    top = frames[-1] if frames else None
    is_key = top is not None and top.is_object and top.expects_key
    names = _names(frames[:-1] if is_key else frames)
    siblings = tuple(top.keys) if top is not None and top.is_object else ()
    return TextPosition(names, is_key, in_string, start, end, typed, siblings, is_closed)


_EMPTY_LIST = re.compile(r'"Statement"\s*:\s*\[')


def with_statement(text: str, offset: int, statement: StatementShape) -> str | None:
    """The policy with a statement after the one at ``offset`` (or before it); None where it has no list.

    An empty text becomes a policy of this one statement.
    """
    written = snippets.as_text(statement)
    if not text.strip():
        return formatted(f'{{"Version": "{CURRENT_VERSION}", "Statement": [{written}]}}') + "\n"
    spans = sorted(Outline(text).statements)
    if not spans:
        found = _EMPTY_LIST.search(text)
        return None if found is None else _formatted(f"{text[: found.end()]}{written}{text[found.end() :]}")
    start, end = next((span for span in reversed(spans) if span[0] <= offset), spans[0])
    if text[: spans[0][0]].rstrip().endswith("["):
        return text[:end] + ",\n" + _indented(written, _indent_of(text, start)) + text[end:]
    return _formatted(f"{text[:start]}[{text[start:end]},{written}]{text[end:]}")


def _formatted(text: str) -> str:
    try:
        return formatted(text)
    except ScanError:
        return text


def _indent_of(text: str, offset: int) -> str:
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return line[: len(line) - len(line.lstrip())]


def _indented(text: str, indent: str) -> str:
    return "\n".join(indent + line for line in text.split("\n"))
