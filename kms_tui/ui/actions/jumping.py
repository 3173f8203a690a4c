"""From any list to a key on the key list."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kms_tui.ui.mode_screen import ModeScreen


async def jump_to_key(screen: ModeScreen, arn: str) -> None:
    """Go to the key list with the cursor on this key; a filter or scope that hides the key is taken away."""
    from kms_tui.ui.screens.keys_screen import KeysScreen

    app = screen.kms_app
    await app.switch_mode("keys")
    while not isinstance(app.screen, KeysScreen):
        app.pop_screen()  # not awaited: it would wait for the worker of that screen, which may be this one
    if not app.screen.show_key(arn):
        app.notify("That key is not on the list: it may have been deleted since.", severity="warning")
