"""Ready-made statements, as the KMS developer guide and the console write them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

StatementShape = dict[str, Any]
"""A statement as the JSON object that a policy holds."""

ADMINISTRATION = (
    "kms:Create*",
    "kms:Describe*",
    "kms:Enable*",
    "kms:List*",
    "kms:Put*",
    "kms:Update*",
    "kms:Revoke*",
    "kms:Disable*",
    "kms:Get*",
    "kms:Delete*",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
    "kms:RotateKeyOnDemand",
)
USE = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")


def root_arn(account_id: str, partition: str = "aws") -> str:
    return f"arn:{partition}:iam::{account_id}:root"


def enable_iam_policies(account_id: str, partition: str = "aws") -> StatementShape:
    """The root statement: the account keeps control, and IAM policies may delegate (key-policy-default)."""
    return _allow("Enable IAM User Permissions", {"AWS": root_arn(account_id, partition)}, "kms:*")


def key_administrators(principals: Sequence[str]) -> StatementShape:
    """The key administrators statement of the console (key-policy-default); principals are IAM ARNs."""
    return _allow(
        "Allow access for Key Administrators", {"AWS": _one_or_all(principals)}, list(ADMINISTRATION)
    )


def key_users(principals: Sequence[str]) -> StatementShape:
    """The key users statement of the console (key-policy-default); principals are IAM ARNs."""
    return _allow("Allow use of the key", {"AWS": _one_or_all(principals)}, list(USE))


def grants_for_aws_resources(principals: Sequence[str]) -> StatementShape:
    """Grants only for resources of AWS services, such as encrypted volumes (key-policy-default)."""
    return _allow(
        "Allow attachment of persistent resources",
        {"AWS": _one_or_all(principals)},
        ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
        {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    )


def service_use(service: str, account_id: str, source_arn: str) -> StatementShape:
    """Use by a service for one source of this account (key-policy-services).

    ``service`` is a principal such as cloudtrail.amazonaws.com; ``source_arn`` may hold wildcards.
    """
    return _allow(
        f"Allow {service} to use the key",
        {"Service": service},
        ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"],
        {"StringEquals": {"aws:SourceAccount": account_id}, "ArnLike": {"aws:SourceArn": source_arn}},
    )


def denial(principals: Sequence[str]) -> StatementShape:
    """No use for some principals: a deny wins over every allow (reference_policies_evaluation-logic)."""
    allowed = _allow("Deny use of the key", {"AWS": _one_or_all(principals)}, list(USE))
    return {**allowed, "Effect": "Deny"}


def cross_account_use(account_id: str, partition: str = "aws") -> StatementShape:
    """Use by another account, which delegates it with its own IAM policies (key-policy-modifying)."""
    principal = {"AWS": root_arn(account_id, partition)}
    return _allow(f"Allow use by account {account_id}", principal, list(USE))


def _allow(
    sid: str,
    principal: Mapping[str, Any],
    action: str | list[str],
    condition: Mapping[str, Any] | None = None,
) -> StatementShape:
    statement: StatementShape = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": dict(principal),
        "Action": action,
        "Resource": "*",
    }
    return statement | ({"Condition": dict(condition)} if condition else {})


def _one_or_all(items: Sequence[str]) -> str | list[str]:
    return items[0] if len(items) == 1 else list(items)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A statement for the editor's menu; its placeholders are valid values of the account to overwrite."""

    title: str
    description: str
    statement: StatementShape


def menu(account_id: str, partition: str = "aws") -> tuple[Snippet, ...]:
    """Every snippet, filled in for an account."""
    role = f"arn:{partition}:iam::{account_id}:role"
    elsewhere = "444455556666" if account_id != "444455556666" else "111122223333"
    trail = f"arn:{partition}:cloudtrail:*:{account_id}:trail/*"
    return (
        Snippet("Root statement", "The account keeps control", enable_iam_policies(account_id, partition)),
        Snippet(
            "Key administrators", "Manage, but not use", key_administrators([f"{role}/KeyAdministrator"])
        ),
        Snippet("Key users", "Encrypt and decrypt", key_users([f"{role}/KeyUser"])),
        Snippet(
            "Grants for AWS resources",
            "Volumes, databases and the like",
            grants_for_aws_resources([f"{role}/KeyUser"]),
        ),
        Snippet(
            "Service with a source",
            "A service, for this account's resources only",
            service_use("cloudtrail.amazonaws.com", account_id, trail),
        ),
        Snippet("Deny use", "No use, whatever else allows it", denial([f"{role}/KeyUser"])),
        Snippet("Another account", "Use from elsewhere", cross_account_use(elsewhere, partition)),
    )


def default_policy(account_id: str, partition: str = "aws") -> str:
    """The policy of a key created without one, exactly as GetKeyPolicy returns it."""
    return (
        "{\n"
        '  "Version" : "2012-10-17",\n'
        '  "Id" : "key-default-1",\n'
        '  "Statement" : [ {\n'
        '    "Sid" : "Enable IAM User Permissions",\n'
        '    "Effect" : "Allow",\n'
        '    "Principal" : {\n'
        f'      "AWS" : "{root_arn(account_id, partition)}"\n'
        "    },\n"
        '    "Action" : "kms:*",\n'
        '    "Resource" : "*"\n'
        "  } ]\n"
        "}"
    )


def as_text(statement: StatementShape, indent: int = 2) -> str:
    """A statement as JSON in ASCII, since KMS takes no character beyond U+00FF."""
    return json.dumps(statement, indent=indent)
