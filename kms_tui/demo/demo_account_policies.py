"""The IAM, the organization and a VPC endpoint of the demo's account, as files of account policies have them.

Its roles are those of its callers: one may use keys, another may not. The account is a member of an
organization, below an organizational unit.
"""

from __future__ import annotations

from typing import Any

from kms_tui.demo.demo_account import ACCOUNT_ID, CALLERS, REGION

Shape = dict[str, Any]

MANAGEMENT_ACCOUNT_ID = "999988887777"
ENDPOINT_ID = "vpce-0d1e2f3a4b5c6d7e8"


def _policy(*statements: Shape) -> Shape:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(sid: str, *actions: str, resource: str = "*") -> Shape:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resource}


_USE_KEYS = _policy(_allow("UseKeys", "kms:*"))
_READ_REPORTS = _policy(
    _allow("Query", "athena:*", "glue:Get*"), _allow("ReadLake", "s3:GetObject", "s3:ListBucket")
)
_STAY_HERE = _policy({"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"})
_OF_ACCOUNT = _policy(
    {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "kms:*",
        "Resource": f"arn:aws:kms:{REGION}:{ACCOUNT_ID}:key/*",
    }
)


def _role(name: str, policy: str, document: Shape) -> Shape:
    return {
        "RoleName": name,
        "Arn": f"arn:aws:iam::{ACCOUNT_ID}:role/{name}",
        "RolePolicyList": [{"PolicyName": policy, "PolicyDocument": document}],
    }


ACCOUNT_POLICIES: Shape = {
    "RoleDetailList": [
        _role(caller.session.partition("/")[0], "use-keys", _USE_KEYS)
        if caller.may_use_keys
        else _role(caller.session.partition("/")[0], "read-reports", _READ_REPORTS)
        for caller in CALLERS.values()
        if caller.account == ACCOUNT_ID
    ],
    "Organization": {"Id": "o-a1b2c3d4e5", "MasterAccountId": MANAGEMENT_ACCOUNT_ID},
    "Targets": [
        {"Id": "r-ab12", "ServiceControlPolicies": [], "ResourceControlPolicies": []},
        {
            "Id": "ou-ab12-workload",
            "ParentId": "r-ab12",
            "ServiceControlPolicies": [
                {"Id": "p-stayhere", "Name": "StayInTheOrganization", "Content": _STAY_HERE}
            ],
        },
        {"Id": ACCOUNT_ID, "ParentId": "ou-ab12-workload"},
    ],
    "VpcEndpoints": [{"VpcEndpointId": ENDPOINT_ID, "PolicyDocument": _OF_ACCOUNT}],
}
