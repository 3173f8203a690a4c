"""``Host``: the app as the rest of the UI sees it, and the messages that go through it."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeVar

from textual.app import App, SuspendNotSupported
from textual.binding import Binding
from textual.message import Message
from textual.message_pump import MessagePump
from textual.reactive import var
from textual.screen import Screen
from textual.widget import AwaitMount
from textual.worker import Worker, get_current_worker

from kms_tui.config import Config
from kms_tui.session import Connection, Session
from kms_tui.ui.base.safe_text import visible

if TYPE_CHECKING:
    from kms_tui.accounts.account import Account
    from kms_tui.undo import UndoStep

Answer = TypeVar("Answer")


class SessionOpened(Message):
    """The app has a session now, or another one than before."""

    bubble = False


class AccountChosen(Message):
    """Another account of the session is the current one."""

    bubble = False


class RefusalsChanged(Message):
    """What is known of the refused uses of watched keys has changed."""

    bubble = False


class CampaignEnded(Message):
    """A campaign that was carried out in the background goes on no longer."""

    bubble = False


class KeysChanged(Message):
    """This console changed keys; ``key_ids`` are to be read again (empty: all)."""

    def __init__(self, *key_ids: str) -> None:
        super().__init__()
        self.key_ids = key_ids


class Mode(NamedTuple):
    """One of the screens that the number keys switch between; ``screen`` is "module:class".

    ``short`` is its title where there is little room.
    """

    name: str
    title: str
    screen: str
    tooltip: str
    short: str = ""


class ChangeNotice(NamedTuple):
    """A notification of a change, and the steps that undo the change."""

    steps: tuple[UndoStep, ...]
    sentence: str


class FormDraft(NamedTuple):
    """The values of a form's fields when it opened, and when it was cancelled."""

    before: Mapping[str, str]
    entered: Mapping[str, str]


class BackgroundRun(Protocol):
    """Work on a thread that outlives the screen it was begun on."""

    @property
    def status(self) -> str:
        """A few words for the bar on top of every screen."""
        ...

    def stop(self) -> None:
        """End it soon, leaving nothing half done."""
        ...

    def wait(self, seconds: float) -> None:
        """Block until it has ended, at most so long."""
        ...


class Host(App[None]):
    """What a screen, widget or action may ask of the app; ``KmsApp`` is the only one.

    Nothing below the app imports it: screens are opened by name, and what needs them is asked for here.
    """

    MODE_TABLE: ClassVar[Mapping[str, Mode]] = {}

    session: var[Session | None] = var(None)
    connection: Connection
    config: Config
    asking: set[Worker[Any]]
    """The workers that wait for a person's answer."""
    welcomes: bool
    """Whether the key list shows the first steps."""
    form_drafts: dict[tuple[str, str], FormDraft]
    """What was typed into forms that were cancelled, by title and what they are about; of this session."""
    recent_commands: list[str]
    """The titles of what was last chosen in the palette, the latest first."""
    change_notices: deque[ChangeNotice]
    """The latest notifications of changes that can be undone: as many as may stand on screen."""
    background: dict[str, BackgroundRun]
    """What goes on whichever screen is looked at, by what it is about."""
    secrets_copied: list[Callable[[], None]]
    """Clears the clipboard of each secret that is still to be cleared from it."""

    @property
    def is_touring(self) -> bool:
        """Whether a tour is under way."""
        raise NotImplementedError

    def open(self, connection: Connection) -> None:
        """Open a connection off the event loop; the present session stays until the other has opened."""
        raise NotImplementedError

    def open_screen(self, name: str, *args: object) -> AwaitMount:
        """Open a screen of the screen table by its name; ``args`` go to its class."""
        raise NotImplementedError

    def choose_account(self, account: Account) -> None:
        """Make an account of the session, which is opened, the current one, and tell every screen."""
        raise NotImplementedError

    async def show_key(self, arn: str) -> None:
        """Go to the key list with the cursor on this key; a filter or scope that hides the key is cleared.

        ``go_back`` returns from there.
        """
        raise NotImplementedError

    async def show_keys(self, filter_text: str) -> None:
        """Go to the key list and filter it."""
        raise NotImplementedError

    def go_back(self) -> bool:
        """Return to the mode that ``show_key`` led away from; False where it led away from none."""
        raise NotImplementedError

    async def undo(self, screen: Screen[Any]) -> None:
        """Undo the last change that can be undone, asking on this screen."""
        raise NotImplementedError

    def poll_refused_uses(self) -> None:
        """Ask now who was refused the use of the watched keys."""
        raise NotImplementedError

    @property
    def all_screens(self) -> list[Screen[Any]]:
        """Every screen of every mode, whether it is looked at or not."""
        return [screen for screens in self._screen_stacks.values() for screen in screens]

    async def ask(self, dialog: Screen[Answer]) -> Answer | None:
        """Open a dialog and wait for its answer; None is Cancel. Only from a worker."""
        worker = get_current_worker()
        self.asking.add(worker)
        try:
            return await self.push_screen_wait(dialog)
        finally:
            self.asking.discard(worker)

    def shown_key(self, binding_id: str, key: str) -> str:
        """The first key of a binding, as people know it; ``key`` is its default."""
        key = self.config.keys.get(binding_id, key)
        return self.get_key_display(Binding(key.partition(",")[0], "", ""))

    def notify_change(self, sentence: str, *, title: str = "") -> None:
        """Notify of the change that was made last; its undo takes the notification away."""
        self.notify(sentence, title=title)
        steps, later = self.session.history.last() if self.session is not None else ((), ())
        if steps and not later:
            self.change_notices.append(ChangeNotice(steps, sentence))

    def withdraw_change(self, steps: Sequence[UndoStep]) -> None:
        """Take away the notification of a change that these steps have undone: it is no longer true."""
        undone = {id(step) for step in steps}
        untrue = {
            visible(each.sentence)
            for each in self.change_notices
            if undone.issuperset(id(step) for step in each.steps)
        }
        for notification in [each for each in self._notifications if each.message in untrue]:
            # The public way clears all notifications, errors that nobody has read among them.
            self._unnotify(notification)

    def explain_refused_key(self, key: str, changes: Iterable[tuple[str, str, str]]) -> None:
        """Say why a key does nothing that a read-only session refuses: it is bound to nothing there.

        ``changes`` are (binding id, default keys, title) of what changes something.
        """
        if self.session is None or not self.session.read_only:
            return
        for binding_id, default, title in changes:
            if key in self.config.keys.get(binding_id, default).split(","):
                self.notify(f"{title} is refused: this session is read-only.", severity="warning")

    def run_login(self, command: str) -> bool:
        """Suspend the console, run a command that renews credentials, come back; whether it succeeded.

        No shell is involved, and the command has the terminal.
        """
        try:
            with lent_terminal(self):
                print(f"{_CLEAR}kms-tui runs: {command}\n", flush=True)
                result = subprocess.run(_arguments(command), check=False)
        except SuspendNotSupported:
            self.notify(
                f"This terminal cannot be handed over. Run it in another one: {command}", severity="warning"
            )
            return False
        except OSError as error:
            self.notify(f"{command} could not be run: {error}.", severity="error", timeout=12)
            return False
        code = result.returncode
        if code in (-signal.SIGINT, 128 + signal.SIGINT):
            self.notify(f"{command} was stopped.", severity="warning")
        elif code:
            self.notify(f"{command} ended with exit code {code}.", severity="error", timeout=12)
        return code == 0


@contextlib.contextmanager
def lent_terminal(app: App[Any]) -> Iterator[None]:
    """Suspend the console while a command has the terminal; Ctrl+C is the command's, and the console stays.

    Raises SuspendNotSupported.
    """
    with app.suspend():
        loop = asyncio.get_running_loop()
        ends_app = sys.platform != "win32" and loop.remove_signal_handler(signal.SIGINT)
        before = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            yield
        finally:
            if ends_app:
                # The next turn of the loop drops the interrupts of meanwhile; listen again after it.
                listen = partial(loop.add_signal_handler, signal.SIGINT, app.exit)
                loop.call_soon(loop.call_soon, listen)
            else:
                signal.signal(signal.SIGINT, before)


_CLEAR = "\x1b[2J\x1b[H"
"""Empties the terminal: else what the console drew last may stand between the command's lines."""


def _arguments(command: str) -> list[str]:
    """The command's words; kms-tui itself is run by this Python, wherever it is installed."""
    words = shlex.split(command)
    return [sys.executable, "-m", "kms_tui", *words[1:]] if words[0] == "kms-tui" else words


def host_of(node: MessagePump) -> Host:
    """The app that a screen or widget is shown by."""
    app = node.app
    assert isinstance(app, Host)
    return app
