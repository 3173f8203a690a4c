"""The IAM and the organization of the demo's account, answered in the shapes of their services.

Its roles are those of its callers: one may use keys, another may not. The account is a member of an
organization, below an organizational unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kms_tui.demo.demo_account import ACCOUNT_ID, CALLERS
from kms_tui.kms.errors import ServiceError

Shape = dict[str, Any]

MANAGEMENT_ACCOUNT_ID = "999988887777"
_ORGANIZATION, _ROOT, _UNIT = "o-a1b2c3d4e5", "r-ab12", "ou-ab12-workload"
_PARENTS = {ACCOUNT_ID: _UNIT, _UNIT: _ROOT}
_SCP, _RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"


def _policy(*statements: Shape) -> Shape:
    return {"Version": "2012-10-17", "Statement": list(statements)}


_USE_KEYS = _policy({"Sid": "UseKeys", "Effect": "Allow", "Action": "kms:*", "Resource": "*"})
_READ_REPORTS = _policy(
    {"Sid": "Query", "Effect": "Allow", "Action": ["athena:*", "glue:Get*"], "Resource": "*"},
    {"Sid": "ReadLake", "Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"},
)
_INLINE = {
    caller.session.partition("/")[0]: ("use-keys", _USE_KEYS)
    if caller.may_use_keys
    else ("read-reports", _READ_REPORTS)
    for caller in CALLERS.values()
    if caller.account == ACCOUNT_ID
}
"""Role -> the name of its inline policy, and the policy."""

_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
_CONTROL_POLICIES: Mapping[str, tuple[str, str, Shape, tuple[str, ...]]] = {
    "p-FullAWSAccess": (_SCP, "FullAWSAccess", _policy(_ALL), (_ROOT, _UNIT, ACCOUNT_ID)),
    "p-stayhere": (
        _SCP,
        "StayInTheOrganization",
        _policy({"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}),
        (_UNIT,),
    ),
    "p-RCPFullAWSAccess": (
        _RCP,
        "RCPFullAWSAccess",
        _policy({**_ALL, "Principal": "*"}),
        (_ROOT, _UNIT, ACCOUNT_ID),
    ),
}
"""Id -> its type, its name, the policy, and where it is attached."""


def _role(params: Mapping[str, Any]) -> str:
    name = str(params["RoleName"])
    if name not in _INLINE:
        raise ServiceError("NoSuchEntity", f"The role with name {name} cannot be found.")
    return name


def _get_role(params: Mapping[str, Any]) -> Shape:
    name = _role(params)
    return {"Role": {"RoleName": name, "Arn": f"arn:aws:iam::{ACCOUNT_ID}:role/{name}"}}


def _list_attached(params: Mapping[str, Any]) -> Shape:
    _role(params)
    return {"AttachedPolicies": []}


def _get_role_policy(params: Mapping[str, Any]) -> Shape:
    name, policy = _INLINE[_role(params)]
    return {"PolicyName": name, "PolicyDocument": policy}


def _list_policies(params: Mapping[str, Any]) -> Shape:
    target, kind = params["TargetId"], params["Filter"]
    return {
        "Policies": [
            _summary(policy_id)
            for policy_id, (of, _, _, targets) in _CONTROL_POLICIES.items()
            if of == kind and target in targets
        ]
    }


def _summary(policy_id: str) -> Shape:
    kind, name, _, _ = _CONTROL_POLICIES[policy_id]
    owner = "aws" if "FullAWSAccess" in policy_id else MANAGEMENT_ACCOUNT_ID
    within = "" if owner == "aws" else f"{_ORGANIZATION}/"
    arn = f"arn:aws:organizations::{owner}:policy/{within}{kind.lower()}/{policy_id}"
    return {"Id": policy_id, "Arn": arn, "Name": name, "Type": kind}


def _describe_policy(params: Mapping[str, Any]) -> Shape:
    policy_id = str(params["PolicyId"])
    return {"Policy": {"PolicySummary": _summary(policy_id), "Content": _CONTROL_POLICIES[policy_id][2]}}


def _organization(_: Mapping[str, Any]) -> Shape:
    return {"Organization": {"Id": _ORGANIZATION, "MasterAccountId": MANAGEMENT_ACCOUNT_ID}}


def _parents(params: Mapping[str, Any]) -> Shape:
    child = str(params["ChildId"])
    if child not in _PARENTS:
        raise ServiceError("ChildNotFoundException", "You specified an account that is not in it.")
    return {"Parents": [{"Id": _PARENTS[child]}]}


def _roots(_: Mapping[str, Any]) -> Shape:
    enabled = [{"Type": kind, "Status": "ENABLED"} for kind in (_SCP, _RCP)]
    return {"Roots": [{"Id": _ROOT, "Name": "Root", "PolicyTypes": enabled}]}


IDENTITY_ANSWERS: Mapping[tuple[str, str], Callable[[Mapping[str, Any]], Shape]] = {
    ("iam", "GetRole"): _get_role,
    ("iam", "ListAttachedRolePolicies"): _list_attached,
    ("iam", "ListRolePolicies"): lambda params: {"PolicyNames": [_INLINE[_role(params)][0]]},
    ("iam", "GetRolePolicy"): _get_role_policy,
    ("organizations", "DescribeOrganization"): _organization,
    ("organizations", "ListParents"): _parents,
    ("organizations", "ListRoots"): _roots,
    ("organizations", "ListPoliciesForTarget"): _list_policies,
    ("organizations", "DescribePolicy"): _describe_policy,
}
"""Call -> what answers it."""
