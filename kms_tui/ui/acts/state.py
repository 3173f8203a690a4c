"""Enable and disable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kms_tui.kms.model import KeyState
from kms_tui.ui.acts.base import Reason, Subject, aws_managed
from kms_tui.ui.acts.many import agree, change_each
from kms_tui.ui.safe_text import Content

if TYPE_CHECKING:
    from kms_tui.ui.screens.base import ModeScreen


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
    chosen = await agree(screen, subjects, "Enable", confirm="Enable", refusal=cannot_enable)
    await change_each(
        screen, chosen, lambda kms, subject: kms.enable(subject.key_id), doing="enable", done="enabled"
    )


async def disable(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """DisableKey, after saying what stops."""
    sentences = [
        Content("Every use fails with DisabledException until enabled again."),
        Content("Nothing is lost: policy, aliases, grants and key material stay."),
    ]
    chosen = await agree(screen, subjects, "Disable", sentences, confirm="Disable", refusal=cannot_disable)
    await change_each(
        screen, chosen, lambda kms, subject: kms.disable(subject.key_id), doing="disable", done="disabled"
    )
