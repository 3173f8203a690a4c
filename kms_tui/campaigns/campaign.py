"""A campaign: what is moved from one key to another, and what has become of each item so far.

Its items are those of a plan that are safe in place: resources whose rows in the table of moves have writes
that are allowed, and a read that tells whether they are done; the grants of the old key; its aliases, last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from kms_tui.evidence.key_uses import FoundUse
from kms_tui.evidence.scan_task import Use
from kms_tui.key_moves.move import How, Move, MoveStep
from kms_tui.key_moves.move_plan import MovePlan, PlannedMove, grant_members
from kms_tui.key_moves.move_table import MOVES, move_of
from kms_tui.kms.arn import Arn
from kms_tui.kms.operations import may_read, may_write

GRANTS = "KMS grants"
ALIASES = "KMS aliases"
"""Kinds of items that are of KMS itself."""


class ItemState(StrEnum):
    """What has become of an item, in words for people."""

    WAITING = "waiting"
    STARTED = "started"
    SENT = "sent"
    """The service has taken the change, and does not show it yet."""
    MOVED = "moved"
    ALREADY = "already there"
    CHANGED = "changed since"
    LEFT_ALONE = "left alone"
    GONE = "gone"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether a later run leaves the item as it is."""
        return self in (self.MOVED, self.ALREADY, self.CHANGED, self.LEFT_ALONE, self.GONE)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to do for the item: it is under the new key, or not there any longer."""
        return self in (self.MOVED, self.ALREADY, self.GONE)


@dataclass(frozen=True, slots=True)
class CampaignItem:
    """One resource, grant or alias, as the scan or KMS names it. Untrusted text.

    ``grant`` are CreateGrant's members, for an item of the kind GRANTS alone.
    """

    account: str
    region: str
    use: Use
    grant: Mapping[str, Any] = field(default_factory=dict)

    @property
    def move(self) -> Move:
        """Its row in the table of moves."""
        return move_of(self.use)

    @property
    def is_resource(self) -> bool:
        return self.use.kind not in (GRANTS, ALIASES)

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells it from every other item of the campaign."""
        use = self.use
        return (self.account, use.kind, use.resource, use.label, use.purpose)

    def values(self, new_key: str) -> Mapping[str, str]:
        """What fills in the templates of its move."""
        planned = PlannedMove(
            FoundUse(self.account, self.use), self.move, self.region, Arn.parse(new_key).partition
        )
        return planned.values(new_key)


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """The state of an item, when it came about, in words, and the commands that were sent so far."""

    state: ItemState = ItemState.WAITING
    at: datetime | None = None
    words: str = ""
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CampaignHead:
    """What a campaign was begun with; ``old_names`` are the names of the old key, by which items name it.

    ``new`` is "" until a key is made. ``left`` are sentences on what the campaign does not move.
    """

    id: str
    begun: datetime
    old: str
    new: str
    old_names: frozenset[str]
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CampaignNote:
    """Something that is no item's: a run that began or ended, a step of the end, in words."""

    at: datetime
    words: str


@dataclass(slots=True)
class Campaign:
    """A campaign as its journal tells it. One thread changes it; others may read its records."""

    head: CampaignHead
    items: list[CampaignItem]
    records: list[ItemRecord]
    notes: list[CampaignNote] = field(default_factory=list)
    given_up: bool = False

    @property
    def counts(self) -> Counter[ItemState]:
        return Counter(record.state for record in self.records)

    @property
    def open_items(self) -> Sequence[int]:
        """The numbers of the items that a run still has to do, in their order."""
        return [number for number, record in enumerate(self.records) if not record.state.is_final]

    @property
    def is_finished(self) -> bool:
        return self.given_up or not self.open_items

    @property
    def first_write(self) -> datetime | None:
        """When the first item was moved; None before that."""
        moved = (ItemState.MOVED, ItemState.SENT)
        return min((each.at for each in self.records if each.at and each.state in moved), default=None)

    @property
    def old_account(self) -> str:
        return Arn.parse(self.head.old).account

    @property
    def region(self) -> str:
        return Arn.parse(self.head.old).region

    def missing(self, items: Iterable[CampaignItem]) -> Sequence[CampaignItem]:
        """Those of some items that the campaign does not have."""
        known = {item.identity for item in self.items}
        return [item for item in items if item.identity not in known]


def is_carried_out(move: Move) -> bool:
    """Whether a kind is moved by a campaign: in place, by writes that are allowed and read back."""
    steps = [step for step in move.steps if isinstance(step, MoveStep)]
    is_whole = bool(steps) and len(steps) == len(move.steps)
    return move.how is How.IN_PLACE and is_whole and all(map(_is_allowed, steps))


def _is_allowed(step: MoveStep) -> bool:
    call = step.call
    return may_read(call.service, call.operation) or (
        may_write(call.service, call.operation) and step.done is not None
    )


KINDS = (GRANTS, *dict.fromkeys(move.kind for move in MOVES if is_carried_out(move)), ALIASES)
"""The kinds of items that a campaign can have, in the order in which it does them."""


def items_of(plan: MovePlan, *, aliases: bool) -> Sequence[CampaignItem]:
    """The items of a plan in the order in which they are done; ``aliases``: those of the key too, last."""
    return [*_items(plan, aliases)]


def _items(plan: MovePlan, aliases: bool) -> Iterator[CampaignItem]:
    account, region = plan.old.account_id, plan.region
    for grant in plan.grants:
        use = Use(GRANTS, grant.grant_id, plan.old.arn, label=grant.name, purpose=grant.grantee)
        yield CampaignItem(account, region, use, grant_members(grant))
    for each in plan.moves:
        if is_carried_out(each.move) and each.has_commands:
            yield CampaignItem(each.found.account, each.region, each.found.use)
    if aliases and not keeps_aliases(plan):
        for alias in plan.aliases:
            yield CampaignItem(account, region, Use(ALIASES, alias.name, plan.old.arn))


def keeps_aliases(plan: MovePlan) -> bool:
    """Whether aliases stay where they are: they cannot point to a key of another account."""
    return plan.new is not None and plan.new.account_id != plan.old.account_id


def head_of(plan: MovePlan, token: str, now: datetime, *, aliases: bool) -> CampaignHead:
    """The head of a campaign that carries out a plan; ``token`` tells campaigns apart."""
    return CampaignHead(
        token,
        now,
        plan.old.arn,
        plan.new.arn if plan.new is not None else "",
        old_names_of(plan),
        tuple(left_by(plan, aliases=aliases)),
    )


def left_by(plan: MovePlan, *, aliases: bool) -> Sequence[str]:
    """Sentences on what a campaign of this plan does not move; untrusted text."""
    counts: Counter[tuple[str, str]] = Counter()
    for each in plan.moves:
        if not (is_carried_out(each.move) and each.has_commands):
            counts[each.found.use.kind, str(each.move.how)] += 1
    said = [f"{kind}: {count:,}, {how}; the plan says how." for (kind, how), count in counts.items()]
    if plan.aliases and (not aliases or keeps_aliases(plan)):
        head, verb = ("Alias", "names") if len(plan.aliases) == 1 else ("Aliases", "name")
        names = ", ".join(alias.name for alias in plan.aliases)
        said.append(f"{head}: {names} still {verb} the old key.")
    said += [f"Not checked: {gap.account} {gap.what}: {gap.why}" for gap in plan.gaps]
    return said


def old_names_of(plan: MovePlan) -> frozenset[str]:
    """Every name by which a resource may name the old key."""
    names = [plan.old.arn, plan.old.key_id]
    for alias in plan.aliases:
        names += [alias.name, alias.arn]
    return frozenset(filter(None, names))
