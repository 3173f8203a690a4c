"""``ModeScreen``: the bar on top, the keys at the bottom, the session, and how work is started and told."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.errors import KmsTuiError
from kms_tui.session import Session
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.host import AccountChosen, Host, KeysChanged, SessionOpened, host_of
from kms_tui.ui.base.new_screen import NewScreen
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.subject import Subject, accounts_words, kms_for
from kms_tui.ui.widgets.screen_bars import KeyBar, TopBar

if TYPE_CHECKING:
    from kms_tui.evidence.cost import Prices
    from kms_tui.ui.dialogs.dialog import Dialog

T = TypeVar("T")
Answer = TypeVar("Answer")
_ACTION = "action"
"""The group of workers in which changes are made."""


class ModeScreen(NewScreen[None]):
    """The base of the screens; it exists before a session opens, and outlives one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+z",
            "undo",
            "Undo",
            id="session.undo",
            tooltip="Undo the last change, where AWS allows it",
            show=False,
        )
    ]
    FIRST_RESUMES: ClassVar[int] = 2
    """One that opens a mode is resumed twice."""
    HELP: ClassVar[str] = ""
    """A few sentences for the help screen; plain text."""
    BEFORE_SESSION: ClassVar[frozenset[str]] = frozenset({"filter", "back"})
    """The screen's own actions that work before a session opens."""

    def __init__(self) -> None:
        super().__init__()
        self._followed: Session | None = None
        self.acting_on: Sequence[Subject] = ()
        """The keys of the action under way."""
        # A new screen has the theme of now. Textual would read all style sheets again, twice, for 0.1 s each.
        self._css_update_count = self.app._css_update_count

    def compose(self) -> ComposeResult:
        yield TopBar()
        yield from self.compose_body()
        yield KeyBar()

    @abstractmethod
    def compose_body(self) -> Iterable[Widget]: ...

    @property
    def host(self) -> Host:
        return host_of(self)

    @property
    def session(self) -> Session | None:
        return self.host.session

    @property
    def prices(self) -> Prices:
        """What keys and calls cost, by the configuration's price table."""
        return self.host.config.price_table

    def on_mount(self) -> None:
        self._follow_session()

    @on(SessionOpened)
    def _session_opened(self) -> None:
        self.query_one(TopBar).refresh_session()
        self._follow_session()
        self.refresh_bindings()

    def _follow_session(self) -> None:
        """Take up the app's session once; one that opens while the screen is mounted is announced too."""
        if self.session is not None and self.session is not self._followed:
            self._followed = self.session
            self.session_opened(self.session)

    def session_opened(self, session: Session) -> None:
        """A session has opened, the first or another one."""

    @on(AccountChosen)
    def _account_chosen(self) -> None:
        self.query_one(TopBar).refresh_session()
        if self.session is not None:
            self.account_chosen(self.session)

    def account_chosen(self, session: Session) -> None:
        """Another account of the session is the current one."""

    def on_screen_resume(self) -> None:
        self.query_one(TopBar).refresh_session()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Until a session opens, only what needs none is offered."""
        if self.session is None:
            return action in self.BEFORE_SESSION or hasattr(Screen, f"action_{action}")
        if action == "undo" and self.session.read_only:
            return False
        return super().check_action(action, parameters)

    def action_undo(self) -> None:
        self.start_action(partial(self.host.undo, self), description="undo a change")

    def start_action(self, work: Callable[[], Awaitable[None]], *, description: str) -> None:
        """Start work that may change something, unless earlier such work still waits for KMS.

        Starting it would cancel the earlier work, whose answer would never be shown.
        """
        app = self.host
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
        """Run a blocking call off the event loop; on an error notify, and return None."""
        try:
            return await off_loop(function)
        except KmsTuiError as error:
            self.notify_error(error, doing=doing)
            return None

    async def ask(self, dialog: Dialog[Answer], *, about: Sequence[Subject] | None = None) -> Answer | None:
        """Open a dialog and wait for its answer; None is Cancel. Only from a worker.

        Where several accounts are listed it names that of the keys it is ``about``, which are those of the
        action under way, or the current account.
        """
        session = self.session
        if session is not None and session.has_several_accounts:
            keys = self.acting_on if about is None else about
            dialog.account = accounts_words(session, keys)
        return await self.host.ask(dialog)

    async def confirm_protected(self, title: str, subjects: Sequence[Subject]) -> bool:
        """Ask for the name of each key that the configuration protects; False when one is not confirmed."""
        from kms_tui.ui.dialogs.questions import Confirm

        assert self.session is not None
        session = self.session
        protected = await off_loop(
            lambda: [
                each
                for each in subjects
                if session.account_of(each.arn).settings.protects(each.key_id, *each.aliases)
            ]
        )
        for subject in protected:
            dialog = Confirm(
                f"{title}: {subject.name}",
                [Content("The configuration protects this key: any change to it asks for its name.")],
                confirm="Go on",
                type_to_confirm=subject.confirm_names,
            )
            if not await self.ask(dialog, about=[subject]):
                return False
        return True

    async def succeeds(self, function: Callable[[], object], *, doing: str) -> bool:
        """Run a blocking call for its effect; on an error notify, and return False."""
        try:
            await off_loop(function)
        except KmsTuiError as error:
            self.notify_error(error, doing=doing)
            return False
        return True

    def kms_for(self, subject: Subject) -> Kms:
        """The façade in the subject's Region."""
        assert self.session is not None
        return kms_for(self.session, subject)

    def changed(self, subjects: Sequence[Subject], sentence: str) -> None:
        """Notify of a change, and have these keys (none given: all) read again."""
        self.host.notify_change(sentence)
        self.post_message(KeysChanged(*(subject.key_id for subject in subjects)))

    def hidden_by_filter(self) -> frozenset[str]:
        """The ARNs of marked keys that the filter hides."""
        return frozenset()

    def action_hints(self, hints: Sequence[tuple[str, str]], subject: Subject) -> Content:
        """The keys of actions on one key, given as (action id, words); nothing where the screen has none."""
        return Content()

    def notify_error(self, error: KmsTuiError, *, doing: str) -> None:
        """Notify of what failed, why, and what to do next."""
        self.host.notify(error.with_next_step, title=f"Could not {doing}", severity="error", timeout=12)
