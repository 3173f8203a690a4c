"""Key policies as values: parsing, evaluation, the lockout guard, findings. Pure.

``check`` judges a text, ``parse`` reads it, ``evaluate`` and ``authorize`` decide on a request.
"""

from kms_tui.policy.document import Document, Statement, parse
from kms_tui.policy.evaluation import AccessRequest, Authorization, Decision, Effect, Via, authorize, evaluate
from kms_tui.policy.findings import CheckResult, Finding, Severity, Verdict
from kms_tui.policy.guard import check, names_account, outside_access
from kms_tui.policy.principals import Caller
from kms_tui.policy.snippets import default_policy

__all__ = [
    "AccessRequest",
    "Authorization",
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
    "authorize",
    "check",
    "default_policy",
    "evaluate",
    "names_account",
    "outside_access",
    "parse",
]
