"""A health report in words: table rows, the detail of a row, headline, progress."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from kms_tui.evidence.health.checks import Check
from kms_tui.evidence.health.examination import Estimate, Stage
from kms_tui.evidence.health.health_report import CheckTally, Gap, HealthFinding, Report
from kms_tui.inventory.row_health import SEVERITY_MARKS, HealthSeverity
from kms_tui.kms.errors import KmsTuiError
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.words import counted, span_words
from kms_tui.ui.widgets.charts import BarRow, bars, beside
from kms_tui.ui.widgets.line_table import TableRow

_LOOKS: Mapping[HealthSeverity, tuple[str, str]] = {
    HealthSeverity.HIGH: ("danger", "$error"),
    HealthSeverity.MEDIUM: ("warning", "$warning"),
    HealthSeverity.LOW: ("plain", "$foreground-muted"),
}
_MARKS = {severity: (SEVERITY_MARKS[severity], *look) for severity, look in _LOOKS.items()}
"""Glyph, look in a table, colour elsewhere; each stands beside the word."""
_NOT_KNOWN = "? not known"
_PASSED = "✓"
_BAR = 30

Item = HealthFinding | Gap


def _lines(*lines: Content) -> Content:
    return Content("\n").join(lines)


def _muted(text: str) -> Content:
    return Content.styled(text, "$foreground-muted")


# Table rows


def items(report: Report) -> Iterator[tuple[str, Item]]:
    """(row key, item): findings, then gaps."""
    found: list[Item] = [*report.findings, *report.gaps]
    for number, item in enumerate(found):
        yield str(number), item


def item_row(key: str, item: Item, report: Report) -> TableRow:
    """The row of a finding or gap; of several accounts or Regions, its own stands beside the key's name."""
    if isinstance(item, HealthFinding):
        mark, look, _ = _MARKS[item.check.severity]
        first, title = (f"{mark} {item.check.severity.value}", look), item.check.title
    else:
        first, title = (_NOT_KNOWN, "quiet"), f"{len(item.checks)} checks"
        if len(item.checks) == 1:
            title = item.checks[0].title
    parts = [item.key.name]
    if item.key.account in report.account_names:
        parts.append(report.account_names[item.key.account])
    if item.key.arn and len(report.regions) > 1:
        parts.append(item.key.region)
    return TableRow(key, (first, (" · ".join(parts), "strong"), title, (item.reason, "quiet")))


def matches(item: Item, words: Sequence[str], account: str = "") -> bool:
    """Whether an item's text, with its control, key id and ``account``'s name, contains each word."""
    checks = (item.check,) if isinstance(item, HealthFinding) else item.checks
    severity = item.check.severity.value if isinstance(item, HealthFinding) else _NOT_KNOWN
    key = item.key
    said = [severity, key.name, key.key_id, key.region, key.account, account, item.reason]
    said += [text for check in checks for text in (check.id, check.title, str(check.control or ""))]
    text = "\n".join(said).lower()
    return all(word in text for word in words)


def check_row(tally: CheckTally) -> TableRow:
    """The row of a check: what it found, and how many keys are not known."""
    mark, look, _ = _MARKS[tally.check.severity]
    if not tally.keys:
        mark, look = "–", "quiet"
    elif not tally.found:
        mark, look = ("?", "warning") if tally.not_known else (_PASSED, "plain")
    control = tally.check.control
    return TableRow(
        tally.check.id,
        (
            (f"{mark} {tally.check.title}", look),
            (_found(tally), "plain" if tally.keys else "quiet"),
            (f"{tally.not_known:,} of {tally.keys:,}" if tally.not_known else "", "warning"),
            (control.id if control is not None else "", "quiet"),
        ),
    )


def _found(tally: CheckTally) -> str:
    """How many of the known keys."""
    known = tally.keys - tally.not_known
    if not known:
        return "not known" if tally.keys else "no key of the kind"
    return f"{tally.found:,} of {known:,}" if tally.found else f"none of {known:,}"


# The detail of a row


def item_detail(item: Item) -> Content:
    """The whole of a finding or gap: check, key, reason, advice."""
    if isinstance(item, HealthFinding):
        mark, _, colour = _MARKS[item.check.severity]
        head = Content.assemble(
            (f"{mark} {item.check.severity.value}", colour), "  ", (item.check.title, "bold")
        )
        if item.check.control is not None:
            head += _muted(f"  Security Hub {item.check.control}")
        todo = item.check.advice
    else:
        head = Content.assemble((_NOT_KNOWN, "$warning"), "  ", (_checks(item.checks), "bold"))
        todo = "Make this readable, and press r; until then it does not count as passed."
    where = safe(item.key.name).stylize("$accent")
    if item.key.key_id:
        where += _muted("  ") + safe(f"{item.key.key_id} · {item.key.region}").stylize("$foreground-muted")
    return _lines(head, where, safe(item.reason), _muted("What to do  ") + Content(todo))


def _checks(checks: Sequence[Check]) -> str:
    titles = [check.title if not place else check.title.lower() for place, check in enumerate(checks)]
    more = f" and {len(titles) - 4} more" if len(titles) > 4 else ""
    return ", ".join(titles[:4]) + more


def check_detail(tally: CheckTally) -> Content:
    check = tally.check
    head = Content.assemble(
        (check.title, "bold"), (f"  {check.severity.value} severity", "$foreground-muted")
    )
    if check.control is not None:
        head += _muted(f"  Security Hub {check.control}")
    return _lines(head, _muted("What to do  ") + Content(check.advice))


# The whole report


def headline(report: Report) -> Content:
    """How many findings of each severity, and of how many keys and checks; or that there are none."""
    parts = []
    for severity, (mark, _, colour) in _MARKS.items():
        if number := report.count(severity):
            parts.append(Content.styled(f"{mark} {number:,} {severity.value}", colour))
    if report.gaps:
        parts.append(_muted(f"? {len(report.gaps):,} not known"))
    said = Content(" · ").join(parts)
    if not parts and not report.keys:
        said = _muted("– No customer key to check")
    elif not parts:
        said = Content.styled(f"{_PASSED} Nothing needs attention", "$success bold")
    said += _muted(f"    {counted(report.keys, 'key')}, {counted(len(report.tallies), 'check')}")
    return said if report.complete else said + Content.styled("  stopped: r goes on", "$warning")


_SEVERITY_WIDTH, _CHECK_LABEL, _CHECK_WIDTH = 20, 26, 20
_MOST_CHECKS = 4
NARROW = 100
"""Cells below which the head has no picture."""


def head(report: Report, width: int) -> Content:
    """The headline; with room for it above bars by severity and, beside them, by check."""
    if width < NARROW or not report.findings:
        return headline(report)
    rows = [
        BarRow(f"{mark} {severity.value}", report.count(severity), f"{report.count(severity):,}", colour)
        for severity, (mark, _, colour) in _MARKS.items()
    ]
    if report.gaps:
        rows.append(BarRow(_NOT_KNOWN, len(report.gaps), f"{len(report.gaps):,}", "$foreground-muted"))
    found = sorted((tally for tally in report.tallies if tally.found), key=lambda tally: -tally.found)
    by_check = [
        BarRow(tally.check.title, tally.found, f"{tally.found:,}", _MARKS[tally.check.severity][2])
        for tally in found[:_MOST_CHECKS]
    ]
    picture = beside(
        bars(rows, label_width=11, width=_SEVERITY_WIDTH),
        bars(by_check, label_width=_CHECK_LABEL, width=_CHECK_WIDTH),
    )
    return _lines(headline(report), Content(""), picture)


def reading_cost(estimate: Estimate) -> Content:
    """The cost of reading, before it begins."""
    calls = ", ".join(f"{number:,} {operation}" for operation, number in sorted(estimate.calls.items()))
    seconds, key = estimate.seconds, "$accent bold"
    time = span_words(timedelta(seconds=seconds)) if seconds >= 60 else f"{seconds:.0f} s"
    return _lines(
        Content.styled(f"{estimate.keys:,} customer keys are to be checked.", "bold"),
        Content(""),
        Content(f"That takes up to {estimate.total:,} calls, about {time} at the polite rate:"),
        _muted(f"{calls}."),
        Content(""),
        Content.assemble(("enter", key), " reads them; ", ("esc", key), " stops it at any time."),
    )


def progress(stage: Stage) -> Content:
    """The stage, its progress, and why it waits."""
    line = Content(stage.words[:1].upper() + stage.words[1:])
    if stage.total:
        filled = _BAR * stage.done // stage.total
        line += Content.assemble("  ", ("━" * filled, "$accent"), ("━" * (_BAR - filled), "$border"))
        line += Content(f"  {stage.done:,} of {stage.total:,}")
    else:
        line += Content(" …")
    if stage.error:
        line = _lines(line, Content.styled("Waiting: ", "$warning") + safe(stage.error))
    return _lines(line, _muted("esc stops it and shows what is known by then."))


def failed(error: KmsTuiError) -> Content:
    """Why there is no report, and what to do next."""
    next_step = [safe(error.next_step)] if error.next_step else []
    head = Content.styled("The keys could not be read.", "$error")
    return _lines(head, safe(str(error)), *next_step, _muted("r tries again."))
