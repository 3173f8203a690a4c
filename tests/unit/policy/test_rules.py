"""The table of rules: each is met by its own example, and the guard says nothing that is not in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import kms_tui.backend.wrappers
import kms_tui.policy
from kms_tui.backend.wrappers.policy_guard import judge
from kms_tui.policy import Severity
from kms_tui.policy.rule_guide import RULES, Rule, text_of
from tests.unit.policy.build import allow, judged, policy

SHOWN = [rule for rule in RULES.values() if rule.example]


def _text(rule: Rule) -> str:
    """The example as a policy: a statement goes beside the root statement."""
    if not rule.example.startswith('{"Effect"'):
        return rule.example
    return policy(allow()).rstrip("\n }]") + "}, " + rule.example + "]}"


@pytest.mark.parametrize("rule", SHOWN, ids=[rule.id for rule in SHOWN])
def test_a_rule_speaks_of_its_own_example(rule: Rule) -> None:
    key_arn = None if rule.id == "resource-unknown" else "arn:aws:kms:us-east-1:111122223333:key/1234abcd"
    if (
        rule.id == "no-root-statement"
    ):  # the guard round the backend is stricter than the policy's own verdict
        result = judge(_text(rule), account_id="111122223333", partition="aws")
    else:
        result = judged(_text(rule), key_arn=key_arn)
    found = {finding.rule: finding.severity for finding in result.findings}
    assert rule.id in found
    if rule.id != "stops-services":
        assert found[rule.id] is rule.severity


def test_the_rules_without_an_example_are_those_that_no_short_text_shows() -> None:
    assert {rule.id for rule in RULES.values() if not rule.example} == {
        "encoding",
        "no-account",
        "size-limit",
        "too-complex",
        "too-complex-for-findings",
    }


def _ids_in_the_code() -> Iterator[str]:
    """The rules' ids where findings are made: the first argument of Remark, Problem, Paste and Finding."""
    made = re.compile(r"(Remark|Problem|Paste|policy\.Finding)\Z")
    for room in (kms_tui.policy, kms_tui.backend.wrappers):
        for file in Path(str(room.__file__)).parent.glob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and node.args and made.match(ast.unparse(node.func)):
                    first = node.args[0]
                    if isinstance(first, ast.Constant):
                        yield str(first.value)


def test_every_rule_that_the_code_names_is_in_the_table() -> None:
    found = set(_ids_in_the_code())
    assert {
        "dead-deny",
        "unbound-service",
        "too-complex",
        "character",
        "template",
        "no-root-statement",
    } <= found
    assert found <= set(RULES)


def test_a_rule_is_told_whole() -> None:
    for rule in RULES.values():
        assert rule.sentence.endswith(".")
        assert rule.why.endswith(".")
        assert rule.source
        assert rule.severity in Severity
        text = text_of(rule)
        assert all(part in text for part in (rule.id, rule.sentence, rule.why, rule.source))
