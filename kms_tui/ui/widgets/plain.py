"""Textual's widgets that show text, taking ``Content`` alone: where Textual takes a str, it reads markup.

Nobody else imports those of ``textual.widgets`` (a test holds that), so mypy refuses a str that came from
outside wherever it would be shown.
"""

from __future__ import annotations

from textual import widgets
from textual.visual import Visual
from textual.widgets import option_list
from textual.widgets.button import ButtonVariant

from kms_tui.ui.base.safe_text import Content

Shown = Content | Visual
"""What a widget shows: text, or a visual of ours that is made of such texts."""


class Static(widgets.Static):
    """Words; none to begin with."""

    def __init__(
        self,
        content: Shown | None = None,
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(Content() if content is None else content, id=id, classes=classes)

    def update(self, content: Shown | None = None, *, layout: bool = True) -> None:  # type: ignore[override]
        """Show other words, or none; the same words again paint nothing."""
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
