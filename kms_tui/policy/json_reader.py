"""A strict JSON reader (RFC 8259) that keeps the place of every value.

The standard library's ``json`` accepts NaN, keeps the last of duplicate keys, drops positions and raises
RecursionError on deep nesting; a policy checker needs the opposite.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

MAX_DEPTH = 32
"""No policy element nests deeper than eight levels."""
MAX_VALUES = 20_000
"""More than any policy of the largest size needs."""

_SPACE = re.compile(r"[ \t\n\r]*")
_SPACES = frozenset(" \t\n\r")
_QUOTED = re.compile(r'"([^"\\\x00-\x1f]*)"')
_NAME = re.compile(r'"([^"\\\x00-\x1f]*)"[ \t\n\r]*:[ \t\n\r]*')
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Span(NamedTuple):
    """Character offsets into the text, the end exclusive."""

    start: int
    end: int


class String(NamedTuple):
    value: str
    span: Span


class Number(NamedTuple):
    text: str
    span: Span


class Constant(NamedTuple):
    """``true``, ``false`` or ``null``."""

    value: bool | None
    span: Span


class Array(NamedTuple):
    items: tuple[Value, ...]
    span: Span


class Member(NamedTuple):
    key: String
    value: Value


class Object(NamedTuple):
    members: tuple[Member, ...]
    span: Span


Value = String | Number | Constant | Array | Object


class ScanError(ValueError):
    """The text is not JSON; ``span`` is the place, ``rule`` is "json" or "duplicate-key"."""

    def __init__(self, sentence: str, span: Span, rule: str = "json") -> None:
        super().__init__(sentence)
        self.span = span
        self.rule = rule


_LINE_BREAK = re.compile(r"\r\n|\n|\r")


def split_lines(text: str) -> list[str]:
    """The lines of a text without their ends, as ``Lines`` counts them."""
    return _LINE_BREAK.split(text)


class Lines:
    """Offsets to 1-based lines and columns (in characters); CRLF, LF and CR each end a line."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *[match.end() for match in _LINE_BREAK.finditer(text)]]

    def place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def read(text: str) -> Value:
    """The single JSON value in the text; ScanError for none, or for more text."""
    reader = _Reader(text)
    reader.skip()
    value = reader.value(0)
    reader.skip()
    if reader.position < len(text):
        raise reader.error("There is text after the end of the policy.")
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._values = 0
        self.position = 0

    def error(self, sentence: str) -> ScanError:
        return ScanError(sentence, Span(self.position, min(self.position + 1, len(self._text))))

    def skip(self) -> str:
        """Move past white space and return the next character; "" at the end."""
        char = self._text[self.position : self.position + 1]
        if char not in _SPACES:
            return char
        match = _SPACE.match(self._text, self.position)
        self.position = match.end() if match else self.position
        return self._text[self.position : self.position + 1]

    def value(self, depth: int) -> Value:
        """The value at the position, which is not at white space."""
        char = self._text[self.position : self.position + 1]
        self._values += 1
        if self._values > MAX_VALUES:
            raise self.error(f"The text holds more than {MAX_VALUES:,} values.")
        if char == '"':
            return self._string()
        if char == "{":
            return self._object(depth + 1)
        if char == "[":
            return self._array(depth + 1)
        if char and char in "-0123456789":
            return self._number()
        return self._constant()

    def _string(self) -> String:
        text, start = self._text, self.position
        plain = _QUOTED.match(text, start)
        if plain:
            self.position = plain.end()
            return String(plain.group(1), Span(start, self.position))
        parts: list[str] = []
        self.position += 1
        while True:
            match = _PLAIN.match(text, self.position)
            end = match.end() if match else self.position
            parts.append(text[self.position : end])
            self.position = end
            char = text[end : end + 1]
            if char == '"':
                self.position += 1
                return String(_joined(parts), Span(start, self.position))
            if char == "\\":
                parts.append(self._escape())
            elif char:
                raise self.error(
                    "A string holds a raw control character or line break; write it as an escape."
                )
            else:
                raise ScanError("A string is not closed.", Span(start, end))

    def _escape(self) -> str:
        letter = self._text[self.position + 1 : self.position + 2]
        if letter == "u":
            match = _HEX.match(self._text, self.position + 2)
            if not match:
                raise self.error("A \\u escape needs four hexadecimal digits.")
            self.position += 6
            return chr(int(match.group(), 16))
        if not letter or letter not in _ESCAPES:
            raise self.error("JSON has no such escape.")
        self.position += 2
        return _ESCAPES[letter]

    def _number(self) -> Number:
        match = _NUMBER.match(self._text, self.position)
        if not match:
            raise self.error("This is not a number in JSON.")
        start, self.position = self.position, match.end()
        following = self._text[self.position : self.position + 1]
        if following and (following.isalnum() or following in "._+-"):
            raise self.error("This is not a number in JSON.")
        return Number(match.group(), Span(start, self.position))

    def _constant(self) -> Constant:
        if self.position >= len(self._text):
            raise self.error("The text ends where a value should be.")
        match = _WORD.match(self._text, self.position)
        word = match.group() if match else ""
        if word not in _CONSTANTS:
            raise self.error("This is not JSON: a value should be here, and strings need double quotes.")
        start, self.position = self.position, self.position + len(word)
        return Constant(_CONSTANTS[word], Span(start, self.position))

    def _open(self, depth: int) -> int:
        if depth > MAX_DEPTH:
            raise self.error(f"The text nests deeper than {MAX_DEPTH} levels.")
        start = self.position
        self.position += 1
        return start

    def _array(self, depth: int) -> Array:
        start = self._open(depth)
        items: list[Value] = []
        if self.skip() == "]":
            self.position += 1
            return Array((), Span(start, self.position))
        while True:
            items.append(self.value(depth))
            if not self._more("]"):
                return Array(tuple(items), Span(start, self.position))

    def _object(self, depth: int) -> Object:
        start = self._open(depth)
        members: list[Member] = []
        seen: set[str] = set()
        if self.skip() == "}":
            self.position += 1
            return Object((), Span(start, self.position))
        while True:
            key = self._name()
            if key.value in seen:
                raise ScanError("This element is given twice.", key.span, "duplicate-key")
            seen.add(key.value)
            members.append(Member(key, self.value(depth)))
            if not self._more("}"):
                return Object(tuple(members), Span(start, self.position))

    def _name(self) -> String:
        """The name of a member; the position moves past the colon to its value."""
        plain = _NAME.match(self._text, self.position)
        if plain:
            self.position = plain.end()
            start, end = plain.span(1)
            return String(plain.group(1), Span(start - 1, end + 1))
        if self.skip() != '"':
            raise self.error("The name of an element in double quotes should be here.")
        key = self._string()
        if self.skip() != ":":
            raise self.error("A colon should be here.")
        self.position += 1
        self.skip()
        return key

    def _more(self, closing: str) -> bool:
        """Step over a comma (True) or the closing bracket (False)."""
        char = self.skip()
        if char == ",":
            self.position += 1
            if self.skip() == closing:
                raise self.error("There is a comma before the closing bracket.")
            return True
        if char == closing:
            self.position += 1
            return False
        raise self.error(f"A comma or {closing} should be here.")


def _joined(parts: list[str]) -> str:
    """The decoded string; a pair of surrogate escapes becomes one character."""
    joined = "".join(parts)
    if joined.isascii() or not any("\ud800" <= char <= "\udfff" for char in joined):
        return joined
    return joined.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
