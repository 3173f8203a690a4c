"""A key before its creation: the decisions, the API calls, its policy, and the same as commands."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kms_tui.evidence.cost import Prices
from kms_tui.kms.keyspecs import KEY_SPECS, SYMMETRIC_DEFAULT, Family
from kms_tui.kms.model import KeyOrigin, KeyUsage, Tag

if TYPE_CHECKING:
    from kms_tui.policy.snippets import StatementShape

_ASYMMETRIC = ("kms:DescribeKey", "kms:GetPublicKey")
_USE_BY_USAGE: Mapping[str, tuple[str, ...]] = {
    KeyUsage.ENCRYPT_DECRYPT: ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", *_ASYMMETRIC),
    KeyUsage.SIGN_VERIFY: ("kms:Sign", "kms:Verify", *_ASYMMETRIC),
    KeyUsage.GENERATE_VERIFY_MAC: ("kms:GenerateMac", "kms:VerifyMac", "kms:DescribeKey"),
    KeyUsage.KEY_AGREEMENT: ("kms:DeriveSharedSecret", *_ASYMMETRIC),
    KeyUsage.ENCAPSULATE_DECAPSULATE: ("kms:Encapsulate", "kms:Decapsulate", *_ASYMMETRIC),
}
"""The actions for users of each kind of key, as in the console's key users statement."""

_WHAT: Mapping[tuple[str, Family], str] = {
    (KeyUsage.ENCRYPT_DECRYPT, Family.SYMMETRIC): "up to 4 KB, and data keys; for AWS services; rotates",
    (KeyUsage.ENCRYPT_DECRYPT, Family.RSA): "others encrypt offline with the public key; cannot rotate",
    (KeyUsage.SIGN_VERIFY, Family.ML_DSA): "safe against quantum computers; cannot rotate",
    (KeyUsage.ENCAPSULATE_DECAPSULATE, Family.ML_KEM): "safe against quantum computers; cannot rotate",
    (KeyUsage.GENERATE_VERIFY_MAC, Family.HMAC): "only those with access can check a MAC; cannot rotate",
    (KeyUsage.KEY_AGREEMENT, Family.ECC): "ECDH with somebody's public key; cannot rotate",
}
_BY_USAGE: Mapping[str, str] = {
    KeyUsage.SIGN_VERIFY: "anyone verifies with the public key; cannot rotate",
    KeyUsage.ENCRYPT_DECRYPT: "cannot rotate",
    KeyUsage.KEY_AGREEMENT: "cannot rotate",
}
_BILLED: Mapping[str, str] = {
    KeyUsage.ENCRYPT_DECRYPT: "Decrypt",
    KeyUsage.SIGN_VERIFY: "Sign",
    KeyUsage.GENERATE_VERIFY_MAC: "GenerateMac",
    KeyUsage.KEY_AGREEMENT: "DeriveSharedSecret",
    KeyUsage.ENCAPSULATE_DECAPSULATE: "Decapsulate",
}


@dataclass(frozen=True, slots=True)
class KeyType:
    """A possible combination of usage and spec."""

    usage: str
    spec: str

    @property
    def explanation(self) -> str:
        """What such a key can and cannot do."""
        family = KEY_SPECS[self.spec].family
        return _WHAT.get((self.usage, family)) or _BY_USAGE.get(self.usage, "")

    def use_cost(self, prices: Prices) -> str:
        """The price of its use."""
        return f"${prices.per_request(_BILLED[self.usage], self.spec) * 10_000:.2f} per 10,000 calls"

    def cost(self, prices: Prices) -> str:
        """The price of the key and of its use."""
        return f"${prices.key_month:.2f} a month, {self.use_cost(prices)}"


def key_types(region: str) -> list[KeyType]:
    """The kinds of key in a region, by usage, the most common first."""
    specs = sorted(KEY_SPECS.values(), key=lambda spec: spec.name != SYMMETRIC_DEFAULT)
    return [
        KeyType(usage, spec.name)
        for usage in KeyUsage
        for spec in specs
        if usage in spec.usages and (not spec.regions or region.startswith(spec.regions))
    ]


_FAMILY_TITLES: Mapping[Family, str] = {
    Family.SYMMETRIC: "AES",
    Family.HMAC: "HMAC",
    Family.RSA: "RSA",
    Family.ECC: "elliptic curve",
    Family.SM2: "SM2",
    Family.ML_DSA: "ML-DSA",
    Family.ML_KEM: "ML-KEM",
}


@dataclass(frozen=True, slots=True)
class KeyFamily:
    """The kinds of key of one usage and one family of specs; there is at least one."""

    title: str
    kinds: tuple[KeyType, ...]


def key_families(region: str) -> list[KeyFamily]:
    """The families in a region, by usage, the most common first."""
    groups: dict[tuple[str, Family], list[KeyType]] = {}
    for kind in key_types(region):
        groups.setdefault((kind.usage, KEY_SPECS[kind.spec].family), []).append(kind)
    return [KeyFamily(_FAMILY_TITLES[family], tuple(kinds)) for (_, family), kinds in groups.items()]


@dataclass(frozen=True, slots=True)
class NewKey:
    """All decisions about a new key; ``policy`` is a policy to copy, "" if it follows from the rest."""

    kind: KeyType
    origin: str = KeyOrigin.AWS_KMS
    key_store_id: str = ""
    xks_key_id: str = ""
    """The key's id in the external key store, if there is one."""
    multi_region: bool = False
    alias: str = ""
    """With its prefix, or "" for none."""
    description: str = ""
    tags: tuple[Tag, ...] = ()
    period_days: int | None = None
    administrators: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    policy: str = ""


def policy_of(draft: NewKey, account_id: str, partition: str) -> str:
    """The policy that the key will have."""
    if draft.policy:
        return draft.policy
    from kms_tui.policy import snippets  # Slow to import, and only needed to create a key.

    if not draft.administrators and not draft.users:
        return snippets.default_policy(account_id, partition)
    statements = [snippets.enable_iam_policies(account_id, partition)]
    if draft.administrators:
        statements.append(snippets.key_administrators(draft.administrators))
    if draft.users:
        statements.append(_users(draft))
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def _users(draft: NewKey) -> StatementShape:
    from kms_tui.policy import snippets

    statement = snippets.key_users(draft.users)
    symmetric = draft.kind.spec == SYMMETRIC_DEFAULT
    return statement | {"Action": list(snippets.USE if symmetric else _USE_BY_USAGE[draft.kind.usage])}


def create_params(draft: NewKey, account_id: str, partition: str) -> dict[str, Any]:
    """CreateKey's members; the default policy is left to KMS."""
    from kms_tui.policy.snippets import default_policy

    text = policy_of(draft, account_id, partition)
    params = {
        "KeySpec": draft.kind.spec,
        "KeyUsage": draft.kind.usage,
        "Origin": draft.origin,
        "CustomKeyStoreId": draft.key_store_id,
        "XksKeyId": draft.xks_key_id,
        "MultiRegion": draft.multi_region,
        "Description": draft.description,
        "Tags": [{"TagKey": tag.key, "TagValue": tag.value} for tag in draft.tags],
        "Policy": "" if text == default_policy(account_id, partition) else text,
    }
    return {member: value for member, value in params.items() if value}


def calls_after(draft: NewKey, key_id: str) -> list[tuple[str, dict[str, Any]]]:
    """The calls that follow CreateKey: its alias and its rotation."""
    calls: list[tuple[str, dict[str, Any]]] = []
    if draft.alias:
        calls.append(("CreateAlias", {"AliasName": draft.alias, "TargetKeyId": key_id}))
    if draft.period_days:
        calls.append(("EnableKeyRotation", {"KeyId": key_id, "RotationPeriodInDays": draft.period_days}))
    return calls


def plain_commands(draft: NewKey, account_id: str, partition: str, region: str, key_id: str) -> Sequence[str]:
    """The command lines of all calls; ``key_id`` stands in them for the key that the first one makes."""
    from kms_tui.command_text import aws_cli

    calls = [("CreateKey", create_params(draft, account_id, partition)), *calls_after(draft, key_id)]
    return [aws_cli(operation, params, region=region) for operation, params in calls]


def commands(draft: NewKey, account_id: str, partition: str, region: str) -> Sequence[str]:
    """The lines of a POSIX shell script that makes the same key."""
    create, *after = plain_commands(draft, account_id, partition, region, "KEY_ID")
    made = f"KEY_ID=$({create} --query KeyMetadata.KeyId --output text)"
    return [made, *(line.replace(" KEY_ID", ' "$KEY_ID"') for line in after)]
