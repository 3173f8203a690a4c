"""Whether two key policies mean the same, and what of their effect differs where they do not.

How statements are written, ordered, named (Sid) and split does not count. Texts that this does not show to
mean the same are told apart by what the parties that they name may do with the key.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from enum import Enum
from itertools import product

from kms_tui.formats import members_once
from kms_tui.policy import wildcard
from kms_tui.policy.access import Standing
from kms_tui.policy.actions import lowered
from kms_tui.policy.document import Document, Statement, parse
from kms_tui.policy.policy_diff import EffectChange, effect_changes, uncompared_parties
from kms_tui.policy.principals import Principal, PrincipalKind
from kms_tui.policy.same_conditions import claim_of


class MeaningKind(Enum):
    """How one policy's meaning stands to another's."""

    SAME_TEXT = "the same text"
    """But for white space and the order of members."""
    SAME = "the same meaning"
    OTHER = "another meaning"
    UNDECIDED = "not decided"
    """A text is no valid policy, or the statements differ and no party that they name gains or loses."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """``effects`` are the differences in effect of another meaning, in the order of the parties; that many
    further parties are ``uncompared``.
    """

    kind: MeaningKind
    effects: tuple[EffectChange, ...] = ()
    uncompared: int = 0

    @property
    def widens(self) -> bool:
        """Whether somebody gains something."""
        return any(effect.widens for effect in self.effects)

    @property
    def narrows(self) -> bool:
        """Whether all that differs is that somebody loses something."""
        return not self.uncompared and not any(
            effect.widens or effect.before is effect.after for effect in self.effects
        )


def compared_meaning(
    old: str, new: str, *, account_id: str, partition: str = "aws", key_arn: str = ""
) -> Meaning:
    """How the meaning of the policy ``new`` stands to that of ``old``, for a key of this account."""
    if old == new or _same_json(old, new):
        return Meaning(MeaningKind.SAME_TEXT)
    before, after = parse(old), parse(new)
    if not before.is_valid or not after.is_valid:
        return Meaning(MeaningKind.UNDECIDED)
    if _atoms(before, key_arn) == _atoms(after, key_arn):
        return Meaning(MeaningKind.SAME)
    place = {"account_id": account_id, "partition": partition}
    effects = _differing(effect_changes(before, after, **place, key_arn=key_arn))
    left_out = uncompared_parties(before, after, **place)
    # Without differing effects the meaning may differ all the same: for what grants allow, which a Deny
    # refuses, and for whom a condition names of the principals of an account.
    return Meaning(MeaningKind.OTHER if effects else MeaningKind.UNDECIDED, effects, left_out)


def _same_json(old: str, new: str) -> bool:
    """Whether two texts are one JSON value. A member given twice makes a text unlike any other."""
    try:
        before, after = (json.loads(text, object_pairs_hook=members_once) for text in (old, new))
        return bool(before == after)
    except (ValueError, RecursionError):
        return False


def _differing(effects: Sequence[EffectChange]) -> tuple[EffectChange, ...]:
    """Without what the root of the account keeps, which is told where a policy is reviewed."""
    kept = Standing.ALLOWED
    return tuple(effect for effect in effects if not effect.before is effect.after is kept)


def _atoms(document: Document, key_arn: str) -> frozenset[object]:
    """What the statements say, each for one principal, action and resource: a statement says it for all of
    its own, and two statements say what either says. Two policies with the same atoms decide alike.
    """
    found: defaultdict[tuple[object, ...], set[object]] = defaultdict(set)
    for statement in document.statements:
        conditions = frozenset(map(claim_of, statement.conditions))
        for who, action, resource in product(*_parts(statement, key_arn)):
            found[statement.effect, who, resource, conditions].add(action)
    return frozenset((*rest, action) for rest, actions in found.items() for action in _widest(actions))


def _parts(statement: Statement, key_arn: str) -> Iterator[frozenset[object]]:
    """The principals, actions and resources of a statement; those of a Not… element are one."""
    who = frozenset(map(_principal, statement.principals))
    actions = frozenset(lowered(text.value) for text in statement.actions)
    # In a key policy the key's ARN and "*" are the same: the key.
    resources = frozenset("*" if text.value == key_arn else text.value for text in statement.resources)
    for parts, is_not in (
        (who, statement.not_principal),
        (actions, statement.not_action),
        (resources, statement.not_resource),
    ):
        yield frozenset({("not", parts)}) if is_not else parts


def _widest(actions: Set[object]) -> Iterator[object]:
    """The actions without those that a pattern among them covers."""
    patterns = [each for each in actions if isinstance(each, str) and "*" in each and "?" not in each]
    for action in actions:
        others = (each for each in patterns if each != action)
        if not isinstance(action, str) or not any(wildcard.matches(each, action) for each in others):
            yield action


def _principal(principal: Principal) -> object:
    if principal.kind is PrincipalKind.ACCOUNT:
        return principal.kind, principal.account  # its id, or the ARN of its root
    return principal.kind, principal.name if principal.kind is PrincipalKind.SERVICE else principal.text
