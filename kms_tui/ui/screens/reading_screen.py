"""``ReadingScreen``: a screen that reads the whole account first, and asks where that costs much."""

from __future__ import annotations

from abc import abstractmethod
from enum import Enum
from functools import partial
from typing import ClassVar, Generic, Protocol, TypeVar

from kms_tui.kms.errors import KmsTuiError
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.widgets.text_widgets import Static

ASK_ABOVE = 200
"""With more keys than this, the cost of reading is shown before it begins."""
_TICK = 0.1


class AccountReading(Protocol):
    """Reads facts of all keys, once."""

    def read_again(self) -> None:
        """Read what is known already, too."""

    def wait_for_listing(self) -> None:
        """Block until all keys are listed."""

    def cancel(self) -> None: ...


Reading = TypeVar("Reading", bound=AccountReading)
Found = TypeVar("Found")


class _State(Enum):
    IDLE = "idle"
    ASKING = "asking"
    """The cost of reading is shown, and waits for enter."""
    READING = "reading"


class ReadingScreen(ModeScreen, Generic[Reading, Found]):
    """One reading at a time; a newer one takes the place of one under way.

    What a subclass shows in its place stands in the Static ``HEAD``, and the class ``-empty`` hides the rest.
    """

    HEAD: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self._reading: Reading | None = None
        self._state = _State.IDLE

    def on_mount(self) -> None:
        self._show_text(Content.styled("opening…", "$foreground-muted"))
        self._ticking = self.set_interval(_TICK, self._tick, pause=True)
        super().on_mount()

    def on_unmount(self) -> None:
        self.cancel_reading()

    @abstractmethod
    def cost_of(self, reading: Reading) -> Content | None:
        """What reading costs; None where it is so little that no one is asked. It blocks."""

    @abstractmethod
    def run_reading(self, reading: Reading) -> Found:
        """Read, and work out what is shown; it blocks. Raises KmsTuiError."""

    @abstractmethod
    def show_found(self, found: Found) -> None: ...

    @abstractmethod
    def progress_of(self, reading: Reading) -> Content: ...

    @abstractmethod
    def failure_words(self, error: KmsTuiError) -> Content: ...

    def begin_reading(self, reading: Reading, *, again: bool) -> None:
        """Read at once where there is little to read; else show the cost, and wait."""
        self.cancel_reading()
        self._reading = reading
        work = partial(self._estimate, reading, again)
        start(self, work, group="reading", description="see what is to be read")

    async def _estimate(self, reading: Reading, again: bool) -> None:
        if again:
            reading.read_again()
        self._show_text(Content.styled("Listing the keys …", "$foreground-muted"))
        await off_loop(reading.wait_for_listing)
        cost = await off_loop(partial(self.cost_of, reading))
        if cost is None:
            await self._run(reading)
        else:
            self._show_text(cost)
            self._enter(_State.ASKING)

    def action_begin(self) -> None:
        if self._state is _State.ASKING and self._reading is not None:
            work = partial(self._run, self._reading)
            start(self, work, group="reading", description="read the facts")

    async def _run(self, reading: Reading) -> None:
        self._enter(_State.READING)
        try:
            found = await off_loop(partial(self.run_reading, reading))
        except KmsTuiError as error:
            self._show_text(self.failure_words(error))
        else:
            self.show_found(found)
        finally:
            if self._reading is reading:
                self._reading = None
                self._enter(_State.IDLE)

    def stop_reading(self) -> bool:
        """End the reading under way, and show what it found; False where there is none."""
        if self._reading is None or self._state is not _State.READING:
            return False
        self._reading.cancel()
        return True

    def cancel_reading(self) -> None:
        """Drop the reading, whether it runs or waits for enter."""
        if self._reading is not None:
            self._reading.cancel()
        self._reading = None
        self._enter(_State.IDLE)

    def _enter(self, state: _State) -> None:
        self._state = state
        (self._ticking.resume if state is _State.READING else self._ticking.pause)()
        self.refresh_bindings()

    def _tick(self) -> None:
        if self._state is _State.READING and self._reading is not None:
            self._show_text(self.progress_of(self._reading))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "begin":
            return self._state is _State.ASKING
        return super().check_action(action, parameters)

    def _show_text(self, instead: Content) -> None:
        """Show some text in place of all else."""
        self.query_one(self.HEAD, Static).update(instead)
        self.show_status("")
        self.add_class("-empty")
