"""Keeping the draft of one editor on disk: the latest text wins, whatever thread is quicker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from kms_tui.drafts import Draft, PolicyFiles, new_token


class DraftKeeper:
    """Writes and removes one editor's draft; its methods block, and raise FileError."""

    def __init__(self, files: PolicyFiles, arn: str, now: Callable[[], datetime]) -> None:
        self.files = files
        self.arn = arn
        self.token = new_token()
        self.kept_at: datetime | None = None
        """When the draft on disk was written; None where there is none."""
        self._now = now
        self._lock = threading.Lock()
        self._asked = 0
        self._done = 0

    def another(self) -> DraftKeeper:
        """A keeper for a further draft; this one's stays as it is."""
        return DraftKeeper(self.files, self.arn, self._now)

    def turn(self) -> int:
        """The number of the next request; a request that comes after a later one is dropped."""
        self._asked += 1
        return self._asked

    def keep(self, text: str, base: str, turn: int) -> None:
        """Have the draft on disk hold ``text``; one that is as its base is no draft, and is removed."""
        with self._lock:
            if turn < self._done:
                return
            self._done = turn
            if text == base:
                self.files.discard_draft(self.arn, self.token)
                self.kept_at = None
            else:
                now = self._now()
                self.files.keep_draft(self.arn, Draft(self.token, now, text, base))
                self.kept_at = now
