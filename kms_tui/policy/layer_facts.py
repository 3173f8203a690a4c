"""What each layer says about a request: the statements that apply, under which open conditions.

Source: the IAM user guide (reference_policies_evaluation-logic_policy-eval-denyallow,
reference_policies_elements_principal, access_policies_boundaries), the Organizations user guide
(orgs_manage_policies_scps, orgs_manage_policies_rcps) and the KMS developer guide (resource-control-policies,
kms-vpc-endpoint, policy-evaluation).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from kms_tui.kms.arn import Arn
from kms_tui.kms.model import Grant
from kms_tui.policy import actions
from kms_tui.policy.actions import canonical
from kms_tui.policy.evaluation import AccessRequest, Match, Via, matched, matches
from kms_tui.policy.layers import Layer, Layers, Levels, NamedPolicy, UnreadLayer
from kms_tui.policy.principals import PrincipalKind
from kms_tui.policy.shared_facts import Truth

SOURCE_VPCE = "aws:sourcevpce"
RETIRE_GRANT = "kms:RetireGrant"
_LINKED_ROLE = "AWSServiceRoleFor"
"""How the name of a service-linked role begins; a session's ARN lacks its role's path."""


class Reach(Enum):
    """How far a key policy or grant that names the caller reaches.

    DIRECT: the user, the session or everyone, past the implicit denies of boundary and session policies;
    ROLE: the role, within them; ACCOUNT: within them, and only where identity policies allow it, too.
    """

    DIRECT = "direct"
    ROLE = "role"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Applying:
    """A statement of a policy, or what a grant amounts to, that applies to the request."""

    source: NamedPolicy | Grant
    match: Match
    reach: Reach

    def holds(self, truth: Truth) -> bool | None:
        return every(truth(test) for test in self.match.open_tests)


@dataclass(frozen=True)
class LayerFacts:
    """What one layer says. ``levels`` has what applies at each level; all layers but SCPs and RCPs have one.

    ``exempt`` says why the layer does not count, ``unread`` why it is not known. ``maybe``: whether it
    counts is open.
    """

    layer: Layer
    levels: tuple[tuple[Applying, ...], ...] = ()
    unread: UnreadLayer | None = None
    exempt: str = ""
    maybe: bool = False

    @property
    def applying(self) -> Iterator[Applying]:
        return (each for level in self.levels for each in level)

    def denied(self, truth: Truth) -> bool | None:
        """Whether the layer denies explicitly."""
        if self.exempt or (self.unread and self.layer is Layer.GRANT):
            return False
        if self.unread:
            return None
        found = some(each.holds(truth) for each in self.applying if not each.match.statement.is_allow)
        return None if found and self.maybe else found

    def allowed(self, truth: Truth, *reaches: Reach) -> bool | None:
        """Whether each level allows, by a statement of one of these reaches if any are given."""
        if self.exempt:
            return True
        if self.unread:
            return None
        found = every(
            some(
                each.holds(truth)
                for each in level
                if each.match.statement.is_allow and (not reaches or each.reach in reaches)
            )
            for level in self.levels
        )
        return None if found is False and self.maybe else found


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
    """Whether a key policy has a say: not for an action without a key, nor for an alias."""
    action = actions.find(request.action)
    if action is not None and action.iam_only:
        return False
    try:
        return Arn.parse(request.key_arn).resource.startswith("key/")
    except ValueError:
        return True


def is_service_linked(request: AccessRequest) -> bool:
    """Whether a role calls that only an AWS service assumes; organizations do not limit those."""
    caller = request.caller
    if caller.kind is PrincipalKind.SESSION and caller.name.startswith(_LINKED_ROLE):
        return True
    known = request.resolve("aws:principalarn") or ""
    return caller.is_service_linked or ":role/aws-service-role/" in known


def layer_facts(request: AccessRequest, layers: Layers) -> Mapping[Layer, LayerFacts]:
    """What each layer says about the request, in the layers' order."""
    exempt = _exempt(request, layers)
    return {layer: _facts(layer, request, layers, exempt.get(layer, "")) for layer in Layer}


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


def _facts(layer: Layer, request: AccessRequest, layers: Layers, exempt: str) -> LayerFacts:
    if exempt:
        return LayerFacts(layer, exempt=exempt)
    if layer is Layer.GRANT:
        return _grant_facts(request, layers)
    levels = _levels(layer, request, layers)
    if isinstance(levels, UnreadLayer):
        return LayerFacts(layer, unread=levels)
    if not levels:
        return LayerFacts(layer, exempt=_NONE[layer])
    for policy in layers.policies(layer):
        if not policy.document.is_valid:
            problem = policy.document.problems[0].sentence
            return LayerFacts(layer, unread=UnreadLayer(f"{policy.name} is not valid: {problem}"))
    found = tuple(tuple(_applying(request, level)) for level in levels)
    return LayerFacts(layer, found, maybe=layer is Layer.ENDPOINT and request.is_open(SOURCE_VPCE))


_NONE = {
    Layer.RCP: "There is none for this key's account.",
    Layer.SCP: "There is none for this caller's account.",
    Layer.ENDPOINT: "The endpoint has none.",
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


def _applying(request: AccessRequest, policies: Sequence[NamedPolicy]) -> Iterator[Applying]:
    for policy in policies:
        for match in matches(policy.document, request):
            yield Applying(policy, match, _reach(match, request))


def _grant_facts(request: AccessRequest, layers: Layers) -> LayerFacts:
    if isinstance(layers.grants, UnreadLayer):
        return LayerFacts(Layer.GRANT, unread=layers.grants)
    found: list[Applying] = []
    for grant, statement in layers.grant_statements(request.action):
        match = matched(statement, request)
        if match is not None:
            found.append(Applying(grant, match, _reach(match, request)))
    return LayerFacts(Layer.GRANT, (tuple(found),))


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
