"""Looking, every so often, who is refused the use of a disabled key, and telling it on every screen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.timer import Timer

from kms_tui.kms.arn import key_id_of
from kms_tui.ui.background import off_loop, start
from kms_tui.ui.messages import RefusalsTold

if TYPE_CHECKING:
    from kms_tui.evidence.refused_uses import RefusalMonitor, Refusals
    from kms_tui.session import Session
    from kms_tui.ui.app import KmsApp

LIVE_SECONDS = 2.0
"""Between two looks where the trail tells at once."""
LATE_SECONDS = 60.0
"""Between two looks at CloudTrail, which is minutes behind and has a quota."""


class Watcher:
    """Follows the app's session; nothing is asked while no key is watched, or while a look is under way."""

    def __init__(self, app: KmsApp) -> None:
        self._app = app
        self._session: Session | None = None
        self._timer: Timer | None = None
        self._is_looking = self._wants_again = False
        self._told: dict[str, Refusals] = {}

    def follow(self, session: Session) -> None:
        """Watch for this session from now on, and no more for the one before."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._session, self._told = session, {}
        self._is_looking = self._wants_again = False
        if session.watching is not None:
            seconds = LIVE_SECONDS if session.watching.trail.is_live else LATE_SECONDS
            self._timer = self._app.set_interval(seconds, self._tick)

    def _tick(self) -> None:
        if not self._is_looking:
            self.look()

    def look(self) -> None:
        """Look now, or once more after the look under way, off the event loop; and tell what was found."""
        session = self._session
        if session is None or session.watching is None:
            return
        self._tell(session, session.watching)
        if self._is_looking:
            self._wants_again = True
        elif session.watching.all:
            self._is_looking = True
            work = partial(self._look, session, session.watching)
            start(self._app, work, group="watch", description="look at refused uses")

    async def _look(self, session: Session, watching: RefusalMonitor) -> None:
        self._wants_again = True
        while self._wants_again:
            self._wants_again = False
            await off_loop(lambda: watching.look(self._while(session)))
            if self._session is not session:
                return
            self._tell(session, watching)
        self._is_looking = False

    def _while(self, session: Session) -> Callable[[], bool]:
        return lambda: self._session is session

    def _tell(self, session: Session, watching: RefusalMonitor) -> None:
        """Bring the list and the screens up to date, and say aloud whoever is refused for the first time."""
        found = {each.arn: each for each in watching.all}
        if found == self._told:
            return
        for arn in self._told.keys() - found.keys():
            session.inventory.set_refused(arn, None)
            # Perhaps enabled by somebody else.
            session.inventory.reread(key_id_of(arn))
        for arn, refusals in found.items():
            session.inventory.set_refused(arn, None if refusals.checked is None else refusals.count)
            self._say_who_is_new(session, refusals)
        self._told = found
        for screen in self._app.all_screens:
            screen.post_message(RefusalsTold())

    def _say_who_is_new(self, session: Session, refusals: Refusals) -> None:
        before = self._told.get(refusals.arn)
        if before is None or before.checked is None:
            return
        new = [who for who, _ in refusals.callers if who not in dict(before.callers)]
        if new:
            row = session.inventory.row(refusals.arn)
            name = row.aliases[0] if row is not None and row.aliases else refusals.arn
            self._app.notify(
                f"{', '.join(new)} was refused its use: it is disabled.", title=name, severity="warning"
            )
