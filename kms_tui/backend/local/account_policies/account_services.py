"""IAM, Organizations and VPC endpoints as the rows of an account's policies tell them, in AWS's shapes.

Each list is one page. Source: the API references of IAM, Organizations and EC2, and their service models.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from kms_tui.backend.local.account_policies.account_rows import (
    AWS,
    CONTROL_POLICIES,
    IDENTITIES,
    AccountRows,
    Content,
    RowKind,
)
from kms_tui.kms.errors import ServiceError, UnavailableError

Shape = dict[str, Any]
Params = Mapping[str, Any]
SERVICES = frozenset({"ec2", "iam", "organizations"})
_ORGANIZATIONS_ARN = "arn:aws:organizations"


def _text_of(policy: Content) -> str:
    """A policy as Organizations and EC2 answer it; botocore decodes those of IAM."""
    return json.dumps(policy, indent=2)


class AccountServices:
    """``kms_tui.backend.base.Services`` of one account, out of rows."""

    def __init__(self, rows: AccountRows, account: str, region: str) -> None:
        self.rows = rows
        self.account = account
        self._region = region

    @property
    def region(self) -> str:
        return self._region

    def offers(self, service: str) -> bool:
        return service in SERVICES

    def in_region(self, region: str) -> AccountServices:
        return AccountServices(self.rows, self.account, region)

    def call(self, service: str, operation: str, params: Params) -> Shape:
        """The answer; ServiceError as the service would answer it, UnavailableError for any other call."""
        answer = ANSWERS.get((service, operation))
        if answer is None:
            raise UnavailableError(service, operation)
        try:
            return answer(self, params)
        except ServiceError as error:
            error.operation = operation
            raise


# IAM


def _identity(services: AccountServices, kind: RowKind, params: Params) -> Content:
    name = str(params[IDENTITIES[kind].name])
    found = services.rows.find(kind, services.account, name)
    if found is None:
        raise ServiceError("NoSuchEntity", f"The {kind} with name {name} cannot be found.")
    return found


def _get(kind: RowKind, services: AccountServices, params: Params) -> Shape:
    found = _identity(services, kind, params)
    members = (IDENTITIES[kind].name, "Arn", "PermissionsBoundary")
    return {IDENTITIES[kind].title: {name: found[name] for name in members if name in found}}


def _list_attached(kind: RowKind, services: AccountServices, params: Params) -> Shape:
    attached = _identity(services, kind, params)["AttachedManagedPolicies"]
    return {"AttachedPolicies": list(attached), "IsTruncated": False}


def _list_inline(kind: RowKind, services: AccountServices, params: Params) -> Shape:
    inline = _identity(services, kind, params)[IDENTITIES[kind].inline]
    return {"PolicyNames": [each["PolicyName"] for each in inline], "IsTruncated": False}


def _get_inline(kind: RowKind, services: AccountServices, params: Params) -> Shape:
    names, wanted = IDENTITIES[kind], str(params["PolicyName"])
    for each in _identity(services, kind, params)[names.inline]:
        if each["PolicyName"] == wanted:
            return {names.name: str(params[names.name]), **each}
    raise ServiceError("NoSuchEntity", f"The {kind} policy with name {wanted} cannot be found.")


def _list_groups(services: AccountServices, params: Params) -> Shape:
    groups = _identity(services, RowKind.USER, params)["GroupList"]
    found = (services.rows.find(RowKind.GROUP, services.account, name) for name in groups)
    named = [{"GroupName": each["GroupName"], "Arn": each["Arn"]} for each in found if each is not None]
    return {"Groups": named, "IsTruncated": False}


def _policy(services: AccountServices, params: Params) -> Content:
    arn = str(params["PolicyArn"])
    for account in (services.account, AWS):
        found = services.rows.find(RowKind.POLICY, account, arn)
        if found is not None:
            return found
    raise ServiceError("NoSuchEntity", f"Policy {arn} was not found.")


def _get_policy(services: AccountServices, params: Params) -> Shape:
    found = _policy(services, params)
    return {"Policy": {name: found[name] for name in ("PolicyName", "Arn", "DefaultVersionId")}}


def _get_policy_version(services: AccountServices, params: Params) -> Shape:
    found, wanted = _policy(services, params), params["VersionId"]
    for version in found["PolicyVersionList"]:
        if version["VersionId"] == wanted:
            return {"PolicyVersion": version}
    raise ServiceError("NoSuchEntity", f"Policy {found['Arn']} version {wanted} does not exist.")


# Organizations


def _organization(services: AccountServices) -> Content:
    found = services.rows.find(RowKind.ORGANIZATION, "", "")
    if found is None:
        raise ServiceError(
            "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."
        )
    return found


def _describe_organization(services: AccountServices, _: Params) -> Shape:
    return {"Organization": dict(_organization(services))}


def _list_parents(services: AccountServices, params: Params) -> Shape:
    _organization(services)
    parent = _target(services, str(params["ChildId"]), "ChildNotFoundException").get("ParentId")
    kind = "ROOT" if str(parent).startswith("r-") else "ORGANIZATIONAL_UNIT"
    return {"Parents": [{"Id": parent, "Type": kind}] if parent else []}


def _target(services: AccountServices, target: str, code: str) -> Content:
    found = services.rows.find(RowKind.TARGET, "", target)
    if found is None:
        raise ServiceError(code, f"The organization has no {target}.")
    return found


def _list_roots(services: AccountServices, _: Params) -> Shape:
    _organization(services)
    roots = [each for each in services.rows.every(RowKind.TARGET) if "ParentId" not in each]
    if not roots:
        raise ServiceError("ServiceException", "The organization has no root.")
    return {
        "Roots": [
            {
                "Id": root["Id"],
                "Name": "Root",
                "PolicyTypes": [
                    {"Type": names.type, "Status": "ENABLED"}
                    for names in CONTROL_POLICIES.values()
                    if names.member in root
                ],
            }
            for root in roots
        ]
    }


def _list_policies_for_target(services: AccountServices, params: Params) -> Shape:
    organization = _organization(services)
    target = _target(services, str(params["TargetId"]), "TargetNotFoundException")
    return {
        "Policies": [
            _summary(organization, policy_type, policy)
            for policy_type, policy in _control_policies(target)
            if policy_type == params["Filter"]
        ]
    }


def _control_policies(target: Content) -> Iterator[tuple[str, Content]]:
    """The policies that are attached to a target, each with its type."""
    for names in CONTROL_POLICIES.values():
        for policy in target.get(names.member, ()):
            yield names.type, policy


def _summary(organization: Content, policy_type: str, policy: Content) -> Shape:
    of_aws = any(policy["Id"] == f"p-{names.full_access}" for names in CONTROL_POLICIES.values())
    owner = AWS if of_aws else organization["MasterAccountId"]
    within = "" if of_aws else f"{organization['Id']}/"
    return {
        "Id": policy["Id"],
        "Arn": f"{_ORGANIZATIONS_ARN}::{owner}:policy/{within}{policy_type.lower()}/{policy['Id']}",
        "Name": policy["Name"],
        "Type": policy_type,
        "AwsManaged": of_aws,
    }


def _describe_policy(services: AccountServices, params: Params) -> Shape:
    organization, wanted = _organization(services), params["PolicyId"]
    for target in services.rows.every(RowKind.TARGET):
        for policy_type, policy in _control_policies(target):
            if policy["Id"] == wanted:
                summary = _summary(organization, policy_type, policy)
                return {"Policy": {"PolicySummary": summary, "Content": _text_of(policy["Content"])}}
    raise ServiceError("PolicyNotFoundException", f"The organization has no policy {wanted}.")


# EC2


def _describe_endpoints(services: AccountServices, params: Params) -> Shape:
    found = []
    for endpoint in params["VpcEndpointIds"]:
        row = services.rows.find(RowKind.ENDPOINT, "", str(endpoint))
        if row is None:
            raise ServiceError(
                "InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{endpoint}' does not exist"
            )
        found.append({**row, "PolicyDocument": _text_of(row["PolicyDocument"])})
    return {"VpcEndpoints": found}


_Answer = Callable[[AccountServices, Params], Shape]


def _of_identity(kind: RowKind) -> dict[tuple[str, str], _Answer]:
    title = IDENTITIES[kind].title
    return {
        ("iam", f"ListAttached{title}Policies"): partial(_list_attached, kind),
        ("iam", f"List{title}Policies"): partial(_list_inline, kind),
        ("iam", f"Get{title}Policy"): partial(_get_inline, kind),
    }


ANSWERS: Mapping[tuple[str, str], _Answer] = {
    **_of_identity(RowKind.ROLE),
    **_of_identity(RowKind.USER),
    **_of_identity(RowKind.GROUP),
    ("iam", "GetRole"): partial(_get, RowKind.ROLE),
    ("iam", "GetUser"): partial(_get, RowKind.USER),
    ("iam", "ListGroupsForUser"): _list_groups,
    ("iam", "GetPolicy"): _get_policy,
    ("iam", "GetPolicyVersion"): _get_policy_version,
    ("organizations", "DescribeOrganization"): _describe_organization,
    ("organizations", "ListParents"): _list_parents,
    ("organizations", "ListRoots"): _list_roots,
    ("organizations", "ListPoliciesForTarget"): _list_policies_for_target,
    ("organizations", "DescribePolicy"): _describe_policy,
    ("ec2", "DescribeVpcEndpoints"): _describe_endpoints,
}
"""THE table: a call -> what answers it."""
