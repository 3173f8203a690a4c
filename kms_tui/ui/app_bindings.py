"""The keys that work on every screen."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from kms_tui.ui.modes import MODE_TABLE

APP_BINDINGS: list[BindingType] = [
    Binding("question_mark,f1", "help", "Help", id="app.help", tooltip="Explain this screen and its keys"),
    Binding("q", "quit", "Quit", id="app.quit", tooltip="Leave kms-tui"),
    Binding(
        "ctrl+q",
        "quit",
        "Quit",
        id="app.quit-anywhere",
        tooltip="Leave kms-tui",
        show=False,
        priority=True,
    ),
    Binding(
        "colon,ctrl+p",
        "command_palette",
        "Palette",
        id="app.palette",
        tooltip="Find anything by its name",
        show=False,
    ),
    Binding(
        "p",
        "choose_profile",
        "Profile…",
        id="app.profile",
        tooltip="Open another profile, the demo or the local store",
        show=False,
    ),
    Binding(
        "l",
        "choose_regions",
        "Regions…",
        id="app.regions",
        tooltip="Show the keys of another region, or of several",
        show=False,
    ),
    Binding(
        "exclamation_mark",
        "open_mode('log')",
        "Log",
        id="app.log",
        tooltip="What this sitting changed, as commands",
        show=False,
    ),
    *(
        Binding(
            str(number),
            f"open_mode('{mode.name}')",
            mode.title,
            id=f"mode.{mode.name}",
            tooltip=mode.tooltip,
            show=False,
        )
        for number, mode in enumerate(MODE_TABLE.values(), 1)
    ),
]
