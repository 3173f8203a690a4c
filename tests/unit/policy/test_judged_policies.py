"""The guard agrees with every judged policy of the sample, three ways."""

from __future__ import annotations

import json

import pytest

from kms_tui.policy import parse
from tests.unit.policy.build import Shape, cases, checked

CASES = cases("judged_policies.jsonl")


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_verdict_is_the_judged_one(case: Shape) -> None:
    result = checked(case)
    assert result.verdict == case["expect"], case["reason"]
    assert all(finding.sentence and finding.line > 0 and finding.column > 0 for finding in result.findings)


def test_the_sample_holds_every_verdict() -> None:
    assert len(CASES) == 123
    assert {case["expect"] for case in CASES} == {"refuse", "warn", "ok"}


READABLE = [case for case in CASES if parse(case["policy"], partition=case["partition"]).is_valid]


@pytest.mark.parametrize("case", READABLE, ids=[case["id"] for case in READABLE])
def test_neither_order_nor_layout_matters(case: Shape) -> None:
    document = json.loads(case["policy"])
    if isinstance(document["Statement"], list):
        document["Statement"].reverse()
    for text in (json.dumps(document), json.dumps(document, indent=4), json.dumps(document, sort_keys=True)):
        assert checked(case, text).verdict == case["expect"]
