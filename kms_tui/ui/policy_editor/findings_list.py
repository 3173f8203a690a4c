"""The findings of the guard: enter goes to the line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import OptionList

from kms_tui.policy import Finding
from kms_tui.ui.base.policy_words import finding_line
from kms_tui.ui.dialogs.text_screen import TextScreen
from kms_tui.ui.widgets.text_widgets import Option


class FindingsList(OptionList):
    """One entry a finding, in the order of the text."""

    DEFAULT_CSS = """
    FindingsList {
        border: none;
        padding: 0;
        background: $surface;
        scrollbar-size-vertical: 1;
        & > .option-list--option { padding: 0 1; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "question_mark", "explain", "Why", id="policy.explain", tooltip="Explain the rule of this finding"
        )
    ]

    class Chosen(Message):
        """A finding to go to."""

        def __init__(self, finding: Finding) -> None:
            super().__init__()
            self.finding = finding

    def __init__(self) -> None:
        super().__init__(id="findings", markup=False, compact=True)
        self.findings: Sequence[Finding] = ()

    def show(self, findings: Sequence[Finding]) -> None:
        """Replace the list; the cursor stays at its place in it."""
        if findings == self.findings:
            return
        self.findings = findings
        at = self.highlighted
        self.set_options([Option(finding_line(finding)) for finding in findings])
        if at is not None and findings:
            self.highlighted = min(at, len(findings) - 1)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(self.Chosen(self.findings[event.option_index]))

    def action_explain(self) -> None:
        """Show the rule of the finding: why it matters, where that is written, an example."""
        from kms_tui.policy.rule_guide import RULES, text_of  # nobody needs them before asking

        if self.highlighted is not None and self.findings:
            finding = self.findings[self.highlighted]
            rule = RULES[finding.rule]
            self.app.push_screen(TextScreen(rule.id, f"{finding.sentence}\n\n{text_of(rule)}"))
