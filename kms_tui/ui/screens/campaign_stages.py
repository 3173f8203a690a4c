"""The stages of leaving a key, from the plan to its deletion: which are over, and which is next.

What a rescan and CloudTrail told is read back from the notes of the campaign's journal, so that it is known
again in another session; it counts until something else is moved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from kms_tui.campaigns.campaign import ALIASES, Campaign, ItemState, items_of
from kms_tui.campaigns.campaign_run import CampaignProgress
from kms_tui.campaigns.later_uses import LaterUses
from kms_tui.counts import counted_as
from kms_tui.evidence.refused_uses import Refusals
from kms_tui.key_moves.move_plan import MovePlan
from kms_tui.kms.model import Key, KeyState
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.words import counted

_NOTHING_NAMES_IT = "Rescan: nothing that was checked names the old key any longer"
_STILL_NAMED = "Rescan: still naming the old key: "
_NO_USE = "Uses by CloudTrail: none of the old key since "
_USED = "Uses by CloudTrail: the old key was used since "
_NOT_WHOLE = "Uses by CloudTrail: not all was told yet, "
_DELETED = (KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION)


def rescan_note(plan: MovePlan) -> str:
    """What a scan after the move found, for the journal and the screen."""
    counts = Counter(str(each.move.how) for each in plan.moves)
    unchecked = f"; {len(plan.gaps):,} not checked" if plan.gaps else ""
    if not counts:
        return f"{_NOTHING_NAMES_IT}{unchecked}."
    by_how = ", ".join(f"{count:,} {how}" for how, count in counts.items())
    return f"{_STILL_NAMED}{counted(len(plan.moves), 'resource')} ({by_how}){unchecked}."


def later_uses_note(found: LaterUses, *, is_told_by_now: bool = True) -> str:
    """What CloudTrail told of the uses since the move, for the journal; uses are told some minutes late."""
    since = f"{found.since:%Y-%m-%d %H:%M:%S} UTC"
    if found.uses:
        said = ", ".join(f"{use.who} {use.operation} {use.count:,}" for use in found.uses[:5])
        more = f" and {len(found.uses) - 5:,} more" if len(found.uses) > 5 else ""
        return f"{_USED}{since}: {said}{more}."
    if found.is_complete and is_told_by_now:
        return f"{_NO_USE}{since}."
    return f"{_NOT_WHOLE}none of the old key since {since}."


class CampaignStage(Enum):
    """The stages, in their order: (title, short title, binding id, key)."""

    PLAN = ("Plan", "Plan", "", "")
    CARRY_OUT = ("Carry out", "Move", "move.carry-out", "ctrl+o")
    RESCAN = ("Rescan", "Rescan", "move.refresh", "r")
    STILL_USED = ("Still used?", "Used?", "move.still-used", "u")
    DISABLE = ("Disable and watch", "Disable", "move.disable", "X")
    DELETE = ("Schedule deletion", "Delete", "move.schedule-deletion", "D")


_CHANGING = (CampaignStage.CARRY_OUT, CampaignStage.DISABLE, CampaignStage.DELETE)


class Mark(Enum):
    """How a stage stands: (sign, colour)."""

    DONE = ("✓", "$success")
    NOW = ("…", "$accent bold")
    NEXT = ("▸", "$accent bold")
    LATER = ("·", "$foreground-muted")
    NOT_YET = ("–", "$warning")
    """It can be done, and something says that it is too early."""
    ALARM = ("✗", "$error bold")
    """It is done, and the key is missed."""


@dataclass(frozen=True, slots=True)
class StageFacts:
    """What the stages are told by; ``refusals`` are those of the watched old key."""

    old: Key
    plan: MovePlan | None = None
    campaign: Campaign | None = None
    run: CampaignProgress | None = None
    """Of the run that goes on now."""
    refusals: Refusals | None = None
    read_only: bool = False
    """No stage that changes anything can be done in this session."""

    def allows(self, stage: CampaignStage) -> bool:
        return not (self.read_only and stage in _CHANGING)

    @property
    def has_items(self) -> bool:
        """Whether a campaign has, or would have, anything to do."""
        if self.campaign is not None:
            return bool(self.campaign.items)
        return self.plan is not None and bool(items_of(self.plan, aliases=True))

    @property
    def refused(self) -> int:
        return self.refusals.count if self.refusals is not None else 0

    @property
    def is_scheduled(self) -> bool:
        return self.old.state in _DELETED


def _last_note(campaign: Campaign, *beginnings: str) -> str:
    """The latest note that begins so, unless something was moved after it; else ""."""
    moved = (ItemState.MOVED, ItemState.SENT)
    times = [each.at for each in campaign.records if each.at and each.state in moved]
    last_move: datetime | None = max(times, default=None)
    for note in reversed(campaign.notes):
        if last_move is not None and note.at < last_move:
            return ""
        if note.words.startswith(beginnings):
            return note.words
    return ""


def last_rescan(campaign: Campaign) -> str:
    """What the last rescan found, if nothing was moved after it."""
    return _last_note(campaign, _NOTHING_NAMES_IT, _STILL_NAMED)


def last_look_at_uses(campaign: Campaign) -> str:
    """What CloudTrail told last, if nothing was moved after it."""
    return _last_note(campaign, _NO_USE, _USED, _NOT_WHOLE)


def _is_carried_out(facts: StageFacts) -> bool:
    campaign, plan = facts.campaign, facts.plan
    if campaign is not None:
        return not campaign.open_items and not (plan and campaign.missing(items_of(plan, aliases=False)))
    return plan is not None and not facts.has_items


def _is_rescanned(facts: StageFacts) -> bool:
    return facts.campaign is not None and last_rescan(facts.campaign).startswith(_NOTHING_NAMES_IT)


def _is_unused(facts: StageFacts) -> bool:
    return facts.campaign is not None and last_look_at_uses(facts.campaign).startswith(_NO_USE)


_IS_DONE: Mapping[CampaignStage, Callable[[StageFacts], bool]] = {
    CampaignStage.PLAN: lambda facts: facts.plan is not None or facts.campaign is not None,
    CampaignStage.CARRY_OUT: _is_carried_out,
    CampaignStage.RESCAN: _is_rescanned,
    CampaignStage.STILL_USED: _is_unused,
    CampaignStage.DISABLE: lambda facts: facts.old.state == KeyState.DISABLED or facts.is_scheduled,
    CampaignStage.DELETE: lambda facts: facts.is_scheduled,
}


def too_early(facts: StageFacts) -> Sequence[str]:
    """Why it is too early to delete the old key, as far as that is known."""
    found, campaign = [*_reasons(facts)], facts.campaign
    if campaign is not None and not campaign.open_items and not last_rescan(campaign):
        found.append("what still names the old key was not scanned since")
    return found


def _reasons(facts: StageFacts) -> Iterator[str]:
    """What is known to need the old key."""
    campaign = facts.campaign
    if campaign is None:
        if facts.has_items:
            yield "nothing is carried out yet"
        return
    if still_open := len(campaign.open_items):
        yield counted_as(still_open, "item is not moved", "items are not moved")
    rescan = last_rescan(campaign)
    if rescan.startswith(_STILL_NAMED):
        what = rescan.removeprefix(_STILL_NAMED).partition(" (")[0]
        yield f"{what} still {'names' if what.startswith('1 ') else 'name'} the old key"
    if aliases := _aliases_left(facts):
        yield counted_as(aliases, "alias still names the old key", "aliases still name the old key")
    if last_look_at_uses(campaign).startswith(_USED):
        yield "the old key is still used"
    if facts.refused:
        yield counted_as(facts.refused, "use of it was refused", "uses of it were refused")


def _aliases_left(facts: StageFacts) -> int:
    """How many aliases a campaign could repoint and does not have; they are deleted with the key."""
    if facts.campaign is None or facts.plan is None:
        return 0
    missing = facts.campaign.missing(items_of(facts.plan, aliases=True))
    return sum(item.use.kind == ALIASES for item in missing)


def marks(facts: StageFacts) -> Mapping[CampaignStage, Mark]:
    """How each stage stands: the first that is not over is next, unless the session does not allow it."""
    found: dict[CampaignStage, Mark] = {}
    has_next = False
    for stage in CampaignStage:
        if stage is CampaignStage.CARRY_OUT and facts.run is not None:
            found[stage], has_next = Mark.NOW, True
        elif _IS_DONE[stage](facts):
            is_missed = (stage is CampaignStage.DISABLE and facts.refused) or (
                stage is CampaignStage.DELETE and any(_reasons(facts))
            )
            found[stage] = Mark.ALARM if is_missed else Mark.DONE
        elif stage is CampaignStage.DELETE and too_early(facts):
            found[stage] = Mark.NOT_YET
        else:
            found[stage] = Mark.NEXT if not has_next and facts.allows(stage) else Mark.LATER
            has_next = True
    return found


def stages_line(facts: StageFacts, width: int, shown_key: Callable[[str, str], str]) -> Content:
    """All stages on one line of ``width`` cells, with the keys of those that are not over and allowed."""
    found = marks(facts)
    lines = [
        Content("  ").join(
            _stage_words(stage, found[stage], facts, shown_key, size) for stage in CampaignStage
        )
        for size in range(4)
    ]
    return next((line for line in lines if line.cell_length <= width), lines[-1])


_NO_KEYS = 3


def _stage_words(
    stage: CampaignStage, mark: Mark, facts: StageFacts, shown_key: Callable[[str, str], str], size: int
) -> Content:
    """One stage. ``size`` 0 is whole, 1 has short titles after the move, 2 throughout, 3 no keys
    and of the refusals just the number.
    """
    title, short, binding_id, key = stage.value
    is_short = size > 1 or (size and stage not in (CampaignStage.PLAN, CampaignStage.CARRY_OUT))
    words = short if is_short else title
    campaign = facts.campaign
    if stage is CampaignStage.CARRY_OUT and campaign is not None:
        settled = sum(record.state.is_final for record in campaign.records)
        words += f" {settled:,}/{len(campaign.records):,}"
    if stage is CampaignStage.DISABLE and facts.refusals is not None:
        words = f"{'' if size == _NO_KEYS else 'Disabled: '}{facts.refused:,} refused"
    if mark is Mark.NOT_YET:
        words += ": not yet"
    sign, colour = mark.value
    can_be_done = mark not in (Mark.DONE, Mark.NOW, Mark.ALARM) and facts.allows(stage)
    shows_key = key and size < _NO_KEYS and can_be_done
    parts = [Content.styled(sign, colour)]
    if shows_key:
        parts.append(Content.styled(shown_key(binding_id, key), "$accent"))
    colour = "" if mark in (Mark.NOW, Mark.NEXT, Mark.ALARM) else "$foreground-muted"
    parts.append(Content.styled(words, colour))
    return Content(" ").join(parts)


_NEXT: Mapping[CampaignStage, str] = {
    CampaignStage.RESCAN: "{key} scans again for what still names the old key. It only reads.",
    CampaignStage.STILL_USED: (
        "{key} asks CloudTrail who used the old key since the first move. It only reads."
    ),
    CampaignStage.DISABLE: (
        "{key} disables the old key and watches who is refused. Way back: {enable} enables it."
    ),
    CampaignStage.DELETE: (
        "{key} schedules its deletion. Way back: {cancel} cancels it, then {enable} enables the key."
    ),
}


def next_words(facts: StageFacts, shown_key: Callable[[str, str], str]) -> Content:
    """What to do next, by which key, and the way back."""
    found = marks(facts)
    stage = next((stage for stage in CampaignStage if found[stage] is Mark.NEXT), None)
    keys = {"enable": shown_key("move.enable", "x"), "cancel": shown_key("move.cancel-deletion", "U")}
    why = "; ".join(too_early(facts))
    if facts.is_scheduled:
        told = f"Its deletion is scheduled{f', and {why}' if why else ''}."
        way_back = f"Way back: {keys['cancel']} cancels it, then {keys['enable']} enables the key."
        return Content.styled(f"{told} {way_back}", "$warning" if why else "$foreground-muted")
    if stage is None:
        carry_out = shown_key("move.carry-out", "ctrl+o")
        hint = f" {carry_out} offers to repoint aliases." if _aliases_left(facts) else ""
        said = f"Not yet: {why}.{hint} Way back from Disabled: {keys['enable']} enables it."
        return Content.styled(said, "$warning")
    key = shown_key(stage.value[2], stage.value[3])
    campaign, warning = facts.campaign, ""
    if stage is CampaignStage.CARRY_OUT:
        said = _carry_out_words(facts, key)
    elif (
        campaign is not None and stage is CampaignStage.RESCAN and (warning := _brief(last_rescan(campaign)))
    ):
        write = shown_key("move.export", "w")
        said = f"move these by copy or by hand ({write} writes the script), then {key} scans again."
    else:
        said = _NEXT[stage].format(key=key, **keys)
        if campaign is not None and stage is CampaignStage.STILL_USED:
            warning = _brief(last_look_at_uses(campaign))
        elif campaign is not None and stage is CampaignStage.DELETE:
            warning = _data_words(campaign)
    words = Content.styled(f"Next: {said}", "$foreground-muted")
    return Content.styled(f"{warning} ", "$warning") + words if warning else words


def _data_words(campaign: Campaign) -> str:
    """How many resources are moved and may keep data under the old key, which no scan sees; "" for none."""
    there = (ItemState.MOVED, ItemState.ALREADY)
    count = sum(
        item.is_resource and record.state in there and item.move.old_key_needed
        for item, record in zip(campaign.items, campaign.records, strict=True)
    )
    who = counted(count, "moved resource")
    return f"{who} may have earlier data under it, which is lost with it." if count else ""


def _brief(note: str) -> str:
    """What a note found, without what it is a note of."""
    said = note.partition(": ")[2]
    return said[:1].upper() + said[1:]


def _carry_out_words(facts: StageFacts, key: str) -> str:
    campaign = facts.campaign
    if campaign is None:
        if facts.plan is not None and facts.plan.obstacles:
            return f"solve what is in the way, on top of the list. Then {key} carries the plan out."
        return f"{key} carries out what is moved in place, after it shows every write."
    failed = campaign.counts[ItemState.FAILED]
    if failed:
        return f"{key} tries again what failed ({failed:,}) and goes on. What is moved stays moved."
    waiting = len(campaign.open_items)
    return (
        f"{key} goes on with the {counted_as(waiting, 'item that waits', 'items that wait')}."
        if waiting
        else f"{key} carries out what the campaign does not have yet."
    )
