"""The guard against brute force: small policies whose conditions policy variables tie together.

Every request that the account can make is tried on each policy, over every value that these policies can tell
apart. The guard must find a lockout where none works, and a policy sound only where every plain one works.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from typing import Any

import pytest

from kms_tui.policy import AccessRequest, Document, Effect, Via, evaluate, parse
from kms_tui.policy.principals import Caller
from tests.unit.policy.build import ACCOUNT, KEY, ROOT, Shape, allow, deny, judged, policy

TEAM, DEPT, OWNER = "aws:PrincipalTag/team", "aws:PrincipalTag/dept", "aws:PrincipalTag/owner"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
ANYONE = f"arn:aws:iam::{ACCOUNT}:user/zz-anyone"
NAMED = [
    f"arn:aws:iam::{ACCOUNT}:user/{name}"
    for name in ("red", "redder", "x-red", "x-alice", "other", "x-other", ACCOUNT)
]
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
FRESH = f"arn:aws:iam::{ACCOUNT}:role/zz-anyone"
OPERATORS = ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase")
VALUES = (
    "red",
    f"${{{TEAM}}}",
    f"${{{DEPT}}}",
    f"${{{OWNER}}}",
    f"x-${{{DEPT}}}",
    "${aws:username}",
    f"${{{DEPT}, 'red'}}",
    "${aws:PrincipalAccount}",
    "x-*",
    "alice",
    f"${{{DEPT}}}*",
)
POLICIES = int(os.environ.get("KMS_TUI_ORACLE_POLICIES", "60"))


def _condition(chance: random.Random) -> Shape:
    key = chance.choice((TEAM, TEAM, DEPT, OWNER, "aws:username"))
    if chance.random() < 0.15:
        return {"Null": {key: chance.choice(("true", "false"))}}
    name = chance.choice(OPERATORS) + ("IfExists" if chance.random() < 0.25 else "")
    values = chance.sample(VALUES, chance.choice((1, 1, 1, 2)))
    return {name: {key: values if len(values) > 1 else values[0]}}


def _conditions(chance: random.Random, most: int) -> Shape:
    found: Shape = {}
    for _ in range(chance.randint(1, most)):
        for name, keyed in _condition(chance).items():
            found.setdefault(name, {}).update(keyed)
    return found


def _policy(seed: int) -> str:
    """A policy of one or two Allows to the account and up to three Denies, all of them with conditions."""
    chance = random.Random(seed)
    allows = [allow(condition=_conditions(chance, 2)) for _ in range(chance.choice((1, 1, 2)))]
    if chance.random() < 0.4:
        allows = [allow()]
    whom = ("*", "*", ROOT, APP)
    denies = [
        deny(_conditions(chance, 2), principal=chance.choice(whom)) for _ in range(chance.randint(0, 3))
    ]
    return policy(*allows, *denies)


TAGS = (
    None,
    "red",
    "x-red",
    "RED",
    "x-other",
    "other",
    "OTHER",
    "X-RED",
    "third",
    "alice",
    ACCOUNT,
    "x-alice",
    "app",
    "redder",
)


def _requests() -> Iterator[tuple[AccessRequest, bool]]:
    """Every request for control, and whether it is plain: by an untagged caller that no policy names."""
    tagged: list[Mapping[str, Any]] = [
        {TEAM: team, DEPT: dept, OWNER: owner} for team, dept, owner in product(TAGS, TAGS, TAGS)
    ]
    bare: Mapping[str, Any] = dict.fromkeys((TEAM, DEPT, OWNER))
    for arn in (ROOT, ALICE, ANYONE, APP, FRESH, *NAMED):
        for tags in (bare,) if arn == ROOT else tagged:
            plain = tags == bare and arn in (ROOT, ANYONE, FRESH)
            yield AccessRequest(Caller.parse(arn), "kms:PutKeyPolicy", KEY, tags, complete=True), plain


@cache
def requests(*, plain: bool) -> list[AccessRequest]:
    """Every request for control; with ``plain`` those by an untagged caller that no policy names."""
    return [request for request, is_plain in _requests() if is_plain or not plain]


LOCKOUT = {"no-account-control", "denied-control", "unmeetable-control"}


def _works(document: Document, request: AccessRequest) -> bool:
    decision = evaluate(document, request)
    return decision.effect is Effect.ALLOW and (decision.via is not Via.CALLER or request.caller.is_root)


def _sought(document: Document) -> list[AccessRequest]:
    """The requests that can differ on a policy: a tag that it does not mention stays away."""
    unasked = [tag for tag in (TEAM, DEPT, OWNER) if tag not in document.text]
    return [
        request for request in requests(plain=False) if all(request.context[tag] is None for tag in unasked)
    ]


def differences(seed: int) -> str:
    """How the guard and brute force differ on the policy of that seed; "" where they agree."""
    text = _policy(seed)
    document = parse(text)
    assert document.is_valid
    found = {finding.rule for finding in judged(text, caller=None).findings}
    works = any(_works(document, request) for request in requests(plain=True)) or any(
        _works(document, request) for request in _sought(document)
    )
    if works == bool(found & LOCKOUT):
        return f"seed {seed}: {'no ' if works else ''}lockout, but the guard says {found}\n{text}"
    control = {"root-only", "root-denied", "until-date", "conditional-control"} | LOCKOUT
    sound = all(_works(document, request) for request in requests(plain=True))
    if sound == bool(found & control):
        return f"seed {seed}: plain requests {'all' if sound else 'do not all'} work, but {found}\n{text}"
    return ""


@pytest.mark.parametrize("block", range(5))
def test_the_guard_agrees_with_brute_force(block: int) -> None:
    share = POLICIES // 5
    told = [said for seed in range(block * share, (block + 1) * share) if (said := differences(seed))]
    assert not told, told[0]


def test_the_policies_are_of_every_verdict() -> None:
    found = [judged(_policy(seed), caller=None).verdict.value for seed in range(25)]
    assert set(found) == {"refuse", "warn", "ok"}
    assert len(requests(plain=False)) > 5000
    assert len(requests(plain=True)) == 3
