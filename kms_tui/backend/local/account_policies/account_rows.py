"""What an account's policies are kept as: a row each for users, groups, roles, policies, targets, endpoints.

The content of a row has AWS's own members: those of ``aws iam get-account-authorization-details`` and of
``aws ec2 describe-vpc-endpoints``. For an organization there is no such answer: ``Targets`` are its root, its
organizational units and its accounts, a term of ListPoliciesForTarget.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from kms_tui.policy.layers import Layer

Content = Mapping[str, Any]
AWS = "aws"
"""In the place of an account: what AWS manages."""


class RowKind(StrEnum):
    """What a row is about."""

    USER = "user"
    GROUP = "group"
    ROLE = "role"
    POLICY = "policy"
    ORGANIZATION = "organization"
    TARGET = "target"
    ENDPOINT = "endpoint"


class AccountRow(NamedTuple):
    """One row. ``name`` is a user's, group's or role's, the ARN of a policy, the id of the others.

    ``account`` is "" for what is of the organization or an endpoint, ``aws`` for policies that AWS manages.
    """

    kind: RowKind
    account: str
    name: str
    content: Content


class AccountRows(Protocol):
    """Where rows are looked up."""

    def find(self, kind: RowKind, account: str, name: str) -> Content | None:
        """The content of a row; None where there is none."""

    def every(self, kind: RowKind) -> Sequence[Content]:
        """The contents of all rows of a kind."""


MEMBERS: Mapping[RowKind, str] = {
    RowKind.USER: "UserDetailList",
    RowKind.GROUP: "GroupDetailList",
    RowKind.ROLE: "RoleDetailList",
    RowKind.POLICY: "Policies",
    RowKind.ORGANIZATION: "Organization",
    RowKind.TARGET: "Targets",
    RowKind.ENDPOINT: "VpcEndpoints",
}
"""Kind -> the member of a file that lists such rows; ``Organization`` alone is one object."""


class IdentityNames(NamedTuple):
    """AWS's names for a kind of identity, and for its members."""

    title: str
    name: str
    inline: str


IDENTITIES: Mapping[RowKind, IdentityNames] = {
    RowKind.USER: IdentityNames("User", "UserName", "UserPolicyList"),
    RowKind.GROUP: IdentityNames("Group", "GroupName", "GroupPolicyList"),
    RowKind.ROLE: IdentityNames("Role", "RoleName", "RolePolicyList"),
}


class ControlPolicyNames(NamedTuple):
    """What Organizations calls a kind of policy, and AWS's own that allows everything."""

    member: str
    type: str
    full_access: str


CONTROL_POLICIES: Mapping[Layer, ControlPolicyNames] = {
    Layer.SCP: ControlPolicyNames("ServiceControlPolicies", "SERVICE_CONTROL_POLICY", "FullAWSAccess"),
    Layer.RCP: ControlPolicyNames("ResourceControlPolicies", "RESOURCE_CONTROL_POLICY", "RCPFullAWSAccess"),
}


def file_of(rows: Iterable[AccountRow]) -> dict[str, Any]:
    """The rows as the content of one file, which ``account_file`` reads back."""
    found: dict[str, Any] = {}
    for row in rows:
        if row.kind is RowKind.ORGANIZATION:
            found[MEMBERS[row.kind]] = row.content
        else:
            found.setdefault(MEMBERS[row.kind], []).append(row.content)
    return found
