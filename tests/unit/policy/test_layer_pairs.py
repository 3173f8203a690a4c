"""Two layers at once: which one is named, and what an unknown layer beside one that denies changes."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from kms_tui.policy.authorization import Authorization, authorize_request
from kms_tui.policy.denial_case import read_case
from tests.unit.policy.build import ROOT, Shape
from tests.unit.policy.layer_build import KEY, ROLE, SESSION, everyone, gives, told

VPCE = {"aws:SourceVpce": "vpce-1a2b3c4d"}
GIVES_ALL, GIVES_S3 = {"Statement": gives("*")}, {"Statement": gives("s3:*")}
DENIES = {"Statement": [gives("*"), gives("kms:Decrypt", "Deny")]}
DENIES_ALL = {"Statement": [everyone("*"), everyone("kms:Decrypt", "Deny")]}
TO_ACCOUNT = {**gives(), "Principal": {"AWS": ROOT}}
OPEN: Shape = {
    "key_policy": {"Statement": TO_ACCOUNT},
    "grants": [],
    "identity": [GIVES_ALL],
    "boundary": None,
    "session": [],
    "scps": [[GIVES_ALL], [GIVES_ALL]],
    "rcps": [[{"Statement": everyone("*")}]],
    "endpoint": None,
}
MEMBERS = {
    "rcp": "rcps",
    "scp": "scps",
    "endpoint": "endpoint",
    "key-policy": "key_policy",
    "identity": "identity",
    "boundary": "boundary",
    "session": "session",
}
"""Layer -> member, in the order in which AWS names them."""
EXPLICIT: Shape = {
    "rcp": [[DENIES_ALL]],
    "scp": [[GIVES_ALL], [GIVES_ALL, DENIES]],
    "endpoint": DENIES_ALL,
    "key-policy": {"Statement": [TO_ACCOUNT, everyone("kms:*", "Deny")]},
    "identity": [GIVES_ALL, DENIES],
    "boundary": DENIES,
    "session": [DENIES],
}
IMPLICIT: Shape = {
    "scp": [[GIVES_ALL], [GIVES_S3]],
    "endpoint": {"Statement": everyone("s3:*")},
    "key-policy": {"Statement": {**TO_ACCOUNT, "Principal": {"AWS": ROLE + "-other"}}},
    "identity": [],
    "boundary": GIVES_S3,
    "session": [GIVES_S3],
}
UNDECIDED = {
    ("key-policy", "grants"), ("identity", "grants"), ("boundary", "grants"), ("session", "grants"),
    ("identity", "key_policy"), ("boundary", "key_policy"), ("session", "key_policy"),
}  # fmt: skip
"""A layer without an Allow, and an unknown one that may let the session itself in."""


def _judged(*changes: tuple[str, Any], absent: str = "") -> Authorization:
    layers = {**OPEN, **{MEMBERS[layer]: value for layer, value in changes}}
    layers.pop(absent, None)
    case = {"caller": SESSION, "action": "kms:Decrypt", "key": KEY, "context": VPCE, "layers": layers}
    read = read_case(json.dumps(case))
    return authorize_request(read.request, read.layers)


def _first(*layers: str) -> str:
    return min(layers, key=list(MEMBERS).index)


def test_nothing_denies_to_begin_with() -> None:
    assert told(_judged()) == ("allow",)


@pytest.mark.parametrize(("one", "other"), permutations(EXPLICIT, 2))
def test_of_two_denies_the_first_is_named_and_the_other_told(one: str, other: str) -> None:
    found = told(_judged((one, EXPLICIT[one]), (other, EXPLICIT[other])))
    assert found[:2] == ("deny", _first(one, other))
    assert {one, other} == set(found[1:])


@pytest.mark.parametrize(
    ("explicit", "lacking"), [(one, other) for one in EXPLICIT for other in IMPLICIT if one != other]
)
def test_a_deny_is_named_before_the_lack_of_an_allow(explicit: str, lacking: str) -> None:
    found = told(_judged((explicit, EXPLICIT[explicit]), (lacking, IMPLICIT[lacking])))
    assert found[:2] == ("deny", explicit)


@pytest.mark.parametrize(("one", "other"), permutations(IMPLICIT, 2))
def test_of_two_that_lack_an_allow_the_first_is_named(one: str, other: str) -> None:
    found = told(_judged((one, IMPLICIT[one]), (other, IMPLICIT[other])))
    assert found[:2] == ("deny", _first(one, other))


@pytest.mark.parametrize("absent", OPEN)
@pytest.mark.parametrize("layer", MEMBERS)
def test_what_is_certain_stays_so_beside_an_unknown_layer(layer: str, absent: str) -> None:
    if absent != MEMBERS[layer]:
        assert told(_judged((layer, EXPLICIT[layer]), absent=absent))[:2] == ("deny", layer)
        if layer in IMPLICIT:
            found = told(_judged((layer, IMPLICIT[layer]), absent=absent))
            assert found[0] == ("unknown" if (layer, absent) in UNDECIDED else "deny")
