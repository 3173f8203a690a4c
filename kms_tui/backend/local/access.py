"""Who is refused what, in AWS's words; and what even an administrator may not reach in another account."""

from __future__ import annotations

from kms_tui.backend.local.call import Call
from kms_tui.backend.local.rows import KeyRow
from kms_tui.kms.errors import ServiceError
from kms_tui.policy import parse

_CROSS_ACCOUNT = frozenset(
    {
        "CreateGrant",
        "Decapsulate",
        "Decrypt",
        "DeriveSharedSecret",
        "DescribeKey",
        "Encapsulate",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GetKeyRotationStatus",
        "GetPublicKey",
        "ListGrants",
        "ReEncrypt",
        "RetireGrant",
        "RevokeGrant",
        "Sign",
        "Verify",
        "VerifyMac",
    }
)
"""Operations that work on another account's key ("Cross-account use: Yes" in the service model)."""

ADMINISTRATOR_POLICY = parse(
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}',
    identity=True,
)
"""The IAM policy of the account's administrator, AWS's own AdministratorAccess."""

_ELSEWHERE = (
    "because the resource does not exist in this Region, no resource-based policies allow access, or a "
    "resource-based policy explicitly denies access"
)
"""All that a caller learns of another account's key whose policy does not let it in."""

_FOUND_BY_CIPHERTEXT = {"kms:Decrypt": "KeyId", "kms:ReEncryptFrom": "SourceKeyId"}
"""Action -> the member without which its key is the one that the ciphertext names, and is not told."""


def denied(call: Call, where: str, action: str, clause: str) -> ServiceError:
    """AccessDeniedException; ``clause`` says why, ``where`` on what ("on …", or "" for nothing)."""
    member = _FOUND_BY_CIPHERTEXT.get(action)
    if member is not None and member not in call.params:
        where = "on the resource associated with this ciphertext"
    words = f"User: {call.caller.arn} is not authorized to perform: {action} {where}".rstrip()
    return ServiceError("AccessDeniedException", f"{words} {clause}")


def denied_elsewhere(call: Call, action: str) -> ServiceError:
    """The refusal of a key that the caller is not to know of."""
    return denied(call, "on this resource", action, _ELSEWHERE)


def denied_by_key(call: Call, key: KeyRow, action: str, *, explicitly: bool = False) -> ServiceError:
    """The refusal of a key's own policy, which tells another account nothing."""
    if key.account != call.scope.account:
        return denied_elsewhere(call, action)
    if explicitly:
        clause = "with an explicit deny in a resource-based policy"
    else:
        clause = f"because no resource-based policy allows the {action} action"
    return denied(call, f"on resource: {call.arn(key)}", action, clause)


def denied_by_identity(call: Call, resource: str, action: str, *, explicitly: bool = False) -> ServiceError:
    """The refusal of the caller's IAM policies; ``resource`` is an ARN, *, or "" for none."""
    where = f"on resource: {resource}" if resource else ""
    if explicitly:
        return denied(call, where, action, "with an explicit deny in an identity-based policy")
    return denied(call, where, action, f"because no identity-based policy allows the {action} action")


def require_account(call: Call, key: KeyRow) -> None:
    """AccessDeniedException for another account's key, where the operation has no cross-account use."""
    if key.account != call.scope.account and call.operation not in _CROSS_ACCOUNT:
        raise denied_by_key(call, key, f"kms:{call.operation}")
