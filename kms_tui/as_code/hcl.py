"""Writes Terraform's language as ``terraform fmt`` leaves it.

Source: the HCL native syntax specification (strings, templates, numbers) and the rules of ``terraform fmt``:
the equals signs of items on neighbouring lines stand below each other; an item of several lines ends such a
group.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kms_tui.visible import HIDDEN

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_KEYWORDS = frozenset({"true", "false", "null", "for", "if", "in", "else"})
_ESCAPED = re.compile(rf'[{HIDDEN}"\\]|[$%](?=\{{)')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "$": "$$", "%": "%%"}
_STEP = "  "
_LONGEST_LIST = 90


class Expression(str):
    """A text that stands in the code as it is: a reference, a number."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A block: its kind and labels, its attributes in groups that stand apart, and the blocks in it."""

    kind: str
    labels: tuple[str, ...]
    groups: Sequence[Mapping[str, object]]
    blocks: Sequence[Block] = ()

    def __str__(self) -> str:
        return "\n".join(self._lines("")) + "\n"

    def _lines(self, indent: str) -> Iterator[str]:
        yield indent + " ".join((self.kind, *map(quoted, self.labels), "{"))
        inner = indent + _STEP
        parts = [_items(group, inner) for group in self.groups if group]
        parts += [block._lines(inner) for block in self.blocks]
        for number, part in enumerate(parts):
            if number:
                yield ""
            yield from part
        yield f"{indent}}}"


def quoted(text: str) -> str:
    """A text as a string literal in which no template begins; what nobody sees is spelled out."""
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    sign = match[0]
    code = ord(sign)
    return _ESCAPES.get(sign) or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")


def _value(value: object, indent: str) -> str:
    """A value of str, bool, int, None, lists and mappings of these; later lines are indented."""
    if isinstance(value, Expression):
        return str(value)
    if isinstance(value, str):
        return quoted(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        if not value:
            return "{}"
        return "\n".join(("{", *_items(value, indent + _STEP, _name), f"{indent}}}"))
    if isinstance(value, Sequence):
        line = f"[{', '.join(_value(each, indent) for each in value)}]"
        if len(value) <= 1 or ("\n" not in line and len(line) <= _LONGEST_LIST):
            return line
        inner = indent + _STEP
        return "\n".join(("[", *(f"{inner}{_value(each, inner)}," for each in value), f"{indent}]"))
    return str(value)


def _name(name: str) -> str:
    return name if _IDENTIFIER.match(name) and name not in _KEYWORDS else quoted(name)


def _items(items: Mapping[str, object], indent: str, name_of: Callable[[str], str] = str) -> Iterator[str]:
    group: list[tuple[str, str]] = []
    for name, value in items.items():
        text = _value(value, indent)
        if "\n" in text:
            yield from _aligned(group, indent)
            group = []
            yield f"{indent}{name_of(name)} = {text}"
        else:
            group.append((name_of(name), text))
    yield from _aligned(group, indent)


def _aligned(group: Sequence[tuple[str, str]], indent: str) -> Iterator[str]:
    width = max((len(name) for name, _ in group), default=0)
    for name, text in group:
        yield f"{indent}{name:<{width}} = {text}"


def call(function: str, argument: object, indent: str = _STEP) -> Expression:
    """A call of a function on one value, for an attribute at ``indent``."""
    return Expression(f"{function}({_value(argument, indent)})")
