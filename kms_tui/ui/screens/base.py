"""What the screens of the modes share: the bar on top, the keys at the bottom, the session."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.errors import KmsTuiError
from kms_tui.session import Session
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.acts.taking_back import take_back
from kms_tui.ui.background import off_loop, start
from kms_tui.ui.dialogs.base import Dialog
from kms_tui.ui.messages import KeysChanged, SessionOpened
from kms_tui.ui.safe_text import Content
from kms_tui.ui.widgets.key_bar import KeyBar
from kms_tui.ui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from kms_tui.evidence.cost import Prices
    from kms_tui.ui.app import KmsApp

T = TypeVar("T")
Answer = TypeVar("Answer")
_ACTION = "act"
"""The group of workers in which changes are made."""


class ModeScreen(Screen[None]):
    """A mode's screen; it exists before there is a session, and outlives one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+z",
            "undo",
            "Undo",
            id="session.undo",
            tooltip="Take the last change back, where AWS allows it",
            show=False,
        ),
    ]
    HELP: ClassVar[str] = ""
    """A few sentences for the help screen; plain text."""
    BEFORE_SESSION: ClassVar[frozenset[str]] = frozenset({"filter", "back"})
    """The screen's own actions that can be done before there is a session."""

    def compose(self) -> ComposeResult:
        yield TopBar()
        yield from self.compose_body()
        yield KeyBar()

    @abstractmethod
    def compose_body(self) -> Iterable[Widget]: ...

    @property
    def kms_app(self) -> KmsApp:
        return cast("KmsApp", self.app)

    @property
    def session(self) -> Session | None:
        return self.kms_app.session

    @property
    def prices(self) -> Prices:
        """What keys and calls cost, by the configuration's price table."""
        return self.kms_app.config.price_table

    def on_mount(self) -> None:
        if self.session is not None:
            self.session_opened(self.session)

    @on(SessionOpened)
    def _session_opened(self) -> None:
        self.query_one(TopBar).refresh_session()
        if self.session is not None:
            self.session_opened(self.session)
        self.refresh_bindings()

    def session_opened(self, session: Session) -> None:
        """A session is there, for the first time or instead of another."""

    def on_screen_resume(self) -> None:
        self.query_one(TopBar).refresh_session()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Until a session is there, nothing that needs one can be asked for."""
        if self.session is None:
            return action in self.BEFORE_SESSION or hasattr(Screen, f"action_{action}")
        if action == "undo" and self.session.read_only:
            return False
        return super().check_action(action, parameters)

    def action_undo(self) -> None:
        self.start_action(partial(take_back, self), description="take a change back")

    def start_action(self, work: Callable[[], Awaitable[None]], *, description: str) -> None:
        """Start what may change something, unless the last such thing still waits for an answer of KMS.

        It would take that one's place, and its answer would never be told.
        """
        app = self.kms_app
        under_way = [
            worker
            for worker in self.workers
            if worker.node is self and worker.group == _ACTION and not worker.is_finished
        ]
        if any(worker not in app.asking for worker in under_way):
            app.notify("The last action is under way: wait for its answer.", severity="warning")
            return
        start(self, work, group=_ACTION, description=description)

    def show_status(self, status: Content | str) -> None:
        self.query_one(TopBar).show_status(status)

    async def attempt(self, function: Callable[[], T], *, doing: str) -> T | None:
        """Run a blocking call off the loop; an error is told where people look, and None comes back."""
        try:
            return await off_loop(function)
        except KmsTuiError as error:
            self.tell_error(error, doing=doing)
            return None

    async def ask(self, dialog: Dialog[Answer]) -> Answer | None:
        """Open a dialog and wait for its answer; None is Cancel. Only from a worker."""
        return await self.kms_app.ask(dialog)

    async def succeeds(self, function: Callable[[], object], *, doing: str) -> bool:
        """Run a blocking call for its effect; an error is told, and False comes back."""
        try:
            await off_loop(function)
        except KmsTuiError as error:
            self.tell_error(error, doing=doing)
            return False
        return True

    def kms_for(self, subject: Subject) -> Kms:
        """The façade in the subject's region."""
        assert self.session is not None
        kms = self.session.kms
        return kms if subject.region == kms.region else kms.in_region(subject.region)

    def changed(self, subjects: Sequence[Subject], sentence: str) -> None:
        """Tell what changed, and have these keys (none given: all) read again."""
        self.kms_app.notify(sentence)
        self.post_message(KeysChanged(*(subject.key_id for subject in subjects)))

    def hidden_by_filter(self) -> frozenset[str]:
        """The ARNs of marked keys that are not on the screen's list now."""
        return frozenset()

    @staticmethod
    def names(subjects: Sequence[Subject]) -> str:
        """ "orders-db", or "3 keys"."""
        return subjects[0].name if len(subjects) == 1 else f"{len(subjects)} keys"

    def tell_error(self, error: KmsTuiError, *, doing: str) -> None:
        """Say what failed, why, and what to do next."""
        text = f"{error}\n{error.next_step}" if error.next_step else str(error)
        self.kms_app.notify(text, title=f"Could not {doing}", severity="error", timeout=12)
