"""Trying again by itself what failed in passing: a throttle, a network that is gone, a fault of KMS's own.

botocore has made its attempts by then. Waits grow from one second to half a minute, and begin anew after a
quiet minute.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from kms_tui.inventory.crew import Crew
from kms_tui.inventory.work import Job, Lane
from kms_tui.kms.errors import EndpointError, KmsTuiError, ServiceError

FIRST_WAIT, LAST_WAIT = 1.0, 30.0
"""Seconds."""
_QUIET = 60.0


def passes(error: KmsTuiError) -> bool:
    """Whether the same call may well succeed later, with nobody doing anything."""
    if isinstance(error, ServiceError):
        return error.throttled or error.status >= 500
    return isinstance(error, EndpointError)


class Again:
    """Runs ``retry`` once after a wait, however often it is asked for meanwhile; safe for threads."""

    def __init__(self, crew: Crew, retry: Callable[[], None], clock: Callable[[], float]) -> None:
        self._crew = crew
        self._retry = retry
        self._clock = clock
        self._lock = threading.Lock()
        self._wait = 0.0
        self._due = 0.0
        self._waiting = False

    def later(self) -> None:
        """Something failed in passing."""
        with self._lock:
            if self._waiting:
                return
            now = self._clock()
            self._waiting = True
            rested = now - self._due > _QUIET
            self._wait = FIRST_WAIT if rested else min(max(FIRST_WAIT, 2 * self._wait), LAST_WAIT)
            self._due = now + self._wait
            self._crew.pause(Lane.AGAIN, self._wait)
            self._crew.put(Lane.AGAIN, Job(("again", self._due), self._run))

    def _run(self) -> None:
        with self._lock:
            self._waiting = False
        self._retry()
