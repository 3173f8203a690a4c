"""The strict parser: what is a policy, what is none, and where it says so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kms_tui.policy import parse
from kms_tui.policy.json_reader import MAX_DEPTH
from tests.unit.policy.build import ACCOUNT, APP, ROOT, Shape, allow, deny, judged, policy, verdict, with_root

SOUND = policy(allow(Sid="Enable IAM policies"))

BROKEN_TEXTS: list[str] = [
    "",
    " \n\t ",
    "\x00",
    "null",
    "true",
    '"policy"',
    "1",
    "[]",
    "{}",
    "{",
    "[",
    "]",
    "NaN",
    "Infinity",
    "policy",
    SOUND + "x",
    SOUND + SOUND,
    SOUND[:-1],
    SOUND[1:],
    SOUND + "\x00",
    "\ufeff" + SOUND,
    SOUND.replace('"kms:*"', "NaN"),
    SOUND.replace('"kms:*"', "-Infinity"),
    SOUND.replace('"kms:*"', "'kms:*'"),
    SOUND.replace('"Effect"', "Effect"),
    SOUND.replace('"kms:*"', '"kms:*",'),
    SOUND.replace('"kms:*",', '"kms:*"'),
    SOUND.replace('"Effect":', '"Effect"'),
    SOUND.replace('"Effect":', '"Effect"='),
    SOUND.replace("{", "{ // comment\n", 1),
    SOUND.replace("{", "{ # comment\n", 1),
    SOUND.replace("{", "{ /* comment */", 1),
    SOUND.replace("\n    }\n", ",\n    }\n"),
    SOUND.replace("IAM", "I\tAM"),
    SOUND.replace("IAM", "I\\xAM"),
    SOUND.replace("IAM", "I\\u12AM"),
    SOUND.replace("IAM", "I\\u００４１AM"),
    SOUND.replace("IAM", "\\ud83d"),
    SOUND.replace("IAM", "\\ude00\\ud83d"),
    SOUND.replace("IAM", "\ud83d"),
    SOUND.replace("IAM", "I\u2014AM"),
    SOUND.replace("IAM", "I\U0001f512AM"),
    SOUND.replace("\n", "\u2028"),
    SOUND.replace("\n", "\xa0"),
    SOUND.replace("\n", "\x0b"),
    SOUND.replace('"2012-10-17"', "2012-10-17"),
    SOUND.replace('"2012-10-17"', "20121017"),
    SOUND.replace('"2012-10-17"', "01"),
    SOUND.replace('"2012-10-17"', "+1"),
    SOUND.replace('"2012-10-17"', "1."),
    SOUND.replace('"2012-10-17"', ".5"),
    SOUND.replace('"2012-10-17"', "1e"),
    SOUND.replace('"2012-10-17"', "9" * 5000),
    SOUND.replace('"2012-10-17"', "True"),
    SOUND.replace('"2012-10-17"', "null"),
    SOUND.replace('"Effect": "Allow"', '"Effect": "Allow", "Effect": "Allow"'),
    SOUND.replace('"Effect": "Allow"', '"Effect": "Deny", "\\u0045ffect": "Allow"'),
    SOUND.replace('"Version"', '"Statement": [], "Version"'),
    "[" * 100_000,
    '{"a":' * 100_000,
    "[" * 100_000 + "]" * 100_000,
    "{" * 50_000 + "}" * 50_000,
    '"' * 130_000,
    '"' + "\\" * 130_000,
    "-" * 100_000,
    "9" * 100_000,
    "," * 100_000,
    "Version: '2012-10-17'\nStatement: []",
    f"arn:aws:iam::{ACCOUNT}:root kms:*",
]


@pytest.mark.parametrize("text", BROKEN_TEXTS, ids=range(len(BROKEN_TEXTS)))
def test_what_is_no_policy_in_strict_json_is_refused(text: str) -> None:
    assert verdict(text) == "refuse"
    assert not parse(text).is_valid


SOUND_TEXTS: list[str] = [
    SOUND.replace("\n", "\r\n"),
    SOUND.replace("\n", "\r"),
    SOUND.replace("\n", "\t"),
    SOUND.replace("\n", ""),
    "\n\n " + SOUND + "\t\r\n",
    SOUND.replace("IAM", "\xc4\xd6\xdc\xff\xa0\x7f\x85"),
    SOUND.replace("IAM", '\\u00e9\\n\\t\\/\\\\\\"'),
    SOUND.replace("IAM", "\\u2014"),
    SOUND.replace("IAM", "\\ud83d\\ude00"),
    SOUND.replace("Enable IAM policies", ""),
    SOUND.replace('"Effect"', '"\\u0045ffect"'),
    SOUND.replace('"Version"', '"Id": "key-default-1", "Version"'),
    SOUND.replace(ROOT, ROOT.replace("/", "\\/").replace("a", "\\u0061")),
]


@pytest.mark.parametrize("text", SOUND_TEXTS, ids=range(len(SOUND_TEXTS)))
def test_a_policy_may_be_written_in_many_ways(text: str) -> None:
    assert verdict(text) == "ok"
    assert parse(text).is_valid


def _document(**elements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [allow()]} | elements)


@pytest.mark.parametrize(
    "elements",
    [
        {"Statement": []},
        {"Statement": None},
        {"Statement": "x"},
        {"Statement": 7},
        {"Statement": [None]},
        {"Statement": [allow(), None]},
        {"Statement": [allow(), []]},
        {"Statement": [[allow()]]},
        {"Statement": [allow(), "x"]},
        {"Statement": {}},
        {"Statement": [{}]},
        {"Version": ""},
        {"Version": "2012-10-17 "},
        {"Version": "2012-10-18"},
        {"Version": "2012-10-1７"},
        {"Version": ["2012-10-17"]},
        {"Version": 2012},
        {"Version": None},
        {"Id": 7},
        {"Id": None},
        {"Comment": "x"},
        {"version": "2012-10-17"},
        {"statement": [allow()]},
        {"Policy": "{}"},
    ],
)
def test_a_broken_frame_is_refused(elements: Shape) -> None:
    assert verdict(_document(**elements)) == "refuse"


def test_a_policy_without_statements_is_refused() -> None:
    assert verdict('{"Version": "2012-10-17"}') == "refuse"


@pytest.mark.parametrize(
    "elements",
    [
        {"Effect": "allow"},
        {"Effect": "ALLOW"},
        {"Effect": "Allow "},
        {"Effect": "Permit"},
        {"Effect": ["Allow"]},
        {"Effect": True},
        {"Effect": None},
        {"Sid": 7},
        {"Sid": None},
        {"Sid": ["a"]},
        {"Actions": "kms:*"},
        {"action": "kms:*"},
        {"Conditions": {}},
        {"Version": "2012-10-17"},
        {"Comment": "x"},
        {" Sid": "x"},
        {"NotAction": "s3:*"},
        {"NotResource": "*"},
        {"NotPrincipal": {"AWS": APP}},
        {"Condition": None},
        {"Condition": []},
        {"Condition": "x"},
        {"Condition": {"StringEqual": {"aws:PrincipalAccount": ACCOUNT}}},
        {"Condition": {"stringequals": {"aws:PrincipalAccount": ACCOUNT}}},
        {"Condition": {"StringEquals": []}},
        {"Condition": {"StringEquals": "x"}},
        {"Condition": {"StringEquals": None}},
        {"Condition": {"StringEquals": {"aws:PrincipalAccount": None}}},
        {"Condition": {"StringEquals": {"aws:PrincipalAccount": [None]}}},
        {"Condition": {"StringEquals": {"aws:PrincipalAccount": {"Ref": "x"}}}},
        {"Condition": {"StringEquals": {"aws:PrincipalAccount": [[ACCOUNT]]}}},
        {"Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT, "aws:principalaccount": ACCOUNT}}},
        {"Condition": {"NullIfExists": {"aws:PrincipalAccount": "false"}}},
        {"Condition": {"ForAllValues": {"aws:PrincipalAccount": ACCOUNT}}},
        {"Condition": {"ForSomeValues:StringEquals": {"aws:PrincipalAccount": ACCOUNT}}},
        {"Condition": {"ForAllValues:ForAnyValue:StringEquals": {"aws:PrincipalAccount": ACCOUNT}}},
        {"Condition": {"IfExists": {"aws:PrincipalAccount": ACCOUNT}}},
        {"Condition": {"": {"aws:PrincipalAccount": ACCOUNT}}},
        {"Condition": {"aws:PrincipalAccount": {"StringEquals": ACCOUNT}}},
    ],
)
def test_a_broken_statement_is_refused_wherever_it_stands(elements: Shape) -> None:
    broken = json.loads(json.dumps(allow(APP, "kms:Decrypt"))) | elements
    assert verdict(with_root(broken)) == "refuse"
    assert verdict(policy(broken, allow())) == "refuse"


@pytest.mark.parametrize("missing", ["Effect", "Principal"])
def test_a_statement_needs_an_effect_and_a_principal(missing: str) -> None:
    statement = allow(APP, "kms:Decrypt")
    del statement[missing]
    assert verdict(with_root(statement)) == "refuse"


def test_not_principal_with_allow_is_refused() -> None:
    statement = allow(NotPrincipal={"AWS": APP})
    del statement["Principal"]
    assert verdict(with_root(statement)) == "refuse"


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, 10_000])
def test_nesting_has_a_limit(depth: int) -> None:
    sentences = [problem.sentence for problem in parse("[" * depth + "]" * depth).problems]
    assert any("nests deeper" in sentence for sentence in sentences) == (depth > MAX_DEPTH)


SIZES = [(32_768, "ok"), (32_769, "refuse"), (131_072, "refuse"), (131_073, "refuse"), (1_000_000, "refuse")]


@pytest.mark.parametrize(("size", "expected"), SIZES)
def test_the_size_is_judged_in_bytes(size: int, expected: str) -> None:
    text = SOUND + " " * (size - len(SOUND))
    assert verdict(text) == expected
    assert judged(text).size == size
    assert verdict(text.encode()) == expected


def test_a_character_beyond_ascii_counts_its_bytes() -> None:
    text = policy(allow(Sid="x")).replace('"x"', '"' + "\xe9" * 70_000 + '"')
    assert judged(text).verdict == "refuse"
    assert judged(text).findings[0].rule == "size-limit"


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (SOUND.encode("utf-16"), 1, 1),
        (b"\xff\xfe", 1, 1),
        (b'{\n "\xc3', 2, 3),
        (SOUND.encode().replace(b"IAM", b"\xe4"), 11, 22),
    ],
)
def test_bytes_that_are_not_utf_8_are_refused_where_they_stop_being_it(
    data: bytes, line: int, column: int
) -> None:
    result = judged(data)
    assert result.verdict == "refuse"
    assert (result.findings[0].line, result.findings[0].column) == (line, column)


def test_bytes_of_a_policy_are_judged_like_its_text() -> None:
    assert verdict(SOUND.encode()) == "ok"
    assert verdict(SOUND.replace("IAM", "\xe9").encode()) == "ok"
    assert verdict(b"\xef\xbb\xbf" + SOUND.encode()) == "refuse"


def _at(text: str, rule: str) -> tuple[int, int]:
    finding = next(finding for finding in judged(text).findings if finding.rule == rule)
    return finding.line, finding.column


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_findings_point_at_line_and_column(newline: str) -> None:
    text = with_root(deny({"StringNotEquals": {"kms:NoSuchKey": "x"}}, action="kms:Nothing"))
    lines = text.split("\n")
    text = newline.join(lines)
    for rule, word in (("unknown-action", '"kms:Nothing"'), ("unknown-condition-key", '"kms:NoSuchKey"')):
        line = next(number for number, each in enumerate(lines, 1) if word in each)
        assert _at(text, rule) == (line, lines[line - 1].index(word) + 1)


def test_a_syntax_error_is_placed() -> None:
    assert _at('{\n  "Version": 2012-10-17\n}', "json") == (2, 18)
    assert _at('{"Version": "x', "json") == (1, 13)


def test_several_mistakes_of_shape_are_told_at_once() -> None:
    text = _document(Comment="x", Statement=[allow(Effect="allow"), allow(Sid=7), deny(principal=[])])
    rules = [(finding.rule, finding.statement) for finding in judged(text).findings]
    assert rules == [("effect", 0), ("malformed", 1), ("principal", 2), ("malformed", None)]


def test_a_document_keeps_the_places_of_its_parts() -> None:
    text = '{"Statement":\n [{"Effect": "Deny", "Action": ["kms:A", "kms:B"], "Principal": "*"}]}'
    document = parse(text)
    (statement,) = document.statements
    assert (
        text[slice(*statement.span)] == '{"Effect": "Deny", "Action": ["kms:A", "kms:B"], "Principal": "*"}'
    )
    assert [text[slice(*action.span)] for action in statement.actions] == ['"kms:A"', '"kms:B"']
    assert document.place(statement.elements["Action"]) == (2, 22)


def test_an_identity_policy_has_no_principals() -> None:
    statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    assert parse(policy(statement), identity=True).is_valid
    assert not parse(policy(statement)).is_valid
    assert not parse(policy(allow()), identity=True).is_valid
