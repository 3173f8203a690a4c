"""Schedule the deletion of keys, and cancel it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.model import KeyState
from kms_tui.ui.actions.batch import change_each, confirm_change, select_possible
from kms_tui.ui.actions.campaign_warnings import CampaignWarnings
from kms_tui.ui.actions.state_actions import cannot_disable
from kms_tui.ui.base.subject import Reason, Subject, aws_managed
from kms_tui.ui.base.words import refused_uses_of
from kms_tui.ui.mode_screen import ModeScreen

if TYPE_CHECKING:
    from kms_tui.ui.actions.deletion_dialogs import Deletion, DisableInstead


def cannot_schedule(subject: Subject) -> Reason:
    if reason := aws_managed(subject):
        return reason
    if subject.key is None:
        return ""
    return "its deletion is scheduled already" if subject.key.pending_deletion else ""


def cannot_cancel(subject: Subject) -> Reason:
    if subject.key is None:
        return ""
    return "" if subject.key.pending_deletion else "its deletion is not scheduled"


async def schedule(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """ScheduleKeyDeletion, or DisableKey where the person chooses to watch first who misses the key."""
    from kms_tui.ui.actions.deletion_dialogs import Deletion, ScheduleDeletions

    assert screen.session is not None
    now = screen.session.now()
    answer: Deletion | DisableInstead | None
    if len(subjects) > 1:
        chosen = await select_possible(screen, subjects, cannot_schedule)
        pause = 1 / screen.session.inventory.pace.usage
        subjects = chosen.possible
        warnings = (CampaignWarnings(screen.session, subjects),)
        answer = await screen.ask(
            ScheduleDeletions(chosen, screen.kms_for, now, pause=pause, warnings=warnings)
        )
    else:
        answer = await _ask_about_one(screen, subjects[0], now)
    if isinstance(answer, Deletion):
        days, states = answer.window_days, dict[str, str]()

        def change(kms: Kms, subject: Subject) -> None:
            states[subject.arn] = str(kms.schedule_deletion(subject.key_id, days).get("KeyState", ""))

        def done(subject: Subject) -> str:
            waits = states[subject.arn] == KeyState.PENDING_REPLICA_DELETION
            when = f"{days} days after its last replica is" if waits else f"in {days} days"
            return f"will be deleted {when}; until then this can be cancelled"

        await change_each(screen, subjects, change, doing="schedule the deletion of", done=done)
    elif answer is not None:
        await change_each(
            screen,
            [subject for subject in subjects if not cannot_disable(subject)],
            lambda kms, each: kms.disable(each.key_id),
            doing="disable",
            done="is disabled: watch who gets DisabledException before you delete it",
        )


async def _ask_about_one(
    screen: ModeScreen, subject: Subject, now: datetime
) -> Deletion | DisableInstead | None:
    from kms_tui.ui.actions.deletion_dialogs import ScheduleDeletion
    from kms_tui.ui.details.grants_and_uses_tab import GrantsAndUsesTab
    from kms_tui.ui.dialogs.affected_requests import affected_requests, state_change

    assert screen.session is not None
    kms, scans = screen.kms_for(subject), screen.session.account_of(subject.arn).scans
    can_disable = not cannot_disable(subject)
    answer = await screen.ask(
        ScheduleDeletion(
            kms,
            subject,
            now,
            scans,
            can_disable=can_disable,
            prices=screen.prices,
            refused=refused_uses_of(screen.session, subject.arn),
            affected=affected_requests(
                screen.session, kms, [subject], state_change(KeyState.PENDING_DELETION)
            ),
            warnings=(CampaignWarnings(screen.session, [subject]),),
        )
    )
    for tab in screen.query(GrantsAndUsesTab):
        tab.follow()
    return answer


async def cancel(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """CancelKeyDeletion; the key comes back disabled."""
    chosen = await confirm_change(
        screen, subjects, "Cancel the deletion of", confirm="Keep them", refusal=cannot_cancel
    )
    await change_each(
        screen,
        chosen,
        lambda kms, subject: kms.cancel_deletion(subject.key_id),
        doing="cancel the deletion of",
        done="will not be deleted; it is disabled until you enable it",
    )
