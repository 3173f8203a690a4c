"""Textual's widgets that every screen needs, taking ``Content`` alone: a str would be read as markup.

Nobody else imports those of ``textual.widgets`` (a test holds that), so mypy refuses a str that came from
outside wherever it would be shown. What is typed or pasted into an ``Input`` is drawn harmless, and held as
it is. ``form_widgets`` has those that only forms and editors need.
"""

from __future__ import annotations

from typing import Literal

from rich.highlighter import Highlighter
from rich.text import Text
from textual import widgets
from textual.events import Paste
from textual.suggester import Suggester
from textual.visual import Visual
from textual.widgets import option_list
from textual.widgets.button import ButtonVariant

from kms_tui.ui.base.pasting import is_too_long, one_line
from kms_tui.ui.base.safe_text import Content, harmless, visible

Shown = Content | Visual
"""Text, or a visual of ours that is made of such texts."""


class Static(widgets.Static):
    """Text; none to begin with."""

    def __init__(
        self,
        content: Shown | None = None,
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(Content() if content is None else content, id=id, classes=classes)

    def update(self, content: Shown | None = None, *, layout: bool = True) -> None:  # type: ignore[override]
        """Show another text, or none; the same text again paints nothing."""
        content = Content() if content is None else content
        shown = self.content
        if not (isinstance(content, Content) and isinstance(shown, Content) and content.is_same(shown)):
            super().update(content, layout=layout)


class Button(widgets.Button):
    """A compact button."""

    def __init__(
        self,
        label: Content,
        *,
        variant: ButtonVariant = "default",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
        disabled: bool = False,
        tooltip: Content | None = None,
    ) -> None:
        super().__init__(label, variant, id=id, classes=classes, disabled=disabled, compact=True)
        self.tooltip = tooltip


class Option(option_list.Option):
    """A line of an option list."""

    def __init__(
        self,
        prompt: Shown,
        id: str | None = None,  # noqa: A002
        disabled: bool = False,
    ) -> None:
        super().__init__(prompt, id, disabled)


MOST_CHARACTERS = 20_000
"""More than any member of the API that is typed into a line."""


class _Harmless(Highlighter):
    """Replaces what an Input draws, not what it holds."""

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

    def on_paste(self, event: Paste) -> None:
        """Take the whole text on one line; Textual's own takes its first line alone, silently."""
        event.stop()
        event.prevent_default()
        text = one_line(event.text)
        if "\n" in event.text.strip().replace("\r", "\n"):
            self.app.notify("The lines of the pasted text were joined.", timeout=4)
        if text:
            self.replace(text, *self.selection)

    def replace(self, text: str, start: int, end: int) -> None:
        """Take typed or pasted text, unless it is too long; both come through here."""
        text = one_line(text) if len(text) > 1 else text
        if not is_too_long(self, text, MOST_CHARACTERS - len(self.value)):
            super().replace(text, start, end)


class SecretInput(Input):
    """A line that is never shown and cannot be copied."""

    def __init__(self, *, placeholder: str = "", id: str | None = None) -> None:  # noqa: A002
        super().__init__(placeholder=placeholder, password=True, id=id)

    def action_copy(self) -> None:
        """Textual would copy the secret."""

    def action_cut(self) -> None:
        """Textual would copy the secret."""


class Tab(widgets.Tab):
    """One of the tabs in a row."""

    def __init__(self, label: Content, *, id: str) -> None:  # noqa: A002
        super().__init__(label, id=id)
