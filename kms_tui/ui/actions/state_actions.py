"""Whether keys can be used: enable, disable, watch refused uses."""

from __future__ import annotations

from collections.abc import Sequence

from textual.widget import Widget

from kms_tui.kms.model import KeyState
from kms_tui.ui.actions.batch import change_each, confirm_change
from kms_tui.ui.actions.campaign_warnings import CampaignWarnings
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.subject import Reason, Subject, aws_managed
from kms_tui.ui.base.words import refused_uses_of
from kms_tui.ui.dialogs.questions import Confirm
from kms_tui.ui.mode_screen import ModeScreen


def cannot_enable(subject: Subject) -> Reason:
    if reason := aws_managed(subject):
        return reason
    if subject.key is None:
        return ""
    if subject.key.state == KeyState.ENABLED:
        return "it is enabled"
    return "" if subject.key.state == KeyState.DISABLED else "only a disabled key can be enabled"


def cannot_disable(subject: Subject) -> Reason:
    if reason := aws_managed(subject):
        return reason
    if subject.key is None:
        return ""
    return "" if subject.key.state == KeyState.ENABLED else "only an enabled key can be disabled"


async def enable(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """EnableKey."""
    chosen = await confirm_change(screen, subjects, "Enable", confirm="Enable", refusal=cannot_enable)
    await change_each(
        screen, chosen, lambda kms, subject: kms.enable(subject.key_id), doing="enable", done="enabled"
    )


async def disable(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """DisableKey, after saying what will fail."""
    session = screen.session
    assert session is not None
    sentences = [
        Content("Every use fails with DisabledException until enabled again."),
        Content("Nothing is lost: policy, aliases, grants and key material stay."),
    ]
    chosen = await confirm_change(
        screen,
        subjects,
        "Disable",
        sentences,
        confirm="Disable",
        refusal=cannot_disable,
        above=lambda changed: (CampaignWarnings(session, changed),),
        below=_who_uses(screen, subjects),
    )
    await change_each(
        screen, chosen, lambda kms, subject: kms.disable(subject.key_id), doing="disable", done="disabled"
    )


def _who_uses(screen: ModeScreen, subjects: Sequence[Subject]) -> Sequence[Widget]:
    """Whose recorded uses a disabled key refuses; for one key."""
    from kms_tui.ui.dialogs.affected_requests import affected_requests, state_change

    if screen.session is None:
        return ()
    kms = screen.kms_for(subjects[0])
    return affected_requests(screen.session, kms, subjects, state_change(KeyState.DISABLED))


def cannot_watch(subject: Subject) -> Reason:
    if subject.key is None or subject.key.state == KeyState.DISABLED:
        return ""
    return "only a disabled key can be watched: the uses that are refused are counted"


async def watch_refused_uses(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Watch a key from when it was disabled, or stop watching it (LookupEvents)."""
    (subject,) = subjects
    assert screen.session is not None
    refusal_monitor = screen.session.account_of(subject.arn).refusal_monitor
    if refusal_monitor is None:
        screen.host.notify("CloudTrail is not available here.", title="Watch", severity="warning")
        return
    refusals = refusal_monitor.of(subject.arn)
    if refusals is not None and refusals.error is None:
        sentences = [
            Content("The watch began when the key was disabled, or with V."),
            refused_uses_of(screen.session, subject.arn) or Content(),
        ]
        if not await screen.ask(Confirm(f"Stop watching {subject.name}?", sentences, confirm="Stop")):
            return
        refusal_monitor.end(subject.arn)
        screen.host.notify(f"{subject.name} is not watched any more.")
    else:
        refusal_monitor.begin(subject.arn, subject.region)
    screen.host.poll_refused_uses()
