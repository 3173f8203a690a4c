"""The changes from one policy to another: by statement, by line, and in effect."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from kms_tui.policy import access
from kms_tui.policy.access import Standing
from kms_tui.policy.actions import Action
from kms_tui.policy.describe import condition
from kms_tui.policy.document import Document, Statement
from kms_tui.policy.evaluation import Decision
from kms_tui.policy.json_reader import split_lines
from kms_tui.policy.parties import Party, parties_in
from kms_tui.policy.principals import PrincipalKind

MAX_COMPARISONS = 1_000_000
"""Pairs of differing lines beyond which one text is shown after the other."""
MAX_PARTIES = 200
"""Most parties whose standing is compared; ``uncompared_parties`` counts the others."""


class StatementChangeKind(StrEnum):
    """How a statement changed."""

    SAME = "same"
    MOVED = "moved"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class StatementChange:
    """A statement of both policies, or of one; ``elements`` are the differing ones of a changed statement."""

    kind: StatementChangeKind
    old: Statement | None
    new: Statement | None
    elements: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        statement = self.new or self.old
        return statement.label if statement else ""


def statement_changes(old: Document, new: Document) -> tuple[StatementChange, ...]:
    """The change of each statement, in the new policy's order, removed ones last.

    Statements match by content, else by Sid, else by place, whatever their white space and order of elements.
    """
    before = {statement: _shape(old, statement) for statement in old.statements}
    after = {statement: _shape(new, statement) for statement in new.statements}
    pairs = _paired(before, after)
    changes = [_change(pairs.get(statement), statement, before, after) for statement in new.statements]
    kept = set(pairs.values())
    gone = [
        StatementChange(StatementChangeKind.REMOVED, each, None)
        for each in old.statements
        if each not in kept
    ]
    return (*_with_moves(changes), *gone)


def _shape(document: Document, statement: Statement) -> Any:
    try:
        return json.loads(document.text[slice(*statement.span)])
    except ValueError:
        return None


def _paired(before: dict[Statement, Any], after: dict[Statement, Any]) -> dict[Statement, Statement]:
    """New statements -> the old ones that they match."""
    pairs: dict[Statement, Statement] = {}
    for trait in (_content, _sid, _place):
        free: dict[str, list[Statement]] = {}
        for old in before.keys() - pairs.values():
            free.setdefault(trait(old, before[old]), []).append(old)
        for candidates in free.values():
            candidates.sort(key=lambda statement: -statement.index)
        for new in (each for each in after if each not in pairs):
            candidates = free.get(trait(new, after[new]), [])
            if candidates and (trait is not _place or _in_common(before[candidates[-1]], after[new])):
                pairs[new] = candidates.pop()
    return pairs


def _content(_statement: Statement, shape: Any) -> str:
    return json.dumps(shape, sort_keys=True)


def _sid(statement: Statement, _shape: Any) -> str:
    return statement.sid or f"\0{id(statement)}"


def _place(statement: Statement, _shape: Any) -> str:
    return f"\0{id(statement)}" if statement.sid else str(statement.index)


def _in_common(before: Any, after: Any) -> bool:
    """Whether two shapes share an element beside Effect and Resource."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return False
    return any(
        after.get(name) == value for name, value in before.items() if name not in ("Effect", "Resource")
    )


def _change(
    old: Statement | None, new: Statement, before: dict[Statement, Any], after: dict[Statement, Any]
) -> StatementChange:
    if old is None:
        return StatementChange(StatementChangeKind.ADDED, None, new)
    was, now = before[old], after[new]
    if was == now:
        return StatementChange(StatementChangeKind.SAME, old, new)
    names = dict.fromkeys((*was, *now)) if isinstance(was, dict) and isinstance(now, dict) else {}
    return StatementChange(
        StatementChangeKind.CHANGED, old, new, tuple(name for name in names if was.get(name) != now.get(name))
    )


def _with_moves(changes: Sequence[StatementChange]) -> Iterator[StatementChange]:
    """Mark unchanged statements as moved, except a longest run that kept its order."""
    places = [change.old.index for change in changes if change.old is not None]
    kept = _longest_rise(places)
    for change in changes:
        if (
            change.kind is StatementChangeKind.SAME
            and change.old is not None
            and change.old.index not in kept
        ):
            yield StatementChange(StatementChangeKind.MOVED, change.old, change.new)
        else:
            yield change


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """The members of a longest increasing subsequence of distinct numbers."""
    best: list[list[int]] = []
    for number in numbers:
        shorter: list[int] = max((run for run in best if run[-1] < number), key=len, default=[])
        best.append([*shorter, number])
    longest: list[int] = max(best, key=len, default=[])
    return set(longest)


Opcode = tuple[Literal["replace", "delete", "insert", "equal"], int, int, int, int]
"""An edit and its range of lines in the left and in the right text, as difflib has them."""


class _LineMatcher(difflib.SequenceMatcher[str]):
    """Compares texts line by line; texts that differ in too many lines count as wholly replaced."""

    def __init__(self, left: list[str], right: list[str]) -> None:
        super().__init__(None, left, right)
        self._texts = left, right

    def get_opcodes(self) -> list[Opcode]:
        left, right = self._texts
        shorter = min(len(left), len(right))
        head = next((at for at in range(shorter) if left[at] != right[at]), shorter)
        rest = shorter - head
        tail = next((at for at in range(rest) if left[-1 - at] != right[-1 - at]), rest)
        ends = len(left) - tail, len(right) - tail
        one, two = left[head : ends[0]], right[head : ends[1]]
        if len(one) * len(two) > MAX_COMPARISONS:
            middle: list[Opcode] = [("replace", 0, len(one), 0, len(two))]
        else:
            middle = [*difflib.SequenceMatcher(None, one, two).get_opcodes()]
        shifted: list[Opcode] = [(tag, i + head, j + head, k + head, m + head) for tag, i, j, k, m in middle]
        ends_alike: Opcode = ("equal", ends[0], len(left), ends[1], len(right))
        codes: list[Opcode] = [("equal", 0, head, 0, head), *shifted, ends_alike]
        return [(tag, i, j, k, m) for tag, i, j, k, m in codes if i < j or k < m]


def unified(old: str, new: str, context: int = 3) -> list[str]:
    """The lines of a unified diff without its file header: ``@@`` lines, and lines led by space, + or -."""
    left, right = split_lines(old), split_lines(new)
    lines: list[str] = []
    for group in _LineMatcher(left, right).get_grouped_opcodes(context):
        (_, i, _, k, _), (_, _, j, _, m) = group[0], group[-1]
        lines.append(f"@@ -{i + 1},{j - i} +{k + 1},{m - k} @@")
        for tag, start, end, new_start, new_end in group:
            if tag == "equal":
                lines += [" " + line for line in left[start:end]]
            else:
                lines += ["-" + line for line in left[start:end]]
                lines += ["+" + line for line in right[new_start:new_end]]
    return lines


@dataclass(frozen=True, slots=True)
class EffectChange:
    """Actions that a party gains or loses, in a sentence."""

    party: Party
    before: Standing
    after: Standing
    actions: tuple[Action, ...]
    sentence: str

    @property
    def widens(self) -> bool:
        """Whether the party gains."""
        order = (
            Standing.DENIED,
            Standing.DENIED_SOMETIMES,
            Standing.NOTHING,
            Standing.CONDITIONAL,
            Standing.ALLOWED,
        )
        return order.index(self.after) > order.index(self.before)


_ALLOWED, _SOMETIMES, _NOTHING = Standing.ALLOWED, Standing.CONDITIONAL, Standing.NOTHING
_DENIED, _DENIED_SOMETIMES = Standing.DENIED, Standing.DENIED_SOMETIMES
_PHRASES = {
    (_NOTHING, _ALLOWED): "gains {}",
    (_NOTHING, _SOMETIMES): "gains {} under conditions",
    (_ALLOWED, _SOMETIMES): "keeps {} only under conditions",
    (_SOMETIMES, _ALLOWED): "now has {} without conditions",
    (_SOMETIMES, _SOMETIMES): "has {} under other conditions",
    (_DENIED_SOMETIMES, _DENIED_SOMETIMES): "is denied {} under other conditions",
    (_ALLOWED, _ALLOWED): "keeps {}",
}
_ARRIVING = {
    _NOTHING: "loses {}",
    _ALLOWED: "gains {}",
    _SOMETIMES: "gains {} under conditions",
    _DENIED: "is denied {}",
    _DENIED_SOMETIMES: "is denied {} under conditions",
}
_NO_LONGER = {_DENIED: "is no longer denied {}", _DENIED_SOMETIMES: "is no longer denied {} under conditions"}


def effect_changes(
    old: Document, new: Document, *, account_id: str, partition: str = "aws", key_arn: str = ""
) -> tuple[EffectChange, ...]:
    """The changes in effect for the parties of both policies, in their order.

    A party whose standing stays the same has none, but for ``root keeps kms:*`` if the account keeps all.
    """
    groups = access.equivalent_actions([old, new], access.key_actions())
    asked = parties_in([old, new], account_id, partition)[:MAX_PARTIES]
    return tuple(change for party in asked for change in _party_changes(old, new, party, groups, key_arn))


def uncompared_parties(old: Document, new: Document, *, account_id: str, partition: str = "aws") -> int:
    """How many parties ``effect_changes`` leaves out."""
    return max(0, len(parties_in([old, new], account_id, partition)) - MAX_PARTIES)


def _party_changes(
    old: Document, new: Document, party: Party, groups: Sequence[Sequence[Action]], key_arn: str
) -> Iterator[EffectChange]:
    found: dict[tuple[Standing, Standing], list[Action]] = {}
    for group in groups:
        before, was = access.decide(old, party, group[0], key_arn)
        after, now = access.decide(new, party, group[0], key_arn)
        pair = before, after
        keeps = pair == (_ALLOWED, _ALLOWED) and party.kind is PrincipalKind.ACCOUNT and party.label == "root"
        if pair[0] is not pair[1] or _conditions(was) != _conditions(now) or keeps:
            found.setdefault(pair, []).extend(group)
    for pair, listed in found.items():
        ordered = tuple(sorted(listed, key=lambda action: action.name))
        sentence = f"{party.label} {_phrase(*pair).format(access.action_words(ordered))}"
        yield EffectChange(party, *pair, ordered, sentence)


def _phrase(before: Standing, after: Standing) -> str:
    if after is _NOTHING and before in _NO_LONGER:
        return _NO_LONGER[before]
    return _PHRASES.get((before, after)) or _ARRIVING[after]


def _conditions(decision: Decision) -> frozenset[frozenset[tuple[bool, str]]]:
    """The open conditions by statement: those of one have to hold together, those of two need not."""
    found: dict[Statement, set[tuple[bool, str]]] = {}
    for each in decision.conditions:
        found.setdefault(each.statement, set()).add((each.wanted, condition(each.test)))
    return frozenset(map(frozenset, found.values()))
