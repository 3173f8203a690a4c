"""THE table of modes: the screens that the number keys switch between, each made when first shown."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from textual.screen import Screen


@dataclass(frozen=True, slots=True)
class Mode:
    """One mode; ``screen`` is "module:class" below kms_tui.ui.screens.

    ``short`` is its title where there is little room.
    """

    name: str
    title: str
    screen: str
    tooltip: str
    short: str = ""

    def make(self) -> Screen[None]:
        module, _, name = self.screen.partition(":")
        screen: Screen[None] = getattr(importlib.import_module(f"kms_tui.ui.screens.{module}"), name)()
        return screen


MODE_TABLE: Mapping[str, Mode] = {
    mode.name: mode
    for mode in (
        Mode("keys", "Keys", "keys:KeysScreen", "The keys of this account and region"),
        Mode("aliases", "Aliases", "aliases:AliasesScreen", "Every alias of the region", short="Alias"),
        Mode(
            "scratchpad",
            "Scratchpad",
            "scratchpad:ScratchpadScreen",
            "Encrypt, decrypt, sign … by hand",
            short="Scratch",
        ),
        Mode("log", "Log", "log:LogScreen", "What this sitting changed, as commands"),
        Mode("health", "Health", "health:HealthScreen", "Which keys need attention, why, and what to do"),
        Mode(
            "calendar",
            "Calendar",
            "calendar:CalendarScreen",
            "Coming deletions, rotations and expiries",
            short="Cal",
        ),
    )
}

FACTORIES: dict[str, str | Callable[[], Screen[Any]]] = {name: mode.make for name, mode in MODE_TABLE.items()}
FIRST_MODE = "keys"
