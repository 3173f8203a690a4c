"""What is said before keys are disabled or deleted that an unfinished campaign moves from, or to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from kms_tui.campaigns.campaign import Campaign
from kms_tui.counts import counted, counted_as
from kms_tui.kms.arn import key_id_of
from kms_tui.kms.errors import KmsTuiError
from kms_tui.session import Session
from kms_tui.ui.base.background import off_loop
from kms_tui.ui.base.campaign_runs import files_of
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject, subject_of

_SHOWN = 3
"""Campaigns that are named."""


async def campaign_warnings(session: Session, subjects: Sequence[Subject]) -> Sequence[Content]:
    """A line for each unfinished campaign of one of the keys; or that this is not known."""
    try:
        campaigns = await off_loop(partial(_unfinished, session, subjects))
    except KmsTuiError as error:
        return [safe(f"Whether a campaign is unfinished is not known: {error}").stylize("$warning")]
    lines = [_sentence(session, campaign) for campaign in campaigns[:_SHOWN]]
    if more := len(campaigns) - len(lines):
        lines.append(f"{counted(more, 'other campaign')} of them too.")
    return [safe(line).stylize("$warning") for line in lines]


def _unfinished(session: Session, subjects: Sequence[Subject]) -> Sequence[Campaign]:
    return files_of(session).unfinished(frozenset(subject.arn for subject in subjects))


def _sentence(session: Session, campaign: Campaign) -> str:
    old, new = (_name(session, arn) for arn in (campaign.head.old, campaign.head.new))
    left = counted_as(len(campaign.open_items), "item is", "items are")
    return f"The campaign that moves everything off {old} to {new} is not finished: {left} left."


def _name(session: Session, arn: str) -> str:
    row = session.inventory.row(arn)
    return subject_of(row).name if row is not None else key_id_of(arn) or "a new key"
