"""Keys that the configuration protects: any change to them asks for their name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.dialogs.questions import Confirm

if TYPE_CHECKING:
    from kms_tui.ui.mode_screen import ModeScreen


async def confirm_protected(screen: ModeScreen, title: str, subjects: Sequence[Subject]) -> bool:
    """Whether none of the keys is protected, or the name of each that is was typed."""
    assert screen.session is not None
    settings = screen.session.settings
    for subject in subjects:
        if settings.protects(subject.key_id, *subject.aliases):
            dialog = Confirm(
                f"{title}: {subject.name}",
                [Content("The configuration protects this key: any change to it asks for its name.")],
                confirm="Go on",
                type_to_confirm=subject.confirm_names,
            )
            if not await screen.ask(dialog):
                return False
    return True
