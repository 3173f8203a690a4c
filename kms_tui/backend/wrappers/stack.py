"""The wrappers of a session in their order, and why that order.

A call passes them from the last to the first, its answer from the first to the last:

1. ``AnswerCheck`` is next to the backend: no other wrapper sees an answer whose types are not the API's.
2. ``Metered`` counts what is sent, whoever sends it: also what another wrapper asks for itself.
3. The refusal watch (``kms_tui.evidence.refused_uses``) begins at a DisableKey that KMS has confirmed.
4. ``PolicyGuard`` stands before everything that sends, so that a refused policy is neither counted nor sent.
5. ``Recorded`` is outside the guard: the session log shows refused policies, too.
6. ``ReadYourWrites`` is outside the log: it learns of a change by its answer, and answers reads anew.
7. The undo recorder (``kms_tui.undo``) reads what is there before a change, and so must be shown the changes
   before that one. What it undoes goes to the wrapper within it: logged and counted, and no change to undo.
8. ``ReadOnly`` is outermost: what it refuses is not looked at, logged or counted.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from kms_tui.backend.base import Backend
from kms_tui.backend.wrappers.answer_check import AnswerCheck
from kms_tui.backend.wrappers.metering import Meter, Metered
from kms_tui.backend.wrappers.policy_guard import PolicyGuard
from kms_tui.backend.wrappers.read_only import ReadOnly
from kms_tui.backend.wrappers.read_your_writes import PendingChanges, ReadYourWrites
from kms_tui.backend.wrappers.session_log import Recorded, SessionLog

Wrap = Callable[[Backend], Backend]


def wrapped(
    backend: Backend,
    *,
    meter: Meter,
    log: SessionLog,
    pending: PendingChanges,
    watch_refusals: Wrap | None,
    record_undo: Wrap,
    now: Callable[[], datetime],
    read_only: bool,
) -> Backend:
    """The backend in all wrappers; ``watch_refusals`` and ``record_undo`` come from the rooms above."""
    wraps: tuple[Wrap | None, ...] = (
        AnswerCheck,
        partial(Metered, meter=meter),
        watch_refusals,
        partial(PolicyGuard, now=lambda: now().timestamp()),
        partial(Recorded, log=log, now=now),
        partial(ReadYourWrites, pending=pending),
        record_undo,
        ReadOnly if read_only else None,
    )
    for wrap in filter(None, wraps):
        backend = wrap(backend)
    return backend
