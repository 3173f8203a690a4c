"""What the editor offers: snippets, the default policy, formatting, completion."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.policy import check, default_policy, names_account, parse, snippets
from kms_tui.policy.actions import ACTIONS
from kms_tui.policy.completion import complete
from kms_tui.policy.formatting import formatted
from kms_tui.policy.keys import KEYS
from tests.unit.policy.build import ACCOUNT, APP, allow, policy, verdict
from tests.unit.policy.test_scan import documents


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_default_policy_is_that_of_kms(partition: str) -> None:
    text = default_policy(ACCOUNT, partition)
    assert text.startswith('{\n  "Version" : "2012-10-17",\n  "Id" : "key-default-1",\n  "Statement" : [ {\n')
    assert check(text, account_id=ACCOUNT, partition=partition).verdict == "ok"
    assert names_account(parse(text), ACCOUNT)
    assert json.loads(text)["Statement"][0]["Principal"] == {"AWS": f"arn:{partition}:iam::{ACCOUNT}:root"}


@pytest.mark.parametrize("snippet", snippets.menu(ACCOUNT), ids=lambda snippet: snippet.title)
def test_every_snippet_is_sound_beside_the_root_statement(snippet: snippets.Snippet) -> None:
    text = policy(snippets.enable_iam_policies(ACCOUNT), snippet.statement)
    assert verdict(text) == "ok"
    assert json.loads(snippets.as_text(snippet.statement)) == snippet.statement
    assert snippet.description


def test_every_snippet_of_another_partition_is_sound() -> None:
    found = [snippet.statement for snippet in snippets.menu(ACCOUNT, "aws-cn")]
    result = check(policy(*found), account_id=ACCOUNT, partition="aws-cn")
    assert result.verdict == "ok"


@given(documents, st.integers(0, 4))
@settings(deadline=None, max_examples=150)
def test_formatting_keeps_the_document(document: Any, indent: int) -> None:
    text = json.dumps(document)
    laid_out = formatted(text, indent)
    assert json.loads(laid_out) == document
    assert formatted(laid_out, indent) == laid_out


def test_formatting_keeps_the_spelling_of_strings_and_numbers() -> None:
    text = '{"a":"\\u00e9\\/\xe9","b":[1.0e5,{}, [],true],"c":{"d":null}}'
    assert formatted(text) == (
        '{\n  "a": "\\u00e9\\/\xe9",\n  "b": [\n    1.0e5,\n    {},\n    [],\n    true\n  ],\n'
        '  "c": {\n    "d": null\n  }\n}'
    )


@pytest.mark.parametrize("text", ["", "{", '{"a":1,"a":2}', "NaN"])
def test_what_is_not_json_is_not_formatted(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        formatted(text)


def options(marked: str) -> tuple[str, ...]:
    """The options at the bar."""
    offset = marked.index("|")
    return complete(marked.replace("|", "", 1), offset, identities=[APP], account_id=ACCOUNT).options


STATEMENT = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", %s'


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("{|", ("Version", "Id", "Statement")),
        ('{"V|', ("Version",)),
        ('{"Version": |', ("2012-10-17", "2008-10-17")),
        ('{"Version": "2012-10-17", "|"', ("Id", "Statement")),
        ('{"Statement": [{"|', ("Sid", "Effect", "Principal", "Action", "Resource", "Condition")),
        ('{"Statement": {"Eff|"', ("Effect",)),
        ('{"Statement": [{"Effect": "|"', ("Allow", "Deny")),
        (STATEMENT % '"Effe|', ()),
        (STATEMENT % '"Principal": {"|"', ("AWS", "Service", "Federated")),
        (STATEMENT % '"Principal": {"AWS": "|"', (APP, "*")),
        (STATEMENT % '"Principal": {"AWS": ["*", "arn|"]}}', (APP,)),
        (STATEMENT % '"Principal": {"Service": "cloudt|', ("cloudtrail.amazonaws.com",)),
        (STATEMENT % '"Action": "kms:putk|"', ("kms:PutKeyPolicy",)),
        (STATEMENT % '"Action": ["kms:Sign", "revoke|"]', ("kms:Revoke*", "kms:RevokeGrant")),
        (STATEMENT % '"Resource": "|"', ("*",)),
        (STATEMENT % '"Condition": {"Ip|', ("IpAddress", "IpAddressIfExists", "NotIpAddress")),
        (STATEMENT % '"Condition": {"StringEquals": {"kms:via|', ("kms:ViaService",)),
        (STATEMENT % '"Condition": {"Bool": {"aws:SecureTransport": "|', ("true", "false")),
        (STATEMENT % '"Condition": {"StringEquals": {"kms:CallerAccount": "|"', (ACCOUNT,)),
        (STATEMENT % '"Condition": {"Null": {"aws:SourceArn": "t|', ("true",)),
        (STATEMENT % '"Sid": "|"', ()),
        (STATEMENT % '"Action": "kms:*"}]}|', ()),
        ("|", ()),
        ('"|', ()),
    ],
)
def test_what_may_be_typed_is_offered(marked: str, expected: tuple[str, ...]) -> None:
    assert options(marked)[: len(expected)] == expected
    assert bool(options(marked)) == bool(expected)


def test_an_option_replaces_the_string_that_the_cursor_is_in() -> None:
    text = '{"Statement": [{"Action": "kms:Dec", "Effect": "Allow"}]}'
    found = complete(text, text.index("Dec") + 2)
    assert text[found.start : found.end] == "kms:Dec"
    assert found.in_string
    assert not complete('{"Statement": [{"Action": ', 26).in_string


def test_every_action_and_condition_key_is_offered() -> None:
    for name in (name for name, action in ACTIONS.items() if not action.iam_only):
        assert name in options(STATEMENT % f'"Action": "{name}|"')
    for name in KEYS:
        assert name in options(STATEMENT % f'"Condition": {{"Null": {{"{name}|"')


@given(st.text(alphabet='{}[]:,"\\\nabS', max_size=60), st.integers(0, 60))
@settings(deadline=None, max_examples=300)
def test_no_text_breaks_completion(text: str, offset: int) -> None:
    offset = min(offset, len(text))
    found = complete(text, offset)
    assert 0 <= found.start <= found.end <= len(text)


def test_completion_of_a_large_policy_starts_anywhere() -> None:
    text = policy(*(allow(APP, "kms:Decrypt", Sid=str(number)) for number in range(150)))
    offset = text.rindex('"kms:Decrypt"') + 1
    assert "kms:Decrypt" in complete(text, offset).options
