"""How the controls of a compliance pack stand by a report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kms_tui.evidence.health.compliance_packs import Pack, PackControl
from kms_tui.evidence.health.health_report import Gap, HealthFinding, Report


class ControlStatus(StrEnum):
    """How a control stands; the gravest first. What is not known never passes."""

    FAILED = "failed"
    NOT_KNOWN = "not known"
    PASSED = "passed"
    NO_KEYS = "no keys"
    """There is no key that it could be judged by."""
    NOT_ASSESSED = "not assessed"


@dataclass(frozen=True, slots=True)
class ControlResult:
    """How one control stands, as far as Security Hub's controls for KMS keys decide it.

    A finding that a baseline accepts fails its control all the same: a risk that is accepted is still there.
    """

    control: PackControl
    status: ControlStatus
    keys: int
    findings: tuple[HealthFinding, ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def accepted(self) -> int:
        return sum(finding.accepted is not None for finding in self.findings)


_OF_ALL_KEYS = frozenset({"pending-deletion"})
"""Checks that apply only to the keys that they find: every other key passes their control."""


def results_of(report: Report, pack: Pack) -> tuple[ControlResult, ...]:
    """How the controls of a pack stand."""
    return tuple(_result(report, control) for control in pack.controls)


def _result(report: Report, control: PackControl) -> ControlResult:
    if control.unassessed:
        return ControlResult(control, ControlStatus.NOT_ASSESSED, 0)
    checks = {check.id for check in control.checks}
    findings = tuple(finding for finding in report.findings if finding.check.id in checks)
    gaps = tuple(gap for gap in report.gaps if any(check.id in checks for check in gap.checks))
    keys = sum(tally.keys for tally in report.tallies if tally.check.id in checks)
    if checks & _OF_ALL_KEYS:
        keys = report.keys
    status = ControlStatus.PASSED if keys else ControlStatus.NO_KEYS
    if findings:
        status = ControlStatus.FAILED
    elif gaps:
        status = ControlStatus.NOT_KNOWN
    return ControlResult(control, status, keys, findings, gaps)
