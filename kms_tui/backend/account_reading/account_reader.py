"""Reads a caller's IAM policies, the SCPs and RCPs of an account, and the policy of a VPC endpoint.

Each denied or failed call leaves its layer unread. Source: the IAM user guide
(reference_policies_evaluation-logic), the IAM and EC2 API references.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kms_tui.backend.account_reading.organization_reading import OrganizationReader
from kms_tui.backend.account_reading.service_reads import (
    MAX_CALLS,
    MISSHAPEN,
    NotReadError,
    ServiceReads,
    policy_of,
    unread,
)
from kms_tui.backend.base import Services
from kms_tui.policy.layers import Layer, Levels, NamedPolicy, Policies, UnreadLayer
from kms_tui.policy.principals import Caller, PrincipalKind

UNBOUNDED = sys.maxsize
"""Calls of a reading that costs nothing."""
_NO_SUCH = ("NoSuchEntity", "NoSuchEntityException")


class _Kind(NamedTuple):
    """How IAM names the calls for one kind of identity; ``member`` names the identity in each of them."""

    member: str
    get: str
    attached: str
    inline: str
    inline_document: str


_ROLE = _Kind("RoleName", "GetRole", "ListAttachedRolePolicies", "ListRolePolicies", "GetRolePolicy")
_USER = _Kind("UserName", "GetUser", "ListAttachedUserPolicies", "ListUserPolicies", "GetUserPolicy")
_GROUP = _Kind("GroupName", "", "ListAttachedGroupPolicies", "ListGroupPolicies", "GetGroupPolicy")
_KINDS: Mapping[PrincipalKind, _Kind] = {
    PrincipalKind.ROLE: _ROLE,
    PrincipalKind.SESSION: _ROLE,
    PrincipalKind.USER: _USER,
}


def has_identity_policies(caller: Caller) -> bool:
    """Whether IAM has policies of such a caller: a role, a session of one, or a user."""
    return caller.kind in _KINDS


class AccountReader:
    """One reading; what several layers need is asked once.

    ``services`` are of the Region of the key (IAM and Organizations are the same in all) and of the account
    ``own_account``, "" where it is not known. ``keep_going`` stops the reading between two calls, of which
    there are ``most`` at most.
    """

    def __init__(
        self,
        services: Services | None,
        own_account: str,
        keep_going: Callable[[], bool],
        most: int = MAX_CALLS,
    ) -> None:
        self._own_account = own_account
        self._reads = ServiceReads(services, keep_going, most)
        self._organization = OrganizationReader(self._reads)

    def identity(self, caller: Caller) -> Policies | UnreadLayer:
        """The caller's own policies, and those of a user's groups."""
        kind = _KINDS.get(caller.kind)
        if kind is None:
            return _without_identity(caller)
        elsewhere = self._elsewhere(caller)
        if elsewhere is not None:
            return elsewhere
        try:
            found = tuple(self._policies(kind, caller, caller.name))
            if kind is _USER:
                for group in self._pages("ListGroupsForUser", "Groups", UserName=caller.name):
                    found += tuple(self._policies(_GROUP, caller, str(group["GroupName"])))
        except (NotReadError, *MISSHAPEN) as error:
            return unread(error)
        return found

    def _elsewhere(self, caller: Caller) -> UnreadLayer | None:
        if not self._own_account or caller.account == self._own_account:
            return None
        return UnreadLayer(
            f"the caller is of account {caller.account}, and this connection reads the IAM of "
            f"{self._own_account}"
        )

    def _policies(self, kind: _Kind, caller: Caller, name: str) -> Iterator[NamedPolicy]:
        """The attached and the inline policies of a role, user or group."""
        named = {kind.member: name}
        self._require_there(kind, caller, name)
        for attached in self._pages(kind.attached, "AttachedPolicies", **named):
            yield self._managed(Layer.IDENTITY, str(attached["PolicyArn"]))
        for policy in self._pages(kind.inline, "PolicyNames", **named):
            answer = self._reads.call("iam", kind.inline_document, **named, PolicyName=str(policy))
            yield policy_of(Layer.IDENTITY, f"{policy} (inline of {name})", answer["PolicyDocument"])

    def _require_there(self, kind: _Kind, caller: Caller, name: str) -> None:
        if kind.get and self._reads.answers_code("iam", kind.get, *_NO_SUCH, **{kind.member: name}):
            what = kind.member.removesuffix("Name").lower()
            raise NotReadError(f"account {caller.account} has no {what} {name}")

    def _managed(self, layer: Layer, arn: str) -> NamedPolicy:
        """A managed policy in the version that applies."""
        version = self._reads.call("iam", "GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
        answer = self._reads.call("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version)
        return policy_of(layer, arn, answer["PolicyVersion"]["Document"])

    def _pages(self, operation: str, member: str, **params: str) -> Iterator[Any]:
        return self._reads.pages("iam", operation, member, "Marker", **params)

    def role_arn(self, caller: Caller) -> str | None:
        """Of a session, the ARN of its role with the path; None where it is not known."""
        if caller.kind is not PrincipalKind.SESSION or self._elsewhere(caller) is not None:
            return None
        try:
            arn = str(self._reads.call("iam", "GetRole", RoleName=caller.name)["Role"]["Arn"])
        except (NotReadError, *MISSHAPEN):
            return None
        return arn if arn.startswith("arn:") and arn.endswith(f"/{caller.name}") else None

    def boundary(self, caller: Caller) -> NamedPolicy | UnreadLayer | None:
        """The caller's permissions boundary."""
        kind = _KINDS.get(caller.kind)
        if kind is None:
            return None
        elsewhere = self._elsewhere(caller)
        if elsewhere is not None:
            return elsewhere
        try:
            self._require_there(kind, caller, caller.name)
            answer = self._reads.call("iam", kind.get, **{kind.member: caller.name})
            boundary = answer[kind.get.removeprefix("Get")].get("PermissionsBoundary")
            return self._managed(Layer.BOUNDARY, boundary["PermissionsBoundaryArn"]) if boundary else None
        except (NotReadError, *MISSHAPEN) as error:
            return unread(error)

    def scps(self, caller: Caller) -> Levels | UnreadLayer:
        """The SCPs of the caller's account."""
        if caller.kind is PrincipalKind.SERVICE:
            return ()
        return self._organization.levels(Layer.SCP, caller.account)

    def rcps(self, account: str) -> Levels | UnreadLayer:
        """The RCPs of an account, that of a key."""
        return self._organization.levels(Layer.RCP, account)

    def endpoint(self, ids: Sequence[str]) -> NamedPolicy | UnreadLayer | None:
        """The policy of the VPC endpoint that a request comes through; ``ids`` are aws:SourceVpce."""
        if not ids:
            return None
        try:
            answer = self._reads.call("ec2", "DescribeVpcEndpoints", VpcEndpointIds=list(ids))
            found = answer["VpcEndpoints"][0]
            return policy_of(Layer.ENDPOINT, ids[0], found["PolicyDocument"])
        except (NotReadError, *MISSHAPEN) as error:
            return unread(error)


def _without_identity(caller: Caller) -> Policies | UnreadLayer:
    if caller.kind is PrincipalKind.FEDERATED_USER:
        return UnreadLayer(
            "a federated user has the policies of the IAM user who called sts:GetFederationToken, whom "
            "the ARN does not name"
        )
    return ()
