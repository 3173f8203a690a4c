"""Before a campaign is carried out: what it would do, why it is refused, and its journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kms_tui.campaigns.campaign import ALIASES, GRANTS, Campaign, CampaignItem, head_of, items_of
from kms_tui.campaigns.campaign_run import require_writes
from kms_tui.campaigns.journal import CampaignFiles, Journal, JournalError
from kms_tui.campaigns.preparation import begin, check_destination, make_key, making_lines, new_arn_of
from kms_tui.campaigns.resource_move import write_lines
from kms_tui.key_moves.move_plan import MovePlan
from kms_tui.kms.errors import KmsTuiError, OutcomeUnknownError
from kms_tui.session import Session

_NOTHING_IN_PLACE = "Nothing of this plan is moved in place."


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is about to be carried out; ``new`` is "" where a key is made first.

    ``journal`` is that of a campaign which is gone on with: nobody else writes it until ``close``.
    ``waiting`` are its items that are still to be done, ``added`` those that the plan adds.
    """

    session: Session
    files: CampaignFiles
    plan: MovePlan | None
    new: str
    journal: Journal | None
    waiting: Sequence[CampaignItem]
    added: Sequence[CampaignItem]
    aliases: Sequence[CampaignItem]
    """Those that can be repointed, and are no items yet."""

    @property
    def makes_key(self) -> bool:
        return not self.new

    @property
    def new_arn(self) -> str:
        """The new key's ARN, or one that stands for it in the commands."""
        return self.new or (new_arn_of(self.plan) if self.plan is not None else "")

    def items(self, *, aliases: bool) -> Sequence[CampaignItem]:
        """What would be done, in its order."""
        return [*self.waiting, *self.added, *(self.aliases if aliases else ())]

    def making_lines(self) -> Sequence[str]:
        """The commands that make the new key; none where it is there."""
        return making_lines(self.plan) if self.plan is not None and self.makes_key else []

    def lines_of(self, item: CampaignItem) -> Sequence[str]:
        """The commands of an item's writes, without secrets; it reads what they repeat, and blocks."""
        services = None
        if item.is_resource:
            services = self.session.account_with(item.account).services(item.region)
        return [*write_lines(item, self.new_arn, services)]

    def close(self) -> None:
        """Let others go on with the campaign."""
        if self.journal is not None:
            self.journal.close()

    def begin(self, *, aliases: bool) -> Journal:
        """The journal to carry out, with the new key made; it blocks. Raises KmsTuiError."""
        now = self.session.now
        journal = self.journal
        if journal is not None:
            if not journal.campaign.head.new:
                journal.made(self.new, now())
            if added := [*self.added, *(self.aliases if aliases else ())]:
                journal.add(added)
            return journal
        assert self.plan is not None
        journal = begin(self.files, self.plan, self.items(aliases=aliases), now(), aliases=aliases)
        try:
            if self.makes_key:
                make_key(journal, self.plan, self.session.kms_for(self.plan.old.arn), now)
        except KmsTuiError as error:
            if not (journal.campaign.head.new or isinstance(error, OutcomeUnknownError)):
                journal.give_up(now())
            journal.close()
            raise
        return journal


def prepare(session: Session, files: CampaignFiles, arn: str, plan: MovePlan | None) -> Preparation:
    """What would be carried out for the key ``arn``; it blocks.

    Raises JournalError (another process is at it, another destination, nothing to do), DestinationError,
    ReadOnlyError, ConfigurationError (writes are not allowed): all before anything is written.
    """
    campaign = files.newest(arn)
    if campaign is not None and (not campaign.is_finished or _is_extended(campaign, plan)):
        journal = files.resume(arn)
        try:
            return _resumed(session, files, journal, plan)
        except BaseException:
            journal.close()
            raise
    if plan is None:
        raise _nothing_left()
    items = items_of(plan, aliases=True)
    if not items and plan.draft is None:
        raise JournalError(_NOTHING_IN_PLACE, next_step="Its script does what can be done by commands.")
    new = plan.new.arn if plan.new is not None else ""
    prepared = Preparation(session, files, plan, new, None, [], *_parted(items))
    if new:
        head = head_of(plan, "", session.now(), aliases=False)
        check_destination(Campaign(head, [], []), session.kms_for(new))
    require_writes(session, arn, new, items)
    return prepared


def _nothing_left() -> JournalError:
    return JournalError("Nothing is left to carry out.", next_step="A rescan finds what still names the key.")


def _is_extended(campaign: Campaign, plan: MovePlan | None) -> bool:
    """Whether what a finished campaign lacks of a plan is added to it, so that one journal tells all.

    Not where the plan finds what the campaign had moved: that is moved by another campaign.
    """
    if plan is None or campaign.given_up:
        return False
    made_by_it = plan.new is None and plan.made <= campaign.head.begun
    if not (made_by_it or (plan.new is not None and plan.new.arn == campaign.head.new)):
        return False
    times = {item.identity: record.at for item, record in zip(campaign.items, campaign.records, strict=True)}
    planned = (item for item in items_of(plan, aliases=True) if item.use.kind != GRANTS)
    moved = (times.get(item.identity) for item in planned)
    return not any(at is not None and at < plan.made for at in moved)


def _resumed(session: Session, files: CampaignFiles, journal: Journal, plan: MovePlan | None) -> Preparation:
    """Go on with an unfinished campaign, with what a newer plan has besides."""
    campaign = journal.campaign
    planned = plan.new.arn if plan is not None and plan.new is not None else ""
    new = campaign.head.new or planned
    if planned and planned != new:
        raise JournalError(
            f"The unfinished campaign moves the key to {new}, and this plan to another one.",
            next_step="Go on with the campaign, or give it up first.",
        )
    moved = Campaign(replace(campaign.head, new=new), [], [], campaign.notes)
    check_destination(moved, session.kms_for(new or campaign.head.old))
    waiting = [campaign.items[number] for number in campaign.open_items]
    missing = campaign.missing(items_of(plan, aliases=True)) if plan is not None else []
    prepared = Preparation(session, files, plan, new, journal, waiting, *_parted(missing))
    if not prepared.items(aliases=True):
        raise _nothing_left()
    require_writes(session, campaign.head.old, new, prepared.items(aliases=True))
    return prepared


def _parted(items: Sequence[CampaignItem]) -> tuple[Sequence[CampaignItem], Sequence[CampaignItem]]:
    """All but the aliases, and the aliases."""
    aliases = [item for item in items if item.use.kind == ALIASES]
    return [item for item in items if item.use.kind != ALIASES], aliases
