"""THE table of request quotas: how many requests a second an account may make in one Region.

Source, as of 2026-11-29: the KMS developer guide (requests-per-second), default values. An account may have
more; Service Quotas says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kms_tui.kms.operations import CRYPTOGRAPHIC

DATE = "2026-11-29"
SYMMETRIC, RSA, ECC, ML_DSA = (
    "cryptography with symmetric keys",
    "cryptography with RSA keys",
    "cryptography with elliptic curve keys",
    "cryptography with ML-DSA and ML-KEM keys",
)
"""The quotas that many operations share."""
_DEFAULT_SYMMETRIC = 10_000
_SYMMETRIC: Mapping[str, int] = {
    **dict.fromkeys(("us-east-1", "us-west-2", "eu-west-1"), 100_000),
    **dict.fromkeys(
        ("us-east-2", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "eu-central-1", "eu-west-2"),
        20_000,
    ),
}
"""Region -> the quota of symmetric cryptography, where it is not the default."""
_ASYMMETRIC = 1_000
_OPERATIONS: Mapping[int, str] = {
    1: "GetParametersForImport",
    5: "CancelKeyDeletion ConnectCustomKeyStore CreateAlias CreateCustomKeyStore CreateKey "
    "DeleteCustomKeyStore DeleteImportedKeyMaterial DescribeCustomKeyStores DisableKey "
    "DisableKeyRotation DisconnectCustomKeyStore EnableKey GetKeyLastUsage ImportKeyMaterial "
    "ReplicateKey RotateKeyOnDemand UntagResource UpdateAlias UpdateCustomKeyStore "
    "UpdateKeyDescription UpdatePrimaryRegion",
    10: "TagResource",
    15: "DeleteAlias EnableKeyRotation PutKeyPolicy ScheduleKeyDeletion",
    30: "RetireGrant RevokeGrant",
    50: "CreateGrant",
    100: "ListGrants ListKeyPolicies ListKeyRotations ListRetirableGrants",
    500: "ListAliases ListKeys",
    1000: "GetKeyPolicy GetKeyRotationStatus",
    2000: "DescribeKey GetPublicKey ListResourceTags",
}
"""Requests a second -> the operations that each have that quota."""
_BY_OPERATION: Mapping[str, int] = {
    name: per_second for per_second, names in _OPERATIONS.items() for name in names.split()
}
_PAIRS: Mapping[str, float] = {"RSA_2048": 1, "RSA_3072": 0.5, "RSA_4096": 0.1}
"""The spec of data key pairs -> their quota."""
_FAMILIES: tuple[tuple[str, str], ...] = (
    ("RSA", RSA),
    ("ECDSA", ECC),
    ("SM2", ECC),
    ("ED25519", ECC),
    ("ECDH", ECC),
    ("ML_", ML_DSA),
)
"""The beginning of an algorithm's name -> the quota that its operations share."""


class RequestQuota(NamedTuple):
    """A quota and its requests a second; None where the guide has none."""

    name: str
    per_second: float | None


def quota_of(operation: str, algorithm: str, region: str) -> RequestQuota:
    """The quota that an operation counts against; ``algorithm`` is the request's (of data key
    pairs their spec), "" where it has none.
    """
    if operation.startswith("GenerateDataKeyPair"):
        return RequestQuota(f"data key pairs of {algorithm or 'any spec'}", _PAIRS.get(algorithm))
    action = "ReEncrypt" if operation.startswith("ReEncrypt") else operation
    if action not in CRYPTOGRAPHIC:
        return RequestQuota(action, _BY_OPERATION.get(action))
    name = next((family for start, family in _FAMILIES if algorithm.startswith(start)), SYMMETRIC)
    if name == SYMMETRIC:
        return RequestQuota(name, _SYMMETRIC.get(region, _DEFAULT_SYMMETRIC))
    return RequestQuota(name, _ASYMMETRIC)
