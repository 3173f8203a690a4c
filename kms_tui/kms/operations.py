"""THE table of API operations: which ones read, and which ones use a key without changing anything.

A new operation of a newer service belongs to neither set, and so counts as mutating until it is entered here.
"""

from __future__ import annotations

from collections.abc import Mapping

from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.model import KeyUsage

READING = frozenset(
    {
        "DescribeCustomKeyStores",
        "DescribeKey",
        "GetKeyLastUsage",
        "GetKeyPolicy",
        "GetKeyRotationStatus",
        "GetPublicKey",
        "ListAliases",
        "ListGrants",
        "ListKeyPolicies",
        "ListKeyRotations",
        "ListKeys",
        "ListResourceTags",
        "ListRetirableGrants",
    }
)
"""Operations that only look."""

CRYPTOGRAPHIC = frozenset(
    {
        "Decapsulate",
        "Decrypt",
        "DeriveSharedSecret",
        "Encapsulate",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GenerateRandom",
        "ReEncrypt",
        "Sign",
        "Verify",
        "VerifyMac",
    }
)
"""Operations that use a key and leave no trace in KMS but their CloudTrail event; safe to send again."""

PRICED_BY_KEY = CRYPTOGRAPHIC | {"GetPublicKey"}
"""Operations whose price depends on the key that they use (AWS KMS pricing)."""

NOT_MUTATING = READING | CRYPTOGRAPHIC
"""What a read-only session may call; not GetParametersForImport, which makes a key pair and a token."""


def is_mutating(operation: str) -> bool:
    """Whether the operation may change a key, alias, grant, policy, tag or key store."""
    return operation not in NOT_MUTATING


SERVICE_READS: Mapping[str, frozenset[str]] = {
    "cloudtrail": frozenset({"LookupEvents"}),
    "dynamodb": frozenset({"DescribeTable", "ListTables"}),
    "ec2": frozenset({"DescribeRegions", "DescribeVolumes"}),
    "efs": frozenset({"DescribeFileSystems"}),
    "lambda": frozenset({"ListFunctions"}),
    "logs": frozenset({"DescribeLogGroups"}),
    "rds": frozenset({"DescribeDBClusters", "DescribeDBInstances"}),
    "s3": frozenset({"GetBucketEncryption", "ListBuckets"}),
    "secretsmanager": frozenset({"ListSecrets"}),
    "sns": frozenset({"GetTopicAttributes", "ListTopics"}),
    "sqs": frozenset({"GetQueueAttributes", "ListQueues"}),
    "ssm": frozenset({"DescribeParameters"}),
}


def may_read(service: str, operation: str) -> bool:
    """Whether an operation of a service other than KMS may be sent."""
    return operation in SERVICE_READS.get(service, frozenset())


_BY_USAGE: Mapping[str, tuple[str, ...]] = {
    KeyUsage.ENCRYPT_DECRYPT: ("Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo"),
    KeyUsage.SIGN_VERIFY: ("Sign", "Verify"),
    KeyUsage.GENERATE_VERIFY_MAC: ("GenerateMac", "VerifyMac"),
    KeyUsage.KEY_AGREEMENT: ("DeriveSharedSecret",),
    KeyUsage.ENCAPSULATE_DECAPSULATE: ("Decapsulate", "Encapsulate"),
}
_DATA_KEYS = (
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
)
_ALWAYS = ("DescribeKey", "CreateGrant", "RetireGrant")


def grant_operations(spec: str, usage: str) -> tuple[str, ...]:
    """The operations that a grant on such a key may allow, those of its usage first."""
    known = KEY_SPECS.get(spec)
    operations = _BY_USAGE.get(usage, ())
    if known is not None and known.is_symmetric:
        operations += _DATA_KEYS
    if known is None or known.is_asymmetric:
        operations += ("GetPublicKey",)
    return operations + _ALWAYS
