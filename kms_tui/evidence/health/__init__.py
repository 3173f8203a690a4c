"""The account's keys held against a table of checks; what could not be read is not known, never a pass.

An ``Examination`` has an inventory read what the checks need, each fact once, and gives a ``Report``:

    examination = Examination(inventory, kms, Settings(unused_days=90), services=session.services)
    examination.estimate()              # how many calls that takes, before any is made
    report = examination.run()          # blocks; progress() and cancel() from another thread
"""

from kms_tui.evidence.health.checks import CHECKS, Check, Control, Settings, Severity
from kms_tui.evidence.health.examination import Examination, Stage
from kms_tui.evidence.health.reading import Estimate
from kms_tui.evidence.health.report import Finding, Gap, KeyName, Report, Tally

__all__ = [
    "CHECKS",
    "Check",
    "Control",
    "Estimate",
    "Examination",
    "Finding",
    "Gap",
    "KeyName",
    "Report",
    "Settings",
    "Severity",
    "Stage",
    "Tally",
]
