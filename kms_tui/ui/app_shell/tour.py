"""The tour: six steps, each of which waits until the person has done one real thing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from textual.command import CommandPalette
from textual.timer import Timer

from kms_tui.backend.wrappers.session_log import LogEntry
from kms_tui.session import BackendKind, Session
from kms_tui.ui.base.host import Host

END = "End the tour"
"""What the palette calls it while a tour is running."""
_TICK_SECONDS = 0.2
_SHOWN_SECONDS = 3600.0


class TourStep(NamedTuple):
    """What to do, and whether it has been done since the step began."""

    title: str
    sentence: str
    is_done: Callable[[Tour], bool]


class Tour:
    """One tour through the console, on the demo or a local store; the steps are shown as notifications.

    A step is done when the console shows, or the backend holds, what it asks for.
    """

    def __init__(self, app: Host) -> None:
        self.app = app
        self._number = -1
        self._calls_before = 0
        self._timer: Timer | None = None
        self._session: Session | None = None
        """The session that the tour began in: it asks for nothing in another one."""

    @property
    def is_running(self) -> bool:
        return self._timer is not None

    @property
    def step(self) -> TourStep:
        return STEPS[max(self._number, 0)]

    def begin(self) -> None:
        """Start at the first step; on AWS there is none, since it changes a key."""
        session = self.app.session
        if session is None or session.connection.kind not in (BackendKind.DEMO, BackendKind.LOCAL):
            self.app.notify("The tour changes a key, so it runs on the demo (p opens it) or a local store.")
        elif session.read_only:
            self.app.notify("The tour changes a key, and this session is read-only.")
        else:
            self.end()
            self._session = session
            self._number = -1
            self._timer = self.app.set_interval(_TICK_SECONDS, self._tick)
            self._go_on()

    def end(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
            self.app.clear_notifications()

    def has_called(self, operation: str) -> bool:
        """Whether a call of this step succeeded."""
        calls = self._calls()[self._calls_before :]
        return any(entry.operation == operation and not entry.error for entry in calls)

    def _calls(self) -> Sequence[LogEntry]:
        return self.app.session.log.entries if self.app.session is not None else ()

    def _tick(self) -> None:
        if self.app.session is not self._session:
            self.end()
            self.app.notify("Another account is open, so the tour has ended.", title="Tour")
        elif self.step.is_done(self):
            self._go_on()

    def _go_on(self) -> None:
        self._number += 1
        self.app.clear_notifications()
        if self._number == len(STEPS):
            self.end()
            self.app.notify("? explains every screen, m what can be done to a key.", title="That is it")
            return
        self._calls_before = len(self._calls())
        sentence = self.step.sentence
        if self._number == 0:
            sentence = f"{sentence} {END} in the palette ends the tour."
        title = f"Tour {self._number + 1} of {len(STEPS)}: {self.step.title}"
        self.app.notify(sentence, title=title, timeout=_SHOWN_SECONDS)


def _has_filter(tour: Tour) -> bool:
    from kms_tui.ui.widgets.key_list import KeyList

    views = [each.view for each in tour.app.screen.query(KeyList)]
    return any(view is not None and bool(view.query) for view in views)


def _looks_at_a_tab(tour: Tour) -> bool:
    from kms_tui.ui.details.key_details import KeyDetails

    return any(not details.is_open("Overview") for details in tour.app.screen.query(KeyDetails))


def _shows_the_menu(tour: Tour) -> bool:
    from kms_tui.ui.actions.action_menu import ActionMenu

    return isinstance(tour.app.screen, ActionMenu)


STEPS = (
    TourStep("find a key", "Press / and type a part of a name (orders), then enter.", _has_filter),
    TourStep(
        "look into it",
        "Press enter, and → for its policy, who may use it, its rotation, its activity. esc goes back.",
        _looks_at_a_tab,
    ),
    TourStep("see what can be done", "Go back to the list with esc, and press m.", _shows_the_menu),
    TourStep(
        "change something",
        "esc closes the menu. X disables the key: read whom it affects, and confirm with y.",
        lambda tour: tour.has_called("DisableKey"),
    ),
    TourStep(
        "undo it",
        "Press ctrl+z, and y. 4 shows what was called, as commands.",
        lambda tour: tour.has_called("EnableKey"),
    ),
    TourStep(
        "find anything",
        "Press : and type: an action, a key, an alias, a profile, a Region.",
        lambda tour: isinstance(tour.app.screen, CommandPalette),
    ),
)
"""In order; each does one real thing."""
