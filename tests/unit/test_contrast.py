"""The contrast of every colour on every background that it stands on (WCAG 2.2, 1.4.3 and 1.4.11)."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.theme import Theme

from kms_tui.config import THEMES
from kms_tui.ui.app_shell.themes import HIGH_CONTRAST
from kms_tui.ui.app_shell.themes import THEMES as THEMES_BY_TITLE

ALL = tuple(THEMES_BY_TITLE.values())
TEXT, CONTROL, ENHANCED = 4.5, 3.0, 7.0
FOREGROUNDS = ("foreground", "foreground-muted", "text-muted", "accent", "primary", "secondary", "warning")
STATES = ("error", "success", "footer-key-foreground", "footer-description-foreground")
BACKGROUNDS = ("background", "surface", "panel")
CURSOR_ROWS = ("block-cursor-background", "block-cursor-blurred-background", "input-selection-background")
CONTROLS = ("border", "border-blurred", "scrollbar", "scrollbar-hover", "scrollbar-active")


def colour(theme: Theme, name: str) -> Color:
    return Color.parse(theme.to_color_system().generate()[name])


def luminance(shown: Color) -> float:
    parts = (
        value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in shown.normalized
    )
    red, green, blue = parts
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(theme: Theme, foreground: str, background: str) -> float:
    below = colour(theme, background)
    dark, light = sorted((luminance(below), luminance(below + colour(theme, foreground))))
    return (light + 0.05) / (dark + 0.05)


def too_low(theme: Theme, foregrounds: tuple[str, ...], grounds: tuple[str, ...], least: float) -> list[str]:
    return [
        f"{name} on {ground}: {found:.2f}"
        for name in foregrounds
        for ground in grounds
        if (found := contrast(theme, name, ground)) < least
    ]


def test_every_theme_of_the_configuration_is_measured() -> None:
    assert tuple(theme.name for theme in ALL) == THEMES


def test_the_measure_is_that_of_the_standard() -> None:
    black_on_white = Theme("t", primary="#000000", foreground="#000000", background="#ffffff")
    assert contrast(black_on_white, "foreground", "background") == pytest.approx(21)


@pytest.mark.parametrize("theme", ALL, ids=lambda theme: theme.name)
def test_text_is_readable_on_every_background_and_on_the_cursor_row(theme: Theme) -> None:
    least = ENHANCED if theme is HIGH_CONTRAST else TEXT
    assert too_low(theme, (*FOREGROUNDS, *STATES), BACKGROUNDS, least) == []
    assert too_low(theme, (*FOREGROUNDS, *STATES, "block-cursor-foreground"), CURSOR_ROWS, TEXT) == []


@pytest.mark.parametrize("theme", ALL, ids=lambda theme: theme.name)
def test_borders_and_controls_are_seen(theme: Theme) -> None:
    assert too_low(theme, CONTROLS, BACKGROUNDS, CONTROL) == []
