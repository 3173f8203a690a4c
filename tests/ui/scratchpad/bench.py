"""Driving the scratchpad as a person does, and reading off it what they would read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from kms_tui.crypto_ops.scratchpad_operations import OperationName, Role
from kms_tui.ui.app import KmsApp
from kms_tui.ui.scratchpad.input_pane import InputPane
from kms_tui.ui.scratchpad.operation_settings import OperationList
from kms_tui.ui.scratchpad.output_pane import OutputPane, OutputText
from kms_tui.ui.scratchpad.pane_fields import FactTable
from kms_tui.ui.scratchpad.scratchpad_screen import ScratchpadScreen
from kms_tui.ui.scratchpad.setup_pane import SetupPane
from tests.ui.console import settled

WIDE, NARROW = (160, 48), (80, 24)


class Bench:
    """The scratchpad of a running console."""

    def __init__(self, pilot: Pilot[Any]) -> None:
        self.pilot = pilot

    @property
    def app(self) -> KmsApp:
        app = self.pilot.app
        assert isinstance(app, KmsApp)
        return app

    @property
    def screen(self) -> ScratchpadScreen:
        found = next(screen for screen in self.app.screen_stack if isinstance(screen, ScratchpadScreen))
        assert isinstance(found, ScratchpadScreen)
        return found

    @property
    def setup(self) -> SetupPane:
        return self.screen.query_one(SetupPane)

    @property
    def output(self) -> OutputPane:
        return self.screen.query_one(OutputPane)

    # Doing

    async def settle(self) -> None:
        await settled(self.pilot)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await settled(self.pilot)

    async def write(self, text: str) -> None:
        """Type letter by letter, and wait once."""
        await self.pilot.press(*("space" if letter == " " else letter for letter in text))
        await settled(self.pilot)

    async def paste(self, text: str) -> None:
        """What a terminal's own paste sends."""
        self.app.post_message(events.Paste(text))
        await settled(self.pilot)

    async def pick(self, words: str) -> None:
        """Choose a key by a part of its name."""
        await self.press("escape", "k")
        await self.write(words)
        await self.press("enter")

    async def operation(self, name: OperationName) -> None:
        """Put the cursor on an operation, and go on to its input."""
        await self.press("escape")
        operations = self.screen.query_one(OperationList)
        operations.highlighted = operations.get_option_index(name.value)
        await settled(self.pilot)
        assert self.setup.operation.name is name
        await self.press("enter")

    async def run(self) -> None:
        await self.press("ctrl+r")

    # Reading

    def source(self, role: Role) -> InputPane:
        return next(pane for pane in self.screen.query(InputPane) if pane.role is role)

    @property
    def shown(self) -> str:
        """The text of the output as it stands on the screen."""
        return plain(self.output.query_one(OutputText))

    @property
    def verdict(self) -> str:
        return plain(self.output.query_one("#verdict", Static))

    @property
    def facts(self) -> dict[str, str]:
        return dict(self.output.query_one(FactTable).rows)

    @property
    def problems(self) -> list[str]:
        """Every error that is shown, wherever it is shown."""
        return [
            plain(line) for line in self.screen.query(Static) if line.has_class("problem") and line.display
        ]

    @property
    def offered(self) -> list[str]:
        return [str(option.prompt) for option in self.screen.query_one(OperationList)._options]

    def picture(self) -> str:
        """All characters on the screen: what a snapshot or a screenshot would hold."""
        width, height = self.app.size
        lines = self.app.screen._compositor.render_strips()
        assert len(lines) == height
        assert width
        return "\n".join("".join(segment.text for segment in line) for line in lines)

    def notifications(self) -> str:
        return "\n".join(f"{note.title} {note.message}" for note in self.app._notifications)


def plain(widget: Static) -> str:
    return str(widget.content)


async def opened(pilot: Pilot[Any]) -> Bench:
    """The scratchpad of a console that has just started."""
    await settled(pilot)
    bench = Bench(pilot)
    bench.app.action_open_mode("scratchpad")
    await settled(pilot)
    return bench


Script = Callable[[Bench], Awaitable[None]]


def drive(app: KmsApp, script: Script, *, size: tuple[int, int] = WIDE) -> None:
    """Run a script on the scratchpad of a settled console."""

    async def run() -> None:
        async with app.run_test(size=size, notifications=True) as pilot:
            await script(await opened(pilot))

    asyncio.run(run())


def choices(bench: Bench) -> list[str]:
    """The entries of the list in the open dialog."""
    return [str(option.prompt) for option in bench.app.screen.query_one(OptionList)._options]
