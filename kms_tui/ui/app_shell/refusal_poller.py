"""Polling who is refused the use of watched keys, and telling the key list and every screen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.timer import Timer

from kms_tui.kms.arn import key_id_of
from kms_tui.session import Session
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.host import Host, RefusalsChanged

if TYPE_CHECKING:
    from kms_tui.evidence.refused_uses import Refusals

LIVE_SECONDS = 2.0
"""Between two polls of a trail that has no delay."""
LATE_SECONDS = 60.0
"""Between two polls of CloudTrail, which is minutes late and has a quota."""


class RefusalPoller:
    """Follows the app's session; polls only while a key is watched, one poll at a time."""

    def __init__(self, app: Host) -> None:
        self._app = app
        self._session: Session | None = None
        self._timer: Timer | None = None
        self._is_polling = self._wants_again = False
        self._shown: dict[str, Refusals] = {}

    def follow(self, session: Session) -> None:
        """Poll for this session from now on instead of the one before."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._session, self._shown = session, {}
        self._is_polling = self._wants_again = False
        if session.refusal_monitors:
            is_live = all(monitor.trail.is_live for monitor in session.refusal_monitors)
            seconds = LIVE_SECONDS if is_live else LATE_SECONDS
            self._timer = self._app.set_interval(seconds, self._tick)

    def _tick(self) -> None:
        if not self._is_polling:
            self.poll()

    def poll(self) -> None:
        """Poll now, or once more after the poll under way, off the event loop, and tell the result."""
        session = self._session
        if session is None:
            return
        self._show(session)
        if self._is_polling:
            self._wants_again = True
        elif _found(session):
            self._is_polling = True
            work = partial(self._poll, session)
            start(self._app, work, group="watch", description="look at refused uses")

    async def _poll(self, session: Session) -> None:
        self._wants_again = True
        while self._wants_again:
            self._wants_again = False
            for monitor in session.refusal_monitors:
                await off_loop(partial(monitor.poll, self._while(session)))
            if self._session is not session:
                return
            self._show(session)
        self._is_polling = False

    def _while(self, session: Session) -> Callable[[], bool]:
        return lambda: self._session is session

    def _show(self, session: Session) -> None:
        """Update the key list and the screens, and notify of each caller refused for the first time."""
        found = {each.arn: each for each in _found(session)}
        if found == self._shown:
            return
        for arn in self._shown.keys() - found.keys():
            session.inventory.set_refused(arn, None)
            # Somebody else may have enabled it.
            session.inventory.reread(key_id_of(arn))
        for arn, refusals in found.items():
            session.inventory.set_refused(arn, None if refusals.checked is None else refusals.count)
            self._notify_of_new_callers(session, refusals)
        self._shown = found
        for screen in self._app.all_screens:
            screen.post_message(RefusalsChanged())

    def _notify_of_new_callers(self, session: Session, refusals: Refusals) -> None:
        before = self._shown.get(refusals.arn)
        if before is None or before.checked is None:
            return
        new = [who for who, _ in refusals.callers if who not in dict(before.callers)]
        if new:
            row = session.inventory.row(refusals.arn)
            name = row.aliases[0] if row is not None and row.aliases else refusals.arn
            self._app.notify(
                f"{', '.join(new)} was refused its use: it is disabled.", title=name, severity="warning"
            )


def _found(session: Session) -> list[Refusals]:
    """What is known of every watched key, of all accounts."""
    return [refusals for monitor in session.refusal_monitors for refusals in monitor.all]
