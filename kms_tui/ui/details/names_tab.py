"""Names: the aliases and the tags of the key."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.facts import Fact, Known, read_fact
from kms_tui.kms.model import Alias, Tag
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.base.words import date_words, fact_content
from kms_tui.ui.details.detail_tab import DetailTab
from kms_tui.ui.widgets.facts_table import plain_table
from kms_tui.ui.widgets.text_widgets import Static


@dataclass(frozen=True, slots=True)
class NamesFacts:
    """One of the two may be denied while the other is known."""

    aliases: Fact[list[Alias]]
    tags: Fact[list[Tag]]


class NamesTab(DetailTab[NamesFacts]):
    TITLE = "Names"
    HINTS = (
        ("create-alias", "gives an alias"),
        ("repoint-alias", "points one at another key"),
        ("delete-alias", "takes one away"),
        ("edit-tags", "edits the tags"),
        ("edit-description", "the description"),
    )

    def compose(self) -> ComposeResult:
        yield from self.compose_hint()
        yield Static(id="aliases-table")
        yield Static(Content("Tags"), classes="section")
        yield Static(id="tags-table")

    def read(self, kms: Kms, subject: Subject) -> NamesFacts:
        return NamesFacts(
            read_fact(lambda: kms.aliases(subject.key_id)), read_fact(lambda: kms.tags(subject.key_id))
        )

    def present(self, subject: Subject, fact: Fact[NamesFacts]) -> None:
        aliases = fact.value.aliases if isinstance(fact, Known) else fact
        tags = fact.value.tags if isinstance(fact, Known) else fact
        self.query_one("#aliases-table", Static).update(fact_content(aliases, _aliases_table))
        self.query_one("#tags-table", Static).update(fact_content(tags, _tags_table))


def _aliases_table(aliases: list[Alias]) -> Content:
    if not aliases:
        return Content.styled("No alias points at this key.", "$foreground-muted")
    rows = [(alias.short_name, date_words(alias.updated) if alias.updated else "") for alias in aliases]
    return plain_table(("ALIAS", "POINTS HERE SINCE"), rows)


def _tags_table(tags: list[Tag]) -> Content:
    if not tags:
        return Content.styled("No tags.", "$foreground-muted")
    return plain_table(("KEY", "VALUE"), [(tag.key, tag.value) for tag in tags])
