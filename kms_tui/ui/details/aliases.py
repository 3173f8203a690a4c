"""Aliases: the names that point at this key."""

from __future__ import annotations

from textual.app import ComposeResult

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.facts import Fact
from kms_tui.kms.model import Alias
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.details.tab import DetailTab
from kms_tui.ui.details.table import plain_table
from kms_tui.ui.safe_text import Content
from kms_tui.ui.widgets.plain import Static
from kms_tui.ui.words import date_words, fact_content


class AliasesTab(DetailTab[list[Alias]]):
    TITLE = "Aliases"
    HINTS = (
        ("create-alias", "gives another"),
        ("repoint-alias", "points one at another key"),
        ("delete-alias", "takes one away"),
    )

    def compose(self) -> ComposeResult:
        yield from self.compose_hint()
        yield Static(id="aliases-table")

    def read(self, kms: Kms, subject: Subject) -> list[Alias]:
        return kms.aliases(subject.key_id)

    def present(self, subject: Subject, fact: Fact[list[Alias]]) -> None:
        self.query_one("#aliases-table", Static).update(fact_content(fact, _table))


def _table(aliases: list[Alias]) -> Content:
    if not aliases:
        return Content.styled("No alias points at this key.", "$foreground-muted")
    rows = [(alias.short_name, date_words(alias.updated) if alias.updated else "") for alias in aliases]
    return plain_table(("ALIAS", "POINTS HERE SINCE"), rows)
