"""The guard agrees with every judged policy of the sample, three ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kms_tui.policy import check, parse

SAMPLE = Path(__file__).parents[2] / "data" / "policies" / "judged_policies.jsonl"
CASES: list[dict[str, Any]] = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_verdict_is_the_judged_one(case: dict[str, Any]) -> None:
    result = check(
        case["policy"],
        account_id=case["account"],
        partition=case["partition"],
        caller_arn=case["caller_arn"],
        key_arn=case["key_arn"],
    )
    assert result.verdict == case["expect"], case["reason"]
    assert all(finding.sentence and finding.line > 0 and finding.column > 0 for finding in result.findings)


def test_the_sample_holds_every_verdict() -> None:
    assert len(CASES) == 123
    assert {case["expect"] for case in CASES} == {"refuse", "warn", "ok"}


READABLE = [case for case in CASES if parse(case["policy"], partition=case["partition"]).is_valid]


@pytest.mark.parametrize("case", READABLE, ids=[case["id"] for case in READABLE])
def test_neither_order_nor_layout_matters(case: dict[str, Any]) -> None:
    document = json.loads(case["policy"])
    if isinstance(document["Statement"], list):
        document["Statement"].reverse()
    for text in (json.dumps(document), json.dumps(document, indent=4), json.dumps(document, sort_keys=True)):
        result = check(
            text,
            account_id=case["account"],
            partition=case["partition"],
            caller_arn=case["caller_arn"],
            key_arn=case["key_arn"],
        )
        assert result.verdict == case["expect"]
