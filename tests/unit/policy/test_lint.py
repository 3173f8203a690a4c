"""The findings beside the lines: each rule speaks where it should, and is silent where it should be."""

from __future__ import annotations

import gzip
import json
import re
from importlib.resources import files
from typing import Any

import pytest

from kms_tui.kms.operations import Access
from kms_tui.policy.actions import ACTIONS, find, matching, nearest
from kms_tui.policy.condition_keys import KEYS, Presence
from kms_tui.policy.condition_keys import find as find_key
from tests.unit.policy.build import (
    ACCOUNT,
    APP,
    KEY,
    OTHER,
    Shape,
    allow,
    deny,
    judged,
    policy,
    rules,
    with_root,
)

USE = ["kms:Encrypt", "kms:Decrypt"]
S3 = {"Service": "s3.amazonaws.com"}
SPEAKS: list[tuple[str, Shape]] = [
    ("unknown-action", allow(APP, "kms:Decyrpt")),
    ("unknown-action", allow(APP, "kms:ReEncrypt")),
    ("unknown-action", deny(action="kms:Import")),
    ("unknown-action", allow(APP, ["kms:Decrypt", "s3:GetObject"])),
    ("no-action", allow(APP, None)),
    ("no-action", allow(APP, [])),
    ("no-resource", allow(APP, USE, Resource=None)),
    ("no-resource", deny(Resource=[])),
    ("other-resource", allow(APP, USE, Resource="arn:aws:s3:::b")),
    ("resource-not-star", allow(APP, USE, Resource=KEY)),
    ("resource-not-star", allow(APP, USE, Resource=None, NotResource="arn:aws:s3:::b")),
    ("iam-only-action", allow(APP, ["kms:CreateKey", "kms:Decrypt"])),
    ("iam-only-action", allow(APP, "kms:ListAliases")),
    ("iam-only-action", allow(APP, "kms:GenerateRandom")),
    ("iam-only-action", allow(APP, "kms:ConnectCustomKeyStore")),
    ("iam-only-action", allow(APP, "kms:ListRetirableGrants")),
    ("not-action-allow", allow(APP, None, NotAction="kms:Put*")),
    (
        "for-all-values-allow",
        allow(APP, USE, {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": "a"}}),
    ),
    ("unknown-condition-key", allow(APP, USE, {"StringEquals": {"kms:CallerAcount": ACCOUNT}})),
    ("unknown-condition-key", deny({"StringEquals": {"aws:Nothing": "x"}}, action="kms:Decrypt")),
    ("stale-unique-id", allow("AROAEXAMPLEID12345", USE)),
    ("stale-unique-id", deny(principal="AIDAEXAMPLEID12345", action="kms:Decrypt")),
    ("not-cross-account", allow(OTHER, ["kms:Decrypt", "kms:PutKeyPolicy"])),
    ("not-cross-account", allow(f"arn:aws:iam::{OTHER}:role/x", "kms:GetKeyPolicy")),
    ("unbound-grants", allow(APP, ["kms:CreateGrant", "kms:ListGrants"])),
    ("unbound-grants", allow(OTHER, "kms:*Grant*")),
    (
        "no-encryption-context",
        allow(APP, ["kms:Decrypt", "kms:Sign"], {"StringEquals": {"kms:EncryptionContext:a": "b"}}),
    ),
    (
        "no-encryption-context",
        allow(APP, "kms:DescribeKey", {"Null": {"kms:EncryptionContextKeys": "false"}}),
    ),
    ("wildcard-without-like", allow(APP, USE, {"StringEquals": {"aws:PrincipalArn": f"{APP}*"}})),
    (
        "wildcard-without-like",
        deny({"StringNotEqualsIfExists": {"aws:PrincipalTag/a": "x*"}}, action="kms:Decrypt"),
    ),
    ("negated-deny", deny({"StringNotEquals": {"aws:SourceAccount": ACCOUNT}}, action=USE)),
    (
        "negated-deny",
        deny({"StringNotEquals": {"kms:ViaService": "x"}}, action=["kms:Decrypt", "kms:TagResource"]),
    ),
    ("private-address", allow(APP, USE, {"IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "10.0.0.0/8"]}})),
    ("private-address", deny({"NotIpAddress": {"aws:SourceIp": "192.168.0.0/16"}}, action="kms:Decrypt")),
    ("empty-condition", allow(APP, USE, {"StringEquals": {"aws:PrincipalTag/a": []}})),
    ("public", allow("*", USE)),
    (
        "public-via-service",
        allow("*", USE, {"StringEquals": {"kms:ViaService": "ec2.us-east-1.amazonaws.com"}}),
    ),
    ("unbound-service", allow(S3, USE)),
    ("external-administration", allow(OTHER, "kms:*")),
]


@pytest.mark.parametrize(("rule", "statement"), SPEAKS)
def test_a_finding_is_shown(rule: str, statement: Shape) -> None:
    text = with_root(statement)
    found = [finding for finding in judged(text).findings if finding.rule == rule]
    assert [finding.statement for finding in found] == [1]
    assert found[0].sentence.endswith((".", "?"))
    lines = text.split("\n")
    assert found[0].line <= len(lines)
    assert found[0].column <= len(lines[found[0].line - 1])
    assert (found[0].line, found[0].column) <= (found[0].end_line, found[0].end_column)


SILENT: list[tuple[str, Shape]] = [
    ("unknown-action", allow(APP, ["kms:ReEncrypt*", "KMS:DECRYPT", "kms:Get*"])),
    ("iam-only-action", allow(APP, ["kms:List*", "kms:Create*"])),
    ("iam-only-action", deny(action="kms:CreateKey")),
    ("not-action-allow", deny(action=None, NotAction="kms:*")),
    (
        "for-all-values-allow",
        deny({"ForAllValues:StringEquals": {"aws:PrincipalTag/a": "x"}}, action="kms:Decrypt"),
    ),
    ("not-cross-account", allow(OTHER, USE)),
    ("not-cross-account", deny(principal=OTHER, action="kms:PutKeyPolicy")),
    ("not-cross-account", allow(APP, "kms:GetKeyPolicy")),
    ("unbound-grants", allow(APP, "kms:CreateGrant", {"Bool": {"kms:GrantIsForAWSResource": "true"}})),
    ("unbound-grants", allow(APP, ["kms:Create*", "kms:Put*"])),
    ("no-encryption-context", allow(APP, USE, {"StringEquals": {"kms:EncryptionContext:a": "b"}})),
    ("wildcard-without-like", allow(APP, USE, {"StringLike": {"aws:PrincipalArn": f"{APP}*"}})),
    ("wildcard-without-like", allow(APP, USE, {"ArnEquals": {"aws:PrincipalArn": f"{APP}*"}})),
    (
        "negated-deny",
        deny({"StringNotEquals": {"kms:ViaService": "x"}, "Null": {"kms:ViaService": "false"}}, action=USE),
    ),
    ("negated-deny", deny({"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}})),
    ("negated-deny", allow(APP, USE, {"StringNotEquals": {"kms:ViaService": "x"}})),
    ("private-address", allow(APP, USE, {"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}})),
    ("private-address", allow(APP, USE, {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})),
    ("resource-not-star", allow(APP, USE)),
    ("service-never", allow(S3, "kms:Nothing", {"StringEquals": {"aws:SourceAccount": ACCOUNT}})),
    ("operator-type", allow(APP, USE, {"Bool": {"aws:SecureTransport": "true"}})),
    ("operator-type", allow(APP, USE, {"StringEquals": {"aws:username": "true"}})),
    ("operator-type", allow(APP, USE, {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}})),
    ("operator-type", allow(APP, USE, {"NumericLessThan": {"aws:EpochTime": "4070908800"}})),
    ("needs-set-operator", allow(APP, USE, {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "a"}})),
    ("variable-without-version", allow(APP, USE, {"StringEquals": {"aws:username": "${aws:username}"}})),
]


@pytest.mark.parametrize(("rule", "statement"), SILENT)
def test_a_finding_is_not_shown_without_reason(rule: str, statement: Shape) -> None:
    assert rule not in rules(with_root(statement))


@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_variables_in_an_old_version_are_told(version: str | None) -> None:
    variable = allow(APP, USE, {"StringEquals": {"aws:PrincipalTag/a": "${aws:username}"}})
    assert "variable-without-version" in rules(policy(allow(), variable, version=version))
    assert ("no-version" in rules(policy(allow(), variable, version=version))) == (version is None)


def test_variables_of_one_statement_are_told_once() -> None:
    twice = {"StringEquals": {"aws:username": ["${aws:PrincipalTag/a}", "${aws:PrincipalTag/b}"]}}
    found = judged(
        policy(allow(), allow(APP, USE, twice), allow(APP, USE, twice), version="2008-10-17")
    ).findings
    assert [each.statement for each in found if each.rule == "variable-without-version"] == [1, 2]


def test_a_denial_to_all_is_blamed_on_the_deny_that_nobody_escapes() -> None:
    tagged = deny({"StringEquals": {"aws:PrincipalTag/x": "y"}}, action="kms:Decrypt")
    always = deny(action="kms:Decrypt")
    for statements, index in (((tagged, always), 2), ((always, tagged), 1), ((tagged, always, tagged), 2)):
        found = judged(with_root(*statements)).findings
        assert [each.statement for each in found if each.rule == "denied-to-all"] == [index]


def test_a_misspelt_service_is_found_among_many_good_ones() -> None:
    services = ["s3.amazonaws.com", "sns.amazonaws.com", "sqs.amazonaws.com"] * 10 + [
        "cloudtrial.amazonaws.com"
    ]
    bound = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    sentence = _sentence("unknown-service", allow({"Service": services}, USE, bound))
    assert "did you mean cloudtrail.amazonaws.com?" in sentence


def test_a_dead_statement_is_warned_of_once() -> None:
    condition = {"StringEquals": {"kms:CallerAccount": "x", "kms:ViaService": "s3", "aws:SourceVpce": "y"}}
    found = [each for each in judged(with_root(allow(APP, USE, condition))).findings if each.statement == 1]
    assert [each.rule for each in found] == ["dead-allow", "dead-value", "dead-value"]


def test_every_service_without_a_bound_is_named() -> None:
    sentence = _sentence(
        "unbound-service", allow({"Service": ["s3.amazonaws.com", "sns.amazonaws.com"]}, USE)
    )
    assert "s3.amazonaws.com and sns.amazonaws.com" in sentence


def _sentence(rule: str, statement: Shape) -> str:
    return next(each.sentence for each in judged(with_root(statement)).findings if each.rule == rule)


@pytest.mark.parametrize(
    ("action", "meant"),
    [
        ("kms:Decyrpt", "kms:Decrypt"),
        ("kms:PutKeyPolice", "kms:PutKeyPolicy"),
        ("kms:ListKeyGrants", "kms:ListGrants"),
        ("kms:GenerateDatakeys", "kms:GenerateDataKey"),
        ("KMS:DISCRIBEKEY", "kms:DescribeKey"),
        ("kms:DesribeKey", "kms:DescribeKey"),
        ("kms:decrpt", "kms:Decrypt"),
        ("kms:Frobnicate", ""),
    ],
)
def test_a_misspelt_action_is_told_with_the_nearest_real_one(action: str, meant: str) -> None:
    assert nearest(action) == meant
    sentence = _sentence("unknown-action", allow(APP, action))
    assert (f"Did you mean {meant}?" in sentence) == bool(meant)


def test_re_encrypt_is_told_apart() -> None:
    assert "kms:ReEncryptFrom and kms:ReEncryptTo" in _sentence("unknown-action", allow(APP, "kms:ReEncrypt"))


def test_a_misspelt_condition_key_is_told_with_the_nearest_real_one() -> None:
    statement = allow(APP, USE, {"StringEquals": {"aws:PrincipalOrgld": "o-1"}})
    assert "Did you mean aws:PrincipalOrgID?" in _sentence("unknown-condition-key", statement)


def test_the_size_is_always_told() -> None:
    text = with_root()
    (finding,) = judged(text).findings
    assert (finding.rule, finding.severity) == ("size", "info")
    assert f"{len(text)} of 32,768 bytes" in finding.sentence


def test_findings_are_bounded() -> None:
    text = with_root(allow(APP, [f"kms:A{number}" for number in range(1000)]), {"Effect": "x"})
    assert len(judged(with_root(allow(APP, [f"kms:A{number}" for number in range(1000)]))).findings) == 300
    assert judged(text).verdict == "refuse"


def test_findings_can_be_written_as_json() -> None:
    found = judged(with_root(allow("*", USE))).as_dict()
    assert found["verdict"] == "warn"
    assert found["findings"][-1] == {
        "rule": "public",
        "severity": "warn",
        "sentence": 'Anyone in any account gets these actions: no condition limits who "*" is.',
        "statement": 1,
        "sid": "",
        "line": 14,
        "column": 20,
        "end_line": 14,
        "end_column": 23,
    }


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("kms:Decrypt", {"access": Access.USE, "cross_account": True, "encryption_context": True}),
        ("kms:Sign", {"access": Access.USE, "cross_account": True, "encryption_context": False}),
        ("kms:PutKeyPolicy", {"access": Access.ADMINISTER, "cross_account": False}),
        ("kms:CreateGrant", {"access": Access.GRANT, "cross_account": True, "encryption_context": True}),
        ("kms:GetKeyRotationStatus", {"access": Access.READ, "cross_account": True}),
        ("kms:CreateKey", {"iam_only": True}),
        ("kms:Encapsulate", {"access": Access.USE, "recent": True}),
    ],
)
def test_the_table_of_actions(name: str, attributes: dict[str, Any]) -> None:
    action = ACTIONS[name]
    assert {key: getattr(action, key) for key in attributes} == attributes
    assert find(name.upper()) is action
    assert matching(name.lower()) == action.bit


def test_no_two_actions_share_a_bit() -> None:
    assert len({action.bit for action in ACTIONS.values()}) == len(ACTIONS) == 58
    assert "kms:ReEncrypt" not in ACTIONS


@pytest.mark.parametrize(
    ("name", "presence"),
    [
        ("AWS:principalarn", Presence.IDENTITY),
        ("aws:PrincipalTag/team", Presence.CHOSEN),
        ("aws:PrincipalTag/", Presence.UNKNOWN),
        ("kms:EncryptionContext:aws:s3:arn", Presence.OPERATION),
        ("aws:SourceVpce", Presence.ENDPOINT),
        ("kms:viaservice", Presence.OPERATION),
        ("s3:prefix", Presence.UNKNOWN),
        ("", Presence.UNKNOWN),
        ("kms", Presence.UNKNOWN),
        ("aws:PrincipalArn ", Presence.UNKNOWN),
        ("\u212ams:ViaService", Presence.UNKNOWN),
    ],
)
def test_the_table_of_condition_keys(name: str, presence: Presence) -> None:
    assert find_key(name).presence is presence


def test_every_key_of_the_table_is_found_by_its_name() -> None:
    assert all(find_key(name.upper()) is key for name, key in KEYS.items())


def _service_model() -> dict[str, Any]:
    file = files("botocore") / "data/kms/2014-11-01/service-2.json.gz"
    model: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
    return model


def test_the_table_of_actions_is_that_of_the_service_model() -> None:
    operations = _service_model()["operations"]
    listed = {f"kms:{name}" for name in operations} - {"kms:ReEncrypt"}
    assert set(ACTIONS) - listed == {"kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:SynchronizeMultiRegionKey"}
    assert listed <= set(ACTIONS)
    for name, operation in operations.items():
        action = ACTIONS.get(f"kms:{name}")
        told = re.search(r"Cross-account use</b>: ?(Yes|No)", operation.get("documentation", ""))
        if action and told:
            assert action.cross_account == (told.group(1) == "Yes"), name
