"""What each layer says about a request: the statements that apply, under which open conditions.

Source: the IAM user guide (reference_policies_evaluation-logic_policy-eval-denyallow,
reference_policies_elements_principal, access_policies_boundaries), the Organizations user guide
(orgs_manage_policies_scps, orgs_manage_policies_rcps) and the KMS developer guide (resource-control-policies,
kms-vpc-endpoint, policy-evaluation).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from kms_tui.kms.arn import ALIAS_PREFIX, Arn, key_account
from kms_tui.kms.model import Grant
from kms_tui.policy import actions
from kms_tui.policy.actions import canonical
from kms_tui.policy.evaluation import AccessRequest, Match, Via, matched, matches
from kms_tui.policy.json_reader import Span
from kms_tui.policy.layers import Layer, Layers, Levels, NamedPolicy, Policies, UnreadLayer
from kms_tui.policy.principals import Principal, PrincipalKind
from kms_tui.policy.same_conditions import Truth

KEY_LAYERS = frozenset({Layer.KEY_POLICY, Layer.GRANT})
"""The layers of the key: one of them must let the caller in."""
SOURCE_VPCE = "aws:sourcevpce"
RETIRE_GRANT = "kms:RetireGrant"
_LINKED_ROLE = "AWSServiceRoleFor"
"""How the name of a service-linked role begins; a session's ARN lacks its role's path."""


class Reach(Enum):
    """How far a key policy or grant that names the caller reaches.

    DIRECT: the user, the session or everyone, past the implicit denies of boundary and session policies;
    ROLE: the role, within them; ACCOUNT: within them, and only where identity policies allow it, too.
    On a key of another account all three need identity policies. TRUSTED does not: a grant that the
    caller's own account made, by which it trusts that key ("if a grant or IAM policy in your account allows
    you to use the KMS key", KMS developer guide, policy-evaluation).
    """

    DIRECT = "direct"
    ROLE = "role"
    ACCOUNT = "account"
    TRUSTED = "trusted"


@dataclass(frozen=True, slots=True)
class LayerMatch:
    """A statement of a policy, or what a grant amounts to, that applies to the request."""

    source: NamedPolicy | Grant
    match: Match
    reach: Reach

    def holds(self, truth: Truth) -> bool | None:
        return every(truth(test) for test in self.match.open_tests)


@dataclass(frozen=True)
class LayerMatches:
    """What one layer says. ``levels`` has what applies at each level; all layers but SCPs and RCPs have one.

    ``exempt`` says why the layer does not count, ``unread`` why it is not known: all of it without
    ``levels``, else some policy or grant of the levels whose numbers are in ``partly``. ``maybe``: whether
    it counts is open.
    """

    layer: Layer
    levels: tuple[tuple[LayerMatch, ...], ...] = ()
    unread: UnreadLayer | None = None
    exempt: str = ""
    maybe: bool = False
    partly: frozenset[int] = frozenset()

    @property
    def applying(self) -> Iterator[LayerMatch]:
        return (each for level in self.levels for each in level)

    def says(self, truth: Truth) -> LayerSays:
        """What the layer says where its open conditions hold so."""
        if self.exempt:
            return LayerSays(False, True)
        if self.unread and not self.levels:
            if self.layer is Layer.GRANT:
                return LayerSays(False, None, None, None, None, None)
            return LayerSays(None, None, None, None, None)
        held = [[(each, each.holds(truth)) for each in level] for level in self.levels]
        denied = some(holds for level in held for each, holds in level if not each.match.statement.is_allow)
        allows = [some(holds for each, holds in level if each.match.statement.is_allow) for level in held]
        allowed = every(allows)
        if self.partly:
            denied = False if self.layer is Layer.GRANT else denied or None
            allowed = every(found or (None if n in self.partly else found) for n, found in enumerate(allows))
        if self.maybe:
            return LayerSays(None if denied else denied, allowed or None)
        if self.layer not in KEY_LAYERS:
            return LayerSays(denied, allowed)
        by_reach: dict[Reach, list[bool | None]] = {reach: [] for reach in Reach}
        for each, holds in held[0]:
            if each.match.statement.is_allow:
                by_reach[each.reach].append(holds)
        reaches = [some(found) for found in by_reach.values()]
        if self.layer is Layer.GRANT and self.partly:
            reaches = [found or None for found in reaches]
        return LayerSays(denied, allowed, *reaches)


class LayerSays(NamedTuple):
    """Whether a layer denies explicitly and whether it allows; for the key's own layers, how far they reach.

    None: it depends.
    """

    denied: bool | None
    allowed: bool | None
    direct: bool | None = False
    role: bool | None = False
    account: bool | None = False
    trusted: bool | None = False


def some(values: Iterable[bool | None]) -> bool | None:
    """Whether any value is true; None for "depends"."""
    result: bool | None = False
    for value in values:
        if value:
            return True
        if value is None:
            result = None
    return result


def every(values: Iterable[bool | None]) -> bool | None:
    """Whether all values are true; None for "depends"."""
    result: bool | None = True
    for value in values:
        if value is None:
            result = None
        elif not value:
            return False
    return result


def is_about_key(request: AccessRequest) -> bool:
    """Whether a key policy has a say: not for an action without a key, on an alias, or on a key to be."""
    action = actions.find(request.action)
    if action is not None and action.iam_only:
        return False
    try:
        resource = Arn.parse(request.key_arn).resource
    except ValueError:
        return True
    names_alias = resource.startswith(ALIAS_PREFIX) and canonical(request.action) in _ON_ALIASES
    return resource != "*" and not names_alias


_ON_ALIASES = frozenset({"kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"})
"""Actions that need permission on the alias, beside that on the key."""


def is_service_linked(request: AccessRequest) -> bool:
    """Whether a role calls that only an AWS service assumes; organizations do not limit those."""
    caller = request.caller
    if caller.kind is PrincipalKind.SESSION and caller.name.startswith(_LINKED_ROLE):
        return True
    known = request.resolve("aws:principalarn") or ""
    return caller.is_service_linked or ":role/aws-service-role/" in known


def layer_matches(request: AccessRequest, layers: Layers) -> Mapping[Layer, LayerMatches]:
    """What each layer says about the request, in the layers' order."""
    exempt = _exempt(request, layers)
    return {layer: _matches_of(layer, request, layers, exempt.get(layer, "")) for layer in Layer}


def _exempt(request: AccessRequest, layers: Layers) -> dict[Layer, str]:
    """The layers that do not count for this request, each with the reason."""
    caller = request.caller
    found: dict[Layer, str] = {}
    about_key = is_about_key(request)
    if is_service_linked(request):
        found[Layer.RCP] = found[Layer.SCP] = "It does not limit service-linked roles."
    elif caller.kind is PrincipalKind.SERVICE:
        found[Layer.SCP] = "It does not limit AWS services."
    if layers.aws_managed:
        found.setdefault(Layer.RCP, "It does not limit AWS-managed keys.")
    elif canonical(request.action) == RETIRE_GRANT:
        found.setdefault(Layer.RCP, "It does not limit kms:RetireGrant.")
    if not about_key:
        found[Layer.RCP] = found[Layer.KEY_POLICY] = "The request is about no key."
        found[Layer.GRANT] = "The request is about no key."
    if caller.kind is PrincipalKind.SERVICE:
        none = (Layer.IDENTITY, Layer.BOUNDARY, Layer.SESSION) if about_key else ()
        found |= dict.fromkeys(none, "An AWS service has none.")
    elif caller.is_root:
        found[Layer.IDENTITY] = found[Layer.BOUNDARY] = "The root user has none."
    if not request.is_open(SOURCE_VPCE) and request.known.get(SOURCE_VPCE) is None:
        found[Layer.ENDPOINT] = "The request comes through no VPC endpoint."
    return found


def _matches_of(layer: Layer, request: AccessRequest, layers: Layers, exempt: str) -> LayerMatches:
    if exempt:
        return LayerMatches(layer, exempt=exempt)
    if layer is Layer.GRANT:
        return _grant_matches(request, layers)
    levels = _levels(layer, request, layers)
    if layer is Layer.SESSION and request.caller.kind in _WITHOUT_SESSION and isinstance(levels, UnreadLayer):
        return LayerMatches(layer, exempt="Only a session has one.")
    if isinstance(levels, UnreadLayer):
        return LayerMatches(layer, unread=levels)
    if not levels:
        return LayerMatches(layer, exempt=_NONE[layer])
    policies = layers.policies(layer)
    unread = _invalid(policies)
    if unread and len(policies) == 1:
        return LayerMatches(layer, unread=unread)
    bounded = request.caller.kind in _BOUNDED and isinstance(layers.boundary, NamedPolicy)
    if bounded and layer is Layer.KEY_POLICY:
        levels = tuple(tuple(_without_exceptions(policy) for policy in level) for level in levels)
    return LayerMatches(
        layer,
        tuple(tuple(_applying(request, level)) for level in levels),
        unread,
        maybe=layer is Layer.ENDPOINT and request.is_open(SOURCE_VPCE),
        partly=frozenset(number for number, level in enumerate(levels) if unread and _invalid(level)),
    )


def _invalid(policies: Policies) -> UnreadLayer | None:
    """Why the first policy that is not valid cannot be read."""
    for policy in policies:
        if not policy.document.is_valid:
            return UnreadLayer(f"{policy.name} is not valid: {policy.document.problems[0].sentence}")
    return None


_WITHOUT_SESSION = (PrincipalKind.USER, PrincipalKind.ACCOUNT)
_NONE = {
    Layer.RCP: "There is none for this key's account.",
    Layer.SCP: "There is none for this caller's account.",
    Layer.ENDPOINT: "It comes through none with a policy.",
    Layer.BOUNDARY: "There is none.",
    Layer.SESSION: "There is none.",
}


def _levels(layer: Layer, request: AccessRequest, layers: Layers) -> Levels | UnreadLayer:
    """The policies of a layer by level; no level where the layer does not limit the request.

    A federated user whose session was given no policy has no permissions but those that name the session
    (STS GetFederationToken).
    """
    levels = layers.levels(layer)
    federated = request.caller.kind is PrincipalKind.FEDERATED_USER
    if layer is Layer.KEY_POLICY or (layer is Layer.SESSION and federated):
        return levels or ((),)
    return levels


_BOUNDED = (PrincipalKind.USER, PrincipalKind.ROLE, PrincipalKind.SESSION)
_EVERYONE = Principal(PrincipalKind.EVERYONE, "*", Span(0, 0))


def _without_exceptions(policy: NamedPolicy) -> NamedPolicy:
    """A key policy as it counts for a user or role with a permissions boundary.

    "The NotPrincipal element with a Deny effect will always deny any IAM principal that has a permissions
    boundary policy attached" (access_policies_boundaries).
    """
    document = policy.document
    if not any(each.not_principal and not each.is_allow for each in document.statements):
        return policy
    statements = tuple(
        replace(each, principals=(_EVERYONE,), not_principal=False)
        if each.not_principal and not each.is_allow
        else each
        for each in document.statements
    )
    return replace(policy, document=replace(document, statements=statements))


def _applying(request: AccessRequest, policies: Sequence[NamedPolicy]) -> Iterator[LayerMatch]:
    for policy in policies:
        if not policy.document.is_valid:
            continue
        for match in matches(policy.document, request):
            yield LayerMatch(policy, match, _reach(match, request))


def _grant_matches(request: AccessRequest, layers: Layers) -> LayerMatches:
    if isinstance(layers.grants, UnreadLayer):
        return LayerMatches(Layer.GRANT, unread=layers.grants)
    found: list[LayerMatch] = []
    userid = request.resolve("aws:userid")
    for grant, statement in layers.grant_index.statements(request.action, request.caller, userid):
        match = matched(statement, request)
        if match is not None:
            reach = Reach.TRUSTED if _is_trusted(grant, match, request) else _reach(match, request)
            found.append(LayerMatch(grant, match, reach))
    partly = frozenset({0}) if layers.unread_grants else frozenset()
    return LayerMatches(Layer.GRANT, (tuple(found),), layers.unread_grants, partly=partly)


def _is_trusted(grant: Grant, match: Match, request: AccessRequest) -> bool:
    """Whether the caller's own account made a grant to the caller, on a key of another account."""
    account = request.caller.account
    own = account and account in (grant.issuing_account, *grant.issuing_account.split(":")[4:5])
    return bool(own) and match.via is not Via.ACCOUNT and key_account(request.key_arn) != account


def _reach(match: Match, request: AccessRequest) -> Reach:
    """How far a statement reaches.

    "Permissions boundaries and session policies do not limit permissions granted using the
    aws:PrincipalArn condition key with a wildcard (*) in the Principal element", so everyone counts like the
    session itself (reference_policies_evaluation-logic_policy-eval-denyallow).
    """
    if match.via is Via.ACCOUNT:
        return Reach.ACCOUNT
    caller = request.caller
    if match.via is Via.EVERYONE or caller.kind not in (PrincipalKind.SESSION, PrincipalKind.ROLE):
        return Reach.DIRECT
    principals = match.statement.principals
    named = any(each.kind is PrincipalKind.SESSION and each.text == caller.arn for each in principals)
    return Reach.DIRECT if named else Reach.ROLE
