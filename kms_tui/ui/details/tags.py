"""Tags: names and values that people and cost reports use."""

from __future__ import annotations

from textual.app import ComposeResult

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.facts import Fact
from kms_tui.kms.model import Tag
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.details.tab import DetailTab
from kms_tui.ui.details.table import plain_table
from kms_tui.ui.safe_text import Content
from kms_tui.ui.widgets.plain import Static
from kms_tui.ui.words import fact_content


class TagsTab(DetailTab[list[Tag]]):
    TITLE = "Tags"
    HINTS = (("edit-tags", "edits them"), ("edit-description", "edits the description"))

    def compose(self) -> ComposeResult:
        yield from self.compose_hint()
        yield Static(id="tags-table")

    def read(self, kms: Kms, subject: Subject) -> list[Tag]:
        return kms.tags(subject.key_id)

    def present(self, subject: Subject, fact: Fact[list[Tag]]) -> None:
        self.query_one("#tags-table", Static).update(fact_content(fact, _table))


def _table(tags: list[Tag]) -> Content:
    if not tags:
        return Content.styled("No tags.", "$foreground-muted")
    return plain_table(("KEY", "VALUE"), [(tag.key, tag.value) for tag in tags])
