"""The line that one types into: what was pasted from anywhere is drawn harmless, and held as it is."""

from __future__ import annotations

from typing import Literal

from rich.highlighter import Highlighter
from rich.text import Text
from textual import widgets
from textual.suggester import Suggester

from kms_tui.ui.base.pasting import is_too_long
from kms_tui.ui.base.safe_text import harmless, visible

MOST_CHARACTERS = 20_000
"""More than any member of the API that is typed into a line."""


class _Harmless(Highlighter):
    """Given to an Input it replaces what is drawn, and not what is held."""

    def __call__(self, text: str | Text) -> Text:
        line = text.plain if isinstance(text, Text) else text
        return Text(harmless(line).replace("\t", " "), no_wrap=True, overflow="ignore", end="")

    def highlight(self, text: Text) -> None:
        """Nothing is coloured."""


class Input(widgets.Input):
    """A compact line of text."""

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        type: Literal["integer", "number", "text"] = "text",  # noqa: A002
        password: bool = False,
        suggester: Suggester | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
        select_on_focus: bool = True,
    ) -> None:
        super().__init__(
            value,
            visible(placeholder),
            highlighter=_Harmless(),
            password=password,
            suggester=suggester,
            type=type,
            id=id,
            classes=classes,
            compact=True,
            select_on_focus=select_on_focus,
        )

    def replace(self, text: str, start: int, end: int) -> None:
        """All that is typed and pasted comes through here."""
        if not is_too_long(self, text, MOST_CHARACTERS - len(self.value)):
            super().replace(text, start, end)
