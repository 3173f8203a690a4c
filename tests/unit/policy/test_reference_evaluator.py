"""The evaluation of all layers against a second one, written from AWS's documentation alone."""

from __future__ import annotations

import json
from random import Random

import pytest

from kms_tui.policy.authorization import Authorization, authorize_request, is_allowed
from kms_tui.policy.denial_case import read_case
from tests.unit.policy.layer_cases import Json, random_case
from tests.unit.policy.reference_evaluator import ORDER, expected

CASES = 600


def _judged(case: Json) -> Authorization:
    read = read_case(json.dumps(case))
    found = authorize_request(read.request, read.layers)
    assert is_allowed(read.request, read.layers) is {"allow": True, "deny": False}.get(found.outcome.value)
    return found


@pytest.mark.parametrize("first", range(0, CASES, 100))
def test_both_evaluations_agree(first: int) -> None:
    for seed in range(first, first + 100):
        case = random_case(Random(seed))
        outcome, layers = expected(case)
        found = _judged(case)
        decisive = found.decisive.layer.value if found.decisive else None
        assert found.outcome.value == outcome, (seed, case)
        assert decisive in layers or (decisive is None and not layers), (seed, decisive, layers, case)
        exempt = {step.layer for step in found.steps if step.effect.value == "exempt"}
        assert not exempt & {step.layer for step in found.also}, (seed, case)


def test_the_cases_have_every_outcome_and_every_decisive_layer() -> None:
    tried = [expected(random_case(Random(seed))) for seed in range(CASES)]
    assert (
        min([outcome for outcome, _ in tried].count(each) for each in ("allow", "deny", "unknown"))
        > CASES / 10
    )
    for layer in ORDER:
        assert any(layer in layers for outcome, layers in tried if outcome == "deny")
        assert any(layer in layers for outcome, layers in tried if outcome == "unknown")
