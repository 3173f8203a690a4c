"""Policy: the guard's verdict on the key policy, who may do what, and the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.facts import Fact, Known, read_fact
from kms_tui.policy import CheckResult, Finding, Severity, parse
from kms_tui.policy.access import AccessFacts, access_facts
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.base.words import fact_content
from kms_tui.ui.details.detail_tab import DetailTab
from kms_tui.ui.dialogs.text_screen import TextScreen
from kms_tui.ui.widgets.access_matrix import AccessMatrix
from kms_tui.ui.widgets.text_widgets import Static


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """The policy's text, the guard's verdict on it, and who may do what by it and the grants."""

    text: str
    result: CheckResult
    access: AccessFacts


def _serious(result: CheckResult) -> Iterator[Finding]:
    return (finding for finding in result.findings if finding.severity is not Severity.INFO)


def _verdict(facts: PolicyFacts) -> Content:
    from kms_tui.ui.base.policy_words import finding_line, verdict_words

    remarks = [finding_line(finding) for finding in _serious(facts.result)]
    return Content("\n").join([verdict_words(facts.result), *remarks])


def _text(facts: PolicyFacts) -> Content:
    from kms_tui.ui.base.policy_words import coloured

    return coloured(facts.text)


class PolicyTab(DetailTab[PolicyFacts]):
    TITLE = "Policy"
    HINTS = (
        ("edit-policy", "edits it"),
        ("policy-history", "earlier ones"),
        ("simulate", "asks what it allows"),
    )

    def compose(self) -> ComposeResult:
        yield from self.compose_hint()
        yield Static(id="policy-verdict")
        yield Static(Content("Who may do what"), classes="section access")
        yield AccessMatrix()
        yield Static(Content("Key policy"), classes="section access")
        yield Static(id="policy-text")

    def read(self, kms: Kms, subject: Subject) -> PolicyFacts:
        from kms_tui.policy import guard
        from kms_tui.ui.base.policy_words import principals_in

        text = kms.key_policy(subject.key_id)
        verdict = guard.check(text, account_id=kms.account_id, partition=kms.partition, key_arn=subject.arn)
        access = access_facts(
            parse(text, partition=kms.partition),
            account_id=kms.account_id,
            partition=kms.partition,
            key_arn=subject.arn,
            grants=read_fact(lambda: kms.grants(subject.key_id)),
        )
        facts = PolicyFacts(text, verdict, access)
        if self.session is not None:
            self.session.seen_principals.update(principals_in(text))
            if isinstance(facts.access.grants, Known):
                self.session.seen_principals.update(grant.grantee for grant in facts.access.grants.value)
        return facts

    def present(self, subject: Subject, fact: Fact[PolicyFacts]) -> None:
        facts = fact.value if isinstance(fact, Known) else None
        if facts is not None and self.session is not None:
            self.session.keep_grants(subject.arn, facts.access.grants)
        self.query_one("#policy-verdict", Static).update(fact_content(fact, _verdict))
        for title in self.query(".access"):
            title.display = facts is not None
        self.query_one(AccessMatrix).present(facts.access if facts is not None else None)
        self.query_one("#policy-text", Static).update(_text(facts) if facts is not None else Content())

    @on(AccessMatrix.Explained)
    def _explained(self, event: AccessMatrix.Explained) -> None:
        self.app.push_screen(TextScreen(event.title, event.text))
