"""A campaign before its run: begun from a plan, or resumed, with a key made for it where that is wanted."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from kms_tui.atomic import FileError
from kms_tui.backend.kms_facade import Kms
from kms_tui.campaigns.campaign import Campaign, CampaignItem, head_of, items_of
from kms_tui.campaigns.journal import CampaignFiles, Journal, JournalError
from kms_tui.creation import calls_after, create_params, plain_commands
from kms_tui.key_moves.destination import DestinationError
from kms_tui.key_moves.move_plan import MovePlan
from kms_tui.key_moves.step_commands import NEW_KEY_NAME
from kms_tui.kms.arn import Arn
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.model import KeyState
from kms_tui.undo import not_undone

NOT_UNDONE = "a campaign did it, as its journal says; the way back is a plan from the new key to the old one"
"""Why undo does not offer what a campaign changes in KMS: the journal would tell what is no longer so."""
_MAKING = "A key like the old one is being made."


def chosen_items(plan: MovePlan, *, aliases: bool, kinds: Collection[str] = ()) -> Sequence[CampaignItem]:
    """The items of a plan, or those of some kinds alone."""
    return [item for item in items_of(plan, aliases=aliases) if not kinds or item.use.kind in kinds]


def begin(
    files: CampaignFiles, plan: MovePlan, items: Sequence[CampaignItem], now: datetime, *, aliases: bool
) -> Journal:
    """The journal of a new campaign; raises JournalError, FileError."""
    return files.begin(head_of(plan, secrets.token_hex(4), now, aliases=aliases), items)


def new_arn_of(plan: MovePlan) -> str:
    """The new key's ARN; of a key that is still to be made, one with NEW_KEY in place of its id."""
    if plan.new is not None:
        return plan.new.arn
    return f"{plan.old.arn.rpartition('/')[0]}/{NEW_KEY_NAME}"


def making_lines(plan: MovePlan) -> Sequence[str]:
    """The commands that make the key of a plan, as ``make_key`` does; none where it is there."""
    if plan.draft is None:
        return []
    old = plan.old
    return plain_commands(
        plan.draft, old.account_id, Arn.parse(old.arn).partition, plan.region, new_arn_of(plan)
    )


def make_key(journal: Journal, plan: MovePlan, kms: Kms, now: Callable[[], datetime]) -> None:
    """Make the key of a plan that has none yet, and say so in the journal; raises KmsTuiError.

    The journal says first that one is being made: where the program ends before the answer, a later run does
    not make another without being told to.
    """
    assert plan.draft is not None
    params = create_params(plan.draft, plan.old.account_id, Arn.parse(plan.old.arn).partition)
    journal.note(_MAKING, now())
    with not_undone(NOT_UNDONE):
        answer = kms.call("CreateKey", **params)
    made = str(answer["KeyMetadata"]["Arn"])
    try:
        journal.made(made, now())
    except FileError as error:
        raise FileError(
            f"{error} The key {made} was made.", next_step=f"Plan to that key, and go on (--to {made})."
        ) from error
    for operation, after in calls_after(plan.draft, made):
        try:
            with not_undone(NOT_UNDONE):
                kms.call(operation, **after)
        except KmsTuiError as error:
            journal.note(f"The new key was made, and {operation} failed: {error}", now())
            raise KmsTuiError(
                f"{made} was made, and {operation} failed: {error}",
                next_step=f"Make up for {operation}, then go on with the campaign: by command, without --to.",
            ) from error


def check_destination(campaign: Campaign, kms: Kms) -> None:
    """DestinationError where the campaign's new key cannot take what is moved to it; raises KmsTuiError."""
    head = campaign.head
    if not head.new:
        was_making = any(note.words == _MAKING for note in campaign.notes)
        may_be_there = " One may have been made all the same: see the newest keys." if was_making else ""
        raise JournalError(
            f"The campaign has no new key yet.{may_be_there}",
            next_step="Plan to the key that was made (--to), or give the campaign up and begin again.",
        )
    try:
        key = kms.describe(head.new)
    except ServiceError as error:
        if error.code != "NotFoundException":
            raise
        raise DestinationError(
            f"The new key, {head.new}, is not there.",
            next_step="See that the account and the endpoint are the campaign's, or give it up.",
        ) from error
    if key.state != KeyState.ENABLED:
        raise DestinationError(
            f"The new key is {key.state}: nothing can be moved to it.", next_step="Enable it first."
        )
