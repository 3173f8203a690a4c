"""AWS-managed keys: the predefined aliases of a Region, the making of their keys, and their policies.

An ``alias/aws/*`` that no key stands behind yet gets one when it is described or used (DescribeKey's
page of the API reference); a list never makes one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kms_tui.backend.local.engine.call import Call
from kms_tui.backend.local.keys.key_creation import new_key, new_material, put_new_key
from kms_tui.backend.local.store.key_rows import KeyRow, key_by_alias
from kms_tui.backend.local.store.sources import DAY
from kms_tui.kms.arn import AWS_ALIAS_PREFIX
from kms_tui.kms.model import KeyManager

_SERVICES: Mapping[str, str] = {
    "acm": "ACM private keys",
    "backup": "Backup vaults",
    "codecommit": "CodeCommit repositories",
    "dynamodb": "DynamoDB tables",
    "ebs": "EBS volumes",
    "elasticfilesystem": "EFS file systems",
    "es": "Elasticsearch domains",
    "fsx": "FSx resources",
    "glue": "Glue resources",
    "kinesis": "Kinesis streams",
    "kinesisvideo": "Kinesis video streams",
    "lambda": "Lambda functions",
    "rds": "RDS database volumes",
    "redshift": "Redshift clusters",
    "s3": "S3 objects",
    "secretsmanager": "Secrets Manager secrets",
    "sns": "SNS topics",
    "sqs": "SQS queues",
    "ssm": "SSM parameters",
    "workspaces": "WorkSpaces volumes",
    "xray": "X-Ray data",
}
"""Service -> what its key protects."""

ALIASES = frozenset(AWS_ALIAS_PREFIX + service for service in _SERVICES)
"""All aliases of AWS-managed keys."""

LISTED: tuple[str, ...] = tuple(
    AWS_ALIAS_PREFIX + service
    for service in (
        *("acm", "dynamodb", "ebs", "elasticfilesystem", "es", "glue", "kinesisvideo", "lambda", "rds"),
        *("redshift", "s3", "secretsmanager", "ssm", "xray"),
    )
)
"""The predefined aliases of a Region in which no service has encrypted yet, as ListAliases gives them."""

ROTATION_PERIOD = 365
"""Days; AWS-managed keys rotate every year since May 2022 (EnableKeyRotation's page)."""


def make_managed_key(call: Call, alias_name: str) -> KeyRow:
    """The key behind a predefined alias, made now unless another call was quicker."""
    service = alias_name.removeprefix(AWS_ALIAS_PREFIX)
    key = new_key(
        call,
        manager=KeyManager.AWS,
        description=f"Default key that protects my {_SERVICES[service]} when no other key is defined",
    )._replace(rotation_period=ROTATION_PERIOD, next_rotation_at=call.now + ROTATION_PERIOD * DAY)
    scope = call.scope
    material = new_material(call.store, key, call.now)
    with call.store.write() as db:
        existing = key_by_alias(call.store, scope.account, scope.region, alias_name)
        if existing:
            return existing
        policy = managed_policy(scope.partition, scope.account, scope.region, service)
        key = put_new_key(call, db, key, [material], policy)
        db.execute(
            "INSERT INTO aliases VALUES (?, ?, ?, ?, ?, ?)",
            (scope.account, scope.region, alias_name, key.row, call.now, call.now),
        )
    return key


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
