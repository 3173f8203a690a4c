"""KMS actions as policies name them: rows of ``kms_tui.kms.operations``, and masks of many at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from kms_tui.kms.operations import ROWS, Access, Trait, names_with
from kms_tui.policy import wildcard

PREFIX = "kms:"
PUT_KEY_POLICY = "kms:PutKeyPolicy"
CREATE_GRANT = "kms:CreateGrant"
DECRYPT = "kms:Decrypt"


@dataclass(frozen=True, slots=True)
class Action:
    """One action; ``name`` has its ``kms:`` prefix."""

    name: str
    access: Access
    cross_account: bool = False
    """Whether it works on a key of another account."""
    iam_only: bool = False
    """Whether it takes no key, so that only an IAM policy can allow it."""
    encryption_context: bool = False
    """Whether its requests can carry kms:EncryptionContext: keys (conditions-kms)."""
    recent: bool = False
    """Whether it is newer than most policies that list every action by name, or only KMS itself calls it."""

    @property
    def bit(self) -> int:
        """This action's bit in the masks that ``matching`` gives."""
        return _BITS[self.name]


ACTIONS: Mapping[str, Action] = {
    action.name: action
    for action in sorted(
        (
            Action(
                PREFIX + row.name,
                row.access,
                cross_account=Trait.CROSS_ACCOUNT in row.traits,
                iam_only=Trait.NO_KEY in row.traits,
                encryption_context=Trait.ENCRYPTION_CONTEXT in row.traits,
                recent=Trait.RECENT in row.traits,
            )
            for row in ROWS.values()
            if Trait.NO_ACTION not in row.traits
        ),
        key=lambda each: each.name,
    )
}
_BITS = {name: 1 << index for index, name in enumerate(ACTIONS)}
_BY_LOWER = {name.lower(): action for name, action in ACTIONS.items()}
_ALL_NAMES = "\n".join(_BY_LOWER)
ALL = (1 << len(ACTIONS)) - 1

GUARDED = frozenset(PREFIX + name for name in names_with(Trait.DESTRUCTIVE))
"""Deletion and disabling: a policy that denies these to everyone protects the key; no mistake."""


def lowered(text: str) -> str:
    """The text with only A-Z in lower case: the Kelvin sign does not become ``k``."""
    return text.lower() if text.isascii() else "".join(c.lower() if c.isascii() else c for c in text)


@lru_cache(maxsize=4096)
def matching(pattern: str) -> int:
    """The actions that an Action entry names, as a mask of their bits; names ignore case."""
    folded = wildcard.squeezed(lowered(pattern))
    if not wildcard.has_wildcard(folded):
        action = _BY_LOWER.get(folded)
        return action.bit if action else 0
    if folded in ("*", "kms:*"):
        return ALL
    if any(piece not in _ALL_NAMES for piece in folded.replace("?", "*").split("*")):
        return 0
    return sum(action.bit for name, action in _BY_LOWER.items() if wildcard.matches(folded, name))


def mask_of(actions: Iterable[Action]) -> int:
    mask = 0
    for action in actions:
        mask |= action.bit
    return mask


@lru_cache(maxsize=1024)
def in_mask(mask: int) -> tuple[Action, ...]:
    """The actions of a mask, by name."""
    return tuple(action for action in ACTIONS.values() if action.bit & mask)


KEY_ACTIONS = mask_of(action for action in ACTIONS.values() if not action.iam_only)
"""Every action that a key policy can allow."""
FULL_CONTROL = mask_of(action for action in ACTIONS.values() if not action.iam_only and not action.recent)
"""The actions that the account should keep; without recent ones, which older lists of actions lack."""
GUARDED_MASK = mask_of(ACTIONS[name] for name in GUARDED)
_TOKEN = mask_of(ACTIONS[PREFIX + name] for name in names_with(Trait.HARMLESS))
LOOKING = _TOKEN | mask_of(action for action in ACTIONS.values() if action.access is Access.READ)
"""Actions that change and reveal nothing; an import token alone imports nothing."""
CHANGING = KEY_ACTIONS & ~_TOKEN & mask_of(a for a in ACTIONS.values() if a.access is Access.ADMINISTER)
"""Administration of the key that changes something."""


def find(name: str) -> Action | None:
    """The action of that name, in any case; None if there is none."""
    return _BY_LOWER.get(lowered(name))


def canonical(name: str) -> str:
    """The action's name as AWS writes it; an unknown name unchanged."""
    action = find(name)
    return action.name if action else name


def nearest(text: str) -> str:
    """The most likely action for a misspelt one; "" if none is near."""
    return closest(lowered(text), {lower: action.name for lower, action in _BY_LOWER.items()})


def closest(text: str, names: Mapping[str, str], edits: int = 3) -> str:
    """The value whose key is nearest to the text, within ``edits``; "" if there is none."""
    best, limit = "", edits + 1
    for key, name in names.items():
        if abs(len(key) - len(text)) < limit:
            distance = _edits(text, key, limit)
            if distance < limit:
                best, limit = name, distance
    return best


def _edits(one: str, two: str, limit: int) -> int:
    """Edits from one text to the other, a swap as one; at most ``limit``."""
    before: list[int] = []
    above = list(range(len(two) + 1))
    for row, char in enumerate(one, 1):
        line = [row]
        for column, other in enumerate(two, 1):
            cost = min(above[column] + 1, line[-1] + 1, above[column - 1] + (char != other))
            if row > 1 and column > 1 and char == two[column - 2] and one[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        if min(line) >= limit:
            return limit
        before, above = above, line
    return min(above[-1], limit)


CROSS_ACCOUNT = KEY_ACTIONS & mask_of(action for action in ACTIONS.values() if action.cross_account)
"""The actions that work for a principal of another account."""
