"""Statements and values that no request meets, and those that some request does."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import pytest

from kms_tui.policy import Verdict, parse, unmet_statements
from kms_tui.policy.condition_keys import KEYS
from kms_tui.policy.guard import WORK, check
from kms_tui.policy.policy_under_test import PolicyUnderTest
from kms_tui.policy.search import Budget
from tests.unit.policy.build import ACCOUNT, APP, KEY, NOW, OTHER, ROOT, Shape, allow, deny, judged, with_root

GRANT, SCHEDULE = "kms:CreateGrant", "kms:ScheduleKeyDeletion"
VIA = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
TAG = "aws:PrincipalTag/team"


def _rules(*statements: Shape, key_arn: str | None = KEY) -> set[str]:
    return {found.rule for found in judged(with_root(*statements), key_arn=key_arn).findings} - {"size"}


def _equals(key: str, value: Any) -> Shape:
    return {"StringEquals": {key: value}}


NEVER: dict[str, Shape] = {
    "equal and not": allow(APP, "kms:Decrypt", {**_equals(TAG, "a"), "StringNotEquals": {TAG: ["a", "b"]}}),
    "two patterns": allow(APP, "kms:Decrypt", {**_equals(TAG, "a"), "StringLike": {TAG: "b*"}}),
    "absent and equal": allow(APP, "kms:Decrypt", {"Null": {"kms:ViaService": "true"}, **VIA}),
    "below and above": allow(
        APP,
        "kms:Decrypt",
        {
            "NumericLessThan": {"aws:MultiFactorAuthAge": 10},
            "NumericGreaterThan": {"aws:MultiFactorAuthAge": 20},
        },
    ),
    "after and before": deny(
        {
            "DateGreaterThan": {"aws:CurrentTime": "2041-01-01T00:00:00Z"},
            "DateLessThan": {"aws:CurrentTime": "2040-01-01T00:00:00Z"},
        },
        GRANT,
    ),
    "a time that is past": deny({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, GRANT),
    "another role": allow(APP, "kms:Decrypt", {"ArnLike": {"aws:PrincipalArn": APP + "2"}}),
    "another account": allow(APP, "kms:Decrypt", _equals("aws:PrincipalAccount", OTHER)),
    "another account's root": allow(
        f"arn:aws:iam::{OTHER}:root", "kms:Decrypt", _equals("kms:CallerAccount", ACCOUNT)
    ),
    "a role is no user": allow(APP, "kms:Decrypt", _equals("aws:PrincipalType", "User")),
    "a role has no user name": allow(APP, "kms:Decrypt", _equals("aws:username", "ada")),
    "a role has no source": allow(APP, "kms:Decrypt", _equals("aws:SourceAccount", ACCOUNT)),
    "a role is no service": allow(APP, "kms:Decrypt", {"Bool": {"aws:PrincipalIsAWSService": "true"}}),
    "the root user has no tags": allow(
        ROOT, "kms:Decrypt", {**_equals(TAG, "a"), "ArnEquals": {"aws:PrincipalArn": ROOT}}
    ),
    "an ARN of an account": allow("*", "kms:Decrypt", {"StringLike": {"aws:PrincipalAccount": "arn:*:root"}}),
    "a unit without its organization": allow(
        "*", "kms:Decrypt", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "ou-ab12-11111111/*"}}
    ),
    "no context": deny(_equals("kms:EncryptionContext:a", "b"), "kms:Sign"),
    "no names of a context": deny(
        {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "b"}}, "kms:Sign"
    ),
    "keys of two operations": deny(
        {**_equals("kms:MacAlgorithm", "HMAC_SHA_256"), "NumericLessThan": {"kms:RotationPeriodInDays": 365}}
    ),
    "a window below the shortest": deny(
        {"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": 7}}, SCHEDULE
    ),
    "a rotation below the shortest": deny(
        {"NumericLessThan": {"kms:RotationPeriodInDays": 90}}, "kms:EnableKeyRotation"
    ),
    "another policy name": deny(_equals("kms:PolicyName", "other"), "kms:PutKeyPolicy"),
}


@pytest.mark.parametrize("name", NEVER)
def test_a_statement_that_never_applies_is_noted(name: str) -> None:
    text = with_root(NEVER[name])
    result = judged(text)
    assert {found.rule for found in result.findings} >= {"never-applies"}
    assert result.verdict is Verdict.OK


MET: dict[str, Shape] = {
    "a condition of one text for many keys": deny({"Bool": {"aws:SecureTransport": "false"}}),
    "another Region": deny(_equals("aws:RequestedRegion", "eu-west-1")),
    "a time to come": deny({"DateGreaterThan": {"aws:CurrentTime": "2040-01-01T00:00:00Z"}}, GRANT),
    "a service behind everyone": allow("*", "kms:Decrypt", _equals("aws:SourceAccount", ACCOUNT)),
    "a role behind its account": allow(ROOT, "kms:Decrypt", _equals(TAG, "a")),
    "a role's path is not known": allow(
        f"arn:aws:sts::{ACCOUNT}:assumed-role/app/job",
        "kms:Decrypt",
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/team/app"}},
    ),
    "an identity provider": allow(
        {"Federated": "accounts.google.com"}, "kms:Decrypt", _equals("aws:PrincipalAccount", OTHER)
    ),
    "a unique id": allow("AROAABCDEFGHIJKLMNOPQ", "kms:Decrypt", _equals("aws:PrincipalType", "AssumedRole")),
    "a range": allow(APP, "kms:Decrypt", {"StringLike": {TAG: "a*"}, "StringNotEquals": {TAG: "a"}}),
    "an action of several": deny({"NumericLessThan": {"kms:RotationPeriodInDays": 91}}),
    "the longest window": deny(
        {"NumericGreaterThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": 29}}, SCHEDULE
    ),
    "those that are not excepted": {
        "Effect": "Deny",
        "NotPrincipal": {"AWS": [ROOT, APP]},
        "Action": GRANT,
        "Resource": "*",
        "Condition": _equals("aws:PrincipalAccount", OTHER),
    },
    "a list, one of which is met": allow(APP, "kms:Decrypt", _equals("aws:PrincipalArn", [APP, APP + "2"])),
}


@pytest.mark.parametrize("name", MET)
def test_a_statement_that_may_apply_is_not(name: str) -> None:
    assert not {"never-applies", "dead-allow", "dead-deny"} & _rules(MET[name])


def test_what_a_sentence_says() -> None:
    found = judged(with_root(NEVER["a time that is past"], NEVER["equal and not"])).findings
    assert [each.sentence for each in found if each.rule == "never-applies"] == [
        "This Deny protects nothing: no request of its principals meets its condition that aws:CurrentTime "
        'is before "2020-01-01T00:00:00Z".',
        "This Allow gives nothing: no request of its principals meets all its conditions.",
    ]


def test_a_refused_policy_has_no_such_note() -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": [NEVER["a role has no source"]]})
    assert "never-applies" not in {found.rule for found in judged(text).findings}


WRONG = {
    "kms:DataKeyPairSpec": ("kms:GenerateDataKeyPair", "RSA2048", "RSA_2048"),
    "kms:EncryptionAlgorithm": ("kms:Encrypt", "AES", "SYMMETRIC_DEFAULT"),
    "kms:ExpirationModel": ("kms:ImportKeyMaterial", "EXPIRES", "KEY_MATERIAL_EXPIRES"),
    "kms:GrantConstraintType": (GRANT, "EncryptionContext", "EncryptionContextSubset"),
    "kms:GrantOperations": (GRANT, "Decript", "Decrypt"),
    "kms:KeyAgreementAlgorithm": ("kms:DeriveSharedSecret", "ecdh", "ECDH"),
    "kms:MacAlgorithm": ("kms:GenerateMac", "SHA_256", "HMAC_SHA_256"),
    "kms:MessageType": ("kms:Sign", "digest", "DIGEST"),
    "kms:SigningAlgorithm": ("kms:Sign", "ECDSA-SHA256", "ECDSA_SHA_256"),
    "kms:WrappingAlgorithm": ("kms:GetParametersForImport", "RSA_OAEP", "RSAES_OAEP_SHA_256"),
    "kms:WrappingKeySpec": ("kms:GetParametersForImport", "RSA_1024", "RSA_4096"),
}


@pytest.mark.parametrize("key", WRONG)
def test_a_value_that_the_service_model_does_not_have_never_matches(key: str) -> None:
    action, wrong, right = WRONG[key]
    operator = "ForAnyValue:StringEquals" if KEYS[key].multivalued else "StringEquals"
    assert "dead-deny" in _rules(deny({operator: {key: wrong}}, action))
    assert not {"dead-deny", "dead-value"} & _rules(deny({operator: {key: right}}, action))


VIA_SERVICES = {
    "secretmanager.*.amazonaws.com": True,
    "secretsmanager.*.amazonaws.com": False,
    "lamda.us-?ast-1.amazonaws.com": True,
    "s3.us-*-1.amazonaws.com": False,
    "*.us-east-1.amazonaws.com": False,
    "s3.*": False,
}


@pytest.mark.parametrize("value", VIA_SERVICES)
def test_a_misspelt_service_in_any_region_is_found(value: str) -> None:
    rules = _rules(allow(APP, "kms:Decrypt", {"StringLike": {"kms:ViaService": value}}))
    assert ("unknown-service" in rules) is VIA_SERVICES[value]


@pytest.mark.parametrize(
    ("host", "is_found"),
    [
        ("lambda.aws.com", True),
        ("lambda.amazon.com", True),
        ("lambda.aws.amazon.com", True),
        ("lambda.amazonaws.org", True),
        ("cloudtrail.amazonaws.com.com", True),
        ("events.example.com", False),
        ("alexa-appkit.amazon.com", False),
    ],
)
def test_a_known_service_with_another_end_is_found(host: str, is_found: bool) -> None:
    rules = _rules(allow({"Service": host}, "kms:Decrypt", _equals("aws:SourceAccount", ACCOUNT)))
    assert ("unknown-service" in rules) is is_found


def test_a_service_comes_through_no_endpoint_of_a_customer() -> None:
    condition = _equals("aws:SourceVpce", "vpce-1a2b3c4d")
    assert "service-never" in _rules(allow({"Service": "sns.amazonaws.com"}, "kms:Decrypt", condition))


def test_notes_on_many_statements_take_little_time() -> None:
    tags = {f"aws:PrincipalTag/{number}": ["a", "b*"] for number in range(12)}
    text = with_root(
        *(
            allow("*", f"kms:Decrypt{number}*", {"StringLike": tags, "StringNotEquals": {"aws:userid": "x"}})
            for number in range(40)
        )
    )
    begun = time.process_time()
    check(text, account_id=ACCOUNT, key_arn=KEY, now=NOW)
    assert time.process_time() - begun < 1


PLAIN: list[Shape] = [
    {"StringEquals": {"kms:EncryptionContext:tenant": "a"}},
    {"StringLike": {"kms:EncryptionContext:tenant": ["a*", "b"]}},
    {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
    {"StringEquals": {"kms:CallerAccount": ACCOUNT}},
    {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/team-*"}},
    {"StringEquals": {"aws:PrincipalArn": APP}},
]


@pytest.mark.parametrize("principal", ["*", ROOT, APP, f"arn:aws:iam::{ACCOUNT}:user/ada"])
def test_what_needs_no_search_is_found_by_the_search(principal: str) -> None:
    """Each two of the plain conditions, for each single action: no other finding is lost for the speed."""
    plain = 0
    for one, other in itertools.combinations(PLAIN, 2):
        for action in ("kms:Decrypt", "kms:CreateGrant", "kms:Sign", "kms:*"):
            conditions: Shape = {}
            for operator, asked in [*one.items(), *other.items()]:
                conditions[operator] = {**conditions.get(operator, {}), **asked}
            document = parse(with_root(allow(principal, action, conditions)))
            subject = PolicyUnderTest(document, ACCOUNT, "aws", KEY, NOW, Budget(WORK))
            each = subject.effective[-1]
            if unmet_statements._is_plainly_met(subject, each):
                plain += 1
                assert unmet_statements._is_met(subject, each, unmet_statements._callers(subject, each))
    assert plain > 10
