"""A report as one HTML file that needs nothing else: no script, no font, no picture, no request.

A content security policy in the page forbids all of them; its style sheet is allowed by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from kms_tui.counts import in_words
from kms_tui.evidence.health.checks import Check
from kms_tui.evidence.health.control_results import ControlResult, ControlStatus, results_of
from kms_tui.evidence.health.formats.html_parts import Bar, HtmlColumn, bars, share, table, tag, text
from kms_tui.evidence.health.formats.report_words import (
    UNKNOWN_ACCOUNT,
    accounts_in_words,
    accounts_table,
    has_several_accounts,
    named,
    no_keys,
    place_words,
    stopped_in_words,
    strays_in_words,
)
from kms_tui.evidence.health.health_report import Gap, HealthFinding, KeyName, Report
from kms_tui.inventory.row_health import SEVERITY_MARKS, HealthSeverity

_MOST_OPEN = 200
"""Findings up to which all accounts are unfolded."""
_MOST_BARS = 12
_NAMED = 24
"""Keys of one control that are named."""
_STATUS: Mapping[ControlStatus, tuple[str, str]] = {
    ControlStatus.FAILED: ("✕", "failed"),
    ControlStatus.NOT_KNOWN: ("?", "unknown"),
    ControlStatus.PASSED: ("✓", "passed"),
    ControlStatus.NO_KEYS: ("–", "none"),
    ControlStatus.NOT_ASSESSED: ("○", "none"),
}
"""Status -> glyph and tone; each stands beside the word."""


def html_text(report: Report) -> str:
    style = Path(__file__).with_name("html_report.css").read_text(encoding="utf-8")
    heading = f"Health of the KMS keys of {accounts_in_words(report)}"
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    sections = [each for each in _sections(report) if each.body]
    links = "".join(f'<li><a href="#{each.anchor}">{text(each.title)}</a></li>' for each in sections)
    body = "\n".join(
        f'<section id="{each.anchor}" aria-labelledby="{each.anchor}-head">'
        f'<h2 id="{each.anchor}-head">{text(each.title)}</h2>\n{each.body}</section>'
        for each in sections
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{text(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{text(heading)}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{text(heading)}</h1>
<p class="soft wrap">{_when(report)}</p>
{_notices(report)}<nav aria-label="Sections"><ul>{links}</ul></nav>
</header>
<main>
{body}
</main>
<footer>
<p>Made by kms-tui report. AWS-managed keys are not examined; what is not known never passes.</p>
</footer>
</body>
</html>
"""


def _when(report: Report) -> str:
    moment = f"{report.time:%Y-%m-%d %H:%M %Z}"
    regions = in_words(report.regions)
    keys = f"{report.keys:,} customer keys, {len(report.tallies)} checks"
    left_out = f", {report.aws_managed:,} AWS-managed keys not examined" if report.aws_managed else ""
    time = f'<time datetime="{report.time.isoformat()}">{text(moment)}</time>'
    return f"{time} · {text(regions)} · {keys}{left_out}"


def _notices(report: Report) -> str:
    told = [
        f"Not all keys of {place_words(report, each.place)} could be listed. {each.unlisted}"
        for each in report.unlisted
    ]
    if report.empty:
        told.append(no_keys(report))
    if report.strays:
        told.append(strays_in_words(report))
    if not report.complete:
        told.append(stopped_in_words(report))
    return "".join(f'<p class="notice wrap" role="note">{text(each)}</p>\n' for each in told)


class _Section(NamedTuple):
    """A part of the page; one without a body is left out."""

    anchor: str
    title: str
    body: str


def _sections(report: Report) -> Iterator[_Section]:
    yield _Section("totals", "Totals", _totals(report))
    yield _Section("charts", "Charts", _charts(report))
    if has_several_accounts(report) or len(report.places) > 1:
        yield _Section("accounts", "Accounts and Regions", _accounts(report))
    yield _Section("findings", "Findings by account", _findings(report) or "<p>Nothing was found.</p>")
    yield _Section("accepted", "Accepted findings", _accepted(report))
    for pack in report.packs:
        yield _Section(f"pack-{pack.id}", pack.title, _pack(results_of(report, pack)))
    yield _Section("not-known", "Not known", _gaps(report))
    yield _Section("checks", "What was checked", _checks(report))


# Numbers


def _totals(report: Report) -> str:
    tiles = [(each.value.capitalize(), report.count(each), each.value) for each in HealthSeverity]
    tiles += [("Accepted", len(report.accepted), "accepted")] if report.accepted else []
    tiles += [("Not known", len(report.gaps), "unknown"), ("Customer keys", report.keys, "plain")]
    if has_several_accounts(report):
        tiles.append(("Accounts", len({each.place.account for each in report.places}), "plain"))
    inner = "".join(
        f'<div class="tile {tone}"><dt>{text(name)}</dt><dd>{count:,}</dd></div>'
        for name, count, tone in tiles
    )
    return f'<dl class="tiles">{inner}</dl>'


def _charts(report: Report) -> str:
    keys = sum(tally.keys for tally in report.tallies)
    found = sum(tally.found - tally.accepted for tally in report.tallies)
    accepted = sum(tally.accepted for tally in report.tallies)
    unknown = sum(tally.not_known for tally in report.tallies)
    parts = [Bar("passed", keys - found - accepted - unknown, "passed"), Bar("found", found, "failed")]
    parts += [Bar("accepted", accepted, "accepted")] if accepted else []
    parts.append(Bar("not known", unknown, "unknown"))
    by_check = Counter(finding.check.id for finding in report.news)
    checks = {finding.check.id: finding.check for finding in report.news}
    figures = [
        share("Checks of keys" + (", without those that could not be listed" * bool(report.unlisted)), parts),
        bars(
            "Findings by severity",
            [Bar(each.value, report.count(each), each.value) for each in HealthSeverity],
        ),
        bars(
            "Findings by check",
            _shortened(
                [
                    Bar(checks[each].title, count, checks[each].severity.value)
                    for each, count in by_check.most_common()
                ]
            ),
        )
        if by_check
        else "",
    ]
    if has_several_accounts(report):
        by_account = Counter(finding.key.account or UNKNOWN_ACCOUNT for finding in report.news)
        for each in report.places:
            by_account.setdefault(each.place.account or UNKNOWN_ACCOUNT, 0)
        rows = [
            Bar(report.account_title(account), count, "plain") for account, count in by_account.most_common()
        ]
        figures.append(bars("Findings by account", _shortened(rows)))
    return f'<div class="charts">{"".join(figures)}</div>'


def _shortened(rows: list[Bar]) -> list[Bar]:
    """The longest bars, and one for all others."""
    if len(rows) <= _MOST_BARS:
        return rows
    rest = rows[_MOST_BARS - 1 :]
    return [*rows[: _MOST_BARS - 1], Bar(f"{len(rest):,} others", sum(row.number for row in rest), "none")]


def _accounts(report: Report) -> str:
    given = accounts_table(report)
    kinds = {"account": "name", "region": "name", "note": "reason"}
    titles = given.columns if report.unlisted else given.columns[:-1]
    columns = [HtmlColumn(each.replace("_", " ").capitalize(), kinds.get(each, "num")) for each in titles]
    rows = ([text(cell or "–") for cell in row[: len(columns)]] for row in given.rows)
    return table(given.title, columns, rows)


# Lists


def _mark(severity: HealthSeverity) -> str:
    return f'<span class="mark {severity.value}">{SEVERITY_MARKS[severity]} {severity.value}</span>'


def _key(key: KeyName, beside: str) -> str:
    """The name of a key, and its id or its ARN ``beside`` it."""
    second = f"<br><code>{text(beside)}</code>" if beside not in ("", key.name) else ""
    return f"<b>{text(key.name)}</b>{second}"


def _findings(report: Report) -> str:
    by_account: dict[str, list[HealthFinding]] = {}
    for finding in report.news:
        by_account.setdefault(finding.key.account, []).append(finding)
    unfolded = len(report.news) <= _MOST_OPEN
    columns = (
        HtmlColumn("Severity"),
        HtmlColumn("Finding", "name"),
        HtmlColumn("Key", "key"),
        HtmlColumn("Region", "name"),
        HtmlColumn("Why", "reason"),
    )
    parts = []
    for account, findings in sorted(by_account.items(), key=lambda each: -len(each[1])):
        counts = Counter(finding.check.severity for finding in findings)
        words = ", ".join(f"{counts[each]:,} {each.value}" for each in HealthSeverity if counts[each])
        rows = (
            [
                _mark(each.check.severity),
                text(each.check.title),
                _key(each.key, each.key.key_id),
                text(each.key.region),
                text(each.reason),
            ]
            for each in findings
        )
        name = report.account_title(account) or UNKNOWN_ACCOUNT
        parts.append(
            f"<details{' open' if unfolded else ''}><summary>{text(name)} "
            f'<span class="soft">{words}</span></summary>'
            f"{table(f'Findings in {name}', columns, rows)}</details>"
        )
    return "\n".join(parts)


def _accepted(report: Report) -> str:
    if not report.accepted:
        return ""
    columns = (
        HtmlColumn("Severity"),
        HtmlColumn("Finding", "name"),
        HtmlColumn("Key", "key"),
        HtmlColumn("Owner"),
        HtmlColumn("Until", "name"),
        HtmlColumn("Reason", "reason"),
    )
    rows = (
        [
            _mark(each.check.severity),
            text(each.check.title),
            _key(each.key, each.key.arn),
            text(each.accepted.owner),
            f"{each.accepted.expires}",
            text(each.accepted.reason),
        ]
        for each in report.accepted
        if each.accepted is not None
    )
    return table("Accepted findings", columns, rows)


def _gaps(report: Report) -> str:
    if not report.gaps:
        return ""
    columns = (
        HtmlColumn("Key", "key"),
        HtmlColumn("Account", "name"),
        HtmlColumn("Region", "name"),
        HtmlColumn("Checks"),
        HtmlColumn("Why", "reason"),
    )
    return table("Not known", columns, (_gap_row(gap) for gap in report.gaps))


def _gap_row(gap: Gap) -> Sequence[str]:
    titles = ", ".join(check.title for check in gap.checks)
    checks = titles if len(gap.checks) <= 3 else f"{len(gap.checks)} checks"
    key = gap.key
    return [_key(key, key.key_id), text(key.account or "–"), text(key.region), text(checks), text(gap.reason)]


def _pack(results: Sequence[ControlResult]) -> str:
    counts = Counter(result.status for result in results)
    words = ", ".join(f"{counts[status]} {status.value}" for status in ControlStatus if counts[status])
    columns = (
        HtmlColumn("Control", "name"),
        HtmlColumn("Status"),
        HtmlColumn("Title", "reason"),
        HtmlColumn("Keys", "num"),
        HtmlColumn("Detail", "reason"),
    )
    rows = (
        [
            text(result.control.id),
            _status(result.status),
            text(result.control.title),
            "–" if result.control.unassessed else f"{result.keys:,}",
            _detail(result),
        ]
        for result in results
    )
    note = "As far as Security Hub's controls for KMS keys decide it. An accepted finding fails its control."
    return f'<p>{text(words)}.</p><p class="soft">{note}</p>{table("Controls", columns, rows)}'


def _status(status: ControlStatus) -> str:
    glyph, tone = _STATUS[status]
    return f'<span class="mark {tone}">{glyph} {text(status.value)}</span>'


def _detail(result: ControlResult) -> str:
    if result.control.unassessed:
        return text(result.control.unassessed)
    parts = []
    accepted = f", of which {result.accepted:,} accepted" if result.accepted else ""
    for count, words, keys in (
        (len(result.findings), f"failed{accepted}", [finding.key for finding in result.findings]),
        (len(result.gaps), "not known", [gap.key for gap in result.gaps]),
    ):
        if count:
            parts.append(tag("p", text(f"{count:,} {words}: {named(keys, _NAMED)}")))
    return "".join(parts) or text(f"by {', '.join(check.title for check in result.control.checks)}")


def _checks(report: Report) -> str:
    columns = (
        HtmlColumn("Check"),
        HtmlColumn("Severity"),
        HtmlColumn("Keys", "num"),
        HtmlColumn("Passed", "num"),
        HtmlColumn("Found", "num"),
        HtmlColumn("Not known", "num"),
        HtmlColumn("What to do", "reason"),
    )
    rows = (
        [
            text(tally.check.title) + _control(tally.check),
            _mark(tally.check.severity),
            *(f"{number:,}" for number in (tally.keys, tally.passed, tally.found, tally.not_known)),
            text(tally.check.advice),
        ]
        for tally in report.tallies
    )
    return table("What was checked", columns, rows)


def _control(check: Check) -> str:
    return f"<br><code>{text(f'{check.control}')}</code>" if check.control else ""
