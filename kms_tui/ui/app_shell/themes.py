"""The themes: greys, one accent, and three colours that always go with a word.

Text has a contrast of 4.5 : 1 and more on every background that it stands on, the cursor row among them;
borders and controls have 3 : 1 (WCAG 2.2, 1.4.3 and 1.4.11). ``tests/unit/test_contrast.py`` computes it.
"""

from __future__ import annotations

from textual.theme import Theme


def _theme(
    name: str,
    *,
    dark: bool,
    text: str,
    muted: str,
    accent: str,
    warning: str,
    error: str,
    success: str,
    backgrounds: tuple[str, str, str],
    cursor: str,
    cursor_text: str,
    border: str,
) -> Theme:
    """``backgrounds`` are those of the screen, of bars and fields, and of dialogs."""
    background, surface, panel = backgrounds
    return Theme(
        name=name,
        primary=accent,
        secondary=muted,
        accent=accent,
        foreground=text,
        background=background,
        surface=surface,
        panel=panel,
        warning=warning,
        error=error,
        success=success,
        dark=dark,
        variables={
            "foreground-muted": muted,
            "text-muted": muted,
            "block-cursor-background": cursor,
            "block-cursor-foreground": cursor_text,
            "block-cursor-text-style": "none",
            "block-cursor-blurred-background": panel,
            "border": border,
            "border-blurred": border,
            "footer-background": background,
            "footer-key-foreground": accent,
            "footer-description-foreground": muted,
            "input-selection-background": cursor,
            "scrollbar": border,
            "scrollbar-hover": muted,
            "scrollbar-active": accent,
            "scrollbar-background": background,
            "scrollbar-background-hover": background,
            "scrollbar-background-active": background,
            "scrollbar-corner-color": background,
        },
    )


DARK = _theme(
    "kms-dark",
    dark=True,
    text="#d5dbe0",
    muted="#98a4af",
    accent="#66bcbc",
    warning="#e6b965",
    error="#f09090",
    success="#92c486",
    backgrounds=("#12171b", "#171d22", "#20282e"),
    cursor="#1f3b41",
    cursor_text="#ffffff",
    border="#66747f",
)
LIGHT = _theme(
    "kms-light",
    dark=False,
    text="#1d252b",
    muted="#525d66",
    accent="#0b636b",
    warning="#7d5200",
    error="#ab2019",
    success="#28602e",
    backgrounds=("#fafaf7", "#f3f3ee", "#e8e8e1"),
    cursor="#d6e8e8",
    cursor_text="#0b1f22",
    border="#83837a",
)
HIGH_CONTRAST = _theme(
    "kms-high-contrast",
    dark=True,
    text="#ffffff",
    muted="#d0d0d0",
    accent="#5cd6ff",
    warning="#ffd24a",
    error="#ff9c9c",
    success="#8dff8d",
    backgrounds=("#000000", "#0a0a0a", "#161616"),
    cursor="#003b5c",
    cursor_text="#ffffff",
    border="#9a9a9a",
)
THEMES = {"Dark theme": DARK, "Light theme": LIGHT, "High-contrast theme": HIGH_CONTRAST}
"""The title in the palette -> the theme."""
