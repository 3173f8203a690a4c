"""A short table of label and value, wrapped within its columns."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive

from kms_tui.ui.base.safe_text import safe
from kms_tui.ui.widgets.plain import Static

Rows = tuple[tuple[str, str], ...]
"""(label, value) pairs; the values are untrusted."""


class FactTable(Vertical):
    """Hidden while it has no rows."""

    rows: reactive[Rows] = reactive((), recompose=True)

    def compose(self) -> ComposeResult:
        for label, value in self.rows:
            with Horizontal(classes="row"):
                yield Static(safe(label), classes="label")
                yield Static(safe(value), classes="value")

    def watch_rows(self) -> None:
        self.display = bool(self.rows)

    def show(self, rows: Iterable[tuple[str, str]]) -> None:
        self.rows = tuple(rows)
