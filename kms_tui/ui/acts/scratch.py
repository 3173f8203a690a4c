"""Opening the scratchpad with a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kms_tui.ui.acts.base import Reason, Subject

if TYPE_CHECKING:
    from kms_tui.ui.screens.base import ModeScreen


def cannot_use(subject: Subject) -> Reason:
    """A key without a spec to go by offers nothing."""
    return "" if subject.key is not None else "it cannot be described, so what it offers is not known"


async def use_on_scratchpad(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Go to the scratchpad, with this key chosen."""
    from kms_tui.crypto_ops.request import ChosenKey
    from kms_tui.ui.screens.scratchpad import ScratchpadScreen

    (subject,) = subjects
    await screen.app.switch_mode("scratchpad")
    scratchpad = screen.app.screen
    if isinstance(scratchpad, ScratchpadScreen):
        await scratchpad.use_key(ChosenKey(subject.arn, subject.name, subject.region, subject.key))
