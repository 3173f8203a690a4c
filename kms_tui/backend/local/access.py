"""What even the administrator may not do: reach into another account, or change an AWS-managed key."""

from __future__ import annotations

from kms_tui.backend.local.call import Call
from kms_tui.backend.local.rows import KeyRow, policy_of
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import KeyManager
from kms_tui.kms.operations import NOT_MUTATING
from kms_tui.policy import Caller, Request, authorize, parse

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

_OPEN_ON_MANAGED = NOT_MUTATING | {"CreateGrant", "RevokeGrant", "RetireGrant"}
"""What an AWS-managed key allows: looking, use, and the grants that services make."""


ADMINISTRATOR_POLICY = parse(
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}',
    identity=True,
)
"""The IAM policy of the account's administrator, AWS's own AdministratorAccess."""


def denied(call: Call, key: KeyRow, action: str, reason: str) -> ServiceError:
    """AccessDeniedException in AWS's words; ``reason`` is the clause that follows "because"."""
    return ServiceError(
        "AccessDeniedException",
        f"User: {call.caller.arn} is not authorized to perform: {action} on resource: {call.arn(key)} "
        f"because {reason}",
    )


def policy_request(call: Call, key: KeyRow, action: str) -> Request:
    """The call as policies judge it."""
    now = {"aws:currenttime": call.time.isoformat(), "aws:epochtime": str(call.now // 1000)}
    return Request(Caller.parse(call.caller.arn), action, call.arn(key), now, complete=True)


def allow_administrator(call: Call, key: KeyRow | None, action: str) -> None:
    """The account's administrator may do all there is, but change AWS-managed keys.

    In another account there is only what that account's key policy grants.
    """
    if key is None:
        return
    if key.manager == KeyManager.AWS and call.operation not in _OPEN_ON_MANAGED:
        raise _not_allowed(call, key, action)
    if (
        key.account != call.scope.account
        and not authorize(
            parse(policy_of(call.store, key)),
            policy_request(call, key, action),
            key_account=key.account,
            identity_policies=call.iam_policies,
        ).allowed
    ):
        raise _not_allowed(call, key, action)


def require_account(call: Call, key: KeyRow) -> None:
    """AccessDeniedException for another account's key, where the operation has no cross-account use."""
    if key.account != call.scope.account and call.operation not in _CROSS_ACCOUNT:
        raise _not_allowed(call, key, f"kms:{call.operation}")


def _not_allowed(call: Call, key: KeyRow, action: str) -> ServiceError:
    return denied(call, key, action, f"no resource-based policy allows the {action} action")
