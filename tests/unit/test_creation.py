"""What a key will be, before it is made: kinds, policy, calls, and the same as commands."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime

import pytest

from kms_tui.creation import KeyType, NewKey, calls_after, commands, create_params, key_types, policy_of
from kms_tui.evidence.cost import Prices
from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.model import KeyUsage, Tag
from kms_tui.policy import guard
from tests.demo_copies import demo_copy

ACCOUNT, REGION = "111122223333", "eu-west-1"
ADMIN, APP = f"arn:aws:iam::{ACCOUNT}:role/Admin", f"arn:aws:iam::{ACCOUNT}:role/App"
AES = KeyType(KeyUsage.ENCRYPT_DECRYPT, "SYMMETRIC_DEFAULT")
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def test_every_kind_of_the_region_says_what_it_can_do_and_costs() -> None:
    offered = key_types(REGION)
    assert offered[0] == AES
    assert len(set(offered)) == len(offered)
    assert "SM2" not in {kind.spec for kind in offered}
    assert "SM2" in {kind.spec for kind in key_types("cn-north-1")}
    for kind in offered:
        assert kind.explanation, kind
        assert kind.cost(Prices()).startswith("$1.00 a month, $0."), kind
        assert ("cannot rotate" in kind.explanation) == (kind != AES), kind


@pytest.mark.parametrize(
    "kind",
    [kind for kind in key_types(REGION) if kind.spec != "ML_KEM_512"],
    ids=lambda kind: f"{kind.usage}-{kind.spec}",
)
def test_the_policy_keeps_the_account_in_control_and_kms_takes_it(kind: KeyType) -> None:
    draft = NewKey(kind, administrators=(ADMIN,), users=(APP,))
    text = policy_of(draft, ACCOUNT, "aws")
    key_arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    assert guard.check(text, account_id=ACCOUNT, partition="aws", key_arn=key_arn).verdict == "ok"
    backend = demo_copy(NOW)
    made = backend.call("CreateKey", create_params(draft, ACCOUNT, "aws"))["KeyMetadata"]["KeyId"]
    assert backend.call("GetKeyPolicy", {"KeyId": made, "PolicyName": "default"})["Policy"] == text
    actions = next(s["Action"] for s in json.loads(text)["Statement"] if s["Principal"] == {"AWS": APP})
    assert "kms:PutKeyPolicy" not in actions
    assert ("kms:GetPublicKey" in actions) == KEY_SPECS[kind.spec].is_asymmetric


def test_without_administrators_and_users_the_policy_is_left_to_kms() -> None:
    draft = NewKey(AES)
    assert "Policy" not in create_params(draft, ACCOUNT, "aws")
    assert f"{ACCOUNT}:root" in policy_of(draft, ACCOUNT, "aws")


def test_a_copied_policy_is_used_as_it_is() -> None:
    assert create_params(NewKey(AES, policy="{ }"), ACCOUNT, "aws")["Policy"] == "{ }"


def test_the_commands_make_the_same_key_in_the_same_order() -> None:
    draft = NewKey(
        AES, alias="alias/new", description="it's [b]new", tags=(Tag("team", "a b"),), period_days=120
    )
    first, *rest = commands(draft, ACCOUNT, "aws", REGION)
    assert first.startswith("KEY_ID=$(aws kms create-key ")
    words = shlex.split(first.removeprefix("KEY_ID=$(").removesuffix(")"))
    assert words[words.index("--description") + 1] == draft.description
    assert words[-4:] == ["--query", "KeyMetadata.KeyId", "--output", "text"]
    assert [line.split()[2] for line in rest] == ["create-alias", "enable-key-rotation"]
    assert all('"$KEY_ID"' in line for line in rest)
    assert [operation for operation, _ in calls_after(draft, "x")] == ["CreateAlias", "EnableKeyRotation"]
