"""What was opened and closed leaves nothing behind."""

from __future__ import annotations

import gc
import itertools
from collections import Counter
from typing import Any

import pytest
from textual._styles_cache import StylesCache
from textual.pilot import Pilot
from textual.widget import Widget

from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, press

pytestmark = pytest.mark.painted

KEPT = (Widget, StylesCache)
OPENERS = ("a", "m", "question_mark", "t", "e", "ctrl+p")
"""Keys that open a form, the menu, the help, a dialog, the policy editor, the palette."""


@pytest.fixture(autouse=True)
def _only_what_comes_now_is_looked_through() -> None:
    gc.collect()
    gc.freeze()


def kept() -> Counter[str]:
    """The widgets and their painted lines that are alive, by type."""
    gc.collect()
    return Counter(type(each).__name__ for each in gc.get_objects() if isinstance(each, KEPT))


def test_what_was_closed_is_forgotten(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        counts = []
        for _ in range(4):
            for key in OPENERS:
                await press(pilot, key, "escape")
            counts.append(kept())
        # The first time fills what is kept for good; the last one opened may not have gone yet.
        grows = [set(after - before) for before, after in itertools.pairwise(counts)]
        assert set.intersection(*grows) == set()

    drive(make_app(), script)
