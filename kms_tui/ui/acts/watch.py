"""Watching a disabled key: who is refused its use, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kms_tui.kms.model import KeyState
from kms_tui.ui.acts.base import Reason, Subject

if TYPE_CHECKING:
    from kms_tui.ui.screens.base import ModeScreen


def cannot_watch(subject: Subject) -> Reason:
    if subject.key is None or subject.key.state == KeyState.DISABLED:
        return ""
    return "only a disabled key can be watched: the uses that are refused are counted"


async def watch(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Begin to watch, from when the key was disabled; of a watched key, end it (LookupEvents)."""
    (subject,) = subjects
    assert screen.session is not None
    watching = screen.session.watching
    if watching is None:
        screen.kms_app.notify("CloudTrail is not available here.", title="Watch", severity="warning")
        return
    refusals = watching.of(subject.arn)
    if refusals is not None and refusals.trouble is None:
        watching.end(subject.arn)
        screen.kms_app.notify(f"{subject.name} is not watched any more.")
    else:
        watching.begin(subject.arn, subject.region)
    screen.kms_app.watcher.look()
