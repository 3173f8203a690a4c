"""The words of a campaign: the state of each line, what has become of an item, how far a run is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from kms_tui.campaigns.campaign import (
    ALIASES,
    GRANTS,
    Campaign,
    CampaignItem,
    ItemRecord,
    ItemState,
    is_carried_out,
    keeps_aliases,
)
from kms_tui.campaigns.campaign_formats import counts_in_words
from kms_tui.campaigns.campaign_run import CampaignProgress
from kms_tui.evidence.scan_shortfalls import use_words
from kms_tui.key_moves.move_plan import MovePlan, PlannedMove
from kms_tui.kms.model import Alias, Grant
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.words import span_words

Subject = PlannedMove | Grant | Alias | CampaignItem
"""What a line may be about that a campaign may have as an item."""
StateCell = tuple[str, str]
"""Words, and a look of LineTable's."""

_STATE_CELLS: Mapping[ItemState, StateCell] = {
    ItemState.WAITING: ("waiting", "quiet"),
    ItemState.STARTED: ("▸ begun", "accent"),
    ItemState.SENT: ("… sent", "accent"),
    ItemState.MOVED: ("✓ moved", "good"),
    ItemState.ALREADY: ("✓ already there", "good"),
    ItemState.CHANGED: ("! changed since", "warning"),
    ItemState.LEFT_ALONE: ("! left alone", "warning"),
    ItemState.GONE: ("– gone", "quiet"),
    ItemState.FAILED: ("✗ failed", "danger"),
}
_NO_ITEM: Mapping[bool, StateCell] = {True: ("by the script", "quiet"), False: ("by hand", "quiet")}
"""Whether commands are made for it -> the words for what no campaign does."""
_TO_DO = ("to do", "plain")
"""What a campaign may move, and is not in it yet."""
_STILL_OLD = ("names old key", "plain")
"""An alias that was not asked for; carrying out again offers it."""
_KINDS: Mapping[str, str] = {GRANTS: "Grant", ALIASES: "Alias"}
_HOW: Mapping[str, str] = {GRANTS: "create again", ALIASES: "repoint"}
_HOUR = 3600.0


class CampaignView:
    """A campaign held against a plan, or alone: which line is which item, and its state now."""

    def __init__(self, campaign: Campaign, plan: MovePlan | None) -> None:
        self.campaign = campaign
        self._old_account = plan.old.account_id if plan is not None else campaign.old_account
        self._keeps_aliases = plan is not None and keeps_aliases(plan)
        self._numbers = {item.identity: number for number, item in enumerate(campaign.items)}

    def number_of(self, subject: object) -> int | None:
        """The number of the item that a line is about; None where it is none."""
        return self._numbers.get(self._identity(subject))

    def record_of(self, subject: object) -> ItemRecord | None:
        number = self.number_of(subject)
        return self.campaign.records[number] if number is not None else None

    def has_failed(self, subject: object) -> bool:
        record = self.record_of(subject)
        return record is not None and record.state is ItemState.FAILED

    def without(self, subjects: Sequence[object]) -> Sequence[CampaignItem]:
        """The items of the campaign that none of these lines is about."""
        there = {self._identity(subject) for subject in subjects}
        return [item for item in self.campaign.items if item.identity not in there]

    def state_cell(self, subject: Subject) -> StateCell:
        record = self.record_of(subject)
        if record is not None:
            return _STATE_CELLS[record.state]
        if isinstance(subject, PlannedMove):
            is_item = subject.has_commands and is_carried_out(subject.move)
            return _TO_DO if is_item else _NO_ITEM[subject.has_commands]
        if isinstance(subject, Alias):
            return _NO_ITEM[False] if self._keeps_aliases else _STILL_OLD
        return _TO_DO

    def facts(self, subject: object) -> Iterator[tuple[str, str]]:
        """(label, text) of what has become of the item of a line. Untrusted."""
        record = self.record_of(subject)
        if record is None:
            return
        yield "State", _STATE_CELLS[record.state][0] + (f": {record.words}" if record.words else "")
        yield "Since", f"{record.at:%Y-%m-%d %H:%M:%S} UTC" if record.at else ""
        yield "Sent", "\n".join(record.commands)

    def _identity(self, subject: object) -> tuple[str, ...]:
        if isinstance(subject, PlannedMove):
            use = subject.found.use
            return (subject.found.account, use.kind, use.resource, use.label, use.purpose)
        if isinstance(subject, Grant):
            return (self._old_account, GRANTS, subject.grant_id, subject.name, subject.grantee)
        if isinstance(subject, Alias):
            return (self._old_account, ALIASES, subject.name, "", "")
        return subject.identity if isinstance(subject, CampaignItem) else ()


def item_name(item: CampaignItem) -> str:
    """The resource, the alias, or a grant's name or grantee. Untrusted."""
    use = item.use
    return use.label or use.purpose.rpartition(":")[2] if use.kind == GRANTS else use.resource


def item_title(item: CampaignItem) -> str:
    """What an item is about, in few words. Untrusted."""
    return f"{_KINDS.get(item.use.kind, item.use.kind)}: {item_name(item)}"


def item_cells(item: CampaignItem) -> tuple[str, str, str, str]:
    """Kind, resource, how it is moved and how it names the key. Untrusted."""
    use = item.use
    named = use_words(use) if item.is_resource else use.purpose
    return _KINDS.get(use.kind, use.kind), item_name(item), _HOW.get(use.kind, "in place"), named


def note_lines(campaign: Campaign) -> Sequence[str]:
    """What the runs and the steps after them have noted, each with its time. Untrusted."""
    return [f"{note.at:%Y-%m-%d %H:%M:%S} UTC  {note.words}" for note in campaign.notes]


def run_words(progress: CampaignProgress, *, is_stopping: bool) -> Content:
    """How far a run is, the item in hand, how long it may take, and how to stop it or leave it."""
    if is_stopping:
        return Content.styled("Stopping after the item in hand…", "$warning")
    parts = [f"Moving {progress.done:,} of {progress.total:,}"] if progress.total else []
    if progress.words:
        parts.append(progress.words)
    if progress.seconds_left is not None:
        parts.append(f"{time_left(progress.seconds_left)} left")
    hint = "esc stops after the item in hand, q leaves and it goes on"
    return safe(" · ".join(parts) or "Beginning…") + Content("\n") + Content.styled(hint, "$foreground-muted")


def time_left(seconds: float) -> str:
    """ "20 s", "12 min", "3 h": about so long."""
    if seconds < 60:
        return f"about {max(1, round(seconds))} s"
    return f"about {round(seconds / 60)} min" if seconds < _HOUR else f"about {round(seconds / _HOUR)} h"


def age_words(campaign: Campaign, now: datetime) -> str:
    """ "begun 2026-11-20, 2 h ago: 3 moved, 31 waiting"."""
    begun = campaign.head.begun
    return f"begun {begun:%Y-%m-%d}, {span_words(now - begun)} ago: {counts_in_words(campaign)}"
