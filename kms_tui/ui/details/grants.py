"""Grants: who else may use this key, and for what."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from kms_tui.backend.api import Kms
from kms_tui.kms.facts import Fact
from kms_tui.kms.model import Grant
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.details.tab import DetailTab
from kms_tui.ui.details.table import Row, facts_table
from kms_tui.ui.safe_text import safe
from kms_tui.ui.words import date_words, fact_content


class GrantsTab(DetailTab[list[Grant]]):
    TITLE = "Grants"

    def compose(self) -> ComposeResult:
        yield Static(id="grants-list")

    def read(self, kms: Kms, subject: Subject) -> list[Grant]:
        return kms.grants(subject.key_id)

    def present(self, subject: Subject, fact: Fact[list[Grant]]) -> None:
        self.query_one("#grants-list", Static).update(fact_content(fact, _list))


def _list(grants: list[Grant]) -> Content:
    if not grants:
        return Content.styled("No grants.", "$foreground-muted")
    return Content("\n\n").join([facts_table(grant_rows(grant)) for grant in grants])


def grant_rows(grant: Grant) -> list[Row]:
    """What a grant allows, to whom and under which constraints."""
    rows = [
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
