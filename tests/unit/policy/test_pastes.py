"""What people paste is recognised, and the policy inside it is the one that was meant."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_tui.policy import parse
from kms_tui.policy.pasted_text import is_policy, recognize
from tests.unit.policy.build import APP, RELAXED, allow, judged, policy, verdict

POLICY = policy(allow(), allow(APP, "kms:Decrypt", Sid='a "quoted" \\ name'))
ONE_LINE = json.dumps(json.loads(POLICY))
INSIDE = {
    "the JSON answer": json.dumps({"Policy": POLICY, "PolicyName": "default"}, indent=4),
    "the text output": POLICY + "\tdefault\n",
    "the policy and its name on a line of its own": POLICY + "\r\ndefault",
    "an escaped string": json.dumps(POLICY),
    "an escaped string without its quotes": json.dumps(POLICY)[1:-1],
    "a wrapper of another name": json.dumps({"policy": json.loads(POLICY)}),
    "URL encoding": quote(POLICY),
    "IAM's answer": json.dumps({"PolicyVersion": {"Document": json.loads(POLICY), "VersionId": "v1"}}),
    "IAM's answer in URL encoding": json.dumps({"PolicyName": "x", "PolicyDocument": quote(ONE_LINE)}),
    "Organizations' answer": json.dumps({"Policy": {"PolicySummary": {"Name": "x"}, "Content": POLICY}}),
    "EC2's answer": json.dumps({"VpcEndpoints": [{"VpcEndpointId": "vpce-1", "PolicyDocument": POLICY}]}),
    "a wrapper": json.dumps({"KeyPolicy": json.loads(POLICY), "Description": "x"}),
}


@pytest.mark.parametrize("text", INSIDE.values(), ids=INSIDE.keys())
def test_the_policy_inside_is_taken_out(text: str) -> None:
    paste = recognize(text)
    assert paste is not None
    assert paste.policy is not None
    assert json.loads(paste.policy) == json.loads(POLICY)
    assert verdict(text) == "refuse"
    assert verdict(paste.policy) == "ok"
    assert [finding.rule for finding in judged(text).findings] == [paste.rule]


def test_statements_get_a_policy_round_them() -> None:
    for text in (json.dumps(allow()), json.dumps([allow(), allow(APP, "kms:Decrypt")])):
        paste = recognize(text)
        assert paste is not None
        assert paste.rule == "lone-statement"
        assert paste.policy is not None
        assert verdict(paste.policy) == "ok"


@pytest.mark.parametrize(
    "text",
    [
        POLICY,
        "",
        "{}",
        "[]",
        "[1]",
        '"x"',
        "default",
        '{"Policy": "x"}',
        '{"Policy": 1}',
        '{"Policy": {}}',
        '{"Policies": [{"Document": {"Statement": []}}, {"Document": {"Statement": []}}]}',
        '{"a": [{"b": [{"c": [{"d": [{"e": [{"f": {"Statement": []}}]}]}]}]}]}',
        policy(allow(condition={"StringEquals": {"aws:username": "${aws:PrincipalTag/team}"}})),
        policy(
            allow("*", "kms:Decrypt", {"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}})
        ),
    ],
)
def test_a_policy_and_nonsense_are_no_paste(text: str) -> None:
    assert recognize(text) is None


def test_a_templates_own_faults_stay_beside_the_word_for_it() -> None:
    found = [
        finding.rule for finding in judged(policy(allow("arn:aws:iam::${AWS::AccountId}:root"))).findings
    ]
    assert found == ["template", "principal"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('data "aws_iam_policy_document" "key" {\n  statement {\n    effect = "Allow"\n  }\n}', "template"),
        ('resource "aws_kms_key" "a" {\n  policy = jsonencode({})\n}', "template"),
        ('jsonencode({\n  Version = "2012-10-17"\n})', "template"),
        ('{\n  Version = "2012-10-17"\n}', "template"),
        ("policy = <<EOF\n{}\nEOF", "template"),
        ("Statement:\n  - Effect: Allow", "yaml"),
        ("---\nVersion: '2012-10-17'", "yaml"),
        ("- Sid: x\n  Effect: Allow", "yaml"),
        (POLICY + POLICY, "two-documents"),
    ],
)
def test_what_is_no_json_is_told_by_its_first_words(text: str, rule: str) -> None:
    paste = recognize(text)
    assert paste is not None
    assert (paste.rule, paste.policy) == (rule, None)


@pytest.mark.parametrize(
    ("before", "between", "place"),
    [
        ("", "", (1, len(ONE_LINE) + 1)),
        ("", "\n", (2, 1)),
        ("\r\n ", "\r\n\r\n\t", (4, 2)),
        ("\u2003", "\n\u2003", (2, 2)),
    ],
)
def test_the_second_of_two_documents_is_reported_where_it_begins(
    before: str, between: str, place: tuple[int, int]
) -> None:
    (finding,) = judged(before + ONE_LINE + between + ONE_LINE).findings
    assert (finding.line, finding.column) == place
    assert f"The second begins at line {place[0]}, column {place[1]}." in finding.sentence


@given(st.text() | st.text(alphabet='{}[]":,\\ default\n\tPolicyStatement'))
@RELAXED
def test_no_text_raises(text: str) -> None:
    paste = recognize(text)
    if paste is not None and paste.policy is not None:
        assert is_policy(paste.policy)


def test_deep_nesting_is_nothing_special() -> None:
    for text in ("[" * 100_000, '{"a":' * 100_000, '"' * 50_001, "{" + '"Policy":{' * 1000):
        assert recognize(text) is None
        assert not is_policy(text)
    assert parse("[" * 100_000).problems
