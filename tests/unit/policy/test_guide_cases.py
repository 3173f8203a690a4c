"""Cases by kind, each written from AWS's guides: the verdict, what must be said, and what must not."""

from __future__ import annotations

from collections import Counter

import pytest

from kms_tui.policy.rule_guide import RULES
from tests.unit.policy.build import NOW, Shape, cases, checked

CASES = cases("guide_cases.jsonl")


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_case_of_the_guides(case: Shape) -> None:
    result = checked(case, now=NOW)
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
