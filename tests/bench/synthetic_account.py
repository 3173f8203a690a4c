"""An account of any number of keys that are made up as they are asked for, in this process."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from kms_tui.kms.model import CallerIdentity

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TEAMS = ("audit", "billing", "cards", "ledger", "logs", "orders", "payments", "search", "tokens", "users")
SPECS = (
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
    ("RSA_3072", "SIGN_VERIFY"),
    ("HMAC_256", "GENERATE_VERIFY_MAC"),
)


class SyntheticAccount:
    """A Backend that keeps nothing; each call takes ``latency`` seconds."""

    region, partition, account_id = "eu-west-1", "aws", "111122223333"

    def __init__(self, keys: int, latency: float) -> None:
        self.keys = keys
        self.latency = latency
        self.calls: Counter[str] = Counter()

    def caller(self) -> CallerIdentity:
        return CallerIdentity()

    def in_region(self, region: str) -> SyntheticAccount:
        return self

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self.calls[operation] += 1
        if self.latency:
            time.sleep(self.latency)
        answer: Mapping[str, Any] = _ANSWERS[operation](self, params)
        return answer

    def _page(self, member: str, entry: Callable[[int], Any], params: Mapping[str, Any]) -> Mapping[str, Any]:
        start = int(params.get("Marker") or 0)
        end = min(start + params["Limit"], self.keys)
        more = {"Truncated": True, "NextMarker": str(end)} if end < self.keys else {"Truncated": False}
        return {member: [entry(number) for number in range(start, end)], **more}

    def list_keys(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._page(
            "Keys", lambda number: {"KeyId": key_id(number), "KeyArn": arn(f"key/{key_id(number)}")}, params
        )

    def list_aliases(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        def entry(number: int) -> Mapping[str, str]:
            name = f"alias/{TEAMS[number * len(TEAMS) // self.keys]}-{TEAMS[number % 10]}-{number:06}"
            return {"AliasName": name, "AliasArn": arn(name), "TargetKeyId": key_id(number)}

        if "KeyId" in params:
            number = int(params["KeyId"][-12:], 16)
            return {"Aliases": [entry(number)], "Truncated": False}
        return self._page("Aliases", entry, params)

    def describe_key(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        key = params["KeyId"].split("/")[-1]
        number = int(key[:8], 16) * 7 % 100_003
        spec, usage = SPECS[number % 3]
        return {
            "KeyMetadata": {
                "KeyId": key,
                "Arn": arn(f"key/{key}"),
                "AWSAccountId": self.account_id[:],
                "KeyManager": "CUSTOMER",
                "KeyState": "Disabled" if number % 11 == 0 else "Enabled",
                "Enabled": number % 11 != 0,
                "KeySpec": spec,
                "KeyUsage": usage,
                "Origin": "AWS_KMS",
                "Description": f"Key {number} of the {TEAMS[number % 10]} team",
                "CreationDate": NOW - timedelta(days=number % 1500),
                "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            }
        }


_ANSWERS: Mapping[str, Callable[[SyntheticAccount, Mapping[str, Any]], Mapping[str, Any]]] = {
    "ListKeys": SyntheticAccount.list_keys,
    "ListAliases": SyntheticAccount.list_aliases,
    "DescribeKey": SyntheticAccount.describe_key,
    "GetKeyRotationStatus": lambda account, params: {"KeyRotationEnabled": True, "RotationPeriodInDays": 365},
    "ListResourceTags": lambda account, params: {"Tags": [], "Truncated": False},
    "ListGrants": lambda account, params: {"Grants": [], "Truncated": False},
}


def key_id(number: int) -> str:
    scrambled = number * 2_654_435_761 % 2**32
    return f"{scrambled:08x}-12ab-34cd-56ef-{number:012x}"


def arn(resource: str) -> str:
    return f"arn:aws:kms:eu-west-1:{SyntheticAccount.account_id}:{resource}"
