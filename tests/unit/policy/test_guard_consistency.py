"""The guard, which searches, and the evaluator, which answers one request, never contradict each other."""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.policy import AccessRequest, Caller, Document, Effect, Via, evaluate, parse
from kms_tui.policy.operators import isoformat
from tests.unit.policy.build import (
    ACCOUNT,
    ADMIN,
    APP,
    KEY,
    NOW,
    OTHER,
    RELAXED,
    ROOT,
    Shape,
    allow,
    deny,
    judged,
    policy,
)

OPERATORS = (
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLike",
    "ArnLike",
    "ArnNotLike",
    "Null",
    "Bool",
)
KEYS = (
    "aws:PrincipalArn",
    "aws:PrincipalType",
    "aws:PrincipalAccount",
    "aws:username",
    "aws:userid",
    "aws:MultiFactorAuthPresent",
    "aws:TokenIssueTime",
    "aws:SourceVpce",
    "aws:PrincipalOrgID",
    "aws:ResourceOrgID",
    "aws:ResourceAccount",
    "aws:PrincipalTag/team",
    "aws:SecureTransport",
    "aws:ViaAWSService",
    "kms:ViaService",
    "kms:CallerAccount",
    "kms:PolicyName",
    "kms:NoSuchKey",
)
VALUES = (
    ADMIN,
    ROOT,
    f"arn:aws:iam::{ACCOUNT}:*",
    f"arn:aws:iam::{ACCOUNT}:role/*",
    f"arn:aws:iam::{ACCOUNT}:user/*",
    "Account",
    "User",
    "AssumedRole",
    ACCOUNT,
    OTHER,
    "alice",
    "AROAEXAMPLEID12345:*",
    "*:deploy",
    "true",
    "false",
    "vpce-1a2b3c4d",
    "o-a1b2c3d4e5",
    "red",
    "default",
    "*",
    "${aws:ResourceAccount}",
    "${aws:ResourceOrgID}",
    "${aws:PrincipalOrgID}",
    "${aws:PrincipalTag/team}",
    "${aws:username}",
)
conditions = st.dictionaries(
    st.builds(
        lambda name, suffix: name + (suffix if name != "Null" else ""),
        st.sampled_from(OPERATORS),
        st.sampled_from(["", "", "IfExists"]),
    ),
    st.dictionaries(
        st.sampled_from(KEYS),
        st.sampled_from(VALUES) | st.lists(st.sampled_from(VALUES), min_size=1, max_size=2),
        min_size=1,
        max_size=2,
    ),
    max_size=2,
)
allows = conditions.map(lambda condition: allow(condition=condition))
denies = st.tuples(conditions, st.sampled_from(["*", "*", ROOT, APP, ADMIN])).map(
    lambda found: deny(found[0], principal=found[1])
)
policies = st.tuples(st.lists(allows, min_size=1, max_size=2), st.lists(denies, max_size=3)).map(
    lambda found: policy(*found[0], *found[1])
)

ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
CALLERS: dict[str, tuple[str, list[Any]]] = {
    ROOT: (ACCOUNT, [None]),
    ADMIN: ("AROAFRESHADMIN123456:deploy", [None, "red"]),
    f"arn:aws:iam::{ACCOUNT}:role/anyone": ("AROAFRESHANYONE12345:x", [None, "red", "blue"]),
    ALICE: ("AIDAFRESHALICE123456", [None, "red"]),
    f"arn:aws:iam::{ACCOUNT}:user/anyone": ("AIDAFRESHANYONE12345", [None]),
}
SIGN_INS: list[tuple[str | None, str | None]] = [
    (None, None),
    ("false", isoformat(NOW)),
    ("true", isoformat(NOW)),
]


def _requests() -> list[AccessRequest]:
    """Requests for control that the account can really make, within what these policies tell apart."""
    found: list[AccessRequest] = []
    ways: list[tuple[str | None, str]] = [
        (None, "false"),
        ("vpce-1a2b3c4d", "false"),
        ("vpce-0f", "false"),
        (None, "true"),
    ]
    for arn, (userid, tags) in CALLERS.items():
        for (mfa, token), tag, (vpce, via), org in product(
            SIGN_INS, tags, ways, [None, "o-a1b2c3d4e5", "o-z"]
        ):
            if ":role/" in arn and token is None:
                continue
            context = {
                "aws:userid": userid,
                "aws:MultiFactorAuthPresent": mfa,
                "aws:TokenIssueTime": token,
                "aws:PrincipalTag/team": tag,
                "aws:SourceVpce": vpce,
                "aws:ViaAWSService": via,
                "aws:PrincipalOrgID": org,
                "aws:ResourceOrgID": org,
            }
            found.append(AccessRequest(Caller.parse(arn), "kms:PutKeyPolicy", KEY, context, complete=True))
    return found


REQUESTS = _requests()
PLAIN = [
    request
    for request in REQUESTS
    if "anyone" in request.caller.arn or request.caller.is_root
    if request.context["aws:SourceVpce"] is None
    and request.context["aws:ViaAWSService"] == "false"
    and request.context["aws:PrincipalTag/team"] is None
]
"""What everyone can send: no tag, since the account can always send a request without one."""


def _admitted(document: Document, request: AccessRequest) -> bool:
    decision = evaluate(document, request)
    return decision.effect is Effect.ALLOW and (decision.via is not Via.CALLER or request.caller.is_root)


CONTROL = {"no-account-control", "denied-control", "unmeetable-control"}


@given(policies)
@settings(RELAXED, max_examples=60)
def test_where_a_request_works_the_guard_sees_no_lockout(text: str) -> None:
    document = parse(text)
    found = {finding.rule for finding in judged(text, caller=None).findings}
    if any(_admitted(document, request) for request in REQUESTS):
        assert not found & CONTROL


@given(policies)
@settings(RELAXED, max_examples=60)
def test_where_the_guard_sees_nothing_plain_requests_work(text: str) -> None:
    document = parse(text)
    result = judged(text, caller=None)
    if result.verdict == "ok":
        assert all(_admitted(document, request) for request in PLAIN)


def test_the_requests_tell_these_policies_apart() -> None:
    sound: list[Shape] = [allow()]
    assert all(_admitted(parse(policy(*sound)), request) for request in REQUESTS)
    assert not any(_admitted(parse(policy(*sound, deny())), request) for request in REQUESTS)
    assert len(PLAIN) > 20
