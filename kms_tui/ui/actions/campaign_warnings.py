"""``CampaignWarnings``: the keys of unfinished campaigns, in the question before they are changed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from kms_tui.campaigns.campaign import Campaign
from kms_tui.counts import counted, counted_as
from kms_tui.kms.arn import key_id_of
from kms_tui.kms.errors import KmsTuiError
from kms_tui.session import Session
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.campaign_runs import files_of
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject, subject_of
from kms_tui.ui.widgets.text_widgets import Static

_SHOWN = 3
"""Campaigns that are named."""


class CampaignWarnings(Static):
    """A line for each unfinished campaign of one of the keys, or that this is not known; hidden without any.

    The journals are read once the question is open: a key that is pressed meanwhile is for the question.
    """

    def __init__(self, session: Session, subjects: Sequence[Subject]) -> None:
        super().__init__(classes="dialog-line")
        self.session = session
        self.subjects = subjects
        self.display = False

    def on_mount(self) -> None:
        start(self, self._read, group="campaigns", description="read campaigns")

    async def _read(self) -> None:
        try:
            campaigns = await off_loop(partial(_unfinished, self.session, self.subjects))
            lines = [_sentence(self.session, campaign) for campaign in campaigns[:_SHOWN]]
            if more := len(campaigns) - len(lines):
                lines.append(f"{counted(more, 'other campaign')} of them too.")
        except KmsTuiError as error:
            lines = [f"Whether a campaign is unfinished is not known: {error}"]
        self.update(Content("\n").join(map(safe, lines)).stylize("$warning"))
        self.display = bool(lines)


def _unfinished(session: Session, subjects: Sequence[Subject]) -> Sequence[Campaign]:
    return files_of(session).unfinished(frozenset(subject.arn for subject in subjects))


def _sentence(session: Session, campaign: Campaign) -> str:
    old, new = (_name(session, arn) for arn in (campaign.head.old, campaign.head.new))
    left = counted_as(len(campaign.open_items), "item is", "items are")
    return f"The campaign that moves everything off {old} to {new} is not finished: {left} left."


def _name(session: Session, arn: str) -> str:
    row = session.inventory.row(arn)
    return subject_of(row).name if row is not None else key_id_of(arn) or "a new key"
