"""A rule, and the sources and pieces of examples that the tables share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kms_tui.policy.findings import Severity

REFUSE, WARN, INFO = Severity.REFUSE, Severity.WARN, Severity.INFO


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``example`` is a text that has the finding: a statement beside the root statement, or a whole
    text, such as one that begins with ``{"Version"``.
    """

    id: str
    severity: Severity
    sentence: str
    why: str
    source: str
    example: str

    def as_dict(self) -> Mapping[str, Any]:
        return {**asdict(self), "severity": self.severity.value}


def text_of(rule: Rule) -> str:
    """The rule in a few lines for people."""
    lines = [f"{rule.id} ({rule.severity.value})", rule.sentence, f"Why: {rule.why}"]
    return "\n  ".join([*lines, f"Source: {rule.source}", f"Example: {rule.example}"])


KMS, IAM = "KMS developer guide", "IAM user guide"
DEFAULT = f"{KMS}, key-policy-default"
CONDITIONS = f"{KMS}, conditions-kms"
KEYS = f"{IAM}, reference_policies_condition-keys"
OPERATORS = f"{IAM}, reference_policies_elements_condition_operators"
GRAMMAR = f"{IAM}, reference_policies_grammar"
PRINCIPALS = f"{IAM}, reference_policies_elements_principal"
SETS = f"{IAM}, reference_policies_multi-value-conditions"
CHECKS = f"{IAM}, access-analyzer-reference-policy-checks"
PUT = "KMS API reference, PutKeyPolicy"
CLI = "AWS CLI, kms get-key-policy"

R = '"Resource":"*"'
ALLOW = '"Effect":"Allow"'
DENY = '"Effect":"Deny"'
APP = '"Principal":{"AWS":"arn:aws:iam::111122223333:role/app"}'
OWN = '"Principal":{"AWS":"arn:aws:iam::111122223333:root"}'
OTHER = '"Principal":{"AWS":"444455556666"}'
ALL = '"Principal":"*"'
S3 = '"Principal":{"Service":"s3.amazonaws.com"}'
DECRYPT, EVERY, PUTS = '"Action":"kms:Decrypt"', '"Action":"kms:*"', '"Action":"kms:PutKeyPolicy"'


def where(condition: str) -> str:
    return f'"Condition":{{{condition}}}'


def one(*parts: str) -> str:
    return f"{{{','.join(parts)}}}"


def whole(*statements: str) -> str:
    return f'{{"Version":"2012-10-17","Statement":[{",".join(statements)}]}}'


ROOT = one(ALLOW, OWN, EVERY, R)


def kept_if(condition: str) -> str:
    """A policy whose root statement has a condition."""
    return whole(one(ALLOW, OWN, EVERY, R, where(condition)))
