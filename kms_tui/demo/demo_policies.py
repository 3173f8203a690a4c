"""The key policies of the demo's account: ordinary ones, and some with findings."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from kms_tui.demo.demo_account import ACCOUNT_ID, PARTNER_ACCOUNT_ID, REGION

Statement = dict[str, Any]

_ROOT = f"arn:aws:iam::{ACCOUNT_ID}:root"
_USE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]


def _allow(sid: str, principal: Any, action: Any, **more: Any) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **more}


def _role(name: str) -> dict[str, str]:
    return {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:role/{name}"}


def _service(sid: str, service: str, *, source: str) -> Statement:
    condition = {"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}, "ArnLike": {"aws:SourceArn": source}}
    return _allow(sid, {"Service": service}, ["kms:Decrypt", "kms:GenerateDataKey*"], Condition=condition)


_ACCOUNT = _allow("Enable IAM User Permissions", {"AWS": _ROOT}, "kms:*")
_ADMINS = _allow(
    "Allow access for Key Administrators",
    _role("KeyAdmin"),
    [
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
    ],
)
_USERS = _allow("Allow use of the key", {"AWS": [_role(n)["AWS"] for n in ("app", "batch")]}, _USE)
_GRANTS = _allow(
    "Allow attachment of persistent resources",
    _role("app"),
    ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
    Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
)

_STATEMENTS: dict[str, list[Statement]] = {
    "key-users": [_ACCOUNT, _ADMINS, _USERS, _GRANTS],
    "key-admins": [_ACCOUNT, _ADMINS],
    "service-s3": [
        _ACCOUNT,
        _service("S3 events", "s3.amazonaws.com", source="arn:aws:s3:::acme-data-lake-*"),
    ],
    "service-logs": [
        _ACCOUNT,
        _allow(
            "CloudWatch Logs",
            {"Service": f"logs.{REGION}.amazonaws.com"},
            ["kms:Encrypt*", "kms:Decrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        ),
    ],
    "service-ec2": [_ACCOUNT, _USERS, _GRANTS],
    "service-secrets": [
        _ACCOUNT,
        _allow(
            "Through Secrets Manager only",
            {"AWS": "*"},
            _USE,
            Condition={
                "StringEquals": {
                    "kms:CallerAccount": ACCOUNT_ID,
                    "kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com",
                }
            },
        ),
    ],
    "cross-account": [
        _ACCOUNT,
        _allow(
            "The partner may use the key",
            {"AWS": f"arn:aws:iam::{PARTNER_ACCOUNT_ID}:root"},
            [*_USE, "kms:CreateGrant"],
        ),
    ],
    "public": [_ACCOUNT, _allow("Anyone may decrypt", {"AWS": "*"}, ["kms:Decrypt", "kms:DescribeKey"])],
    "no-account": [_ADMINS, _allow("Use by finance", _role("finance"), _USE)],
    "mfa-admins": [
        _allow(
            "Account, with MFA",
            {"AWS": _ROOT},
            "kms:*",
            Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        ),
        _allow("Use by people operations", _role("people-ops"), _USE),
    ],
}


@cache
def policy_text(name: str) -> str | None:
    """The text of a policy; None for "default", which KMS creates itself."""
    if name == "default":
        return None
    return json.dumps({"Version": "2012-10-17", "Id": name, "Statement": _STATEMENTS[name]}, indent=2)
