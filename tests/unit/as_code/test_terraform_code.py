"""What Terraform code says of each key, and what is said beside it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from kms_tui.as_code.key_definition import KeyDefinition
from kms_tui.as_code.terraform import FILE, terraform
from tests.as_code_account import read

_ID = "1234abcd-12ab-34cd-56ef-0000000000"


def code(*references: str) -> str:
    return terraform(read(*references).definitions).files[FILE]


def resource(text: str, address: str) -> str:
    kind, name = address.split(".")
    found = re.search(rf'^resource "{kind}" "{name}" {{\n(.*?)^}}', text, re.DOTALL | re.MULTILINE)
    assert found, f"no {address} in {text}"
    return found[1]


@pytest.mark.parametrize(
    ("reference", "address", "lines"),
    [
        ("alias/orders", "aws_kms_key.orders", ["enable_key_rotation", "rotation_period_in_days  = 90"]),
        (
            "alias/orders-v2",
            "aws_kms_key.orders_v2",
            ["is_enabled               = false", '"ForAnyValue:Str'],
        ),
        (
            "alias/rsa",
            "aws_kms_key.rsa",
            ['"RSA_3072"', '"ENCRYPT_DECRYPT"', "enable_key_rotation      = false"],
        ),
        ("alias/everywhere", "aws_kms_key.everywhere", ["multi_region", "prevent_destroy = true"]),
        ("alias/in-hsm", "aws_kms_key.in_hsm", ['custom_key_store_id      = "cks-']),
        ("alias/in-xks", "aws_kms_key.in_xks", ['xks_key_id               = "bb8562717f809024"']),
        ("alias/imported", "aws_kms_external_key.imported", ['"2027-06-01T12:30:00Z"', "ignore_changes"]),
    ],
)
def test_a_key_is_written_as_it_is(reference: str, address: str, lines: list[str]) -> None:
    text = resource(code(reference), address)
    assert [line for line in lines if line not in text] == []


def test_a_key_that_waits_for_its_material_is_not_said_to_be_disabled() -> None:
    assert "enabled" not in resource(code("alias/waiting"), "aws_kms_external_key.waiting")


def test_a_replica_refers_to_its_primary_where_that_is_written_too() -> None:
    replica = "arn:aws:kms:us-east-1:111122223333:key/mrk-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    alone = code(replica)
    assert 'primary_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/mrk-aaaa' in alone
    both = code(replica, "alias/everywhere")
    assert "primary_key_arn = aws_kms_key.everywhere.arn" in both
    assert 'alias               = "us_east_1"' in both
    assert "provider = aws.us_east_1" in both


def test_a_policy_that_terraform_would_rewrite_stays_a_text() -> None:
    text = code(f"{_ID}03")
    assert 'policy                   = "{\\"Statement\\": ' in text
    assert "[1.50, 1e3]" in text


def test_a_grant_for_a_service_is_left_out_and_said() -> None:
    written = terraform(read("alias/orders").definitions)
    assert written.files[FILE].count('resource "aws_kms_grant"') == 4
    (note,) = written.notes
    assert note.startswith(
        f"Of the grants of alias/orders {'5' * 12}… is left out: it has the grantee principal dynamodb"
    )


def _with_spec(spec: str) -> KeyDefinition:
    (definition,) = read("alias/coin").definitions
    return replace(definition, key=replace(definition.key, spec=spec))


def test_a_spec_that_only_a_newer_provider_takes_is_said() -> None:
    written = terraform([_with_spec("ML_DSA_65")])
    needs = "its key spec ML_DSA_65 needs AWS provider 6.0 or newer."
    assert written.notes == (f"alias/coin: {needs}",)
    assert f"# I{needs[1:]}" in written.files[FILE]
    assert 'customer_master_key_spec = "ML_DSA_65"' in written.files[FILE]


@pytest.mark.parametrize(
    ("spec", "version", "reason"),
    [
        ("ML_DSA_65", (5, 100), "ML_DSA_65, which AWS provider 6.0 is the first to take"),
        (
            "ECC_NIST_EDWARDS25519",
            (6, 20),
            "ECC_NIST_EDWARDS25519, which AWS provider 6.21 is the first to take",
        ),
        ("ML_KEM_768", None, "ML_KEM_768, which no AWS provider is known to take"),
    ],
)
def test_a_key_that_the_provider_refuses_is_left_out(
    spec: str, version: tuple[int, int] | None, reason: str
) -> None:
    refused = _with_spec(spec)
    sentence = f"alias/coin is left out: it has the key spec {reason}."
    assert terraform([refused], provider_version=version) == ({}, (sentence,))
    (rsa,) = read("alias/rsa").definitions
    written = terraform([refused, rsa], provider_version=version)
    assert written.notes == (sentence,)
    assert spec not in written.files[FILE]


def test_what_a_comment_says_stays_in_its_line() -> None:
    definition = replace(_with_spec("SYMMETRIC_DEFAULT"), aliases=("alias/a\nresource \u202e",))
    lines = terraform([definition]).files[FILE].splitlines()
    assert "# alias/a␊resource \\u202e" in lines


def test_each_account_and_region_has_a_provider_of_its_own() -> None:
    (one,) = read("alias/rsa").definitions
    other = "444455556666"
    arn = one.key.arn.replace("111122223333", other)
    text = terraform([one, replace(one, key=replace(one.key, arn=arn, account_id=other))]).files[FILE]
    for account in ("111122223333", other):
        provider = f"account_{account}_eu_west_1"
        assert f'alias               = "{provider}"' in text
        assert f'allowed_account_ids = ["{account}"]' in text
        assert text.count(f"provider = aws.{provider}\n") == 2
        assert f'resource "aws_kms_key" "rsa_eu_west_1_{account}"' in text
