"""Conditions in words: what is required and what is forbidden never read alike."""

from __future__ import annotations

import pytest

from kms_tui.policy.describe import condition
from kms_tui.policy.operators import OPERATORS
from tests.unit.policy.build import Shape, allow, deny, judged, only_condition, policy, with_root


def _words(shape: Shape, *, holds: bool = True) -> str:
    return condition(only_condition(shape), holds=holds)


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_an_operator_and_its_opposite_differ_and_turn_back(name: str) -> None:
    shape: Shape = {name: {"aws:username": "true" if name == "Null" else "7"}}
    one, other = _words(shape), _words(shape, holds=False)
    assert one != other
    assert not other.startswith("not (")
    assert {one.count(" not "), other.count(" not ")} <= {0, 1}


def test_a_set_and_an_if_exists_are_denied_as_a_whole() -> None:
    assert _words({"StringEqualsIfExists": {"aws:username": "a"}}, holds=False).startswith("not (")
    assert _words({"ForAnyValue:StringEquals": {"aws:CalledVia": "a.b"}}, holds=False).startswith("not (")


def test_control_by_a_deny_is_told_by_what_spares() -> None:
    team = {"aws:PrincipalTag/team": "security"}
    (required,) = (
        f for f in judged(policy(allow(condition={"StringEquals": team}))).findings if f.rule != "size"
    )
    found = judged(with_root(deny({"StringNotEquals": team}))).findings
    (spared,) = (finding for finding in found if finding.rule == "root-denied")
    assert 'aws:PrincipalTag/team is "security"' in required.sentence
    assert 'aws:PrincipalTag/team is "security"' in spared.sentence
