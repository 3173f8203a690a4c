"""How long the record of calls is kept, so that a served store does not grow for ever."""

from __future__ import annotations

import sqlite3

MAX_EVENTS = 100_000
"""Calls that the store remembers, some 35 MB of them; when a key was last used it knows besides."""

_EVERY = 1_000
"""Calls between two clearings, whose cost (a few milliseconds) they share."""


def prune(db: sqlite3.Connection, newest: int) -> None:
    """Forget the oldest events, now and then; ``newest`` is the row of the one just written."""
    if newest % _EVERY == 0:
        db.execute("DELETE FROM events WHERE row <= ?", (newest - MAX_EVENTS,))
