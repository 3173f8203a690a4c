"""A report as SARIF, for code scanning: a rule for each check, a result for each finding.

A key is in no file, and code scanning shows only results that are in one: each key has a path of its own,
``kms/ACCOUNT/REGION/KEY``, which is the same in every run. What is not known is a notification.
"""

from __future__ import annotations

from collections.abc import Mapping

from kms_tui.evidence.health.checks import Check
from kms_tui.evidence.health.compliance_packs import PACKS, Pack, tags_of
from kms_tui.evidence.health.formats.report_words import strays_in_words
from kms_tui.evidence.health.health_report import Gap, HealthFinding, KeyName, Report
from kms_tui.inventory.row_health import HealthSeverity
from kms_tui.sarif import Level, Notification, SarifResult, SarifRule, Spot, Thing, sarif_text

_LEVELS: Mapping[HealthSeverity, tuple[Level, str]] = {
    HealthSeverity.HIGH: (Level.ERROR, "8.0"),
    HealthSeverity.MEDIUM: (Level.WARNING, "5.5"),
    HealthSeverity.LOW: (Level.NOTE, "2.5"),
}
"""Severity -> level, and the middle of GitHub's band of the same name (7.0-8.9, 4.0-6.9, 0.1-3.9)."""
_OTHER_ACCOUNT = "unknown-account"


def sarif_of(report: Report) -> str:
    packs = report.packs or tuple(PACKS.values())
    # Findings that are accepted come last: those are left out first where there are too many.
    findings = [*report.news, *report.accepted]
    return sarif_text(
        [_rule(tally.check, packs) for tally in report.tallies],
        [_result(finding) for finding in findings],
        [*map(_notification, report.gaps), *_on_baseline(report)],
        is_whole=report.is_whole,
        category="kms-tui-report",
    )


def _rule(check: Check, packs: tuple[Pack, ...]) -> SarifRule:
    level, security = _LEVELS[check.severity]
    control = f"Security Hub: {check.control}.\n" if check.control else ""
    own = (f"AWS-Security-Hub/{check.control.id}",) if check.control else ()
    return SarifRule(
        check.id,
        level,
        check.title,
        f"{check.title}: a health check of AWS KMS keys.",
        f"{control}What to do: {check.advice}",
        security,
        ("security", "aws-kms", *own, *tags_of(check, packs)),
    )


def _result(finding: HealthFinding) -> SarifResult:
    check, key = finding.check, finding.key
    where = f"{key.account}, {key.region}" if key.account else key.region
    return SarifResult(
        check.id,
        _LEVELS[check.severity][0],
        f"{key.name} ({where}): {finding.reason}",
        Spot(path_of(key)),
        f"{check.id} {key.arn}",
        _thing(key),
        finding.accepted.words if finding.accepted else "",
    )


def _notification(gap: Gap) -> Notification:
    checks = ", ".join(check.id for check in gap.checks)
    level = Level.WARNING if gap.key.arn else Level.ERROR
    return Notification(
        level, f"{gap.key.name}: {gap.reason.rstrip('.')}. Not known: {checks}.", _thing(gap.key)
    )


def _on_baseline(report: Report) -> list[Notification]:
    return [Notification(Level.WARNING, strays_in_words(report))] if report.strays else []


def _thing(key: KeyName) -> Thing:
    return Thing(key.name, key.arn or f"{key.account or _OTHER_ACCOUNT}/{key.region}")


def path_of(key: KeyName) -> str:
    """The path that stands for a key."""
    return f"kms/{key.account or _OTHER_ACCOUNT}/{key.region}/{key.key_id}"
