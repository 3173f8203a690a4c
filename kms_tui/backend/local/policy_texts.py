"""The key policies of AWS-managed keys, as the service prints them."""

from __future__ import annotations

import json
from typing import Any


def managed_policy(partition: str, account: str, region: str, service: str) -> str:
    """The policy of the AWS-managed key of a service (developer guide, key-policy-default)."""
    return _printed(
        {
            "Version": "2012-10-17",
            "Id": f"auto-{service}-1",
            "Statement": [
                {
                    "Sid": f"Allow access through {service} for all principals in the account that are "
                    f"authorized to use {service}",
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": [
                        "kms:Encrypt",
                        "kms:Decrypt",
                        "kms:ReEncrypt*",
                        "kms:GenerateDataKey*",
                        "kms:CreateGrant",
                        "kms:DescribeKey",
                    ],
                    "Resource": "*",
                    "Condition": {
                        "StringEquals": {
                            "kms:CallerAccount": account,
                            "kms:ViaService": f"{service}.{region}.amazonaws.com",
                        }
                    },
                },
                {
                    "Sid": "Allow direct access to key metadata to the account",
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
                    "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
                    "Resource": "*",
                },
            ],
        }
    )


def _printed(value: Any, indent: str = "") -> str:
    """JSON as the service prints it: an object's members each on a line, the members of a list in one."""
    if isinstance(value, dict):
        inner = indent + "  "
        members = (f"{inner}{json.dumps(name)} : {_printed(member, inner)}" for name, member in value.items())
        return "{\n" + ",\n".join(members) + f"\n{indent}}}"
    if isinstance(value, list):
        return f"[ {', '.join(_printed(member, indent) for member in value)} ]"
    return json.dumps(value)
