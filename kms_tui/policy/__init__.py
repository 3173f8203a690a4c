"""Key policies as values: parsing, evaluation, the lockout guard, findings. Pure.

``parse`` reads a text, ``evaluate`` decides on a request by one policy and ``authorization`` by all layers;
``guard.check`` judges a text. The guard is imported by those who need it: the offline KMS, and so the demo,
opens without it.
"""

from kms_tui.policy.document import Document, Statement, parse
from kms_tui.policy.evaluation import AccessRequest, Decision, Effect, Via, evaluate
from kms_tui.policy.findings import CheckResult, Finding, Severity, Verdict
from kms_tui.policy.principals import Caller
from kms_tui.policy.snippets import default_policy

__all__ = [
    "AccessRequest",
    "Caller",
    "CheckResult",
    "Decision",
    "Document",
    "Effect",
    "Finding",
    "Severity",
    "Statement",
    "Verdict",
    "Via",
    "default_policy",
    "evaluate",
    "parse",
]
