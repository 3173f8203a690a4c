"""The layers of policies that AWS evaluates for a request: each as it was read, or why it was not.

Source: the IAM user guide (reference_policies_evaluation-logic) and the Organizations user guide
(orgs_manage_policies_scps_evaluation, orgs_manage_policies_rcps_evaluation).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from kms_tui.kms.model import Grant
from kms_tui.policy.document import Document, parse
from kms_tui.policy.grant_statements import GrantIndex


class Layer(StrEnum):
    """A kind of policy, or the grants, in the order in which AWS names what denies a request."""

    RCP = "rcp"
    SCP = "scp"
    ENDPOINT = "endpoint"
    KEY_POLICY = "key-policy"
    GRANT = "grant"
    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SESSION = "session"

    @property
    def term(self) -> str:
        """AWS's own term, as in its access denied messages."""
        return _TERMS[self]


_TERMS = {
    Layer.RCP: "resource control policy",
    Layer.SCP: "service control policy",
    Layer.ENDPOINT: "VPC endpoint policy",
    Layer.KEY_POLICY: "resource-based policy",
    Layer.GRANT: "grant",
    Layer.IDENTITY: "identity-based policy",
    Layer.BOUNDARY: "permissions boundary",
    Layer.SESSION: "session policy",
}


class LayerEffect(StrEnum):
    """What one layer does to a request."""

    ALLOW = "allow"
    EXPLICIT_DENY = "explicit-deny"
    IMPLICIT_DENY = "implicit-deny"
    DEPENDS = "depends"
    UNREAD = "unread"
    EXEMPT = "exempt"

    @property
    def denies(self) -> bool:
        return self in (LayerEffect.EXPLICIT_DENY, LayerEffect.IMPLICIT_DENY)


_WITHOUT_PRINCIPAL = frozenset({Layer.SCP, Layer.IDENTITY, Layer.BOUNDARY, Layer.SESSION})
_OUTSIDE_KMS = frozenset({Layer.RCP, Layer.SCP, Layer.ENDPOINT})


@dataclass(frozen=True, slots=True)
class NamedPolicy:
    """A policy and its name: a name, an ARN or a file."""

    name: str
    document: Document


def read_policy(layer: Layer, name: str, text: str) -> NamedPolicy:
    """The policy of a layer from its text, or from the answer of AWS that holds it.

    ``document.problems`` says what is wrong with it.
    """
    document = _parsed(layer, text)
    if not document.is_valid:
        from kms_tui.policy import pasted_text  # most texts are policies

        within = pasted_text.policy_within(text)
        inner = _parsed(layer, within) if within != text else document
        document = inner if inner.is_valid else document
    return NamedPolicy(name, document)


def _parsed(layer: Layer, text: str) -> Document:
    return parse(text, identity=layer in _WITHOUT_PRINCIPAL, outside_kms=layer in _OUTSIDE_KMS)


@dataclass(frozen=True, slots=True)
class UnreadLayer:
    """A layer that is not known, with the reason: "iam ListAttachedRolePolicies was denied"."""

    reason: str


Policies = tuple[NamedPolicy, ...]
Levels = tuple[Policies, ...]
"""The policies of each level of an organization, from its root down to the account."""
NOT_READ = UnreadLayer("it was not read")


@dataclass(frozen=True)
class Layers:
    """What AWS evaluates for a request.

    ``scps`` are of the caller's organization, ``rcps`` of the key's; empty for an account without one and
    for the management account. ``session`` are the policies that were passed when the session began. None
    and an empty tuple mean that there is none. ``unread_grants`` says why some more grants than those in
    ``grants`` are not known. No policy of a customer is attached to ``aws_managed`` keys.
    """

    key_policy: NamedPolicy | UnreadLayer | None = NOT_READ
    grants: tuple[Grant, ...] | UnreadLayer = NOT_READ
    unread_grants: UnreadLayer | None = None
    identity: Policies | UnreadLayer = NOT_READ
    boundary: NamedPolicy | UnreadLayer | None = NOT_READ
    session: Policies | UnreadLayer = NOT_READ
    scps: Levels | UnreadLayer = NOT_READ
    rcps: Levels | UnreadLayer = NOT_READ
    endpoint: NamedPolicy | UnreadLayer | None = NOT_READ
    aws_managed: bool = False

    def levels(self, layer: Layer) -> Levels | UnreadLayer:
        """The policies of a layer by level; all layers but SCPs and RCPs have one level at most."""
        match layer:
            case Layer.RCP:
                return self.rcps
            case Layer.SCP:
                return self.scps
            case Layer.IDENTITY:
                return self.identity if isinstance(self.identity, UnreadLayer) else (self.identity,)
            case Layer.SESSION:
                session = self.session
                return session if isinstance(session, UnreadLayer) else (session,) if session else ()
            case Layer.KEY_POLICY:
                return _one(self.key_policy)
            case Layer.BOUNDARY:
                return _one(self.boundary)
            case Layer.ENDPOINT:
                return _one(self.endpoint)
            case Layer.GRANT:
                return self.grants if isinstance(self.grants, UnreadLayer) else ()

    def policies(self, layer: Layer) -> Policies:
        """All policies of a layer that are known."""
        levels = self.levels(layer)
        return () if isinstance(levels, UnreadLayer) else tuple(each for level in levels for each in level)

    @cached_property
    def grant_index(self) -> GrantIndex:
        """The grants by whom they name; empty where they were not read."""
        return GrantIndex(() if isinstance(self.grants, UnreadLayer) else self.grants)


UNREAD = Layers()
"""No layer is known."""
UNLIMITED = Layers(identity=(), boundary=None, session=(), scps=(), rcps=(), endpoint=None)
"""A caller whom no layer limits, and to whom no identity policy gives anything; the key's are not read."""


def _one(policy: NamedPolicy | UnreadLayer | None) -> Levels | UnreadLayer:
    if isinstance(policy, UnreadLayer):
        return policy
    return () if policy is None else ((policy,),)
