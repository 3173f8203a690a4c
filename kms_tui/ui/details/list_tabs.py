"""Tabs that list what one call answers: aliases, grants, tags."""

from __future__ import annotations

from textual.app import ComposeResult

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.facts import Fact, Known
from kms_tui.kms.model import Alias, Grant, Tag
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.base.words import date_words, fact_content
from kms_tui.ui.details.detail_tab import DetailTab
from kms_tui.ui.widgets.facts_table import BLANK, FactRow, FactsTable, plain_table
from kms_tui.ui.widgets.text_widgets import Static


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
        self.query_one("#aliases-table", Static).update(fact_content(fact, _aliases_table))


def _aliases_table(aliases: list[Alias]) -> Content:
    if not aliases:
        return Content.styled("No alias points at this key.", "$foreground-muted")
    rows = [(alias.short_name, date_words(alias.updated) if alias.updated else "") for alias in aliases]
    return plain_table(("ALIAS", "POINTS HERE SINCE"), rows)


class GrantsTab(DetailTab[list[Grant]]):
    TITLE = "Grants"
    HINTS = (("create-grant", "gives one"), ("revoke-grant", "revokes one"))

    def compose(self) -> ComposeResult:
        yield from self.compose_hint()
        yield Static(id="grants-list")

    def read(self, kms: Kms, subject: Subject) -> list[Grant]:
        return kms.grants(subject.key_id)

    def present(self, subject: Subject, fact: Fact[list[Grant]]) -> None:
        shown = self.query_one("#grants-list", Static)
        if isinstance(fact, Known) and fact.value:
            rows = [row for grant in fact.value for row in (BLANK, *grant_rows(grant))]
            shown.update(FactsTable(rows[1:]))
        else:
            shown.update(fact_content(fact, lambda _: Content.styled("No grants.", "$foreground-muted")))


def grant_rows(grant: Grant) -> list[FactRow]:
    """A grant's grantee, operations and constraints, as rows."""
    rows: list[FactRow] = [("Grantee", safe(grant.grantee)), ("May", safe(", ".join(grant.operations)))]
    if grant.name:
        rows.append(("Name", safe(grant.name)))
    for name, value in grant.constraints.items():
        pairs = ", ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
        rows.append((name, safe(pairs)))
    if grant.retiring:
        rows.append(("May retire it", safe(grant.retiring)))
    if grant.created:
        rows.append(("Created", Content(date_words(grant.created))))
    rows.append(("Grant id", safe(grant.grant_id)))
    return rows


class TagsTab(DetailTab[list[Tag]]):
    TITLE = "Tags"
    HINTS = (("edit-tags", "edits them"), ("edit-description", "edits the description"))

    def compose(self) -> ComposeResult:
        yield from self.compose_hint()
        yield Static(id="tags-table")

    def read(self, kms: Kms, subject: Subject) -> list[Tag]:
        return kms.tags(subject.key_id)

    def present(self, subject: Subject, fact: Fact[list[Tag]]) -> None:
        self.query_one("#tags-table", Static).update(fact_content(fact, _tags_table))


def _tags_table(tags: list[Tag]) -> Content:
    if not tags:
        return Content.styled("No tags.", "$foreground-muted")
    return plain_table(("KEY", "VALUE"), [(tag.key, tag.value) for tag in tags])
