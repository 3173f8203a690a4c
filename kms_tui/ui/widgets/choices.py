"""Textual's widgets that are chosen with, taking ``Content`` alone; see ``plain``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from rich.console import RenderableType
from textual import widgets
from textual.widgets import selection_list

from kms_tui.ui.base.safe_text import Content, safe_rich

T = TypeVar("T")


class Checkbox(widgets.Checkbox):
    """A compact checkbox."""

    def __init__(self, label: Content, value: bool = False, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(label, value, id=id, compact=True)


class Select(widgets.Select[T]):
    """A compact list that drops down; typing goes to an entry.

    One of its values is always chosen, but where ``prompt`` stands for none to begin with.
    """

    def __init__(
        self,
        options: Iterable[tuple[Content, T]],
        *,
        value: T | None = None,
        prompt: str = "",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(
            _searchable(options),
            prompt=prompt,
            value=widgets.Select.NULL if value is None else value,
            allow_blank=bool(prompt),
            id=id,
            classes=classes,
            compact=True,
        )

    def set_options(self, options: Iterable[tuple[Content, T]]) -> None:  # type: ignore[override]
        """Offer others."""
        super().set_options(_searchable(options))


def _searchable(options: Iterable[tuple[Content, T]]) -> list[tuple[RenderableType, T]]:
    """Textual finds what is typed in Rich's texts only, which it does not parse either."""
    return [(safe_rich(shown.plain), value) for shown, value in options]


class Selection(selection_list.Selection[T]):
    """A line of a list of which any number can be chosen."""

    def __init__(self, prompt: Content, value: T, initial_state: bool = False) -> None:
        super().__init__(prompt, value, initial_state)


class Tab(widgets.Tab):
    """One of the tabs in a row."""

    def __init__(self, label: Content, *, id: str) -> None:  # noqa: A002
        super().__init__(label, id=id)
