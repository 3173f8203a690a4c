"""Conditions that make one claim agree for every request, whatever the keys' values are."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.same_conditions import MAX_CLAIMS, claim_of, truths, unknown
from tests.unit.policy.build import Shape, only_condition

X, Y, MANY = "aws:PrincipalTag/x", "aws:ResourceTag/y", "aws:TagKeys"
SHAPES: tuple[Shape, ...] = (
    {"StringEquals": {X: "a"}},
    {"StringNotEquals": {X: "a"}},
    {"StringLike": {X: "a"}},
    {"StringNotLike": {X: "a"}},
    {"StringLike": {X: "a*"}},
    {"StringNotLike": {X: "a*"}},
    {"StringEquals": {X: ["a", "b"]}},
    {"StringEquals": {X: ["b", "a"]}},
    {"StringEqualsIgnoreCase": {X: "a"}},
    {"StringEqualsIfExists": {X: "a"}},
    {"StringNotEqualsIfExists": {X: "a"}},
    {"StringEquals": {X: "${aws:ResourceTag/y}"}},
    {"StringNotEquals": {X: "${aws:ResourceTag/y}"}},
    {"StringEquals": {Y: "${aws:PrincipalTag/x}"}},
    {"StringNotEquals": {Y: "${aws:PrincipalTag/x}"}},
    {"StringEquals": {X: "${aws:ResourceTag/y, 'a'}"}},
    {"StringLike": {X: "${aws:ResourceTag/y}*"}},
    {"Null": {X: "true"}},
    {"Null": {X: "false"}},
    {"Bool": {X: "true"}},
    {"Bool": {X: "false"}},
    {"NumericEquals": {X: "1"}},
    {"NumericNotEquals": {X: "1"}},
    {"NumericLessThan": {X: "1"}},
    {"NumericGreaterThanEquals": {X: "1"}},
    {"ForAnyValue:StringEquals": {MANY: "a"}},
    {"ForAllValues:StringNotEquals": {MANY: "a"}},
    {"ForAllValues:StringEquals": {MANY: "a"}},
    {"ForAnyValue:StringNotEquals": {MANY: "a"}},
)
TESTS = [only_condition(shape) for shape in SHAPES]
VALUES: tuple[tuple[str, ...] | None, ...] = (None, ("a",), ("b",), ("A",), ("ab",), ("1",), ("true",))
SEVERAL: tuple[tuple[str, ...] | None, ...] = (None, (), ("a",), ("b",), ("a", "b"))


def _holds(test: ConditionTest, values: dict[str, tuple[str, ...] | None]) -> bool:
    def resolve(key: str) -> str | None:
        found = values.get(key)
        return found[0] if found else None

    return test.holds(values[test.key], resolve)


ASSIGNMENTS = [
    {X.lower(): x, Y.lower(): y, MANY.lower(): many} for x, y, many in product(VALUES, VALUES, SEVERAL)
]


@pytest.mark.parametrize(("one", "other"), list(combinations(TESTS, 2)))
def test_conditions_of_one_claim_agree_or_are_opposites(one: ConditionTest, other: ConditionTest) -> None:
    (claim, said), (others_claim, others_said) = claim_of(one), claim_of(other)
    if claim == others_claim:
        for values in ASSIGNMENTS:
            assert (_holds(one, values) is _holds(other, values)) is (said is others_said)


def _claims(*shapes: Shape) -> int:
    return len({claim_of(only_condition(shape))[0] for shape in shapes})


def test_what_is_written_differently_is_one_claim() -> None:
    assert _claims(*SHAPES[:4]) == 1
    assert _claims(*SHAPES[4:6]) == 1
    assert _claims(*SHAPES[6:8]) == 1
    assert _claims(*SHAPES[11:15]) == 1
    assert _claims(*SHAPES[17:19]) == 1
    assert _claims(*SHAPES[21:23]) == 1
    assert _claims(*SHAPES[25:27]) == 1
    assert _claims(*SHAPES[27:29]) == 1


def test_claims_that_are_made_once_are_left_open() -> None:
    assert list(truths([TESTS[0], TESTS[4]])) == [unknown]
    many = [only_condition({"StringEquals": {f"{X}{n}": "a"}}) for n in range(MAX_CLAIMS + 1)]
    assert list(truths([*many, only_condition({"StringEquals": {f"{X}0": "a"}})])) == [unknown]


def test_one_claim_holds_or_not_for_all_that_make_it() -> None:
    ways = list(truths(TESTS[:2]))
    assert [[truth(test) for test in TESTS[:2]] for truth in ways] == [[True, False], [False, True]]
