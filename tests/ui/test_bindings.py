"""A key does one thing on a screen, whoever added it."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from textual.binding import Binding
from textual.screen import Screen

from kms_tui.ui.actions.action_table import ACTIONS, KeyAction
from kms_tui.ui.app_shell.screen_table import APP_BINDINGS, MODE_TABLE, SCREENS, screen_class
from kms_tui.ui.screens.keys_screen import KeyDetailsScreen


def bound(screen: type[Screen[Any]]) -> Iterator[tuple[str, str]]:
    """Every key and its action that the screen, what it is made from, or the app binds."""
    own = [each for kind in screen.__mro__ if kind.__module__.startswith("kms_tui") for each in _own(kind)]
    for binding in Binding.make_bindings([*own, *APP_BINDINGS]):
        yield binding.key, binding.action


def _own(kind: type) -> list[Any]:
    return list(vars(kind).get("BINDINGS", ()))


REPLACED = {KeyDetailsScreen: {("q", "quit")}}
"""Keys of the app that a screen uses for something else: ``q`` goes back from what is not a mode."""

MODE_SCREENS = [screen_class(mode.screen) for mode in MODE_TABLE.values()]


@pytest.mark.parametrize("place", SCREENS.values())
def test_every_screen_that_is_opened_by_name_is_there(place: str) -> None:
    assert issubclass(screen_class(place), Screen)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.id)
def test_the_functions_of_every_action_are_there(action: KeyAction) -> None:
    assert inspect.iscoroutinefunction(screen_class(f"kms_tui.ui.{action.does}"))
    if action.refuses:
        assert list(inspect.signature(screen_class(f"kms_tui.ui.{action.refuses}")).parameters) == ["subject"]


@pytest.mark.parametrize("screen", [*MODE_SCREENS, KeyDetailsScreen], ids=lambda screen: screen.__name__)
def test_no_key_does_two_things(screen: type[Screen[Any]]) -> None:
    pairs = {pair for pair in bound(screen) if pair not in REPLACED.get(screen, ())}
    actions = Counter(key for key, _ in pairs)
    assert [key for key, count in actions.items() if count > 1] == []
