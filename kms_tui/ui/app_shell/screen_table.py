"""THE tables of screens (the modes, and the others by name), and the keys that work on every screen."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

from textual.binding import Binding, BindingType
from textual.screen import Screen

import kms_tui.ui
from kms_tui.ui.base.host import Mode

# fmt: off
MODE_TABLE: Mapping[str, Mode] = {mode.name: mode for mode in (
    Mode("keys", "Keys", "kms_tui.ui.screens.keys_screen:KeysScreen", "The keys of this account and region"),
    Mode("aliases", "Aliases", "kms_tui.ui.screens.aliases_screen:AliasesScreen", "Every alias of the region", short="Alias"),
    Mode("scratchpad", "Scratchpad", "kms_tui.ui.scratchpad.scratchpad_screen:ScratchpadScreen", "Encrypt, decrypt, sign … by hand", short="Scratch"),
    Mode("log", "Log", "kms_tui.ui.screens.log_screen:LogScreen", "What this session changed, as commands"),
    Mode("health", "Health", "kms_tui.ui.screens.health_screen:HealthScreen", "Which keys need attention, why, and what to do"),
    Mode("calendar", "Calendar", "kms_tui.ui.screens.calendar_screen:CalendarScreen", "Coming deletions, rotations and expiries", short="Cal"),
)}
# fmt: on
FIRST_MODE = "keys"
SCREENS: Mapping[str, str] = {
    "accounts": "kms_tui.ui.screens.accounts_screen:AccountsScreen",
    "changes": "kms_tui.ui.screens.changes_screen:ChangesScreen",
    "cost": "kms_tui.ui.screens.cost_screen:CostScreen",
    "explain": "kms_tui.ui.screens.explain_screen:ExplainScreen",
    "grants": "kms_tui.ui.screens.grants_screen:GrantsScreen",
    "help": "kms_tui.ui.dialogs.text_screen:HelpScreen",
    "key": "kms_tui.ui.screens.keys_screen:KeyDetailsScreen",
    "move": "kms_tui.ui.screens.move_screen:MoveScreen",
    "start": "kms_tui.ui.screens.start_screen:StartScreen",
}
"""The screens that ``Host.open_screen`` opens, each imported when first shown."""


def screen_class(place: str) -> type[Any]:
    """The screen's class at "module:class", imported when first asked for."""
    module, _, name = place.partition(":")
    found: type[Any] = getattr(importlib.import_module(module), name)
    return found


def import_screens() -> None:
    """Import all that keys open: screens, dialogs and what they show; slow (1 s)."""
    for module in pkgutil.walk_packages(kms_tui.ui.__path__, "kms_tui.ui."):
        importlib.import_module(module.name)


def _factory(place: str) -> Callable[[], Screen[Any]]:
    return lambda: screen_class(place)()


FACTORIES: dict[str, str | Callable[[], Screen[Any]]] = {
    mode.name: _factory(mode.screen) for mode in MODE_TABLE.values()
}

# fmt: off
APP_BINDINGS: list[BindingType] = [
    Binding("question_mark,f1", "help", "Help", id="app.help", tooltip="Explain this screen and its keys"),
    Binding("q", "quit", "Quit", id="app.quit", tooltip="Leave kms-tui"),
    Binding("ctrl+q", "quit", "Quit", id="app.quit-anywhere", tooltip="Leave kms-tui", show=False, priority=True),
    Binding("colon,ctrl+p", "command_palette", "Palette", id="app.palette", tooltip="Find anything by its name", show=False),
    Binding("p", "choose_profile", "Profile…", id="app.profile", tooltip="Open another profile, the demo or the local store", show=False),
    Binding("l", "choose_regions", "Regions…", id="app.regions", tooltip="Show the keys of another region, or of several", show=False),
    Binding("at", "open_accounts", "Accounts", id="app.accounts", tooltip="The accounts that are listed together, and the one to work in", show=False),
    Binding("Y", "explain", "Explain a denial", id="app.explain", tooltip="Paste an AccessDenied message: which policy, and what helps", show=False),
    Binding("exclamation_mark", "open_mode('log')", "Log", id="app.log", tooltip="What this session changed, as commands", show=False),
    *(
        Binding(str(number), f"open_mode('{mode.name}')", mode.title, id=f"mode.{mode.name}", tooltip=mode.tooltip, show=False)
        for number, mode in enumerate(MODE_TABLE.values(), 1)
    ),
]
# fmt: on
