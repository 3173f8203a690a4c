"""The smallest fixes of a denied request, each checked by the evaluation of all layers.

What can be mended at the key is offered as a change; where the fix lies elsewhere, a sentence says who can do
what. An explicit Deny is named and never removed.

Source: the IAM user guide (troubleshoot_access-denied, …evaluation-logic) and the KMS developer guide
(policy-evaluation, key-state).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from kms_tui.denials import fix_statements
from kms_tui.kms.arn import Arn, key_account
from kms_tui.kms.model import KeyState
from kms_tui.policy import guard
from kms_tui.policy.authorization import (
    Authorization,
    LayerEffect,
    LayerStep,
    Outcome,
    authorize_request,
    is_allowed,
)
from kms_tui.policy.describe import listed
from kms_tui.policy.evaluation import AccessRequest
from kms_tui.policy.findings import Severity
from kms_tui.policy.layer_matches import is_service_linked
from kms_tui.policy.layers import Layer, Layers, NamedPolicy, UnreadLayer, read_policy
from kms_tui.policy.principals import PrincipalKind
from kms_tui.policy.snippets import as_text


class FixKind(StrEnum):
    """Where a fix is made."""

    KEY_POLICY = "key-policy"
    GRANT = "grant"
    IDENTITY = "identity"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class FixPart:
    """One change: ``text`` is the statement, or CreateGrant's members, as JSON.

    ``policy`` is the whole key policy with the statement, for the editor; ``grant`` are those members.
    """

    kind: FixKind
    sentence: str
    text: str = ""
    policy: str = ""
    grant: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fix:
    """Changes that together allow the request, or for ``ELSEWHERE`` a sentence on who can do what.

    ``layers`` are the layers after the change. ``suffices`` is False where other layers deny the request
    still (what they need stands in the fixes of kind ELSEWHERE), None where what is not known decides.
    """

    parts: tuple[FixPart, ...]
    layers: Layers
    suffices: bool | None = False

    @property
    def is_change(self) -> bool:
        """Whether there is something to make, rather than a sentence."""
        return all(part.kind is not FixKind.ELSEWHERE for part in self.parts)

    @property
    def sentence(self) -> str:
        said = " ".join(part.sentence for part in self.parts)
        return f"{said} {_ENOUGH[self.suffices]}".strip() if self.is_change else said


_ENOUGH: Mapping[bool | None, str] = {
    True: "",
    False: "This alone is not enough.",
    None: "Whether this is enough depends on what is not known.",
}
_LIMITS = (Layer.RCP, Layer.SCP, Layer.ENDPOINT, Layer.BOUNDARY, Layer.SESSION)
"""The layers that nobody mends at the key."""

_STATES: Mapping[str, str] = {
    KeyState.DISABLED: "The key is disabled: whoever may call kms:EnableKey on it can enable it.",
    KeyState.PENDING_DELETION: (
        "The key is pending deletion: whoever may call kms:CancelKeyDeletion and then kms:EnableKey can "
        "keep it; afterwards nothing brings it back."
    ),
    KeyState.PENDING_REPLICA_DELETION: (
        "The key waits for the deletion of its replicas: whoever may call kms:CancelKeyDeletion and then "
        "kms:EnableKey can keep it."
    ),
    KeyState.PENDING_IMPORT: (
        "The key has no key material: whoever has the material may import it again with "
        "kms:ImportKeyMaterial."
    ),
    KeyState.UNAVAILABLE: (
        "The key's custom key store is not connected: whoever may call kms:ConnectCustomKeyStore can "
        "connect it."
    ),
    KeyState.CREATING: "The key is being created: try again in a moment.",
    KeyState.UPDATING: "The key is being updated: try again in a moment.",
}


def fixes_for(
    request: AccessRequest, layers: Layers, *, key_state: str = "", own_account: str = ""
) -> tuple[Fix, ...]:
    """The fixes of a denied request, smallest first; none for a request that is allowed or not known.

    ``key_state`` is the key's, if it is known, and ``own_account`` the account whose people read this: the
    key policy and the grants of another account are not theirs to change.
    """
    state = _STATES.get(key_state)
    found = [Fix((FixPart(FixKind.ELSEWHERE, state),), layers)] if state else []
    judged = authorize_request(request, layers)
    if judged.outcome is not Outcome.DENY or judged.decisive is None:
        return tuple(found)
    causes = (judged.decisive, *judged.also)
    sentences: list[str] = []
    if not _is_denied_at_the_key(causes) and not is_allowed(request, _unlimited(request, layers)):
        found += _changes(request, layers, own_account)
        sentences.extend((*_guarded(request, layers), *_own_grant(judged, request)))
    sentences += [*_elsewhere(causes, request), *_not_across(judged, request)]
    return (*found, *(Fix((FixPart(FixKind.ELSEWHERE, sentence),), layers) for sentence in sentences))


def _is_denied_at_the_key(causes: tuple[LayerStep, ...]) -> bool:
    """Whether a Deny stands that no further Allow outweighs."""
    outweighing = (Layer.KEY_POLICY, Layer.IDENTITY)
    return any(step.layer in outweighing and step.effect is LayerEffect.EXPLICIT_DENY for step in causes)


def _changes(request: AccessRequest, layers: Layers, own_account: str) -> Iterator[Fix]:
    """Single changes, then two together, as far as each part is needed."""
    offered = [
        part
        for part in (
            _key_policy_part(request, layers, own_account),
            _grant_part(request, layers, own_account),
            _identity_part(request, layers),
        )
        if part is not None
    ]
    identity = [part for part in offered if part.kind is FixKind.IDENTITY]
    at_key = [part for part in offered if part.kind is not FixKind.IDENTITY]
    sufficient: list[FixPart] = []
    singles = [(part,) for part in offered]
    pairs = [(part, other) for part in at_key for other in identity]
    for parts in (*singles, *pairs):
        if any(part in sufficient for part in parts):
            continue
        after = _after(layers, parts)
        if is_allowed(request, _unlimited(request, after)) is not False:
            sufficient += parts if len(parts) == 1 else ()
            yield Fix(parts, after, is_allowed(request, after))


def _after(layers: Layers, parts: tuple[FixPart, ...]) -> Layers:
    """The layers with the changes made."""
    for part in parts:
        match part.kind:
            case FixKind.KEY_POLICY:
                layers = replace(layers, key_policy=read_policy(Layer.KEY_POLICY, "key policy", part.policy))
            case FixKind.GRANT:
                grants = () if isinstance(layers.grants, UnreadLayer) else layers.grants
                layers = replace(layers, grants=(*grants, fix_statements.grant_of(part.grant)))
            case FixKind.IDENTITY:
                known = () if isinstance(layers.identity, UnreadLayer) else layers.identity
                layers = replace(layers, identity=(*known, _identity_policy(part.text)))
            case FixKind.ELSEWHERE:
                pass
    return layers


def _identity_policy(statement: str) -> NamedPolicy:
    text = f'{{"Version": "2012-10-17", "Statement": [{statement}]}}'
    return read_policy(Layer.IDENTITY, "the new statement", text)


def _unlimited(request: AccessRequest, layers: Layers) -> Layers:
    """The layers as if those that are mended elsewhere did not deny."""
    federated = request.caller.kind is PrincipalKind.FEDERATED_USER
    session = (_ANYTHING,) if federated else ()
    return replace(layers, rcps=(), scps=(), endpoint=None, boundary=None, session=session)


_ANYTHING = read_policy(
    Layer.SESSION, "anything", '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
)


def _key_policy_part(request: AccessRequest, layers: Layers, own_account: str) -> FixPart | None:
    """A further statement of the key policy, if the guard lets the policy with it pass."""
    statement = fix_statements.key_policy_statement(request)
    text = _with_statement(request, layers)
    if not text or _refused(text, request):
        return None
    who = _who(own_account, key_account(request.key_arn), "add this statement to the key policy")
    if request.caller.kind is PrincipalKind.SERVICE and not any(map(request.resolve, _SOURCES)):
        who += _UNBOUND
    return FixPart(FixKind.KEY_POLICY, who, as_text(statement), policy=text)


_SOURCES = ("aws:sourceaccount", "aws:sourcearn")
_UNBOUND = (
    " The request does not tell for whom the service calls: add a condition on aws:SourceAccount or "
    "aws:SourceArn if it sends one, or anybody may have the service use the key."
)


def _with_statement(request: AccessRequest, layers: Layers) -> str:
    """The key policy with the statement; "" where the policy is not known."""
    policy = layers.key_policy
    if not isinstance(policy, NamedPolicy) or not policy.document.is_valid:
        return ""
    return fix_statements.with_statement(policy.document, fix_statements.key_policy_statement(request))


def _refused(text: str, request: AccessRequest) -> str:
    """Why the guard refuses a key policy; "" if it does not."""
    arn = Arn.parse(request.key_arn)
    result = guard.check(text, account_id=arn.account, partition=arn.partition, key_arn=request.key_arn)
    refusals = [each.sentence for each in result.findings if each.severity is Severity.REFUSE]
    return refusals[0] if refusals else ""


def _guarded(request: AccessRequest, layers: Layers) -> Iterator[str]:
    """Why no statement of the key policy is offered, where the guard is the reason."""
    text = _with_statement(request, layers)
    refused = _refused(text, request) if text else ""
    if refused:
        yield f"A statement of the key policy is not offered, since the guard refuses that policy: {refused}"


def _grant_part(request: AccessRequest, layers: Layers, own_account: str) -> FixPart | None:
    members = fix_statements.grant_request(request)
    if members is None:
        return None
    who = _who(own_account, key_account(request.key_arn), "create this grant")
    return FixPart(FixKind.GRANT, who, as_text(dict(members)), grant=members)


def _who(own_account: str, account: str, act: str) -> str:
    if own_account and own_account != account:
        return f"An administrator of the key's account {account} can {act}."
    return f"{act[0].upper()}{act[1:]}."


def _identity_part(request: AccessRequest, layers: Layers) -> FixPart | None:
    """A statement for the caller's account, where its IAM policies are asked at all and can be changed."""
    caller = request.caller
    if caller.is_root or not caller.account or is_service_linked(request):
        return None
    text = as_text(fix_statements.identity_statement(request))
    name = caller.principal_arn.split(":", 5)[-1]
    sentence = f"Whoever manages IAM in account {caller.account} can attach this statement to {name}."
    return FixPart(FixKind.IDENTITY, sentence, text)


def _own_grant(judged: Authorization, request: AccessRequest) -> Iterator[str]:
    """How a service-linked role, whose policies nobody can change, gets to a key of another account."""
    account = request.caller.account
    if is_service_linked(request) and account != key_account(request.key_arn) and not judged.only_own_account:
        yield (
            f"Nobody can change the policies of a service-linked role: a principal of its account {account} "
            "that may call kms:CreateGrant on the key can make a grant to it. A grant that the key's account "
            "makes is not enough."
        )


def _elsewhere(causes: tuple[LayerStep, ...], request: AccessRequest) -> Iterator[str]:
    """Who can mend what is not mended by an Allow at the key or in IAM."""
    for step in causes:
        explicit = step.effect is LayerEffect.EXPLICIT_DENY
        if step.layer in _LIMITS or explicit:
            yield f"{step.sentence} {_REMEDIES[step.layer].format(**_places(step, request))}"


def _places(step: LayerStep, request: AccessRequest) -> dict[str, str]:
    labels = [each.statement.label for each in step.statements]
    return {
        "caller": request.caller.account or request.caller.arn,
        "key": key_account(request.key_arn),
        "name": request.caller.principal_arn.split(":", 5)[-1],
        "statement": listed(labels, 3) or "the statement",
        "endpoint": request.resolve("aws:sourcevpce") or "the endpoint",
        "source": step.source or f"the {step.layer.term}",
    }


_REMEDIES: Mapping[Layer, str] = {
    Layer.RCP: (
        "Only an administrator of the organization of the key's account {key} can change {source}; no key "
        "policy outweighs it."
    ),
    Layer.SCP: (
        "Only an administrator of the organization of the caller's account {caller} can change {source}; no "
        "policy in the account outweighs it."
    ),
    Layer.ENDPOINT: "Whoever manages {endpoint} can change its policy with ec2:ModifyVpcEndpoint.",
    Layer.BOUNDARY: (
        "Whoever manages IAM in account {caller} can change {source} or the boundary of {name} "
        "(iam:PutRolePermissionsBoundary, iam:PutUserPermissionsBoundary)."
    ),
    Layer.SESSION: (
        "Whoever begins the session (sts:AssumeRole and the like) can pass a session policy that allows it."
    ),
    Layer.KEY_POLICY: (
        "No Allow outweighs a Deny: whoever may call kms:PutKeyPolicy on the key decides whether {statement} "
        "should except this caller."
    ),
    Layer.IDENTITY: (
        "No Allow outweighs a Deny: whoever manages IAM in account {caller} decides whether {statement} "
        "should except this request."
    ),
}


def _not_across(judged: Authorization, request: AccessRequest) -> Iterator[str]:
    """The sentence for an action that another account cannot do, whatever the policies say."""
    if judged.only_own_account:
        yield (
            f"{request.action} does not work on a key of another account: only a principal of account "
            f"{key_account(request.key_arn)} can do it."
        )
