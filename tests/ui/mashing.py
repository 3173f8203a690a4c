"""Keys at random over every screen, with resizes, from before a session is open until long after.

    python -m tests.ui.mashing --keys 20000 --seed 1

prints how many keys it pressed on how many consoles, and what the console had to contain: nothing, or the
seed and the place of each. It works in a folder of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import threading
import traceback
from collections import Counter
from dataclasses import dataclass, field

from textual.pilot import Pilot
from textual.widgets import Input

from kms_tui.backend.base import Backend
from kms_tui.demo import demo_backend
from kms_tui.inventory import Pace
from kms_tui.session import BackendKind, Connection, Prompt, Session, open_session
from kms_tui.ui.app import KmsApp
from kms_tui.ui.app_shell.palette import bindings
from kms_tui.ui.dialogs.dialog import Dialog

_QUITS = frozenset({"q", "ctrl+q"})
_MOVES = (
    *("up", "down", "left", "right", "tab", "shift+tab", "enter", "escape", "space", "backspace", "delete"),
    *("home", "end", "pageup", "pagedown", "shift+up", "shift+down", "ctrl+a", "ctrl+c", "ctrl+x", "ctrl+v"),
)
_TYPED = ("a", "7", "é", "-", "[", "]", "日", "\u202e", "\x9b", "x")
_SIZES = ((160, 48), (80, 24), (40, 10), (20, 5), (1, 1), (250, 70), (130, 30))
_A_CONSOLE = 500
"""Keys on one console before another is opened."""


@dataclass
class Mashed:
    """What came of it."""

    keys: int = 0
    consoles: int = 0
    resizes: int = 0
    contained: list[str] = field(default_factory=list)
    screens: Counter[str] = field(default_factory=Counter)
    """Class of the screen -> keys pressed on it."""


def all_keys() -> list[str]:
    """Every bound key but those that quit, the keys of widgets, and some characters."""
    bound = {key.strip() for binding in bindings().values() for key in binding.key.split(",")}
    return [*sorted(bound - _QUITS), *_MOVES, *_TYPED]


async def mash(seed: int, keys: int, mashed: Mashed, backend: Backend) -> None:
    """Press so many keys on one console; it opens its session once a third of the first fifty is pressed."""
    chance = random.Random(seed)
    opened = threading.Event()

    def opener(connection: Connection, _prompt: Prompt) -> Session:
        opened.wait(30)
        there = backend.in_region(connection.region) if connection.region else backend
        return open_session(connection, there, pace=Pace(rest=10_000))

    demo = Connection(BackendKind.DEMO, read_only=chance.random() < 0.1, allow_service_writes=True)
    app = KmsApp(opener, demo)
    offered, opens_at = all_keys(), chance.randrange(17)

    def contain(error: Exception) -> None:
        stack = "".join(traceback.format_exception(getattr(error, "error", error)))
        mashed.contained.append(f"seed {seed}, key {mashed.keys}: {stack}")

    app.contain = contain  # type: ignore[method-assign]
    mashed.consoles += 1
    async with app.run_test(size=chance.choice(_SIZES), notifications=True) as pilot:
        for number in range(keys):
            if number == opens_at:
                opened.set()
            if chance.random() < 0.03:
                await pilot.resize_terminal(*chance.choice(_SIZES))
                mashed.resizes += 1
            if not await _press(pilot, chance, offered, mashed):
                break
        opened.set()


async def _press(pilot: Pilot[None], chance: random.Random, offered: list[str], mashed: Mashed) -> bool:
    """One key; False once the console was left by the command of that name."""
    app = pilot.app
    if app._exit or not app.is_running:
        return False
    key = chance.choice(offered)
    if isinstance(app.focused, Input) and key == "slash":
        key = "a"  # no file is written but below this folder
    if chance.random() < 0.15:  # or it would stay for long on the few screens that take most keys
        key = chance.choice(("escape", "enter", "1", "2"))
    mashed.keys += 1
    mashed.screens[type(app.screen).__name__] += 1
    await pilot.press(key)
    return True


async def mash_all(seed: int, keys: int, backend: Backend) -> Mashed:
    """Press ``keys`` keys on as many consoles as it takes, all on one account."""
    mashed = Mashed()
    while mashed.keys < keys:
        await mash(seed, min(_A_CONSOLE, keys - mashed.keys), mashed, backend)
        seed += 1
    return mashed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.ui.mashing")
    parser.add_argument("--keys", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    os.environ["EDITOR"] = "true"
    Dialog.ARM_SECONDS = 0.01
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_DATA_HOME"] = folder
        os.chdir(folder)
        mashed = asyncio.run(mash_all(arguments.seed, arguments.keys, demo_backend()))
    print("\n".join(mashed.contained))
    print(f"{mashed.keys:,} keys, {mashed.resizes:,} resizes, {mashed.consoles} consoles")
    print(", ".join(f"{name} {count:,}" for name, count in mashed.screens.most_common()))
    print(f"{len(mashed.contained)} contained")


if __name__ == "__main__":
    main()
