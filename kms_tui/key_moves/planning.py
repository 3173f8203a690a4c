"""``MovePlanning``: both keys found, everything scanned for what names the old one, and the plan made."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.key_uses import KeyUseScan
from kms_tui.evidence.scans import Scan
from kms_tui.key_moves.destination import cannot_be_made, find_destination
from kms_tui.key_moves.move_plan import MovePlan, make_plan
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.model import Key
from kms_tui.session import Session


class PlanningStoppedError(KmsTuiError):
    """The scan was stopped; a plan of a part of what names a key would look like a whole one."""


@dataclass(frozen=True, slots=True)
class PlanningProgress:
    """How many kinds of all accounts are over, of how many (0: not begun), and one that is not."""

    done: int = 0
    total: int = 0
    current: str = ""


class MovePlanning:
    """Plans once. ``run`` blocks; the other methods are for other threads meanwhile.

    ``key`` is the key that is left, ``to`` the other one, each an id, alias or ARN; ``to`` is None where a
    key is made like the old one.
    """

    def __init__(self, session: Session, key: str, to: str | None) -> None:
        self._session = session
        self._key = key
        self._to = to
        self._lock = threading.Lock()
        self._scan: KeyUseScan | None = None
        self._stopped = threading.Event()

    def run(self) -> MovePlan:
        """Raises DestinationError, before a scan that may take minutes; PlanningStoppedError; KmsTuiError."""
        session = self._session
        if session.has_several_accounts:
            session.open_all()
        old = session.kms_for(self._key).describe(self._key)
        kms = session.kms_for(old.arn)
        new = self._destination(old, kms)
        accounts = session.accounts
        scan = KeyUseScan(old.arn, accounts, session.now)
        with self._lock:
            self._scan = scan
        if self._stopped.is_set():
            scan.stop()
        uses = scan.run()
        if self._stopped.is_set():
            raise PlanningStoppedError("Stopped: without a whole scan there is no plan.")
        for account, each in zip(accounts, uses.scans, strict=True):
            if isinstance(each.result, Scan):
                account.scans.take(each.result)  # whoever asks what uses a key next is told by it
        return make_plan(kms, old, new, uses, session.kms_for, session.now())

    def _destination(self, old: Key, kms: Kms) -> Key | None:
        if self._to is not None:
            return find_destination(old, self._to, kms, self._session.kms_for)
        if (reason := cannot_be_made(old)) is not None:
            raise reason
        return None

    def progress(self) -> PlanningProgress:
        with self._lock:
            scan = self._scan
        return PlanningProgress(*scan.progress()) if scan is not None else PlanningProgress()

    def stop(self) -> None:
        """Make no more calls, and return at once; ``run`` raises PlanningStoppedError."""
        self._stopped.set()
        with self._lock:
            scan = self._scan
        if scan is not None:
            scan.stop()

    def cancel(self) -> None:
        """Stop, and wait a moment for the calls that are under way."""
        self.stop()
        with self._lock:
            scan = self._scan
        if scan is not None:
            scan.cancel()
