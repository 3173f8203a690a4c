"""A report for people and scripts: a terminal table, Markdown, JSON or CSV.

Names and reasons are untrusted; the text has no control or invisible character except line ends.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kms_tui.evidence.health.checks import Check
from kms_tui.evidence.health.compliance_packs import Pack
from kms_tui.evidence.health.control_results import ControlResult, results_of
from kms_tui.evidence.health.formats.report_words import (
    accounts_table,
    checks_table,
    control_detail,
    found_checks,
    has_several_accounts,
    pack_table,
    scope,
    summary,
    title,
)
from kms_tui.evidence.health.health_report import Acceptance, Gap, HealthFinding, KeyName, Report
from kms_tui.export import ExportFormat, Table, aligned, render
from kms_tui.inventory.row_health import HealthSeverity
from kms_tui.visible import visible

_FINDINGS = (
    "severity",
    "key",
    "region",
    "finding",
    "reason",
    "what_to_do",
    "control",
    "check",
    "arn",
    "account",
    "accepted",
)


# CSV


def csv_text(report: Report) -> str:
    """A row for each finding, then one for each gap, with the severity "not known"."""
    rows = [
        _row(each.check.severity.value, each.key, [each.check], each.reason, each.accepted)
        for each in report.findings
    ]
    rows += [_row("not known", gap.key, gap.checks, gap.reason) for gap in report.gaps]
    return render(Table(title(report), _FINDINGS, rows), ExportFormat.CSV)


def _row(
    severity: str, key: KeyName, checks: Sequence[Check], reason: str, accepted: Acceptance | None = None
) -> tuple[str, ...]:
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
        key.account,
        accepted.words if accepted else "",
    )


# Markdown


def markdown_text(report: Report) -> str:
    parts = [f"# {visible(title(report))}\n", f"{summary(report)} {visible(scope(report))}\n"]
    several = has_several_accounts(report)
    advice = [(check.title, check.advice, str(check.control or "")) for check in found_checks(report)]
    for table in (
        accounts_table(report) if several else Table("", (), ()),
        _without_account(_findings_table("Findings", report.news), several),
        _without_account(_accepted_table(report.accepted), several),
        Table("What to do", ("finding", "what to do", "Security Hub"), advice),
        _without_account(_gaps_table(report.gaps), several),
        *(pack_table(report, pack) for pack in report.packs),
        checks_table(report),
    ):
        if table.rows:
            parts.append("#" + render(table, ExportFormat.MARKDOWN))
    return "\n".join(parts)


def _findings_table(heading: str, findings: Sequence[HealthFinding]) -> Table:
    rows = [(*_found(each), each.reason) for each in findings]
    return Table(heading, ("severity", "finding", "key", "account", "region", "reason"), rows)


def _accepted_table(findings: Sequence[HealthFinding]) -> Table:
    columns = ("severity", "finding", "key", "account", "region", "owner", "until", "accepted because")
    rows = [
        (*_found(each), each.accepted.owner, f"{each.accepted.expires}", each.accepted.reason)
        for each in findings
        if each.accepted is not None
    ]
    return Table("Accepted", columns, rows)


def _found(each: HealthFinding) -> tuple[str, ...]:
    key = each.key
    return each.check.severity.value, each.check.title, key.name, key.account, key.region


def _gaps_table(gaps: Sequence[Gap]) -> Table:
    rows = [(*_missing(gap), ", ".join(check.title for check in gap.checks), gap.reason) for gap in gaps]
    return Table("Not known", ("key", "account", "region", "checks", "reason"), rows)


def _missing(gap: Gap) -> tuple[str, ...]:
    return gap.key.name, gap.key.account, gap.key.region


def _without_account(table: Table, is_wanted: bool) -> Table:
    return table if is_wanted else _without(table, "account")


def _without(table: Table, *names: str) -> Table:
    """The table without these columns."""
    kept = [place for place, column in enumerate(table.columns) if column not in names]
    return Table(
        table.title,
        tuple(table.columns[place] for place in kept),
        [[row[place] for place in kept] for row in table.rows],
    )


# JSON


def json_text(report: Report) -> str:
    settings = report.settings
    accounts = report.accounts
    shape: dict[str, Any] = {
        "account": accounts[0] if len(accounts) == 1 else None,
        "accounts": accounts,
        "regions": report.regions,
        "time": report.time.isoformat(),
        "complete": report.complete,
        "whole": report.is_whole,
        "keys": report.keys,
        "unexamined": report.unexamined,
        "aws_managed": report.aws_managed,
        "summary": {severity.value: report.count(severity) for severity in HealthSeverity}
        | {"not_known": len(report.gaps), "accepted": len(report.accepted)},
        "settings": {
            "unused_days": settings.unused_days,
            "disabled_days": settings.disabled_days,
            "expires_days": settings.expires_days,
            "required_tags": settings.required_tags,
        },
        "places": _places(report),
        "findings": [
            {"check": each.check.id, "severity": each.check.severity.value, **_key(each.key)}
            | {"reason": each.reason, "accepted": _acceptance(each.accepted)}
            for each in report.findings
        ],
        "not_known": [
            {"checks": [check.id for check in gap.checks], **_key(gap.key), "reason": gap.reason}
            for gap in report.gaps
        ],
        "baseline_elsewhere": [stray._asdict() for stray in report.strays],
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
                "accepted": tally.accepted,
                "not_known": tally.not_known,
            }
            for tally in report.tallies
        ],
        "packs": [
            {
                "id": pack.id,
                "title": pack.title,
                "controls": [_control(result) for result in results_of(report, pack)],
            }
            for pack in report.packs
        ],
    }
    # Escaped to ASCII: safe in a terminal, and any JSON reader restores the text.
    return json.dumps(shape, indent=2) + "\n"


def _places(report: Report) -> list[dict[str, Any]]:
    table = accounts_table(report)
    numbers = table.columns[2:-1]
    return [
        {"account": each.place.account, "region": each.place.region}
        | ({"account_name": name} if (name := report.account_names.get(each.place.account)) else {})
        | {column: int(number) for column, number in zip(numbers, row[2:-1], strict=True)}
        | {"unlisted": each.unlisted or None}
        for row, each in zip(table.rows, report.places, strict=True)
    ]


def _key(key: KeyName) -> dict[str, str]:
    return {
        "key": key.name,
        "key_id": key.key_id,
        "account": key.account,
        "region": key.region,
        "arn": key.arn,
    }


def _acceptance(accepted: Acceptance | None) -> dict[str, str] | None:
    if accepted is None:
        return None
    return {"owner": accepted.owner, "reason": accepted.reason, "expires": f"{accepted.expires}"}


def _control(result: ControlResult) -> dict[str, Any]:
    return {
        "control": result.control.id,
        "title": result.control.title,
        "security_hub": result.control.security_hub,
        "checks": [check.id for check in result.control.checks],
        "status": result.status.value,
        "keys": result.keys,
        "failed": [finding.key.arn for finding in result.findings],
        "accepted": result.accepted,
        "not_known": [gap.key.arn or gap.key.name for gap in result.gaps],
        "why": result.control.unassessed or None,
    }


# A terminal


def terminal_text(report: Report) -> str:
    hidden = [] if has_several_accounts(report) else ["account"]
    hidden += [] if len(report.regions) > 1 else ["region"]
    parts = [visible(title(report)), visible(scope(report)), ""]
    if has_several_accounts(report):
        table = accounts_table(report)
        parts += [*_columns(_without(table, "note") if not report.unlisted else table), ""]
    if report.news:
        table = _without(_findings_table("", report.news), *hidden)
        parts += [
            *_columns(_in_order(table, "severity", "key", "account", "region", "finding", "reason")),
            "",
        ]
    if report.accepted:
        table = _without(_accepted_table(report.accepted), *hidden)
        order = ("severity", "key", "account", "region", "finding", "owner", "until", "accepted because")
        parts += ["ACCEPTED", *_columns(_in_order(table, *order)), ""]
    if report.findings:
        parts.append("WHAT TO DO")
        for check in found_checks(report):
            control = f" ({check.control})" if check.control else ""
            parts.append(f"{check.title}{control}: {check.advice}")
        parts.append("")
    if report.gaps:
        columns = ("not known", "key", "account", "region", "checks", "reason")
        rows = [("not known", *_missing(gap), _several(gap.checks), gap.reason) for gap in report.gaps]
        parts += [*_columns(_without(Table("", columns, rows), *hidden)), ""]
    for pack in report.packs:
        parts += [pack.title, *_pack_lines(report, pack), ""]
    return "\n".join([*parts, summary(report), ""])


def _pack_lines(report: Report, pack: Pack) -> list[str]:
    columns = ("control", "status", "failed", "title", "detail")
    rows = [
        (
            result.control.id,
            result.status.value,
            f"{len(result.findings)} of {result.keys}" if not result.control.unassessed else "",
            result.control.title,
            control_detail(result),
        )
        for result in results_of(report, pack)
    ]
    return _columns(Table("", columns, rows))


def _several(checks: Sequence[Check]) -> str:
    return checks[0].title if len(checks) == 1 else f"{len(checks)} checks"


def _in_order(table: Table, *names: str) -> Table:
    """The table with its columns in this order; columns that it has not are left out."""
    places = [table.columns.index(name) for name in names if name in table.columns]
    return Table(
        table.title,
        tuple(table.columns[place] for place in places),
        [[row[place] for place in places] for row in table.rows],
    )


def _columns(table: Table) -> list[str]:
    head = [column.upper().replace("_", " ") for column in table.columns]
    return aligned([head, *table.rows]).splitlines()
