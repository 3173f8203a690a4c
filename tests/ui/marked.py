"""A mark in everything that comes from outside, and the bytes that leave for the terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.kms.errors import KmsTuiError, ServiceError
from tests.contract.shapes import operation_model

MARK = "\x1b]0;owned\x07\x9b31m\u202e\u200b[/b][@click=app.quit]\x1b[2J\x0e"
"""What a terminal obeys (ESC, C1, BEL, SO), what reverses or hides text, and markup."""

_OURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[78=>]|\x1b\]22;[a-z-]+\x07|\r|\n")
"""What Textual itself sends: CSI sequences, the pointer's shape, line ends."""
_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


class Written:
    """All that a console wrote for its terminal."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.text = ""
        monkeypatch.setattr(HeadlessDriver, "write", self._write)
        monkeypatch.setattr(HeadlessDriver, "is_headless", False)
        monkeypatch.setattr(App, "bell", lambda _: None)

    def _write(self, data: str) -> None:
        self.text += data

    def obeyed(self) -> list[str]:
        """What a terminal would obey of it, or not show, beyond Textual's own sequences."""
        left = _OURS.sub("", self.text)
        return [left[max(0, found.start() - 30) : found.start() + 10] for found in _OBEYED.finditer(left)]

    def clears(self) -> int:
        """How often the whole screen was cleared, which only the mark asks for."""
        return self.text.count("\x1b[2J")


class Marked(Wrapper):
    """Puts the mark into the strings of answers: ``words`` (names, descriptions, errors), or ``enums`` too.

    ``members`` are those that were given.
    """

    def __init__(self, inner: Backend, *, enums: bool = False) -> None:
        super().__init__(inner)
        self.enums = enums
        self.members: set[str] = set()
        self.refuses = ""
        """The operation that is refused with a marked message."""

    def around(self, inner: Backend) -> Marked:
        return self

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation == self.refuses:
            self.members.add(f"{operation} refused")
            raise ServiceError("SomeException" + MARK, MARK, operation=operation)
        answer = self.inner.call(operation, _unmarked(params))
        shape = operation_model(operation).output_shape
        marked: Mapping[str, Any] = self._marked(answer, shape, operation) if shape is not None else answer
        return marked

    def _marked(self, value: Any, shape: Any, path: str) -> Any:
        match shape.type_name:
            case "structure":
                return {
                    name: self._marked(member, shape.members[name], f"{path}.{name}")
                    for name, member in value.items()
                }
            case "list":
                return [self._marked(member, shape.member, path) for member in value]
            case "map":
                return {
                    f"{name}{MARK}": self._marked(member, shape.value, path) for name, member in value.items()
                }
            case "string" if self.enums or not shape.enum:
                self.members.add(path)
                return f"{value}{MARK}"
        return value


def _unmarked(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(MARK, "")
    if isinstance(value, Mapping):
        return {_unmarked(name): _unmarked(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_unmarked(member) for member in value]
    return value


def refused(_: object) -> Any:
    """What an opener raises that has nothing good to say."""
    raise KmsTuiError(f"No such account: {MARK}", next_step=f"Ask {MARK}")
