"""Findings of the guard and the lint about a policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from kms_tui.policy.document import Document, Statement
from kms_tui.policy.json_reader import Span


class Severity(StrEnum):
    """``refuse`` and ``warn`` decide the verdict; ``info`` is only shown beside the line."""

    REFUSE = "refuse"
    WARN = "warn"
    INFO = "info"


class Verdict(StrEnum):
    REFUSE = "refuse"
    WARN = "warn"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark on a policy. Lines and columns count from 1, ``statement`` from 0 (None: the whole policy).

    ``rule`` is a stable id such as "no-account-control"; ``sid`` may be "". The place is that of the words
    concerned, its end exclusive.
    """

    rule: str
    severity: Severity
    sentence: str
    statement: int | None
    sid: str
    line: int
    column: int
    end_line: int
    end_column: int

    def as_dict(self) -> Mapping[str, Any]:
        return {**asdict(self), "severity": self.severity.value}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The verdict on a policy text, and every finding in the order of the text. ``size`` is in bytes."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    size: int

    def as_dict(self) -> Mapping[str, Any]:
        findings = [finding.as_dict() for finding in self.findings]
        return {"verdict": self.verdict.value, "size": self.size, "findings": findings}


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding with a span instead of lines and columns."""

    rule: str
    severity: Severity
    sentence: str
    span: Span
    statement: Statement | None = None


def located(remark: Remark, document: Document) -> Finding:
    line, column = document.lines.place(remark.span.start)
    end_line, end_column = document.lines.place(max(remark.span.end, remark.span.start))
    statement = remark.statement
    return Finding(
        remark.rule,
        remark.severity,
        remark.sentence,
        statement.index if statement else None,
        statement.sid if statement else "",
        line,
        column,
        end_line,
        end_column,
    )
