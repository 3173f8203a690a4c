"""A report as text: a terminal table, Markdown, JSON or CSV.

Names and reasons are untrusted; the text has no control or invisible character except line ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kms_tui.evidence.health.checks import Check
from kms_tui.evidence.health.health_report import KeyName, Report
from kms_tui.export import ExportFormat, Table, aligned, render
from kms_tui.inventory.row_health import HealthSeverity
from kms_tui.visible import visible

_FINDINGS = ("severity", "key", "region", "finding", "reason", "what_to_do", "control", "check", "arn")


def summary(report: Report) -> str:
    """ "1 high, 4 medium, 3 low; 2 not known." """
    counts = ", ".join(f"{report.count(severity)} {severity.value}" for severity in HealthSeverity)
    return f"{counts}; {len(report.gaps)} not known."


def scope(report: Report) -> str:
    """The numbers of keys and checks, in a sentence or two."""
    checks = len(report.tallies)
    text = f"{report.keys:,} customer keys, {checks} checks."
    if report.aws_managed:
        text += f" {report.aws_managed:,} AWS-managed keys were not examined."
    if not report.complete:
        text += " The examination was stopped: facts not read by then are not known."
    return text


def title(report: Report) -> str:
    account = report.account_id or "an account that is not known"
    return (
        f"Health of the KMS keys of {account}, {', '.join(report.regions)}, {report.time:%Y-%m-%d %H:%M %Z}"
    )


def findings_table(report: Report) -> Table:
    """A row for each finding, then one for each gap, with the severity "not known"."""
    rows = [
        (finding.check.severity.value, finding.key, [finding.check], finding.reason)
        for finding in report.findings
    ]
    rows += [("not known", gap.key, list(gap.checks), gap.reason) for gap in report.gaps]
    return Table(title(report), _FINDINGS, [_row(*row) for row in rows])


def _row(severity: str, key: KeyName, checks: Sequence[Check], reason: str) -> tuple[str, ...]:
    return (
        severity,
        key.name,
        key.region,
        ", ".join(check.title for check in checks),
        reason,
        checks[0].advice if severity != "not known" else "Ask for the permission, or try again.",
        ", ".join(str(check.control) for check in checks if check.control is not None),
        ", ".join(check.id for check in checks),
        key.arn,
    )


def checks_table(report: Report) -> Table:
    """A row for each check, with its numbers of keys."""
    columns = ("check", "severity", "control", "keys", "passed", "found", "not_known")
    return Table(
        "What was checked",
        columns,
        [
            (
                tally.check.title,
                tally.check.severity.value,
                str(tally.check.control or ""),
                *(f"{number}" for number in (tally.keys, tally.passed, tally.found, tally.not_known)),
            )
            for tally in report.tallies
        ],
    )


def _csv(report: Report) -> str:
    return render(findings_table(report), ExportFormat.CSV)


def _markdown(report: Report) -> str:
    parts = [f"# {visible(title(report))}\n", f"{summary(report)} {scope(report)}\n"]
    found = [
        (
            finding.check.severity.value,
            finding.check.title,
            finding.key.name,
            finding.key.region,
            finding.reason,
        )
        for finding in report.findings
    ]
    gaps = [
        (gap.key.name, gap.key.region, ", ".join(check.title for check in gap.checks), gap.reason)
        for gap in report.gaps
    ]
    advice = [(check.title, check.advice, str(check.control or "")) for check in _found_checks(report)]
    for table in (
        Table("Findings", ("severity", "finding", "key", "region", "reason"), found),
        Table("What to do", ("finding", "what to do", "Security Hub"), advice),
        Table("Not known", ("key", "region", "checks", "reason"), gaps),
        checks_table(report),
    ):
        if table.rows:
            parts.append("#" + render(table, ExportFormat.MARKDOWN))
    return "\n".join(parts)


def _found_checks(report: Report) -> Iterable[Check]:
    return {finding.check.id: finding.check for finding in report.findings}.values()


def _json(report: Report) -> str:
    settings = report.settings
    shape: dict[str, Any] = {
        "account": report.account_id,
        "regions": report.regions,
        "time": report.time.isoformat(),
        "complete": report.complete,
        "keys": report.keys,
        "aws_managed": report.aws_managed,
        "summary": {severity.value: report.count(severity) for severity in HealthSeverity}
        | {"not_known": len(report.gaps)},
        "settings": {
            "unused_days": settings.unused_days,
            "disabled_days": settings.disabled_days,
            "expires_days": settings.expires_days,
            "required_tags": settings.required_tags,
        },
        "findings": [
            {"check": each.check.id, "severity": each.check.severity.value, **_key(each.key)}
            | {"reason": each.reason}
            for each in report.findings
        ],
        "not_known": [
            {"checks": [check.id for check in gap.checks], **_key(gap.key), "reason": gap.reason}
            for gap in report.gaps
        ],
        "checks": [
            {
                "id": tally.check.id,
                "title": tally.check.title,
                "severity": tally.check.severity.value,
                "control": str(tally.check.control) if tally.check.control else None,
                "what_to_do": tally.check.advice,
                "keys": tally.keys,
                "passed": tally.passed,
                "found": tally.found,
                "not_known": tally.not_known,
            }
            for tally in report.tallies
        ],
    }
    # Escaped to ASCII: safe in a terminal, and any JSON reader restores the text.
    return json.dumps(shape, indent=2) + "\n"


def _key(key: KeyName) -> dict[str, str]:
    return {"key": key.name, "key_id": key.key_id, "region": key.region, "arn": key.arn}


def _text(report: Report) -> str:
    several = len(report.regions) > 1
    parts = [visible(title(report)), scope(report), ""]
    found = [
        (each.check.severity.value, each.key.name, each.key.region, each.check.title, each.reason)
        for each in report.findings
    ]
    if found:
        parts += [
            *_aligned(("SEVERITY", "KEY", "REGION", "FINDING", "REASON"), found, several),
            "",
            "WHAT TO DO",
        ]
        for check in _found_checks(report):
            control = f" ({check.control})" if check.control else ""
            parts.append(f"{check.title}{control}: {check.advice}")
        parts.append("")
    gaps = [
        ("not known", gap.key.name, gap.key.region, _several(gap.checks), gap.reason) for gap in report.gaps
    ]
    if gaps:
        parts += [*_aligned(("NOT KNOWN", "KEY", "REGION", "CHECKS", "REASON"), gaps, several), ""]
    return "\n".join([*parts, summary(report), ""])


def _several(checks: Sequence[Check]) -> str:
    return checks[0].title if len(checks) == 1 else f"{len(checks)} checks"


_REGION = 2


def _aligned(head: Sequence[str], rows: Sequence[Sequence[str]], regions: bool) -> list[str]:
    """The rows as columns of text; the region column only for several regions."""
    lines = [head, *rows]
    if not regions:
        lines = [[*line[:_REGION], *line[_REGION + 1 :]] for line in lines]
    return aligned(lines).splitlines()


WRITERS: Mapping[str, Callable[[Report], str]] = {"table": _text, "md": _markdown, "json": _json, "csv": _csv}
"""Format -> the whole report as text, with a final line end."""
