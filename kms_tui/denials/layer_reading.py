"""Reads the layers of policies behind a request from AWS: each denied or failed call leaves its layer unread.

Source: the IAM user guide (reference_policies_evaluation-logic), the IAM and EC2 API references.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.denials.organization_reading import OrganizationReader
from kms_tui.denials.service_reads import MISSHAPEN, NotReadError, ServiceReads, policy_of, unread
from kms_tui.evidence.activity import KeepGoing, always
from kms_tui.kms.arn import key_account
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.model import Grant, Key
from kms_tui.policy.actions import find
from kms_tui.policy.evaluation import AccessRequest
from kms_tui.policy.layers import UNLIMITED, Layer, Layers, NamedPolicy, Policies, UnreadLayer, read_policy
from kms_tui.policy.principals import Caller, PrincipalKind

SOURCE_VPCE = "aws:sourcevpce"
_NO_SUCH = ("NoSuchEntity", "NoSuchEntityException")
_SSO_ROLE = "AWSReservedSSO_"
_FROM_INSTANCE = "i-"
_SESSION_HIDDEN = UnreadLayer(
    "AWS tells nobody which policies were passed when the session began: give one as a file "
    "(--session-policy), or say that there is none (--no-session-policy)"
)
_OFFLINE = UnreadLayer(
    "an offline KMS keeps IAM policies only of the principal given with --as; a file gives others "
    "(--iam-policy)"
)
Read = TypeVar("Read")


class ReadLayers(NamedTuple):
    """The layers of a request, and what else was read of its key and its caller."""

    layers: Layers
    key: Key | None
    """As DescribeKey answers it; None where that was not answered."""
    role_arn: str | None
    """Of a session, the ARN of its role with the path, as GetRole answers it; None where it is not known."""


def read_layers(
    kms: Kms, services: Services | None, request: AccessRequest, keep_going: KeepGoing = always
) -> ReadLayers:
    """The layers of a request, as far as this connection may read them. It blocks and raises nothing for a
    layer that cannot be read.

    ``request.key_arn`` is a key's ARN; the endpoint is that of ``aws:SourceVpce`` in the context. Without
    that key the request is taken as one that comes through no endpoint.
    """
    reader = _LayerReader(kms, services, request, keep_going)
    own = kms.caller_layers()
    role_arn = None
    if own is not None and kms.caller().arn == request.caller.arn:
        limits = own
    elif own is not None and not (services is not None and services.offers("iam")):
        limits = replace(UNLIMITED, identity=_OFFLINE if request.caller.kind in _KINDS else ())
    else:
        limits = Layers(
            identity=reader.identity(),
            boundary=reader.boundary(),
            session=() if own is not None else session_of(request.caller),
            scps=reader.scps(),
            rcps=reader.rcps(),
            endpoint=reader.endpoint(),
        )
        role_arn = reader.role_arn()
    key = reader.key()
    layers = replace(
        limits,
        key_policy=reader.key_policy(),
        grants=reader.grants(),
        aws_managed=key is not None and key.is_aws_managed,
    )
    return ReadLayers(layers, key, role_arn)


def read_identity(
    kms: Kms, services: Services | None, caller: Caller, keep_going: KeepGoing = always
) -> Policies | UnreadLayer:
    """A caller's IAM policies alone, as ``read_layers`` reads them."""
    if kms.caller_layers() is not None and not (services is not None and services.offers("iam")):
        return _OFFLINE
    return _LayerReader(kms, services, AccessRequest(caller, ""), keep_going).identity()


def session_of(caller: Caller) -> Policies | UnreadLayer:
    """The session policies of a caller; known to be none where it can have none.

    A role's ARN means its sessions in general, without a policy of their own.
    """
    if caller.kind is PrincipalKind.FEDERATED_USER:
        return _SESSION_HIDDEN
    if caller.kind is not PrincipalKind.SESSION:
        return ()
    known_none = caller.name.startswith(_SSO_ROLE) or caller.session.startswith(_FROM_INSTANCE)
    return () if known_none else _SESSION_HIDDEN


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


class _LayerReader:
    """One reading; what several layers need is asked once."""

    def __init__(
        self, kms: Kms, services: Services | None, request: AccessRequest, keep_going: KeepGoing
    ) -> None:
        self._request = request
        self._caller = request.caller
        self._own_account = kms.account_id
        self._keep_going = keep_going
        self._key_account, self._kms = key_account(request.key_arn), kms.in_region_of(request.key_arn)
        self._reads = ServiceReads(services, keep_going)
        self._in_region = ServiceReads(_in_region(services, self._kms.region), keep_going)
        self._organization = OrganizationReader(self._reads)

    def key_policy(self) -> NamedPolicy | UnreadLayer | None:
        if self._is_about_no_key():
            return None
        return self._of_key("GetKeyPolicy", self._read_key_policy)

    def _read_key_policy(self) -> NamedPolicy:
        return read_policy(Layer.KEY_POLICY, "key policy", self._kms.key_policy(self._request.key_arn))

    def grants(self) -> tuple[Grant, ...] | UnreadLayer:
        if self._is_about_no_key():
            return ()
        return self._of_key("ListGrants", lambda: tuple(self._kms.grants(self._request.key_arn)))

    def key(self) -> Key | None:
        if self._is_about_no_key() or not self._keep_going():
            return None
        try:
            return self._kms.describe(self._request.key_arn)
        except KmsTuiError:
            return None

    def _is_about_no_key(self) -> bool:
        action = find(self._request.action)
        return action is not None and action.iam_only

    def _of_key(self, operation: str, read: Callable[[], Read]) -> Read | UnreadLayer:
        if not self._keep_going():
            return UnreadLayer("the reading was stopped")
        if self._key_account and self._own_account and self._key_account != self._own_account:
            return UnreadLayer(
                f"the key is of account {self._key_account}, and kms {operation} answers only that account"
            )
        try:
            return read()
        except KmsTuiError as error:
            if isinstance(error, ServiceError) and error.denied:
                return UnreadLayer(f"kms {operation} was denied")
            return UnreadLayer(f"kms {operation} failed: {str(error).rstrip('.')}")

    def identity(self) -> Policies | UnreadLayer:
        kind = _KINDS.get(self._caller.kind)
        if kind is None:
            return self._without_identity()
        elsewhere = self._elsewhere()
        if elsewhere is not None:
            return elsewhere
        try:
            found = tuple(self._policies(kind, self._caller.name))
            if kind is _USER:
                for group in self._pages("ListGroupsForUser", "Groups", UserName=self._caller.name):
                    found += tuple(self._policies(_GROUP, str(group["GroupName"])))
        except (NotReadError, *MISSHAPEN) as error:
            return unread(error)
        return found

    def _without_identity(self) -> Policies | UnreadLayer:
        if self._caller.kind is PrincipalKind.FEDERATED_USER:
            return UnreadLayer(
                "a federated user has the policies of the IAM user who called sts:GetFederationToken, whom "
                "the ARN does not name"
            )
        return ()

    def _elsewhere(self) -> UnreadLayer | None:
        account = self._caller.account
        if not self._own_account or account == self._own_account:
            return None
        return UnreadLayer(
            f"the caller is of account {account}, and this connection reads the IAM of {self._own_account}"
        )

    def _policies(self, kind: _Kind, name: str) -> Iterator[NamedPolicy]:
        """The attached and the inline policies of a role, user or group."""
        named = {kind.member: name}
        self._require_there(kind, name)
        for attached in self._pages(kind.attached, "AttachedPolicies", **named):
            yield self._managed(Layer.IDENTITY, str(attached["PolicyArn"]))
        for policy in self._pages(kind.inline, "PolicyNames", **named):
            answer = self._reads.call("iam", kind.inline_document, **named, PolicyName=str(policy))
            yield policy_of(Layer.IDENTITY, f"{policy} (inline of {name})", answer["PolicyDocument"])

    def _require_there(self, kind: _Kind, name: str) -> None:
        if kind.get and self._reads.answers_code("iam", kind.get, *_NO_SUCH, **{kind.member: name}):
            what = kind.member.removesuffix("Name").lower()
            raise NotReadError(f"account {self._caller.account} has no {what} {name}")

    def _managed(self, layer: Layer, arn: str) -> NamedPolicy:
        """A managed policy in the version that applies."""
        version = self._reads.call("iam", "GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
        answer = self._reads.call("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version)
        return policy_of(layer, arn, answer["PolicyVersion"]["Document"])

    def _pages(self, operation: str, member: str, **params: str) -> Iterator[Any]:
        return self._reads.pages("iam", operation, member, "Marker", **params)

    def role_arn(self) -> str | None:
        if self._caller.kind is not PrincipalKind.SESSION or self._elsewhere() is not None:
            return None
        try:
            arn = str(self._reads.call("iam", "GetRole", RoleName=self._caller.name)["Role"]["Arn"])
        except (NotReadError, *MISSHAPEN):
            return None
        return arn if arn.startswith("arn:") and arn.endswith(f"/{self._caller.name}") else None

    def boundary(self) -> NamedPolicy | UnreadLayer | None:
        kind = _KINDS.get(self._caller.kind)
        if kind is None:
            return None
        elsewhere = self._elsewhere()
        if elsewhere is not None:
            return elsewhere
        try:
            self._require_there(kind, self._caller.name)
            answer = self._reads.call("iam", kind.get, **{kind.member: self._caller.name})
            boundary = answer[kind.get.removeprefix("Get")].get("PermissionsBoundary")
            return self._managed(Layer.BOUNDARY, boundary["PermissionsBoundaryArn"]) if boundary else None
        except (NotReadError, *MISSHAPEN) as error:
            return unread(error)

    def scps(self) -> tuple[Policies, ...] | UnreadLayer:
        if self._caller.kind is PrincipalKind.SERVICE:
            return ()
        return self._organization.levels(Layer.SCP, self._caller.account)

    def rcps(self) -> tuple[Policies, ...] | UnreadLayer:
        return self._organization.levels(Layer.RCP, self._key_account or self._caller.account)

    def endpoint(self) -> NamedPolicy | UnreadLayer | None:
        endpoints = self._request.known.get(SOURCE_VPCE)
        if not endpoints:
            return None
        try:
            answer = self._in_region.call("ec2", "DescribeVpcEndpoints", VpcEndpointIds=list(endpoints))
            found = answer["VpcEndpoints"][0]
            return policy_of(Layer.ENDPOINT, endpoints[0], found["PolicyDocument"])
        except (NotReadError, *MISSHAPEN) as error:
            return unread(error)


def _in_region(services: Services | None, region: str) -> Services | None:
    """The services in the Region of the key; IAM and Organizations are the same in all."""
    return services if services is None or services.region == region else services.in_region(region)
