"""What holds for every policy: order and formatting change nothing, and nothing raises or is much work."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.policy import parse
from kms_tui.policy.condition_keys import KEYS
from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.document import MAX_BYTES
from kms_tui.policy.guard import check
from kms_tui.policy.operators import OPERATORS
from tests.unit.policy.build import (
    ACCOUNT,
    ADMIN,
    APP,
    KEY,
    OTHER,
    RELAXED,
    ROOT,
    Shape,
    allow,
    deny,
    judged,
    policy,
    verdict,
)
from tests.unit.policy.work import counted

operators = st.builds(
    lambda qualifier, name, suffix: qualifier + name + (suffix if name != "Null" else ""),
    st.sampled_from(["", "", "", "ForAllValues:", "ForAnyValue:"]),
    st.sampled_from(sorted(OPERATORS)),
    st.sampled_from(["", "", "IfExists"]),
)
condition_keys = st.sampled_from(
    [*sorted(KEYS), "aws:PrincipalTag/team", "kms:EncryptionContext:app", "aws:Nothing"]
)
values = st.sampled_from(
    [
        ACCOUNT,
        OTHER,
        ROOT,
        ADMIN,
        f"arn:aws:iam::{ACCOUNT}:role/*",
        f"arn:aws:iam::{ACCOUNT}:*",
        "*",
        "",
        "true",
        "false",
        "2020-01-01T00:00:00Z",
        "2099-01-01T00:00:00Z",
        "3600",
        "198.51.100.0/24",
        "10.0.0.0/8",
        "0.0.0.0/0",
        "User",
        "AROAEXAMPLEID:*",
        "*:alice",
        "${aws:username}",
        "${aws:PrincipalTag/team, 'x'}",
        "o-a1b2c3d4e5",
        "default",
        "us-east-1",
        True,
        0,
    ]
)
conditions: st.SearchStrategy[Shape] = st.dictionaries(
    operators, st.dictionaries(condition_keys, values | st.lists(values, max_size=3), max_size=2), max_size=2
)
who = st.sampled_from(["*", ROOT, ACCOUNT, ADMIN, APP, OTHER, [ROOT, ADMIN], "AROAEXAMPLEID12345"])
services = st.sampled_from([{"Service": "s3.amazonaws.com"}, {"Federated": "accounts.google.com"}])
action_lists = st.sampled_from(
    ["kms:*", "*", "kms:Put*", "kms:Decrypt", ["kms:Get*", "kms:PutKeyPolicy"], "kms:Bad"]
)
resource_lists = st.sampled_from(["*", KEY, "arn:aws:kms:*:*:key/*", "arn:aws:s3:::b"])


@st.composite
def statements(draw: st.DrawFn) -> Shape:
    shape: Shape = {"Effect": draw(st.sampled_from(["Allow", "Deny"]))}
    principal: Any = draw(who | services)
    principal = principal if isinstance(principal, dict) else {"AWS": principal}
    inverted = shape["Effect"] == "Deny" and draw(st.integers(0, 4)) == 0
    shape["NotPrincipal" if inverted else "Principal"] = principal
    shape[draw(st.sampled_from(["Action", "Action", "Action", "NotAction"]))] = draw(action_lists)
    shape[draw(st.sampled_from(["Resource", "Resource", "Resource", "NotResource"]))] = draw(resource_lists)
    if draw(st.booleans()):
        shape["Condition"] = draw(conditions)
    return shape


policies = st.lists(statements(), min_size=1, max_size=5).map(lambda found: [allow(), *found])


@given(policies, st.randoms(use_true_random=False))
@settings(RELAXED, max_examples=100)
def test_the_order_of_statements_never_changes_the_verdict(found: list[Shape], chance: random.Random) -> None:
    expected = verdict(policy(*found))
    shuffled = list(found)
    chance.shuffle(shuffled)
    assert verdict(policy(*shuffled)) == expected


def _reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reordered(value[key]) for key in reversed(value)}
    return [_reordered(each) for each in value] if isinstance(value, list) else value


@given(policies, st.sampled_from([None, 0, 3, "\t"]))
@settings(RELAXED, max_examples=60)
def test_formatting_never_changes_the_verdict(found: list[Shape], indent: int | str | None) -> None:
    text = policy(*found)
    expected = verdict(text)
    document = json.loads(text)
    assert verdict(json.dumps(document, indent=indent)) == expected
    assert verdict(json.dumps(document, separators=(",", ":"))) == expected
    assert verdict(json.dumps(_reordered(document))) == expected
    assert verdict(text.replace("\n", "\r\n")) == expected


@given(policies)
@settings(RELAXED, max_examples=75)
def test_a_deny_of_everything_to_everyone_is_always_a_lockout(found: list[Shape]) -> None:
    assert verdict(policy(*found, deny())) == "refuse"


RANK = {"refuse": 0, "warn": 1, "ok": 2}


@given(policies, statements().filter(lambda shape: shape["Effect"] == "Deny"))
@settings(RELAXED, max_examples=75)
def test_one_more_deny_never_undoes_a_lockout(found: list[Shape], extra: Shape) -> None:
    if verdict(policy(*found)) == "refuse":
        assert verdict(policy(*found, extra)) == "refuse"


@given(policies)
@settings(RELAXED, max_examples=50)
def test_saying_a_statement_twice_never_changes_the_verdict(found: list[Shape]) -> None:
    assert verdict(policy(*found, *found)) == verdict(policy(*found))


@given(policies)
@settings(RELAXED, max_examples=50)
def test_the_verdict_is_that_of_the_gravest_finding(found: list[Shape]) -> None:
    result = judged(policy(*found))
    gravest = min((RANK.get(finding.severity.value, 2) for finding in result.findings), default=2)
    assert RANK[result.verdict.value] == gravest
    places = [(finding.line, finding.column) for finding in result.findings]
    assert places == sorted(places)


@given(st.text() | st.binary() | st.text(alphabet=st.characters(codec=None)))
@settings(RELAXED, max_examples=150)
def test_no_input_raises(text: str | bytes) -> None:
    assert check(text, account_id=ACCOUNT).verdict == "refuse"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["*", ROOT, "Allow", "kms:*", "2012-10-17"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Version", "Statement", "Effect", "Principal", "AWS", "Action", "Condition", "Bool"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=30,
)


@given(json_values)
@settings(RELAXED, max_examples=100)
def test_no_shape_of_json_raises(document: Any) -> None:
    assert check(json.dumps(document), account_id=ACCOUNT).verdict in ("refuse", "warn", "ok")


@given(policies, st.text(), st.text())
@settings(RELAXED, max_examples=50)
def test_no_caller_or_key_raises(found: list[Shape], caller: str, key_arn: str) -> None:
    assert check(policy(*found), account_id=ACCOUNT, caller_arn=caller, key_arn=key_arn).findings


def _role_condition(operator: str, listed: list[str]) -> str:
    return _compact(allow(), deny({operator: {"aws:PrincipalArn": listed}}))


def _where(condition: Shape) -> str:
    return _compact(allow(condition=condition))


def _compact(*found: Shape) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(found)}, separators=(",", ":"))


def _tagged(number: int, value: str) -> Shape:
    return {f"aws:PrincipalTag/{number}": value}


HOSTILE: dict[str, Callable[[int], str]] = {
    "wildcard bomb in an action": lambda n: policy(allow(action="kms:" + "*?" * n)),
    "stars in an action": lambda n: policy(allow(action="*" * n)),
    "wildcard bomb in a resource": lambda n: policy(allow(Resource="*?" * n)),
    "wildcard bomb in a condition": lambda n: policy(
        allow(condition={"StringLike": {"aws:PrincipalArn": "*?" * n}})
    ),
    "long pattern without an end": lambda n: policy(
        allow(condition={"StringLike": {"aws:PrincipalArn": "*a" * n}})
    ),
    "many bombs": lambda n: _role_condition("StringLike", [f"*a?{k}*" + "*a?" * 6 for k in range(n)]),
    "many patterns": lambda n: _role_condition("ArnLike", [f"*{k}*x" for k in range(n)]),
    "many role patterns": lambda n: _role_condition("ArnNotLike", [f"{APP}{k}*" for k in range(n)]),
    "many roles": lambda n: _role_condition("StringNotEquals", [f"{APP}{k}" for k in range(n)]),
    "many actions": lambda n: policy(allow(action=[f"kms:*{k:x}?" for k in range(n)])),
    "many short actions": lambda n: policy(allow(action=[f"*{k:x}*" for k in range(n)])),
    "many unknown actions": lambda n: policy(allow(action=[f"kms:A{k:x}" for k in range(n)])),
    "many principals": lambda n: policy(allow([f"{APP}{k}" for k in range(n)])),
    "many accounts": lambda n: policy(allow([f"{k:012d}" for k in range(n)])),
    "many denies": lambda n: _compact(allow(), *([deny({"Bool": {"aws:SecureTransport": "false"}})] * n)),
    "many different denies": lambda n: _compact(
        allow(), *(deny({"StringNotEquals": _tagged(k, "x") | _tagged(k + 1, "y")}) for k in range(n))
    ),
    "many allows": lambda n: _compact(
        *(allow(condition={"StringEquals": _tagged(k, "x")}) for k in range(n))
    ),
    "many public allows": lambda n: _compact(*(allow("*", f"kms:D*{k}") for k in range(n))),
    "many services": lambda n: policy(allow({"Service": [f"s{k}.amazonaws.com" for k in range(n)]})),
    "many networks": lambda n: _where(
        {"NotIpAddress": {"aws:SourceIp": [f"198.{k % 256}.{k // 256}.0/25" for k in range(n)]}}
    ),
    "many dates": lambda n: _where(
        {"DateLessThan": {"aws:CurrentTime": [str(2_000_000_000 + k) for k in range(n)]}}
    ),
    "many ages": lambda n: _where(
        {"NumericLessThan": {"aws:MultiFactorAuthAge": [str(k) for k in range(n)]}}
    ),
    "many keys": lambda n: _where({"StringEquals": {f"aws:PrincipalTag/{k}": "x" for k in range(n)}}),
    "many variables": lambda n: _where(
        {"StringLike": {"aws:PrincipalArn": [f"{k}${{aws:username}}" for k in range(n)]}}
    ),
    "a chain of tied tags": lambda n: _where(
        {"StringEquals": {f"aws:PrincipalTag/{k}": f"${{aws:PrincipalTag/{k + 1}}}" for k in range(n)}}
    ),
    "tied tags in many statements": lambda n: _compact(
        allow(),
        *(
            deny({"StringNotEquals": {f"aws:PrincipalTag/{k}": f"x${{aws:PrincipalTag/{k % 7}}}"}})
            for k in range(n)
        ),
    ),
    "one tag tied to many": lambda n: _where(
        {"StringLike": {"aws:PrincipalTag/a": [f"${{aws:PrincipalTag/{k}}}*" for k in range(n)]}}
    ),
    "tags tied to callers": lambda n: _role_condition(
        "ArnNotLike", [f"{APP}{k}/${{aws:PrincipalTag/{k % 9}}}" for k in range(n)]
    ),
    "one long variable text": lambda n: _where({"StringLike": {"aws:username": "${aws:username}*" * n}}),
    "open variables": lambda n: _where({"StringEquals": {"aws:username": "${" * n}}),
    "variable with spaces": lambda n: _where({"StringEquals": {"aws:username": "${a" + " " * n + "}"}}),
    "long path": lambda n: policy(allow(f"arn:aws:iam::{ACCOUNT}:user/" + "a/" * n)),
    "long host": lambda n: policy(allow({"Service": "a." * n})),
    "slashes": lambda n: policy(allow(f"arn:aws:iam::{ACCOUNT}:role" + "/" * n)),
    "deep nesting": lambda n: "[" * n,
    "open quotes": lambda n: '"' * n,
    "escapes": lambda n: '"' + "\\u0041" * n + '"',
    "many small values": lambda n: "[" + "0," * n + "0]",
    "line breaks": lambda n: "\n" * n + policy(allow()),
}


def largest(make: Callable[[int], str]) -> str:
    """Such a text of nearly the greatest size that is not refused for its size alone."""
    few, many = len(make(100)), len(make(1100))
    count = int((MAX_BYTES - few) / ((many - few) / 1000)) + 100
    while len(make(count)) > MAX_BYTES:
        count = count * 19 // 20
    return make(count)


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_policies_are_judged_with_little_work(name: str) -> None:
    """``tests/bench/bench_policy.py`` says what that is in milliseconds."""
    text = largest(HOSTILE[name])
    assert len(text) > 0.6 * MAX_BYTES
    lines, result = counted(lambda: judged(text))
    assert lines < 80 * MAX_BYTES
    assert result.verdict in ("refuse", "warn")


@pytest.mark.parametrize("name", HOSTILE)
def test_small_hostile_policies_are_little_work_too(name: str) -> None:
    """Past some length a text is given up at once; what grows steeply shows before that."""
    lines, _ = counted(lambda: judged(HOSTILE[name](60)))
    assert lines < 2_500_000


def test_no_finding_holds_a_lone_surrogate_or_control_character() -> None:
    hostile = "\\ud800\\u001b]0;x\\u0007\\u202e"
    text = policy(allow(APP, "kms:X"), deny({"StringLike": {"aws:Y": "z"}}))
    for word in ("kms:X", "aws:Y", "role/app"):
        for finding in judged(text.replace(word, word + hostile)).findings:
            assert finding.sentence.isprintable()
            finding.sentence.encode()


def test_conditions_are_compared_by_identity() -> None:
    document = parse(policy(allow(condition={"Bool": {"aws:SecureTransport": "true"}}), allow()))
    (test,) = document.statements[0].conditions
    assert isinstance(test, ConditionTest)
    assert len({test, test}) == 1
