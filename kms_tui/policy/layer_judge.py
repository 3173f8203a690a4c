"""How the layers decide together: what each says, combined as AWS combines it, and which layer is the cause.

Source: the IAM user guide (reference_policies_evaluation-logic_policy-eval-denyallow, …-cross-account) and
the KMS developer guide (policy-evaluation, grants, key-policy-modifying-external-accounts).
"""

from __future__ import annotations

from collections.abc import Sequence

from kms_tui.kms.arn import key_account
from kms_tui.policy import actions
from kms_tui.policy.actions import canonical
from kms_tui.policy.evaluation import AccessRequest, OpenCondition
from kms_tui.policy.layer_matches import (
    KEY_LAYERS,
    RETIRE_GRANT,
    LayerSays,
    every,
    is_about_key,
    layer_matches,
    some,
)
from kms_tui.policy.layers import Layer, LayerEffect, Layers
from kms_tui.policy.principals import PrincipalKind
from kms_tui.policy.same_conditions import claim_of, truths, unknown

_CAUSES = (
    frozenset({Layer.RCP}),
    frozenset({Layer.SCP}),
    frozenset({Layer.ENDPOINT}),
    KEY_LAYERS,
    frozenset({Layer.IDENTITY}),
    frozenset({Layer.BOUNDARY}),
    frozenset({Layer.SESSION}),
)
_ALL = frozenset(Layer)
_FENCES = (Layer.RCP, Layer.SCP, Layer.ENDPOINT)
_LIMITS = (Layer.BOUNDARY, Layer.SESSION)
_SILENT = LayerSays(False, True)
"""What a layer says that neither denies nor lacks anything."""

Said = dict[Layer, LayerSays]


class LayerJudge:
    """One request and what each layer says of it, under every way in which open conditions can hold."""

    def __init__(self, request: AccessRequest, layers: Layers) -> None:
        self.matches = layer_matches(request, layers)
        applying = (each for found in self.matches.values() for each in found.applying)
        open_tests = [test for each in applying for test in each.match.open_tests]
        ways = truths(open_tests) if open_tests else (unknown,)
        self._said: Sequence[Said] = [
            {layer: found.says(truth) for layer, found in self.matches.items()} for truth in ways
        ]
        action = actions.find(request.action)
        self._about_key = is_about_key(request)
        self._by_service = request.caller.kind is PrincipalKind.SERVICE
        self._crosses = key_account(request.key_arn) not in ("", request.caller.account)
        self._retires = canonical(request.action) == RETIRE_GRANT
        self.only_own_account = (
            self._crosses
            and self._about_key
            and not self._by_service
            and not (action is not None and action.cross_account)
        )

    def verdict(self, apart: frozenset[Layer] = _ALL) -> bool | None:
        """Whether the request is allowed, None for "depends"; with ``apart``, if only these could deny it."""
        answers = {self._verdict(said, apart) for said in self._said}
        return answers.pop() if len(answers) == 1 else None

    def _verdict(self, said: Said, apart: frozenset[Layer]) -> bool | None:
        denied = some(said[layer].denied for layer in apart)
        if denied:
            return False
        admitted = self._admitted(said, apart)
        return None if denied is None and admitted else admitted

    def _admitted(self, said: Said, apart: frozenset[Layer]) -> bool | None:
        """Whether what must allow the request does, explicit denies aside."""
        asked = {layer: said[layer] if layer in apart else _SILENT for layer in Layer}
        fences = every(asked[layer].allowed for layer in _FENCES)
        limits = every(asked[layer].allowed for layer in _LIMITS)
        identity = asked[Layer.IDENTITY].allowed
        if not self._about_key:
            return every((fences, identity, limits))
        direct, role, account, trusted = self._reaches(said, apart)
        if self._by_service:
            admitted = direct
        elif self._retires or not self._crosses:
            # A grant alone decides who may retire it, in any account.
            named = some((role, trusted))
            admitted = some((direct, every((named, limits)), every((account, identity, limits))))
        elif self.only_own_account and apart & KEY_LAYERS:
            admitted = False
        else:
            let_in = some((every((some((direct, role, account)), identity)), trusted))
            admitted = every((let_in, limits))
        return every((fences, admitted))

    def _reaches(self, said: Said, apart: frozenset[Layer]) -> tuple[bool | None, ...]:
        """How far the key policy or a grant lets the caller in, in the order of ``Reach``.

        Who may retire a grant is said by the grant; the key's account may, too, and passes that right on by
        its identity policies. The key policy can only deny it (kms-api-permissions-reference, RetireGrant).
        """
        key = (said[Layer.KEY_POLICY], said[Layer.GRANT])
        if self._retires:
            grant = said[Layer.GRANT]
            account = grant.account if self._crosses or self._by_service else True
            found = grant.direct, grant.role, account, grant.trusted
        else:
            found = (
                some(each.direct for each in key),
                some(each.role for each in key),
                some(each.account for each in key),
                some(each.trusted for each in key),
            )
        if not apart & KEY_LAYERS and some(found) is False:
            # For the say of other layers the key lets the caller in as it does, or else directly.
            return True, False, False, False
        return found

    def causes(self, wanted: bool | None) -> list[Layer]:
        """The layers that alone lead to this verdict, in the order in which AWS names them."""
        return [self._named(cause, wanted) for cause in _CAUSES if self.verdict(cause) is wanted]

    def _named(self, cause: frozenset[Layer], wanted: bool | None) -> Layer:
        """Of the key's layers the one to name: for an open verdict the one that is open."""
        if cause != KEY_LAYERS:
            return next(iter(cause))
        denies = wanted is None and self.effect(Layer.KEY_POLICY).denies
        return Layer.GRANT if denies else Layer.KEY_POLICY

    def effect(self, layer: Layer) -> LayerEffect:
        """What a layer does by itself."""
        found = self.matches[layer]
        if found.exempt:
            return LayerEffect.EXEMPT
        said = [each[layer] for each in self._said]
        if self.only_own_account and layer is Layer.KEY_POLICY and not any(each.denied for each in said):
            return LayerEffect.IMPLICIT_DENY
        if all(each.denied or each.allowed is False for each in said):
            explicit = any(each.denied for each in said)
            return LayerEffect.EXPLICIT_DENY if explicit else LayerEffect.IMPLICIT_DENY
        if all(each.denied is False and each.allowed for each in said):
            return LayerEffect.ALLOW
        return LayerEffect.UNREAD if found.unread else LayerEffect.DEPENDS

    def open_conditions(self) -> tuple[OpenCondition, ...]:
        """The conditions that the layers leave open; those that say the same once."""
        found: dict[object, OpenCondition] = {}
        for matches in self.matches.values():
            for each in matches.applying:
                for test in each.match.open_tests:
                    statement = each.match.statement
                    found.setdefault(claim_of(test)[0], OpenCondition(statement, test, statement.is_allow))
        return tuple(found.values())
