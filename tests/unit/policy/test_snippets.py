"""What one starts from: the default policy and the snippets."""

from __future__ import annotations

import json

import pytest

from kms_tui.policy import default_policy, parse, snippets
from kms_tui.policy.guard import check, names_account
from tests.unit.policy.build import ACCOUNT, policy, verdict


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_default_policy_is_that_of_kms(partition: str) -> None:
    text = default_policy(ACCOUNT, partition)
    assert text.startswith('{\n  "Version" : "2012-10-17",\n  "Id" : "key-default-1",\n  "Statement" : [ {\n')
    assert check(text, account_id=ACCOUNT, partition=partition).verdict == "ok"
    assert names_account(parse(text), ACCOUNT, partition)
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
