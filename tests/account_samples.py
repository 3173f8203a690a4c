"""Small files of account policies as AWS prints them: a user in a group, a role, an organization."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service/app"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/i-0abc"
USER = f"arn:aws:iam::{ACCOUNT}:user/team/jane"
ENDPOINT = "vpce-0abc1234def567890"
POWER_USER = "arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser"
DECRYPT = f"arn:aws:iam::{ACCOUNT}:policy/decrypt"
LIMITS = f"arn:aws:iam::{ACCOUNT}:policy/limits"

Json = dict[str, Any]


def policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(*actions: str, **elements: Any) -> Json:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **elements}


def deny(*actions: str, **elements: Any) -> Json:
    return {**allow(*actions, **elements), "Effect": "Deny"}


def managed(arn: str, document: Json, *older: Json) -> Json:
    """A managed policy, whose first document is the version that applies."""
    versions = [
        {"Document": each, "VersionId": f"v{number}", "IsDefaultVersion": number == len(older) + 1}
        for number, each in zip(range(len(older) + 1, 0, -1), (document, *older), strict=True)
    ]
    return {
        "PolicyName": arn.rpartition("/")[2],
        "Arn": arn,
        "Path": "/",
        "DefaultVersionId": f"v{len(older) + 1}",
        "AttachmentCount": 1,
        "IsAttachable": True,
        "CreateDate": "2024-01-01T00:00:00+00:00",
        "PolicyVersionList": versions,
    }


def iam() -> Json:
    """What ``aws iam get-account-authorization-details`` prints."""
    return deepcopy(
        {
            "UserDetailList": [
                {
                    "Path": "/team/",
                    "UserName": "jane",
                    "UserId": "AIDACKCEVSQ6C2EXAMPLE",
                    "Arn": USER,
                    "CreateDate": "2024-01-01T00:00:00+00:00",
                    "GroupList": ["developers"],
                    "AttachedManagedPolicies": [],
                    "PermissionsBoundary": {
                        "PermissionsBoundaryType": "Policy",
                        "PermissionsBoundaryArn": LIMITS,
                    },
                    "Tags": [],
                }
            ],
            "GroupDetailList": [
                {
                    "Path": "/",
                    "GroupName": "developers",
                    "GroupId": "AGPACKCEVSQ6C2EXAMPLE",
                    "Arn": f"arn:aws:iam::{ACCOUNT}:group/developers",
                    "GroupPolicyList": [
                        {"PolicyName": "use", "PolicyDocument": policy(allow("kms:Encrypt", "kms:Decrypt"))}
                    ],
                    "AttachedManagedPolicies": [],
                }
            ],
            "RoleDetailList": [
                {
                    "Path": "/service/",
                    "RoleName": "app",
                    "RoleId": "AROACKCEVSQ6C2EXAMPLE",
                    "Arn": ROLE,
                    "AssumeRolePolicyDocument": policy(),
                    "InstanceProfileList": [],
                    "RolePolicyList": [],
                    "AttachedManagedPolicies": [
                        {"PolicyName": "AWSKeyManagementServicePowerUser", "PolicyArn": POWER_USER},
                        {"PolicyName": "decrypt", "PolicyArn": DECRYPT},
                    ],
                    "RoleLastUsed": {},
                }
            ],
            "Policies": [
                managed(
                    POWER_USER, policy(allow("kms:CreateKey", "kms:Describe*", "kms:List*", "iam:ListRoles"))
                ),
                managed(DECRYPT, policy(allow("kms:Encrypt", "kms:Decrypt")), policy(deny("*"))),
                managed(LIMITS, policy(allow("kms:Encrypt", "kms:ListKeys"))),
            ],
        }
    )


def organization() -> Json:
    """An organization in which nobody deletes keys, and nobody from elsewhere uses them."""
    elsewhere = {"StringNotEqualsIfExists": {"aws:PrincipalAccount": ACCOUNT}}
    return deepcopy(
        {
            "Organization": {"Id": "o-a1b2c3d4e5", "MasterAccountId": "999988887777", "FeatureSet": "ALL"},
            "Targets": [
                {"Id": "r-ab12"},
                {
                    "Id": "ou-ab12-workload",
                    "ParentId": "r-ab12",
                    "ServiceControlPolicies": [
                        {"Name": "NoDeletion", "Content": policy(deny("kms:ScheduleKeyDeletion"))}
                    ],
                    "ResourceControlPolicies": [
                        {
                            "Name": "OnlyUs",
                            "Content": policy(deny("kms:*", Principal="*", Condition=elsewhere)),
                        }
                    ],
                },
                {"Id": ACCOUNT, "ParentId": "ou-ab12-workload"},
            ],
        }
    )


def endpoints() -> Json:
    """What ``aws ec2 describe-vpc-endpoints`` prints."""
    return {
        "VpcEndpoints": [
            {
                "VpcEndpointId": ENDPOINT,
                "VpcId": "vpc-0123456789abcdef0",
                "State": "available",
                "OwnerId": ACCOUNT,
                "PolicyDocument": json.dumps(policy(allow("kms:Decrypt", "kms:List*", Principal="*"))),
            }
        ]
    }


def whole() -> Json:
    """All of it in one file."""
    return {**iam(), **organization(), **endpoints()}
