"""``authorize_request``: whether all layers of policies together allow a request, and which one decides.

Source: the IAM user guide (reference_policies_evaluation-logic, …_policy-eval-denyallow, …-cross-account,
access_policies_boundaries), the Organizations user guide (SCP and RCP evaluation) and the KMS developer guide
(policy-evaluation, grants, key-policy-modifying-external-accounts).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from kms_tui.kms.arn import key_account
from kms_tui.kms.model import Grant
from kms_tui.policy import actions
from kms_tui.policy.actions import canonical
from kms_tui.policy.describe import listed
from kms_tui.policy.document import Statement
from kms_tui.policy.evaluation import AccessRequest, OpenCondition
from kms_tui.policy.layer_facts import (
    RETIRE_GRANT,
    Applying,
    LayerFacts,
    Reach,
    every,
    is_about_key,
    layer_facts,
    some,
)
from kms_tui.policy.layers import Layer, Layers, NamedPolicy
from kms_tui.policy.near_misses import MAX_NEAR_MISSES, NearMiss, missed_grant, near_misses
from kms_tui.policy.principals import PrincipalKind
from kms_tui.policy.shared_facts import Truth, fact_of, truths, unknown


class Outcome(StrEnum):
    ALLOW = "allow"
    DENY = "deny"
    UNKNOWN = "unknown"


class LayerEffect(StrEnum):
    """What one layer does to the request."""

    ALLOW = "allow"
    EXPLICIT_DENY = "explicit-deny"
    IMPLICIT_DENY = "implicit-deny"
    DEPENDS = "depends"
    UNREAD = "unread"
    EXEMPT = "exempt"

    @property
    def denies(self) -> bool:
        return self in (LayerEffect.EXPLICIT_DENY, LayerEffect.IMPLICIT_DENY)


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
Ask = Callable[[Truth], bool | None]
_OUTCOMES = {True: Outcome.ALLOW, False: Outcome.DENY, None: Outcome.UNKNOWN}
_RESOURCE = frozenset({Layer.KEY_POLICY, Layer.GRANT})
"""The layers of the key: one of them must let the caller in."""
_CAUSES = (
    frozenset({Layer.RCP}),
    frozenset({Layer.SCP}),
    frozenset({Layer.ENDPOINT}),
    _RESOURCE,
    frozenset({Layer.IDENTITY}),
    frozenset({Layer.BOUNDARY}),
    frozenset({Layer.SESSION}),
)


def is_allowed(request: AccessRequest, layers: Layers) -> bool | None:
    """The outcome of ``authorize_request`` alone, in a third of the time; None for UNKNOWN."""
    return _Judge(request, layers).verdict()


def authorize_request(request: AccessRequest, layers: Layers) -> Authorization:
    """Judge a request by all layers.

    DENY and ALLOW hold whatever the unread layers and the open conditions are; else UNKNOWN.
    """
    judge = _Judge(request, layers)
    outcome = _OUTCOMES[judge.verdict()]
    steps = tuple(judge.step(layer, outcome) for layer in Layer)
    if outcome is Outcome.ALLOW:
        return Authorization(outcome, steps)
    causes = judge.causes(outcome)
    by_layer = {step.layer: step for step in steps}
    decisive, also = _decisive([by_layer[layer] for layer in causes], steps, outcome)
    depends = outcome is Outcome.UNKNOWN
    return Authorization(
        outcome,
        steps,
        decisive,
        also,
        judge.open_conditions() if depends else (),
        tuple(step for step in steps if step.effect is LayerEffect.UNREAD) if depends else (),
        judge.only_own_account,
    )


def _decisive(
    causes: Sequence[LayerStep], steps: Sequence[LayerStep], outcome: Outcome
) -> tuple[LayerStep, tuple[LayerStep, ...]]:
    """The step that decides, explicit denies first, and the others that deny."""
    if outcome is Outcome.UNKNOWN:
        open_steps = [step for step in (*causes, *steps) if step.effect in _OPEN]
        return (open_steps or list(causes))[0], ()
    explicit = [step for step in steps if step.effect is LayerEffect.EXPLICIT_DENY]
    # Where no layer denies alone, none lets the caller in as far as another would need.
    found = dict.fromkeys(explicit) | dict.fromkeys(causes) or dict.fromkeys(
        step for step in steps if step.effect.denies
    )
    decisive, *also = found
    return decisive, tuple(also)


class _Judge:
    """One request and what each layer says about it, asked under every way in which open facts can hold."""

    def __init__(self, request: AccessRequest, layers: Layers) -> None:
        self._request = request
        self._layers = layers
        self._facts = layer_facts(request, layers)
        open_tests = [
            test
            for facts in self._facts.values()
            for each in facts.applying
            for test in each.match.open_tests
        ]
        self._truths: Sequence[Truth] = tuple(truths(open_tests)) if open_tests else (unknown,)
        account = key_account(request.key_arn)
        self._crosses = account not in ("", request.caller.account)
        retires = canonical(request.action) == RETIRE_GRANT
        self._key_layers = (Layer.GRANT,) if retires else (Layer.KEY_POLICY, Layer.GRANT)
        self._retires = retires
        self.only_own_account = (
            self._crosses
            and request.caller.kind is not PrincipalKind.SERVICE
            and is_about_key(request)
            and not self._works_across()
        )

    def verdict(self, apart: frozenset[Layer] | None = None) -> bool | None:
        """Whether the request is allowed; ``apart``: if all layers but these allowed it."""
        return self._under_all(lambda truth: self._verdict(truth, apart))

    def _under_all(self, ask: Ask) -> bool | None:
        answers = {ask(truth) for truth in self._truths}
        return answers.pop() if len(answers) == 1 else None

    def _verdict(self, truth: Truth, apart: frozenset[Layer] | None) -> bool | None:
        facts = self._facts
        asked = [facts[layer] for layer in Layer if apart is None or layer in apart]
        denied = some(each.denied(truth) for each in asked)
        if denied:
            return False
        return every((None if denied is None else True, self._admitted(truth, apart)))

    def _admitted(self, truth: Truth, apart: frozenset[Layer] | None) -> bool | None:
        """Whether what must allow the request does, explicit denies aside."""

        def allowed(layer: Layer) -> bool | None:
            return self._facts[layer].allowed(truth) if apart is None or layer in apart else True

        fences = every(map(allowed, (Layer.RCP, Layer.SCP, Layer.ENDPOINT)))
        limits = every(map(allowed, (Layer.BOUNDARY, Layer.SESSION)))
        identity = True if self._request.caller.is_root else allowed(Layer.IDENTITY)
        if not is_about_key(self._request):
            return every((fences, identity, limits))
        direct, role, account = (self._reaches(truth, reach, apart) for reach in Reach)
        if self._request.caller.kind is PrincipalKind.SERVICE:
            admitted = direct
        elif self._crosses:
            across = not self.only_own_account or not (apart is None or apart & _RESOURCE)
            named = some((direct, role))
            # A grant alone decides who may retire it, but for an account that passes its right on.
            delegated = (account, identity) if self._retires else (some((named, account)), identity)
            passed = every((*delegated, limits))
            admitted = every((across, some((named, passed)) if self._retires else passed))
        else:
            admitted = some((direct, every((role, limits)), every((account, identity, limits))))
        return every((fences, admitted))

    def _reaches(self, truth: Truth, reach: Reach, apart: frozenset[Layer] | None) -> bool | None:
        """Whether the key policy or a grant lets the caller in so far."""
        both = [self._facts[layer] for layer in self._key_layers]
        found = some(facts.allowed(truth, reach) for facts in both)
        if apart is None or apart & _RESOURCE or reach is not Reach.DIRECT:
            return found
        # For the say of other layers the key lets the caller in as it does, or else directly.
        return found if some(facts.allowed(truth) for facts in both) else True

    def _works_across(self) -> bool:
        action = actions.find(self._request.action)
        return action is not None and action.cross_account

    def causes(self, outcome: Outcome) -> list[Layer]:
        """The layers that alone lead to this outcome, in the order in which AWS names them."""
        wanted = False if outcome is Outcome.DENY else None
        found: list[Layer] = []
        for cause in _CAUSES:
            if self.verdict(cause) is wanted:
                found.append(self._named(cause, outcome))
        return found

    def _named(self, cause: frozenset[Layer], outcome: Outcome) -> Layer:
        """Of the key's layers the one to name: for an unknown outcome the one that is not known."""
        if cause != _RESOURCE:
            return next(iter(cause))
        if outcome is Outcome.UNKNOWN and self._effect(Layer.KEY_POLICY).denies:
            return Layer.GRANT
        return Layer.KEY_POLICY

    def open_conditions(self) -> tuple[OpenCondition, ...]:
        """The conditions that the layers leave open, each fact once."""
        found: dict[object, OpenCondition] = {}
        for facts in self._facts.values():
            for each in facts.applying:
                for test in each.match.open_tests:
                    statement = each.match.statement
                    found.setdefault(fact_of(test)[0], OpenCondition(statement, test, statement.is_allow))
        return tuple(found.values())

    def _effect(self, layer: Layer) -> LayerEffect:
        facts = self._facts[layer]
        if facts.exempt:
            return LayerEffect.EXEMPT
        if facts.unread:
            return LayerEffect.UNREAD
        if self.only_own_account and layer is Layer.KEY_POLICY and not facts.denied(unknown):
            return LayerEffect.IMPLICIT_DENY
        states = {(facts.denied(truth), facts.allowed(truth)) for truth in self._truths}
        if all(denied or allowed is False for denied, allowed in states):
            explicit = any(denied for denied, _ in states)
            return LayerEffect.EXPLICIT_DENY if explicit else LayerEffect.IMPLICIT_DENY
        certain = all(denied is False and allowed for denied, allowed in states)
        return LayerEffect.ALLOW if certain else LayerEffect.DEPENDS

    def step(self, layer: Layer, outcome: Outcome) -> LayerStep:
        """The layer's part, in words."""
        facts = self._facts[layer]
        effect = self._effect(layer)
        found = _deciding(facts, effect)
        sentence = _sentence(facts, effect, found, self._request.action)
        if self.only_own_account and layer is Layer.KEY_POLICY and effect is LayerEffect.IMPLICIT_DENY:
            sentence = f"{self._request.action} does not work on a key of another account."
        sources = list(dict.fromkeys(_name(each.source) for each in found))
        missed = outcome is not Outcome.ALLOW and (effect is LayerEffect.IMPLICIT_DENY or layer in _RESOURCE)
        return LayerStep(
            layer,
            effect,
            listed(sources, 3) if sources else self._lacking(facts, effect),
            sentence,
            tuple(
                PolicyStatement(each.source, each.match.statement)
                for each in found
                if isinstance(each.source, NamedPolicy)
            ),
            tuple(each.source for each in found if isinstance(each.source, Grant)),
            tuple(self._near_misses(layer)) if missed else (),
        )

    def _lacking(self, facts: LayerFacts, effect: LayerEffect) -> str:
        """The name of the only policy that could allow it."""
        names = [policy.name for policy in self._layers.policies(facts.layer)]
        return names[0] if effect is LayerEffect.IMPLICIT_DENY and len(names) == 1 else ""

    def _near_misses(self, layer: Layer) -> Iterator[NearMiss]:
        if layer is Layer.GRANT:
            given = self._layers.grant_statements(self._request.action)
            missed = (missed_grant(*each, self._request) for each in given)
            yield from islice((each for each in missed if each is not None), MAX_NEAR_MISSES)
            return
        for policy in self._layers.policies(layer):
            yield from near_misses(policy.name, policy.document, self._request)


def _name(source: NamedPolicy | Grant) -> str:
    return source.name if isinstance(source, NamedPolicy) else f"grant {source.name or source.grant_id}"


def _deciding(facts: LayerFacts, effect: LayerEffect) -> list[Applying]:
    """The statements and grants behind a layer's effect; those that apply for certain, if any do."""
    match effect:
        case LayerEffect.EXPLICIT_DENY:
            found = [each for each in facts.applying if not each.match.statement.is_allow]
        case LayerEffect.ALLOW:
            found = [each for each in facts.applying if each.match.statement.is_allow]
        case LayerEffect.DEPENDS:
            return [each for each in facts.applying if each.match.open_tests]
        case _:
            return []
    return [each for each in found if not each.match.open_tests] or found


def _sentence(facts: LayerFacts, effect: LayerEffect, found: Sequence[Applying], action: str) -> str:
    """What the layer does, in one sentence."""
    names = listed([f"{each.match.statement.label} of {_name(each.source)}" for each in found], 3)
    if facts.layer is Layer.GRANT:
        names = listed([_name(each.source) for each in found], 3)
    verb = "allow" if len(found) > 1 else "allows"
    match effect:
        case LayerEffect.EXEMPT:
            return facts.exempt
        case LayerEffect.UNREAD:
            return f"Not known: {facts.unread.reason.rstrip('.') if facts.unread else ''}."
        case LayerEffect.EXPLICIT_DENY:
            return f"{names} {'deny' if len(found) > 1 else 'denies'} {action}."
        case LayerEffect.ALLOW if len(facts.levels) > 1:
            return f"Every level allows {action}."
        case LayerEffect.ALLOW if found and all(each.reach is Reach.ACCOUNT for each in found):
            return f"{names} {verb} {action} to the account, whose identity-based policies decide."
        case LayerEffect.ALLOW:
            return f"{names} {verb} {action}."
        case LayerEffect.DEPENDS:
            keys = dict.fromkeys(test.key_text for each in found for test in each.match.open_tests)
            return f"It depends on {listed(list(keys), 3) or 'the VPC endpoint of the request'}."
        case LayerEffect.IMPLICIT_DENY:
            return f"No {facts.layer.term}{_level(facts)} allows {action}."


def _level(facts: LayerFacts) -> str:
    """The first level that allows nothing, where there are several."""
    if len(facts.levels) < 2:
        return ""
    numbers = range(1, len(facts.levels) + 1)
    lacking = [
        number
        for number, level in zip(numbers, facts.levels, strict=True)
        if not any(each.match.statement.is_allow for each in level)
    ]
    return f" of level {lacking[0]} of {len(facts.levels)}, counted from the root," if lacking else ""
