"""Asking what uses a key: the tab is opened, and the region scanned where nobody has yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kms_tui.ui.acts.base import Subject
from kms_tui.ui.details.pane import KeyDetails
from kms_tui.ui.widgets.key_list import KeyList

if TYPE_CHECKING:
    from kms_tui.ui.screens.base import ModeScreen

_TAB = "Used by"


async def used_by(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Open the tab, and scan the region unless that was done; on the open tab scan again, or stop."""
    (subject,) = subjects
    assert screen.session is not None
    scans, region = screen.session.scans, subject.region
    details = next((each for each in screen.query(KeyDetails) if each.display), None)
    is_open = details is not None and details.is_open(_TAB)
    if scans.is_running(region):
        if is_open:
            scans.cancel(region)
    elif is_open or scans.result(region) is None:
        scans.start(region)
    if details is None:
        from kms_tui.ui.screens.key import KeyScreen

        await screen.app.push_screen(KeyScreen(subject, tab=_TAB))
        return
    for key_list in screen.query(KeyList):
        key_list.go_to(subject.arn)
    details.open_tab(_TAB)
    details.show(screen.session, subject)
