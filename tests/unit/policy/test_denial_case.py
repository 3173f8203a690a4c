"""The file of a denial: what it means, that it comes back as it was, and what is no such file."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.policy.authorization import authorize_request
from kms_tui.policy.denial_case import MAX_BYTES, CaseError, read_case, write_case
from kms_tui.policy.layers import Layers, NamedPolicy, UnreadLayer
from tests.unit.policy.layer_build import KEY, ROLE, SESSION, everyone, gives

ALLOW = {"Version": "2012-10-17", "Statement": [gives()]}
GRANT = {
    "GrantId": "g1",
    "KeyId": KEY,
    "GranteePrincipal": ROLE,
    "Operations": ["Decrypt"],
    "IssuingAccount": "arn:aws:iam::111122223333:root",
    "CreationDate": "2026-11-01T09:00:00+00:00",
    "Constraints": {"EncryptionContextSubset": {"table": "orders"}},
}
LAYERS: dict[str, Any] = {
    "key_policy": {"Version": "2012-10-17", "Statement": [everyone("kms:*")]},
    "grants": [GRANT],
    "identity": [{"name": "arn:aws:iam::111122223333:policy/app", "document": ALLOW}, ALLOW],
    "boundary": ALLOW,
    "session": [json.dumps(ALLOW)],
    "scps": [[ALLOW, ALLOW], [ALLOW]],
    "rcps": [[{"Statement": everyone("*")}]],
    "endpoint": None,
}
CASE: dict[str, Any] = {
    "caller": SESSION,
    "action": "kms:Decrypt",
    "key": KEY,
    "context": {"kms:EncryptionContext:Table": "orders", "aws:MultiFactorAuthAge": 5, "aws:TagKeys": ["a"]},
    "layers": LAYERS,
}


def _changed(**members: Any) -> str:
    return json.dumps({**CASE, **members})


def _with(**members: Any) -> str:
    return _changed(layers={**LAYERS, **members})


def test_every_member_is_read_and_named() -> None:
    case = read_case(json.dumps(CASE))
    layers = case.layers
    assert (case.request.caller.arn, case.request.action, case.request.key_arn) == (
        SESSION,
        "kms:Decrypt",
        KEY,
    )
    assert isinstance(layers.identity, tuple)
    assert isinstance(layers.scps, tuple)
    assert isinstance(layers.grants, tuple)
    assert [policy.name for policy in layers.identity] == [
        "arn:aws:iam::111122223333:policy/app",
        "identity policy 2",
    ]
    assert [[policy.name for policy in level] for level in layers.scps] == [
        ["SCP of level 1, number 1", "SCP of level 1, number 2"],
        ["SCP of level 2, number 1"],
    ]
    assert layers.endpoint is None
    assert layers.grants[0].constraints == {"EncryptionContextSubset": {"table": "orders"}}


def test_a_context_that_is_there_is_complete_and_tells_the_names_of_the_pairs() -> None:
    request = read_case(json.dumps(CASE)).request
    assert request.complete
    assert request.known["kms:encryptioncontextkeys"] == ("Table",)
    assert request.known["aws:multifactorauthage"] == ("5",)
    assert request.known["aws:principalarn"] == (ROLE,)
    without = {name: value for name, value in CASE.items() if name != "context"}
    assert not read_case(json.dumps(without)).request.complete


def test_an_absent_layer_is_unknown_and_null_and_an_empty_list_are_none() -> None:
    layers = read_case(_changed(layers={})).layers
    assert all(isinstance(getattr(layers, name), UnreadLayer) for name in LAYERS)
    none = read_case(_changed(layers=dict.fromkeys(LAYERS))).layers
    assert (none.identity, none.scps, none.session, none.grants) == ((), (), (), ())
    assert none.boundary is none.endpoint is none.key_policy is None


def test_a_case_comes_back_as_it_was() -> None:
    case = read_case(json.dumps(CASE))
    again = read_case(write_case(case))
    assert again.request == case.request
    assert write_case(again) == write_case(case)
    one, other = authorize_request(case.request, case.layers), authorize_request(again.request, again.layers)
    assert [(step.effect, step.source) for step in one.steps] == [
        (step.effect, step.source) for step in other.steps
    ]
    unread = read_case(_changed(layers={"identity": []}))
    assert json.loads(write_case(unread))["layers"] == {"identity": []}


def test_every_layer_has_a_member() -> None:
    assert LAYERS.keys() == {field.name for field in fields(Layers) if field.init} - {"aws_managed"}


def test_the_action_may_lack_its_prefix_and_ignores_case() -> None:
    assert read_case(_changed(action="decrypt")).request.action == "kms:Decrypt"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not JSON"),
        ("[]", "The case must be an object."),
        ('{"caller": ' + "[" * 100_000, "nested too deeply"),
        (b"\xff\xfe{", "is not text in UTF-8"),
        ('{"caller": ' + "9" * 5000 + "}", "too long"),
        (b" " * (MAX_BYTES + 1), "longer than 32 MB"),
        ("{}", "Member caller of the case must be a string."),
        (_changed(caller=5), "Member caller of the case must be a string."),
        (_changed(caller="ada"), 'Member caller of the case is no principal that can call KMS: "ada".'),
        (_changed(caller="\ud800"), "Member caller of the case is no principal"),
        (_changed(key="alias/a"), "Member key of the case must be the ARN of a key"),
        (_changed(key="arn:aws:s3:::b"), "is an ARN of \"s3\", not of KMS"),
        (_changed(action="s3:GetObject"), "Member action of the case is no action of KMS"),
        (_changed(context=[]), "Member context of the case must be an object."),
        (_changed(context={"aws:TagKeys": [{}]}), 'context "aws:TagKeys" of the case must be a string'),
        (_changed(layers=[]), "Member layers of the case must be an object."),
        (_with(scp=[]), 'Layers of the case have no member "scp".'),
        (_with(boundary=5), "Member layers.boundary of the case must be a policy document."),
        (_with(scps=[ALLOW]), r"Member layers.scps\[0\] of the case must be a list."),
        (_with(identity=[ALLOW, {"Statement": 5}]), r"layers.identity\[1\] of the case is no policy: line"),
        (_with(session=["{"]), r"Member layers.session\[0\] of the case is no policy: line 1, column"),
        (_with(boundary={"name": 5, "document": ALLOW}), "Member name of the case must be a string."),
        (_with(grants=[5]), r"Member layers.grants\[0\] of the case must be an object."),
        (_with(grants=[{**GRANT, "Operations": "x"}]), "Operations of the case must be a list"),
        (_with(grants=[{**GRANT, "GrantId": 5}]), "Member GrantId of the case must be a string."),
        (_with(grants=[{**GRANT, "Constraints": {"Nope": {}}}]), "no constraint of a grant"),
        (_with(grants=[{**GRANT, "Constraints": {"EncryptionContextEquals": 1}}]), "must be an object"),
    ],
)  # fmt: skip
def test_what_is_no_case_gets_one_sentence_that_names_the_member(text: str | bytes, words: str) -> None:
    with pytest.raises(CaseError, match=words) as caught:
        read_case(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("moment", [None, "yesterday", 10**30, "2026-11-01", {}, True])
def test_when_a_grant_was_made_does_not_matter(moment: Any) -> None:
    layers = read_case(_with(grants=[{**GRANT, "CreationDate": moment}])).layers
    assert isinstance(layers.grants, tuple)
    assert layers.grants[0].grantee == ROLE


_NAMES = [*CASE, *LAYERS, *GRANT, *ALLOW, "name", "document"]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(SESSION) | st.just(KEY),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*CASE, *LAYERS, *GRANT, *ALLOW, "name", "document"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([*CASE, *LAYERS]), _JSON)
def test_any_json_is_read_or_refused_in_one_sentence(member: str, value: Any) -> None:
    text = _changed(**{member: value}) if member in CASE else _with(**{member: value})
    try:
        case = read_case(text)
    except CaseError:
        return
    authorize_request(case.request, case.layers)
    assert read_case(write_case(case)).request == case.request
    assert isinstance(case.layers.key_policy, NamedPolicy | UnreadLayer | None)
