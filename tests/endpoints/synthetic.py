"""An account of any number of keys that exist only as arithmetic: key ``n`` is the same each time."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kms_tui.kms.errors import ServiceError

Shape = dict[str, Any]

ACCOUNT = "111122223333"
CREATED = 1_709_337_600
"""2024-03-02, in epoch seconds; key ``n`` was made ``n`` hours later."""

_AWS_SERVICES = ("acm", "ebs", "lambda", "rds", "s3", "secretsmanager", "sns", "sqs", "ssm", "dynamodb")
_KINDS = (
    *(("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "EncryptionAlgorithms", ["SYMMETRIC_DEFAULT"]),) * 6,
    ("RSA_2048", "SIGN_VERIFY", "SigningAlgorithms", ["RSASSA_PSS_SHA_256", "RSASSA_PKCS1_V1_5_SHA_256"]),
    ("ECC_NIST_P256", "SIGN_VERIFY", "SigningAlgorithms", ["ECDSA_SHA_256"]),
    ("HMAC_256", "GENERATE_VERIFY_MAC", "MacAlgorithms", ["HMAC_SHA_256"]),
    ("RSA_4096", "ENCRYPT_DECRYPT", "EncryptionAlgorithms", ["RSAES_OAEP_SHA_256"]),
)
_POLICY = (
    '{"Version":"2012-10-17","Statement":[{"Sid":"root","Effect":"Allow","Principal":'
    '{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}'
)


def key_id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def _number(reference: str) -> int:
    return int(reference.rpartition("/")[2][:8], 16)


@dataclass
class SyntheticAccount:
    """``keys`` keys (up to 16 million), the first ``aws_managed`` of them AWS's; every tenth has no alias.

    Reads answer; of the mutations only EnableKey, DisableKey, UpdateKeyDescription and CreateKey do, and
    are remembered. All regions hold the same keys. Not safe for threads: the endpoint calls it on one.
    """

    keys: int = 40
    aws_managed: int = 4
    states: dict[int, str] = field(default_factory=dict)
    descriptions: dict[int, str] = field(default_factory=dict)

    def __call__(self, region: str, operation: str, params: Mapping[str, Any]) -> Shape:
        """Answer in the wire's shapes (blobs base64, timestamps epoch seconds); raises ServiceError."""
        answer = _OPERATIONS.get(operation)
        if answer is None:
            raise ServiceError("UnsupportedOperationException", f"{operation} is not synthetic")
        return answer(self, region, params)

    def alias_of(self, number: int) -> str:
        if number < self.aws_managed:
            return f"alias/aws/{_AWS_SERVICES[number % len(_AWS_SERVICES)]}"
        return "" if number % 10 == 9 else f"alias/team-{number % 37}/service-{number}"

    def metadata(self, region: str, number: int) -> Shape:
        managed = number < self.aws_managed
        spec, usage, member, algorithms = _KINDS[0 if managed else number % len(_KINDS)]
        state = self.states.get(number, "Disabled" if number % 23 == 22 else "Enabled")
        return {
            "AWSAccountId": ACCOUNT,
            "KeyId": key_id(number),
            "Arn": _arn(region, f"key/{key_id(number)}"),
            "CreationDate": CREATED + 3600 * number,
            "Enabled": state == "Enabled",
            "Description": self.descriptions.get(number, f"Key {number} of service {number % 101}"),
            "KeyUsage": usage,
            "KeyState": state,
            "Origin": "AWS_KMS",
            "KeyManager": "AWS" if managed else "CUSTOMER",
            "KeySpec": spec,
            "CustomerMasterKeySpec": spec,
            "MultiRegion": False,
            member: algorithms,
        }

    def _find(self, params: Mapping[str, Any]) -> int:
        reference = str(params["KeyId"])
        try:
            number = _number(reference)
        except ValueError:
            number = -1
        if not 0 <= number < self.keys:
            raise ServiceError("NotFoundException", f"Invalid keyId '{reference}'")
        return number

    def _list_keys(self, region: str, params: Mapping[str, Any]) -> Shape:
        numbers, more = _page(params, self.keys, default=100, largest=1000)
        keys = [{"KeyId": key_id(n), "KeyArn": _arn(region, f"key/{key_id(n)}")} for n in numbers]
        return {"Keys": keys, **more}

    def _list_aliases(self, region: str, params: Mapping[str, Any]) -> Shape:
        if "KeyId" in params:
            numbers, more = range(self._find(params), self._find(params) + 1), {"Truncated": False}
        else:
            numbers, more = _page(params, self.keys, default=50, largest=100)
        aliases = [
            {
                "AliasName": name,
                "AliasArn": _arn(region, name),
                "TargetKeyId": key_id(number),
                "CreationDate": CREATED,
                "LastUpdatedDate": CREATED,
            }
            for number in numbers
            if (name := self.alias_of(number))
        ]
        return {"Aliases": aliases, **more}

    def _describe_key(self, region: str, params: Mapping[str, Any]) -> Shape:
        return {"KeyMetadata": self.metadata(region, self._find(params))}

    def _get_key_rotation_status(self, region: str, params: Mapping[str, Any]) -> Shape:
        number = self._find(params)
        enabled = number < self.aws_managed or (number % 3 == 0 and number % len(_KINDS) < 6)
        schedule = {"RotationPeriodInDays": 365, "NextRotationDate": CREATED + 86400 * 365 * 4}
        return {"KeyId": key_id(number), "KeyRotationEnabled": enabled, **(schedule if enabled else {})}

    def _list_key_rotations(self, region: str, params: Mapping[str, Any]) -> Shape:
        number = self._find(params)
        rotation = {"KeyId": key_id(number), "RotationDate": CREATED + 86400, "RotationType": "ON_DEMAND"}
        return {"Rotations": [rotation] if number % 5 == 0 else [], "Truncated": False}

    def _list_resource_tags(self, region: str, params: Mapping[str, Any]) -> Shape:
        team = f"team-{self._find(params) % 37}"
        return {"Tags": [{"TagKey": "team", "TagValue": team}], "Truncated": False}

    def _get_key_policy(self, region: str, params: Mapping[str, Any]) -> Shape:
        self._find(params)
        return {"Policy": _POLICY, "PolicyName": "default"}

    def _list_key_policies(self, region: str, params: Mapping[str, Any]) -> Shape:
        self._find(params)
        return {"PolicyNames": ["default"], "Truncated": False}

    def _list_grants(self, region: str, params: Mapping[str, Any]) -> Shape:
        self._find(params)
        return {"Grants": [], "Truncated": False}

    def _get_key_last_usage(self, region: str, params: Mapping[str, Any]) -> Shape:
        number = self._find(params)
        used = {"Operation": "Decrypt", "Timestamp": CREATED + 7200 * number}
        seen = {} if number % 4 == 0 else {"KeyLastUsage": used}
        return {"KeyId": key_id(number), "TrackingStartDate": CREATED, **seen}

    def _generate_random(self, region: str, params: Mapping[str, Any]) -> Shape:
        return {"Plaintext": base64.b64encode(bytes(int(params.get("NumberOfBytes", 32)))).decode()}

    def _create_key(self, region: str, params: Mapping[str, Any]) -> Shape:
        number, self.keys = self.keys, self.keys + 1
        self.descriptions[number] = str(params.get("Description", ""))
        return {"KeyMetadata": self.metadata(region, number)}

    def _enable_key(self, region: str, params: Mapping[str, Any]) -> Shape:
        self.states[self._find(params)] = "Enabled"
        return {}

    def _disable_key(self, region: str, params: Mapping[str, Any]) -> Shape:
        self.states[self._find(params)] = "Disabled"
        return {}

    def _update_key_description(self, region: str, params: Mapping[str, Any]) -> Shape:
        self.descriptions[self._find(params)] = str(params["Description"])
        return {}


_OPERATIONS: Mapping[str, Callable[[SyntheticAccount, str, Mapping[str, Any]], Shape]] = {
    "CreateKey": SyntheticAccount._create_key,
    "DescribeKey": SyntheticAccount._describe_key,
    "DisableKey": SyntheticAccount._disable_key,
    "EnableKey": SyntheticAccount._enable_key,
    "GenerateRandom": SyntheticAccount._generate_random,
    "GetKeyLastUsage": SyntheticAccount._get_key_last_usage,
    "GetKeyPolicy": SyntheticAccount._get_key_policy,
    "GetKeyRotationStatus": SyntheticAccount._get_key_rotation_status,
    "ListAliases": SyntheticAccount._list_aliases,
    "ListGrants": SyntheticAccount._list_grants,
    "ListKeyPolicies": SyntheticAccount._list_key_policies,
    "ListKeyRotations": SyntheticAccount._list_key_rotations,
    "ListKeys": SyntheticAccount._list_keys,
    "ListResourceTags": SyntheticAccount._list_resource_tags,
    "UpdateKeyDescription": SyntheticAccount._update_key_description,
}


def _arn(region: str, resource: str) -> str:
    return f"arn:aws:kms:{region}:{ACCOUNT}:{resource}"


def _page(params: Mapping[str, Any], total: int, *, default: int, largest: int) -> tuple[range, Shape]:
    start = int(params.get("Marker", 0))
    end = min(total, start + min(int(params.get("Limit", default)), largest))
    more: Shape = {"Truncated": True, "NextMarker": str(end)} if end < total else {"Truncated": False}
    return range(start, end), more
