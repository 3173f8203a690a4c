"""``authorize_request``: whether all layers of policies together allow a request, and which one decides.

Source: the IAM user guide (reference_policies_evaluation-logic, …_policy-eval-denyallow, …-cross-account,
access_policies_boundaries), the Organizations user guide (SCP and RCP evaluation) and the KMS developer guide
(policy-evaluation, grants, key-policy-modifying-external-accounts).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from kms_tui.kms.model import Grant
from kms_tui.policy.describe import listed
from kms_tui.policy.document import Statement
from kms_tui.policy.evaluation import AccessRequest, OpenCondition
from kms_tui.policy.layer_judge import LayerJudge
from kms_tui.policy.layer_matches import KEY_LAYERS, LayerMatch, LayerMatches, Reach
from kms_tui.policy.layers import Layer, LayerEffect, Layers, NamedPolicy, UnreadLayer
from kms_tui.policy.near_misses import MAX_NEAR_MISSES, NearMiss, missed_grant, near_misses

__all__ = [
    "Authorization",
    "LayerEffect",
    "LayerStep",
    "Outcome",
    "PolicyStatement",
    "authorize_request",
    "is_allowed",
]


class Outcome(StrEnum):
    ALLOW = "allow"
    DENY = "deny"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PolicyStatement:
    """A statement and the policy that it stands in."""

    policy: NamedPolicy
    statement: Statement

    @property
    def text(self) -> str:
        """The statement as the policy has it."""
        span = self.statement.span
        return self.policy.document.text[span.start : span.end]


@dataclass(frozen=True, slots=True)
class LayerStep:
    """One layer's part in the answer.

    ``source`` names the policy (or grant) that decides, or "" where none applies; ``statements`` and
    ``grants`` are those that do; ``near_misses`` those that nearly would, where the layer allows nothing.
    """

    layer: Layer
    effect: LayerEffect
    source: str
    sentence: str
    statements: tuple[PolicyStatement, ...] = ()
    grants: tuple[Grant, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()


@dataclass(frozen=True, slots=True)
class Authorization:
    """Whether a request is allowed; ``steps`` has all layers in the order of ``Layer``.

    ``decisive`` is the layer by which it is denied or unknown, None for ALLOW; ``also`` are the further
    layers that would deny it alone. The answer depends on ``conditions`` and on the layers in ``unread``.
    """

    outcome: Outcome
    steps: tuple[LayerStep, ...]
    decisive: LayerStep | None = None
    also: tuple[LayerStep, ...] = ()
    conditions: tuple[OpenCondition, ...] = ()
    unread: tuple[LayerStep, ...] = ()
    only_own_account: bool = False
    """Whether it is denied because the action does not work on a key of another account."""

    @property
    def is_allowed(self) -> bool:
        return self.outcome is Outcome.ALLOW

    def step(self, layer: Layer) -> LayerStep:
        return next(step for step in self.steps if step.layer is layer)


_OPEN = frozenset({LayerEffect.UNREAD, LayerEffect.DEPENDS})
_OUTCOMES = {True: Outcome.ALLOW, False: Outcome.DENY, None: Outcome.UNKNOWN}


def is_allowed(request: AccessRequest, layers: Layers) -> bool | None:
    """The outcome of ``authorize_request`` alone, in a third of the time; None for UNKNOWN."""
    return LayerJudge(request, layers).verdict()


def authorize_request(request: AccessRequest, layers: Layers) -> Authorization:
    """Judge a request by all layers.

    DENY and ALLOW hold whatever the unread layers and the open conditions are; else UNKNOWN.
    """
    judge = LayerJudge(request, layers)
    verdict = judge.verdict()
    outcome = _OUTCOMES[verdict]
    steps = tuple(_step(layer, judge, request, layers, bool(verdict)) for layer in Layer)
    if verdict:
        return Authorization(outcome, steps)
    by_layer = {step.layer: step for step in steps}
    causes = [by_layer[layer] for layer in judge.causes(verdict)]
    if verdict is None:
        open_steps = [step for step in (*causes, *steps) if step.effect in _OPEN]
        return Authorization(
            outcome,
            steps,
            (open_steps or causes)[0],
            conditions=judge.open_conditions(),
            unread=tuple(step for step in steps if step.effect is LayerEffect.UNREAD),
        )
    decisive, *also = _denying(causes, steps)
    return Authorization(outcome, steps, decisive, tuple(also), only_own_account=judge.only_own_account)


def _denying(causes: Sequence[LayerStep], steps: Sequence[LayerStep]) -> list[LayerStep]:
    """The steps that deny, the decisive one first: explicit denies, then what denies alone.

    Where none does, conditions of two layers exclude each other, and both are named.
    """
    explicit = [step for step in steps if step.effect is LayerEffect.EXPLICIT_DENY]
    excluding = [step for step in steps if step.effect in _OPEN]
    alone = list(dict.fromkeys((*explicit, *causes)))
    return alone or excluding or [step for step in steps if step.effect.denies]


def _step(
    layer: Layer, judge: LayerJudge, request: AccessRequest, layers: Layers, is_allowed: bool
) -> LayerStep:
    """The layer's part, in words."""
    matches, effect = judge.matches[layer], judge.effect(layer)
    found = _deciding(matches, effect)
    sentence = _sentence(matches, effect, found, request.action)
    if judge.only_own_account and layer is Layer.KEY_POLICY and effect is LayerEffect.IMPLICIT_DENY:
        sentence = f"{request.action} does not work on a key of another account."
    elif matches.unread and effect is not LayerEffect.UNREAD:
        sentence = f"{sentence} {_not_known(matches.unread)}"
    sources = list(dict.fromkeys(_name(each.source) for each in found))
    missed = not is_allowed and (effect is LayerEffect.IMPLICIT_DENY or layer in KEY_LAYERS)
    return LayerStep(
        layer,
        effect,
        listed(sources, 3) if sources else _lacking(layers, matches, effect),
        sentence,
        tuple(
            PolicyStatement(each.source, each.match.statement)
            for each in found
            if isinstance(each.source, NamedPolicy)
        ),
        tuple(each.source for each in found if isinstance(each.source, Grant)),
        tuple(_near_misses(layer, request, layers)) if missed else (),
    )


def _lacking(layers: Layers, matches: LayerMatches, effect: LayerEffect) -> str:
    """The names of the policies that could allow it: those of the first level that does not."""
    levels = layers.levels(matches.layer)
    if effect is not LayerEffect.IMPLICIT_DENY or isinstance(levels, UnreadLayer) or not levels:
        return ""
    return listed([policy.name for policy in levels[_first_lacking(matches) or 0]], 3)


def _first_lacking(matches: LayerMatches) -> int | None:
    """The number of the first level, from 0, without a statement that could allow it."""
    return next(
        (
            number
            for number, level in enumerate(matches.levels)
            if number not in matches.partly and not any(each.match.statement.is_allow for each in level)
        ),
        None,
    )


def _near_misses(layer: Layer, request: AccessRequest, layers: Layers) -> Iterator[NearMiss]:
    if layer is Layer.GRANT:
        missed = (missed_grant(*each, request) for each in layers.grant_index.first(request.action))
        yield from islice((each for each in missed if each is not None), MAX_NEAR_MISSES)
        return
    for policy in layers.policies(layer):
        yield from near_misses(policy.name, policy.document, request)


def _name(source: NamedPolicy | Grant) -> str:
    return source.name if isinstance(source, NamedPolicy) else f"grant {source.name or source.grant_id}"


def _deciding(matches: LayerMatches, effect: LayerEffect) -> list[LayerMatch]:
    """The statements and grants behind a layer's effect; those that apply for certain, if any do."""
    match effect:
        case LayerEffect.EXPLICIT_DENY:
            found = [each for each in matches.applying if not each.match.statement.is_allow]
        case LayerEffect.ALLOW:
            found = [each for each in matches.applying if each.match.statement.is_allow]
        case LayerEffect.DEPENDS:
            return [each for each in matches.applying if each.match.open_tests]
        case _:
            return []
    return [each for each in found if not each.match.open_tests] or found


def _sentence(matches: LayerMatches, effect: LayerEffect, found: Sequence[LayerMatch], action: str) -> str:
    """What the layer does, in one sentence."""
    if matches.layer is Layer.GRANT:
        names = listed([_name(each.source) for each in found], 3)
    else:
        names = listed([f"{each.match.statement.label} of {_name(each.source)}" for each in found], 3)
    if found and (matches.layer is Layer.GRANT or not found[0].match.statement.sid):
        names = names[0].upper() + names[1:]
    verb = "allow" if len(found) > 1 else "allows"
    match effect:
        case LayerEffect.EXEMPT:
            return matches.exempt
        case LayerEffect.UNREAD:
            return _not_known(matches.unread) if matches.unread else ""
        case LayerEffect.EXPLICIT_DENY:
            return f"{names} {'deny' if len(found) > 1 else 'denies'} {action}."
        case LayerEffect.ALLOW if len(matches.levels) > 1:
            return f"Every level allows {action}."
        case LayerEffect.ALLOW if found and all(each.reach is Reach.ACCOUNT for each in found):
            return f"{names} {verb} {action} to the account, whose identity-based policies decide."
        case LayerEffect.ALLOW:
            return f"{names} {verb} {action}."
        case LayerEffect.DEPENDS:
            keys = dict.fromkeys(test.key_text for each in found for test in each.match.open_tests)
            return f"It depends on {listed(list(keys), 3) or 'the VPC endpoint of the request'}."
        case LayerEffect.IMPLICIT_DENY:
            return f"No {matches.layer.term}{_level(matches)} allows {action}."


def _not_known(unread: UnreadLayer) -> str:
    return f"Not known: {unread.reason.rstrip('.')}."


def _level(matches: LayerMatches) -> str:
    """The first level that allows nothing, where there are several."""
    number = _first_lacking(matches)
    if number is None or len(matches.levels) < 2:
        return ""
    return f" of level {number + 1} of {len(matches.levels)}, counted from the root,"
