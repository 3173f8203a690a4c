"""Runs a table of checks over the account's keys; a fact that could not be read is not known, never a pass.

An ``Examination`` reads the facts that the checks need, each once, by way of an inventory, and makes a
``Report``:

    examination = Examination(inventory, kms, Settings(unused_days=90), services=session.services)
    examination.estimate()              # the number of calls, before any is made
    report = examination.run()          # blocks; progress() and cancel() from another thread
"""

from kms_tui.evidence.health.checks import CHECKS, Check, Control, HealthSeverity, Settings
from kms_tui.evidence.health.examination import Estimate, Examination, Stage
from kms_tui.evidence.health.health_report import CheckTally, Gap, HealthFinding, KeyName, Report

__all__ = [
    "CHECKS",
    "Check",
    "CheckTally",
    "Control",
    "Estimate",
    "Examination",
    "Gap",
    "HealthFinding",
    "HealthSeverity",
    "KeyName",
    "Report",
    "Settings",
    "Stage",
]
