"""Whether two key policies mean the same, and what of their effect differs where they do not.

Two texts mean the same where each party that either names may do the same with the key. How statements are
written, ordered, named (Sid) and split does not count.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

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
    """A text is no valid policy, or more parties are named than are compared."""


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
    if _statements(before) == _statements(after):
        return Meaning(MeaningKind.SAME)
    place = {"account_id": account_id, "partition": partition}
    effects = _differing(effect_changes(before, after, **place, key_arn=key_arn))
    left_out = uncompared_parties(before, after, **place)
    if effects:
        return Meaning(MeaningKind.OTHER, effects, left_out)
    return Meaning(MeaningKind.UNDECIDED if left_out else MeaningKind.SAME, uncompared=left_out)


def _same_json(old: str, new: str) -> bool:
    """Whether two texts are one JSON value. A member given twice makes a text unlike any other."""
    try:
        before, after = (json.loads(text, object_pairs_hook=_once) for text in (old, new))
    except (ValueError, RecursionError):
        return False
    return bool(before == after)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is given twice")
    return found


def _differing(effects: Sequence[EffectChange]) -> tuple[EffectChange, ...]:
    """Without what the root of the account keeps, which is told where a policy is reviewed."""
    kept = Standing.ALLOWED
    return tuple(effect for effect in effects if not effect.before is effect.after is kept)


def _statements(document: Document) -> frozenset[object]:
    return frozenset(map(_statement, document.statements))


def _statement(statement: Statement) -> object:
    """A statement as a value that is the same for every way to write it."""
    return (
        statement.effect,
        statement.not_principal,
        frozenset(map(_principal, statement.principals)),
        statement.not_action,
        frozenset(lowered(text.value) for text in statement.actions),
        statement.not_resource,
        frozenset(text.value for text in statement.resources),
        frozenset(map(claim_of, statement.conditions)),
    )


def _principal(principal: Principal) -> object:
    if principal.kind is PrincipalKind.ACCOUNT:
        return principal.kind, principal.account  # its id, or the ARN of its root
    return principal.kind, principal.name if principal.kind is PrincipalKind.SERVICE else principal.text
