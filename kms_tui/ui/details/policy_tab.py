"""Policy: the guard's verdict on the key policy, and its text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual.app import ComposeResult

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.facts import Fact
from kms_tui.policy import CheckResult, Finding, Severity
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.base.words import fact_content
from kms_tui.ui.details.detail_tab import DetailTab
from kms_tui.ui.widgets.text_widgets import Static


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """The policy's text, and the guard's verdict on it."""

    text: str
    result: CheckResult


def _serious(result: CheckResult) -> Iterator[Finding]:
    return (finding for finding in result.findings if finding.severity is not Severity.INFO)


def _shown(facts: PolicyFacts) -> Content:
    from kms_tui.ui.base.policy_words import coloured, finding_line, verdict_words

    remarks = [finding_line(finding) for finding in _serious(facts.result)]
    return Content("\n").join([verdict_words(facts.result), *remarks, Content(), coloured(facts.text)])


class PolicyTab(DetailTab[PolicyFacts]):
    TITLE = "Policy"
    HINTS = (
        ("edit-policy", "edits it"),
        ("policy-history", "earlier ones"),
        ("simulate", "asks what it allows"),
    )

    def compose(self) -> ComposeResult:
        yield from self.compose_hint()
        yield Static(id="policy-text")

    def read(self, kms: Kms, subject: Subject) -> PolicyFacts:
        from kms_tui.policy import guard
        from kms_tui.ui.base.policy_words import principals_in

        text = kms.key_policy(subject.key_id)
        if self.session is not None:
            self.session.seen_principals.update(principals_in(text))
        return PolicyFacts(
            text, guard.check(text, account_id=kms.account_id, partition=kms.partition, key_arn=subject.arn)
        )

    def present(self, subject: Subject, fact: Fact[PolicyFacts]) -> None:
        self.query_one("#policy-text", Static).update(fact_content(fact, _shown))
