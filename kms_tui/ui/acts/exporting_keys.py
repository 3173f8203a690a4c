"""Writing the key list to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kms_tui.inventory.key_table import table_of
from kms_tui.inventory.view import View
from kms_tui.ui.acts.exporting import export_list

if TYPE_CHECKING:
    from kms_tui.ui.screens.base import ModeScreen


async def export_keys(screen: ModeScreen, view: View) -> None:
    """The rows as they are filtered and sorted now, with their marks where there are any."""
    session = screen.session
    assert session is not None
    rows, marks, now = list(view.rows), frozenset(view.marks), session.now()
    regions = ", ".join(region.name for region in session.inventory.regions)
    title = f"KMS keys of {session.kms.account_id}, {regions}, {now:%Y-%m-%d}: {view.scope}"
    if view.query:
        title += f", {view.query.text.strip()}"
    await export_list(screen, "kms-tui-keys", lambda: table_of(rows, title=title, now=now, marks=marks))
