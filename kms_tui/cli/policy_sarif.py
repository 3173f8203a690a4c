"""Judged policy files as SARIF, for code scanning: the rules of the guide, and a result for each finding."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from kms_tui.policy import CheckResult, Severity
from kms_tui.policy.findings import Finding
from kms_tui.policy.rule_guide import RULES
from kms_tui.sarif import Level, Notification, SarifResult, SarifRule, Spot, sarif_text

_LEVELS: Mapping[Severity, Level] = {
    Severity.REFUSE: Level.ERROR,
    Severity.WARN: Level.WARNING,
    Severity.INFO: Level.NOTE,
}
_STANDARD_INPUT = "standard-input"


def policy_sarif(
    judged: Sequence[tuple[str, CheckResult]], unreadable: Sequence[str], *, verbose: bool
) -> str:
    """The log of a check of files by name; ``unreadable`` says why others could not be read."""
    results = [
        result for name, judgement in judged for result in _results(_path(name), judgement, verbose=verbose)
    ]
    return sarif_text(
        [_rule(name) for name in dict.fromkeys([*RULES, *(result.rule for result in results)])],
        results,
        [Notification(Level.ERROR, sentence) for sentence in unreadable],
        is_whole=not unreadable,
        category="kms-tui-policy-check",
    )


def _rule(name: str) -> SarifRule:
    rule = RULES.get(name)
    if rule is None:
        return SarifRule(name, Level.WARNING, name, name, name)
    return SarifRule(
        rule.id,
        _LEVELS[rule.severity],
        rule.sentence,
        f"{rule.sentence} {rule.why}",
        f"{rule.sentence}\nWhy: {rule.why}\nSource: {rule.source}\nExample: {rule.example}",
        tags=("security", "aws-kms", "key-policy"),
    )


def _results(path: str, judgement: CheckResult, *, verbose: bool) -> Iterable[SarifResult]:
    """Results whose identity does not depend on lines, which move as a file is edited."""
    counts: Counter[str] = Counter()
    for finding in judgement.findings:
        if finding.severity is Severity.INFO and not verbose:
            continue
        identity = f"{finding.rule} {_statement(finding)}"
        counts[identity] += 1
        spot = Spot(path, finding.line, finding.column, finding.end_line, finding.end_column)
        yield SarifResult(
            finding.rule, _LEVELS[finding.severity], finding.sentence, spot, f"{identity} {counts[identity]}"
        )


def _statement(finding: Finding) -> str:
    return finding.sid or ("" if finding.statement is None else f"{finding.statement}")


def _path(name: str) -> str:
    """Relative to the working folder, which in a pipeline is the repository's root; as given for others."""
    if name == "-":
        return _STANDARD_INPUT
    relative = os.path.relpath(name)
    return Path(name if relative.startswith("..") else relative).as_posix()
