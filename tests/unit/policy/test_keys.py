"""The table of condition keys holds AWS's own list, with the type of each."""

from __future__ import annotations

import gzip
import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from kms_tui.policy.actions import ACTIONS
from kms_tui.policy.condition_keys import FAMILIES, KEYS, ConditionKey, Presence, find
from kms_tui.policy.forms import FORMS, dead_values, fits, form_of, sampled
from tests.unit.policy.build import APP, only_condition

LISTED = json.loads(
    (Path(__file__).parents[2] / "data" / "policies" / "aws_condition_keys.json").read_text(encoding="utf-8")
)
AWS_KEYS: dict[str, str] = LISTED["kms"] | LISTED["global"]
KINDS = {
    "ARN": {"arn"},
    "Bool": {"bool"},
    "Date": {"date", "time"},
    "IPAddress": {"ip"},
    "Numeric": {"numeric"},
    "String": {"string"},
    "ArrayOfString": {"string"},
}


def _found(name: str) -> ConditionKey:
    return find(re.sub(r"\$\{.*\}", "x", name))


@pytest.mark.parametrize("name", AWS_KEYS)
def test_a_key_of_awss_list_is_known_with_its_type(name: str) -> None:
    key, listed = _found(name), AWS_KEYS[name]
    assert key.presence is not Presence.UNKNOWN
    assert key.kind in KINDS[listed]
    assert key.multivalued == (listed == "ArrayOfString")


def test_a_key_of_few_actions_has_those_of_awss_list() -> None:
    ours = {name: sorted(key.actions) for name, key in KEYS.items() if key.actions}
    assert ours == LISTED["actions"]
    assert {f"kms:{name}" for names in ours.values() for name in names} <= set(ACTIONS)


def test_the_table_has_no_key_that_aws_does_not_list() -> None:
    listed = {name.lower() for name in AWS_KEYS}
    ours = {name for name in KEYS if name.startswith(("kms:", "aws:")) and name.lower() not in listed}
    assert ours == {"kms:PolicyName"}
    prefixes = {re.sub(r"\$\{.*\}", "", name) for name in AWS_KEYS if "${" in name}
    assert {name for name in FAMILIES if name.startswith(("kms:", "aws:"))} - prefixes == {"kms:ResourceTag/"}


def test_every_key_that_the_service_model_mentions_is_known() -> None:
    file = files("botocore") / "data/kms/2014-11-01/service-2.json.gz"
    mentioned = set(re.findall(r"kms:[A-Z][A-Za-z]+", gzip.decompress(file.read_bytes()).decode()))
    unknown = {
        name for name in mentioned if name not in ACTIONS and _found(name).presence is Presence.UNKNOWN
    }
    assert unknown <= {"kms:ReEncrypt", "kms:EncryptionContext"}


def test_only_iam_policies_take_the_keys_of_many_keys() -> None:
    only = {key.name for key in (*KEYS.values(), *FAMILIES.values()) if key.iam_only}
    assert only == {"aws:ResourceTag/", "kms:ResourceTag/", "kms:ResourceAliases"}


def test_every_form_fits_its_own_example_and_the_value_that_nobody_mentions() -> None:
    assert all(form.fits(form.example) for form in FORMS.values())
    named = [
        key for key in KEYS.values() if key.form and key.presence in (Presence.ENDPOINT, Presence.SERVICE)
    ]
    assert len(named) > 8
    assert all(fits(key, key.other) for key in named if key.other != "another-value")


PATTERNS = [
    ("aws:SourceIp", "10.*", True),
    ("aws:SourceIp", "*.0.0.1", True),
    ("aws:SourceIp", "10.0.0.0/*", False),
    ("aws:SourceAccount", "1111*", True),
    ("aws:SourceAccount", "????????????", True),
    ("aws:SourceAccount", "*", True),
    ("kms:ViaService", "s3.*.amazonaws.com", True),
    ("kms:ViaService", "*.us-east-1.amazonaws.com", True),
    ("aws:SourceArn", "*bucket", True),
    ("aws:SourceArn", "arn:aws:s3:::*", True),
    ("aws:SourceVpce", "vpce-*", True),
    ("aws:PrincipalOrgID", "o-*", True),
    ("aws:RequestedRegion", "us-*", True),
    ("aws:SourceArn", "*" * 5, False),
]


@pytest.mark.parametrize(("name", "pattern", "possible"), PATTERNS)
def test_a_pattern_is_met_by_values_of_the_keys_form(name: str, pattern: str, possible: bool) -> None:
    found = sampled(find(name), pattern)
    assert bool(found) == possible
    assert all(fits(find(name), text) for text in found)


DEAD = [
    ({"StringEquals": {"kms:CallerAccount": "11112222333"}}, "12 digits"),
    ({"StringEqualsIgnoreCase": {"aws:SecureTransport": "TRUE"}}, ""),
    ({"StringEquals": {"aws:SecureTransport": "TRUE"}}, "true or false"),
    ({"Bool": {"aws:SecureTransport": "TRUE"}}, ""),
    ({"Bool": {"aws:SecureTransport": True}}, ""),
    ({"Bool": {"aws:CurrentTime": "true"}}, "a date"),
    ({"Null": {"aws:SourceArn": "maybe"}}, "true or false"),
    ({"Null": {"aws:SourceArn": "false"}}, ""),
    ({"NumericEquals": {"aws:PrincipalAccount": "111122223333"}}, ""),
    ({"NumericEquals": {"aws:PrincipalArn": "1"}}, "ARN"),
    ({"DateLessThan": {"aws:EpochTime": "2030-01-01"}}, ""),
    ({"NumericLessThan": {"aws:EpochTime": "1767225600"}}, ""),
    ({"NumericLessThan": {"kms:ValidTo": "1546257599.0"}}, ""),
    ({"ArnLike": {"aws:PrincipalArn": "*"}}, ""),
    ({"ArnLike": {"aws:PrincipalArn": "role/app"}}, "an ARN"),
    ({"ArnLike": {"kms:GranteePrincipal": APP}}, ""),
    ({"IpAddress": {"aws:SourceIp": "10.0.0.0/33"}}, "an address"),
    ({"StringLike": {"aws:SourceIp": "10.0.0.0/*"}}, "one address"),
    ({"StringLike": {"aws:SourceIp": "10.0.*"}}, ""),
    ({"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}}, ""),
    ({"StringEquals": {"kms:NoSuchKey": "x"}}, ""),
    ({"StringLike": {"kms:CallerAccount": "1111*"}}, ""),
    ({"StringEquals": {"kms:KeySpec": "AES_1024"}}, "one of"),
    ({"StringEquals": {"aws:username": "anything at all"}}, ""),
]


@pytest.mark.parametrize(("condition", "words"), DEAD)
def test_a_dead_value_is_told_with_what_would_be_alive(
    condition: dict[str, dict[str, object]], words: str
) -> None:
    test = only_condition(condition)
    found = dead_values(test)
    assert bool(found) == bool(words)
    assert all(words in dead.words for dead in found)
    key = find(test.key)
    assert not found or form_of(key) is None or "" not in [dead.words for dead in found]
