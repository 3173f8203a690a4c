"""The file of a denial: what it means, that it comes back as it was, and what is no such file."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.policy.authorization import LayerEffect, Outcome, authorize_request
from kms_tui.policy.denial_case import MAX_BYTES, CaseError, read_case, write_case
from kms_tui.policy.layers import Layer, Layers, NamedPolicy, UnreadLayer
from tests.unit.policy.layer_build import KEY, ROLE, SESSION, everyone, gives

ALLOW = {"Version": "2012-10-17", "Statement": [gives()]}
DENY = {"Version": "2012-10-17", "Statement": gives("kms:Decrypt", "Deny")}
S3 = {"Version": "2012-10-17", "Statement": gives("s3:*")}
ROOT_STATEMENT = {"Statement": {**gives(), "Principal": {"AWS": "arn:aws:iam::111122223333:root"}}}
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


def test_a_member_that_is_given_twice_is_not_dropped() -> None:
    text = json.dumps(CASE)
    for member, place in (("identity", "layers"), ("caller", "the case")):
        twice = text.replace(f'"{member}": ', f'"{member}": [], "{member}": ', 1)
        with pytest.raises(CaseError, match=rf'(?i){place}.* has "{member}" twice'):
            read_case(twice)


@pytest.mark.parametrize("member", ["identity", "boundary", "key_policy"])
def test_a_policy_with_an_element_twice_is_not_known(member: str) -> None:
    single = {"Version": "2012-10-17", "Statement": LAYERS["key_policy"]["Statement"], "Id": "twice"}
    policy = single if member == "key_policy" else {**ALLOW, "Id": "twice"}
    text = _with(**{member: [policy] if member == "identity" else policy})
    case = read_case(text.replace('"Id": "twice"', '"Version": "2012-10-17"'))
    found = authorize_request(case.request, case.layers)
    assert member.replace("_", "-") in {step.layer.value for step in found.unread}


def test_a_grant_with_a_member_twice_is_not_known() -> None:
    case = read_case(_with(grants=[GRANT]).replace('"GrantId": "g1"', '"GrantId": "g1", "GrantId": "g2"'))
    assert isinstance(case.layers.grants, UnreadLayer)
    assert "twice" in case.layers.grants.reason


def test_a_byte_order_mark_is_no_part_of_the_case() -> None:
    text = "\ufeff" + json.dumps(CASE)
    assert read_case(text).request == read_case(text.encode()).request


@pytest.mark.parametrize(
    "answer",
    [
        quote(json.dumps(DENY)),
        {"name": "x", "document": quote(json.dumps(DENY))},
        {"PolicyVersion": {"Document": DENY, "VersionId": "v1", "IsDefaultVersion": True}},
        {"RoleName": "app", "PolicyName": "x", "PolicyDocument": DENY},
        {"Policy": {"PolicySummary": {"Name": "x"}, "Content": json.dumps(DENY)}},
    ],
    ids=["URL encoding", "named", "GetPolicyVersion", "GetRolePolicy", "DescribePolicy"],
)
def test_a_policy_may_lie_in_an_answer_of_aws(answer: object) -> None:
    case = read_case(_with(identity=[answer]))
    found = authorize_request(case.request, case.layers)
    assert found.decisive is not None
    assert (found.outcome, found.decisive.layer) == (Outcome.DENY, Layer.IDENTITY)
    assert found.decisive.effect is LayerEffect.EXPLICIT_DENY
    again = read_case(write_case(case))
    assert authorize_request(again.request, again.layers).outcome is Outcome.DENY


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
    assert LAYERS.keys() == {field.name for field in fields(Layers) if field.init} - {
        "aws_managed",
        "unread_grants",
    }


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
    ],
)  # fmt: skip
def test_what_is_no_case_gets_one_sentence_that_names_the_member(text: str | bytes, words: str) -> None:
    with pytest.raises(CaseError, match=words) as caught:
        read_case(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "layer", "words"),
    [
        ({"boundary": 5}, Layer.BOUNDARY, "permissions boundary is not valid: A policy is a JSON object"),
        ({"boundary": ["x"]}, Layer.BOUNDARY, "permissions boundary is not valid: A policy is a JSON object"),
        ({"key_policy": "{"}, Layer.KEY_POLICY, "key policy is not valid: The name of an element"),
        ({"key_policy": {}}, Layer.KEY_POLICY, "key policy is not valid: The policy has no statements."),
        ({"scps": [ALLOW]}, Layer.SCP, r"Member layers.scps\[0\] of the case must be a list."),
        ({"rcps": [[{"Statement": 5}]]}, Layer.RCP, "RCP of level 1, number 1 is not valid: A statement"),
        ({"identity": [ALLOW, {"Statement": 5}]}, Layer.IDENTITY, "identity policy 2 is not valid: A"),
        ({"identity": [{"name": "x", "document": None}]}, Layer.IDENTITY, "x is not valid: A policy is"),
        ({"identity": ALLOW}, Layer.IDENTITY, "Member layers.identity of the case must be a list."),
        ({"session": ["{"]}, Layer.SESSION, "session policy 1 is not valid: The name of an element"),
        ({"grants": 5}, Layer.GRANT, "Member layers.grants of the case must be a list."),
        ({"grants": [5]}, Layer.GRANT, r"Member layers.grants\[0\] of the case must be an object."),
        ({"grants": [{**GRANT, "Operations": "x"}]}, Layer.GRANT, "Operations of the case must be a list"),
        (
            {"grants": [{**GRANT, "GrantId": 5}]},
            Layer.GRANT,
            r"Member layers.grants\[0\].GrantId of the case must be a string.",
        ),
        ({"grants": [{**GRANT, "Constraints": {"Nope": {}}}]}, Layer.GRANT, "no constraint of a grant"),
        (
            {"grants": [{**GRANT, "Constraints": {"EncryptionContextEquals": 1}}]},
            Layer.GRANT,
            "must be an object",
        ),
    ],
)
def test_what_cannot_be_read_of_a_layer_is_told_and_the_rest_answers(
    changes: dict[str, Any], layer: Layer, words: str
) -> None:
    open_layers = {**dict.fromkeys(LAYERS), "key_policy": ROOT_STATEMENT, "identity": [ALLOW]}
    case = read_case(_changed(context=None, layers={**open_layers, **changes}))
    found = authorize_request(case.request, case.layers)
    step = found.step(layer)
    assert step.effect is LayerEffect.UNREAD
    assert re.search(words, step.sentence)
    assert found.outcome is (Outcome.ALLOW if layer is Layer.GRANT else Outcome.UNKNOWN)
    refused = {**open_layers, "identity": [DENY], "scps": [[DENY]], **changes}
    again = read_case(_changed(context=None, layers=refused))
    assert authorize_request(again.request, again.layers).outcome is Outcome.DENY


def test_a_policy_beside_one_that_cannot_be_read_still_counts() -> None:
    layers = {**dict.fromkeys(LAYERS), "key_policy": ROOT_STATEMENT, "identity": ["{", DENY]}
    case = read_case(_changed(context={}, layers=layers))
    found = authorize_request(case.request, case.layers)
    assert found.outcome is Outcome.DENY
    assert found.decisive is not None
    assert found.decisive.sentence.startswith(
        "Statement 1 of identity policy 2 denies kms:Decrypt. Not known:"
    )
    lacking = {**layers, "identity": [ALLOW], "scps": [["{"], [S3]]}
    case = read_case(_changed(context={}, layers=lacking))
    found = authorize_request(case.request, case.layers)
    assert found.decisive is not None
    assert found.decisive.sentence.startswith(
        "No service control policy of level 2 of 2, counted from the root,"
    )


def test_a_grant_beside_one_that_cannot_be_read_still_counts() -> None:
    """An allow of a sound grant stands; a denial may be wrong, as the other grant may allow it."""
    layers = {**dict.fromkeys(LAYERS), "key_policy": ROOT_STATEMENT}
    for bad, words in (
        ({"Operations": 5}, "layers.grants[0].Operations"),
        (7, "layers.grants[0] of the case"),
    ):
        read = read_case(_changed(layers={**layers, "grants": [bad, GRANT, "x", None]}))
        allowed = authorize_request(read.request, read.layers)
        step = allowed.step(Layer.GRANT)
        assert (allowed.outcome, step.effect) == (Outcome.ALLOW, LayerEffect.ALLOW)
        assert words in step.sentence
        assert "2 more of its grants cannot be read" in step.sentence
        open_one = {**GRANT, "Operations": ["Encrypt"]}
        read = read_case(_changed(layers={**layers, "grants": [bad, open_one]}))
        unknown = authorize_request(read.request, read.layers)
        assert (unknown.outcome, unknown.step(Layer.GRANT).effect) == (Outcome.UNKNOWN, LayerEffect.UNREAD)
        assert unknown.decisive is unknown.step(Layer.GRANT)
        again = read_case(write_case(read)).layers
        assert (again.grants, again.unread_grants) == (read.layers.grants, read.layers.unread_grants)
        refused = read_case(_changed(layers={**layers, "grants": [bad, GRANT], "scps": [[DENY]]}))
        assert authorize_request(refused.request, refused.layers).outcome is Outcome.DENY


def test_a_member_that_is_no_layer_is_named_where_a_layer_is_missing() -> None:
    layers = {name: value for name, value in LAYERS.items() if name != "scps"}
    case = read_case(_changed(layers={**layers, "scp": [], "note": "x"}))
    assert case.layers.scps == UnreadLayer('the case does not have it; it has "scp", which is no layer')


def test_a_policy_without_a_good_name_and_the_whole_answer_of_list_grants_are_read() -> None:
    changed = {
        "identity": [{"name": 5, "document": ALLOW}],
        "grants": {"Grants": [GRANT], "Truncated": False},
    }
    layers = read_case(_with(**changed)).layers
    assert isinstance(layers.identity, tuple)
    assert layers.identity[0].name == "identity policy 1"
    assert layers.grants == read_case(json.dumps(CASE)).layers.grants


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
