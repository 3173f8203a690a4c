"""Untrusted text within editable lines: harmless, and one character for one, so that the cursor fits."""

from __future__ import annotations

from rich.highlighter import Highlighter
from rich.text import Text
from textual.suggester import Suggester
from textual.widgets import Input

from kms_tui.ui.safe_text import visible

_UNSHOWABLE = "·"


def harmless(line: str) -> str:
    """``line`` with each control or invisible character as one printable one; a tab stays a tab."""
    if line.isascii() and line.isprintable():
        return line
    return "".join(map(_shown, line))


def _shown(character: str) -> str:
    if character == "\t":
        return character
    spelled = visible(character)
    return spelled if len(spelled) == 1 else _UNSHOWABLE


class _Harmless(Highlighter):
    """Given to an Input it replaces what is drawn, and not what is held."""

    def __call__(self, text: str | Text) -> Text:
        line = text.plain if isinstance(text, Text) else text
        return Text(harmless(line).replace("\t", " "), no_wrap=True, overflow="ignore", end="")

    def highlight(self, text: Text) -> None:
        """Nothing is coloured."""


class SafeInput(Input):
    """A compact line for text that may have been pasted from anywhere."""

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        suggester: Suggester | None = None,
        widget_id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(
            value,
            placeholder=placeholder,
            suggester=suggester,
            highlighter=_Harmless(),
            id=widget_id,
            classes=classes,
            compact=True,
        )
