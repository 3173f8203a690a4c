"""Policies for tests, in few words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings

from kms_tui.policy import CheckResult, parse
from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.guard import check

ACCOUNT = "111122223333"
OTHER = "444455556666"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/KeyAdmin"
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
NOW = 1_795_000_000.0
"""2026-11-18, fixed so that no date in a test ever passes."""

Shape = dict[str, Any]


def statement(effect: str = "Allow", principal: Any = ROOT, action: Any = "kms:*", **extra: Any) -> Shape:
    """A statement; a bare principal goes under AWS, and an extra element given as None is left out."""
    who = principal if isinstance(principal, dict) or principal == "*" else {"AWS": principal}
    shape: Shape = {"Effect": effect, "Principal": who, "Action": action, "Resource": "*"} | extra
    return {name: value for name, value in shape.items() if value is not None}


def allow(
    principal: Any = ROOT, action: Any = "kms:*", condition: Shape | None = None, **extra: Any
) -> Shape:
    return statement("Allow", principal, action, Condition=condition, **extra)


def deny(condition: Shape | None = None, action: Any = "kms:*", principal: Any = "*", **extra: Any) -> Shape:
    return statement("Deny", principal, action, Condition=condition, **extra)


def policy(*statements: Shape, version: str | None = "2012-10-17") -> str:
    document: Shape = {"Version": version} if version else {}
    return json.dumps(document | {"Statement": list(statements)}, indent=2)


def with_root(*statements: Shape) -> str:
    """A policy with the root statement first."""
    return policy(allow(), *statements)


def only_condition(shape: Shape) -> ConditionTest:
    """The one condition of a Condition element, as the guard reads it."""
    (test,) = parse(policy(allow(condition=shape))).statements[0].conditions
    return test


def judged(
    text: str | bytes, *, caller: str | None = ADMIN, key_arn: str | None = KEY, partition: str = "aws"
) -> CheckResult:
    """``check`` for the account, key and time of these tests."""
    return check(text, account_id=ACCOUNT, partition=partition, caller_arn=caller, key_arn=key_arn, now=NOW)


def cases(name: str) -> list[Shape]:
    """The cases of a file of tests/data/policies, one JSON object a line."""
    file = Path(__file__).parents[2] / "data" / "policies" / name
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def checked(case: Shape, text: str | None = None, *, now: float | None = None) -> CheckResult:
    """``check`` of a case's policy, or of a text in its place, as the case says."""
    return check(
        case["policy"] if text is None else text,
        account_id=case["account"],
        partition=case["partition"],
        caller_arn=case["caller_arn"],
        key_arn=case["key_arn"],
        now=now,
    )


def verdict(text: str | bytes) -> str:
    return judged(text).verdict.value


def rules(text: str | bytes) -> set[str]:
    """The ids of the rules that have something to say, the size apart."""
    return {finding.rule for finding in judged(text).findings} - {"size"}


RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For property tests on a machine that is busy with others."""
