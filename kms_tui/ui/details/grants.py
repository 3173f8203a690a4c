"""Grants: who else may use this key, and for what."""

from __future__ import annotations

from textual.app import ComposeResult

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.facts import Fact, Known
from kms_tui.kms.model import Grant
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.details.tab import DetailTab
from kms_tui.ui.details.table import BLANK, Row, facts_table
from kms_tui.ui.safe_text import Content, safe
from kms_tui.ui.widgets.plain import Static
from kms_tui.ui.words import date_words, fact_content


class GrantsTab(DetailTab[list[Grant]]):
    TITLE = "Grants"
    HINTS = (("create-grant", "gives one"), ("take-grant", "takes one back"))

    def compose(self) -> ComposeResult:
        yield from self.compose_hint()
        yield Static(id="grants-list")

    def read(self, kms: Kms, subject: Subject) -> list[Grant]:
        return kms.grants(subject.key_id)

    def present(self, subject: Subject, fact: Fact[list[Grant]]) -> None:
        shown = self.query_one("#grants-list", Static)
        if isinstance(fact, Known) and fact.value:
            rows = [row for grant in fact.value for row in (BLANK, *grant_rows(grant))]
            shown.update(facts_table(rows[1:]))
        else:
            shown.update(fact_content(fact, lambda _: Content.styled("No grants.", "$foreground-muted")))


def grant_rows(grant: Grant) -> list[Row]:
    """What a grant allows, to whom and under which constraints."""
    rows: list[Row] = [
        ("Grantee", safe(grant.grantee)),
        ("May", safe(", ".join(grant.operations))),
    ]
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
