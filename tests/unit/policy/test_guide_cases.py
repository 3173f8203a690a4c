"""Cases by kind, each written from AWS's guides: the verdict, what must be said, and what must not."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kms_tui.policy import check
from kms_tui.policy.rules import RULES
from tests.unit.policy.build import NOW

FILE = Path(__file__).parents[2] / "data" / "policies" / "guide_cases.jsonl"
CASES: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_case_of_the_guides(case: dict[str, Any]) -> None:
    result = check(
        case["policy"],
        account_id=case["account"],
        partition=case["partition"],
        caller_arn=case["caller_arn"],
        key_arn=case["key_arn"],
        now=NOW,
    )
    found = {finding.rule for finding in result.findings}
    assert case["expect"] in (None, result.verdict.value), case["reason"] or found
    assert set(case["says"]) <= found
    assert not set(case["silent"]) & found
    assert found <= set(RULES)
    assert all(finding.sentence.endswith((".", "?")) for finding in result.findings)


def test_the_cases_hold_every_kind() -> None:
    kinds = Counter(case["kind"] for case in CASES)
    assert len(CASES) >= 290
    assert len(kinds) == 15
    assert all(case["source"] for case in CASES)
