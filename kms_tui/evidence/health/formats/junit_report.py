"""A report as JUnit XML, for the test results of Jenkins, GitLab and others.

A suite for each account and Region, a case for each check: cases of each key would be too many (GitLab
parses 250,000 objects and 30 MB). A check that found something fails, one of which something is not known
is skipped, and a first case, which is an error where keys could not be listed, says so. The shape is that
of Jenkins's junit-10.xsd; GitLab shows the class name as the suite.
"""

from __future__ import annotations

import re
from collections import defaultdict
from xml.sax.saxutils import escape, quoteattr

from kms_tui.evidence.health.formats.report_words import UNKNOWN_ACCOUNT, title
from kms_tui.evidence.health.health_report import AccountRegionTally, CheckTally, Gap, HealthFinding, Report
from kms_tui.visible import visible

_LISTED = "all keys are listed"
_MOST_LINES = 1_000
"""Keys that the text of one case names."""
_NO_XML = re.compile("[\ufffe\uffff]")
"""Characters that XML has not, and that are shown otherwise."""

_Found = dict[tuple[str, str, str], list[HealthFinding]]
_Gaps = dict[tuple[str, str, str], list[Gap]]


def junit_text(report: Report) -> str:
    findings: _Found = defaultdict(list)
    for finding in report.findings:
        findings[finding.key.account, finding.key.region, finding.check.id].append(finding)
    gaps: _Gaps = defaultdict(list)
    for gap in report.gaps:
        for check in gap.checks:
            gaps[gap.key.account, gap.key.region, check.id].append(gap)
    suites = [_Suite(place, report, findings, gaps) for place in report.places]
    counts = _counts([suite.counts for suite in suites])
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites name={_attribute(title(report))} {counts}>",
        *(line for suite in suites for line in suite.lines()),
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


_Counts = tuple[int, int, int]
"""Tests, failures, errors."""


def _counts(several: list[_Counts]) -> str:
    tests, failures, errors = (sum(each) for each in zip(*several, strict=True)) if several else (0, 0, 0)
    return f'tests="{tests}" failures="{failures}" errors="{errors}"'


class _Suite:
    """One account and Region."""

    def __init__(self, place: AccountRegionTally, report: Report, findings: _Found, gaps: _Gaps) -> None:
        self._place = place
        self._report = report
        account, region = place.place
        self._name = f"{report.account_title(account) or UNKNOWN_ACCOUNT} {region}"
        self._class = f"kms-tui.{account or 'unknown-account'}.{region}"
        failures = skipped = 0
        self._cases: list[str] = []
        for tally in place.tallies:
            of_check = account, region, tally.check.id
            found = findings.get(of_check, [])
            missing = gaps.get(of_check, [])
            news = [finding for finding in found if finding.accepted is None]
            failures += bool(news)
            skipped += not news and bool(missing)
            self._cases += self._case(tally, news, [each for each in found if each.accepted], missing)
        self._skipped = skipped
        self.counts: _Counts = (len(place.tallies) + 1, failures, int(bool(place.unlisted)))

    def lines(self) -> list[str]:
        counts = _counts([self.counts])
        moment = f"{self._report.time:%Y-%m-%dT%H:%M:%S}"
        return [
            f"  <testsuite name={_attribute(self._name)} {counts} "
            f'skipped="{self._skipped}" time="0" timestamp="{moment}">',
            *self._listed_case(),
            *self._cases,
            "  </testsuite>",
        ]

    def _listed_case(self) -> list[str]:
        reason = self._place.unlisted
        if not reason:
            return [f"    {self._opening(_LISTED)}/>"]
        return [
            f"    {self._opening(_LISTED)}>",
            f'      <error type="not listed" message={_attribute(reason)}/>',
            "    </testcase>",
        ]

    def _case(
        self, tally: CheckTally, news: list[HealthFinding], accepted: list[HealthFinding], missing: list[Gap]
    ) -> list[str]:
        check = tally.check
        opening = f"    {self._opening(f'{check.id}: {check.title}')}"
        inner: list[str] = []
        if news:
            message = f"{len(news):,} of {tally.keys:,} keys: {check.title}"
            text = _text([_line(each) for each in news] + [f"What to do: {check.advice}"])
            inner.append(
                f'      <failure type="{check.severity.value}" message={_attribute(message)}>{text}</failure>'
            )
        elif missing:
            message = f"Not known of {len(missing):,}: {missing[0].reason}"
            inner.append(f'      <skipped type="not known" message={_attribute(message)}/>')
        notes = [f"{_line(each)} ({each.accepted.words})" for each in accepted if each.accepted]
        if news or len(missing) > 1:
            notes += [f"not known: {each.key.name} {each.key.arn}: {each.reason}" for each in missing]
        if notes:
            inner.append(f"      <system-out>{_text(notes)}</system-out>")
        return [f"{opening}>", *inner, "    </testcase>"] if inner else [f"{opening}/>"]

    def _opening(self, name: str) -> str:
        return f'<testcase classname={_attribute(self._class)} name={_attribute(name)} time="0"'


def _line(finding: HealthFinding) -> str:
    return f"{finding.key.name} {finding.key.arn}: {finding.reason}"


def _text(lines: list[str]) -> str:
    more = len(lines) - _MOST_LINES
    kept = [*lines[:_MOST_LINES], f"… and {more:,} more"] if more > 0 else lines
    return escape("\n".join(_shown(line) for line in kept))


def _attribute(text: str) -> str:
    return quoteattr(_shown(text))


def _shown(text: str) -> str:
    return _NO_XML.sub("\ufffd", visible(text))
