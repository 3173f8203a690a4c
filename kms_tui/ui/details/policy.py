"""Policy: the text of the default key policy, as it stands."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from kms_tui.backend.api import Kms
from kms_tui.kms.facts import Fact
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.details.tab import DetailTab
from kms_tui.ui.safe_text import safe
from kms_tui.ui.words import fact_content


class PolicyTab(DetailTab[str]):
    TITLE = "Policy"

    def compose(self) -> ComposeResult:
        yield Static("e edits it, with the lockout guard", classes="muted")
        yield Static(id="policy-text")

    def read(self, kms: Kms, subject: Subject) -> str:
        return kms.key_policy(subject.key_id)

    def present(self, subject: Subject, fact: Fact[str]) -> None:
        self.query_one("#policy-text", Static).update(
            fact_content(fact, lambda text: safe(text, newlines=True))
        )
