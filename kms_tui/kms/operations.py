"""THE table of API operations: which ones read, and which ones use a key without changing anything.

A new operation of a newer service belongs to neither set, and so counts as mutating until it is entered here.
"""

from __future__ import annotations

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
