"""One account of a session: its KMS and its other services, opened at the first call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from kms_tui.config import ProfileSettings, combined
from kms_tui.kms.errors import ConfigurationError, KmsTuiError, ReadOnlyError, UnavailableError

if TYPE_CHECKING:
    from kms_tui.backend.base import Backend, Services
    from kms_tui.backend.kms_facade import Kms
    from kms_tui.backend.wrappers.read_your_writes import PendingChanges
    from kms_tui.evidence.refused_uses import RefusalMonitor
    from kms_tui.evidence.scans import Scans

HOLD = 5.0
"""Seconds for which a failure to open answers further calls: all Regions of an account ask at once."""


@dataclass(frozen=True, slots=True)
class AccountSource:
    """An account before it is opened; ``open`` is slow and raises KmsTuiError.

    ``account_id`` is "" where only the opened backend knows it; ``profile`` is "" where its credentials come
    from none of its own. ``region`` is the Region of its profile, or "".

    ``settings`` apply from the start, and those of ``settings_by_id`` once the opened account shows its id.
    An account whose id stays unknown may be any of them: it is read-only if one of them is, and so on.
    """

    open: Callable[[], Backend]
    name: str = ""
    account_id: str = ""
    region: str = ""
    profile: str = ""
    settings: ProfileSettings = field(default_factory=ProfileSettings)
    settings_by_id: Mapping[str, ProfileSettings] = field(default_factory=dict)

    def settings_of(self, backend: Backend) -> ProfileSettings:
        """All settings for the opened account; slow, where its id is needed and STS must be asked for it."""
        if not self.settings_by_id:
            return self.settings
        account_id = self.account_id or backend.account_id or backend.caller().account
        if account_id:
            return combined(self.settings, self.settings_by_id.get(account_id, ProfileSettings()))
        any_of_them = combined(self.settings, *self.settings_by_id.values())
        return replace(any_of_them, allow_service_writes=self.settings.allow_service_writes)


def first_that_opens(accounts: Sequence[Account]) -> Account:
    """Open accounts in their order until one opens; slow. Raises the first's KmsTuiError if none does."""
    failure: KmsTuiError | None = None
    for account in accounts:
        try:
            account.opened()
        except KmsTuiError as error:
            failure = failure or error
        else:
            return account
    raise failure or ConfigurationError("There is no account to list.")


class AccountClaims:
    """Which account of a session has which id, so that none is listed twice. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}

    def claim(self, source: AccountSource, account_id: str) -> None:
        """Raise ConfigurationError where the account is another than its source says, or listed already.

        ``account_id`` is "" where it is not known.
        """
        if account_id and source.account_id not in ("", account_id):
            raise ConfigurationError(
                f"{source.name} is of account {account_id}, not of {source.account_id}.",
                next_step="Correct the id or the profile in the list of accounts.",
            )
        with self._lock:
            other = self._names.setdefault(account_id, source.name) if account_id else source.name
        if other != source.name:
            raise ConfigurationError(
                f"{source.name} is of account {account_id}, which {other} lists already.",
                next_step="Its keys stand in the list once, under that name.",
            )


class OpenedAccount(NamedTuple):
    """What an account's backend is wrapped into."""

    kms: Kms
    services: Services | None
    """AWS services beside KMS; None if the backend has none."""
    refusal_monitor: RefusalMonitor | None
    """Watches refused uses of disabled keys, and has the trail; None without CloudTrail."""
    writing: Services | None = None
    """``services`` that may write, whatever the settings say; None where they cannot."""


class Account:
    """An account of a session. Safe for threads; ``wrap`` makes the façade and what goes with it.

    Whatever is not said to be slow makes no call, and is empty until the account is opened.
    """

    def __init__(
        self,
        source: AccountSource,
        wrap: Callable[[Backend, Account], OpenedAccount],
        pending: PendingChanges,
        *,
        read_only: bool = False,
        allow_service_writes: bool = False,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = source.name
        self.profile = source.profile
        self.region = source.region
        self.settings = source.settings
        self.pending = pending
        self.source = source
        self._read_only = read_only
        self._allow_service_writes = allow_service_writes
        self._wrap = wrap
        self._now = now
        self._clock = clock
        self._lock = threading.Lock()
        self._opened: OpenedAccount | None = None
        self._regions: dict[str, Kms] = {}
        self._failure: KmsTuiError | None = None
        self._held_until = 0.0
        self._scans: Scans | None = None

    def __repr__(self) -> str:
        return f"<Account {self.title}>"

    @property
    def id(self) -> str:
        """The 12 digits, or "" where they are not known yet."""
        known = self.source.account_id
        return known or (self._opened.kms.account_id if self._opened is not None else "")

    @property
    def read_only(self) -> bool:
        """Whether the connection or the settings say so."""
        return self._read_only or self.settings.read_only

    @property
    def allows_service_writes(self) -> bool:
        """As ``read_only``; in a read-only account nothing is written all the same."""
        return self._allow_service_writes or self.settings.allow_service_writes

    @property
    def title(self) -> str:
        """ "payments 111122223333", or what of that is known."""
        if self.id and self.name.endswith(self.id):
            return self.name
        return " ".join(part for part in (self.name, self.id) if part) or "account unknown"

    def opened(self) -> OpenedAccount:
        """Open the account, or say again why it cannot be opened; slow the first time. Raises KmsTuiError."""
        with self._lock:
            if self._opened is None:
                if self._failure is not None and self._clock() < self._held_until:
                    raise self._failure.with_traceback(None)
                try:
                    backend = self.source.open()
                    self.settings = self.source.settings_of(backend)
                    opened = self._wrap(backend, self)
                except KmsTuiError as error:
                    self._failure, self._held_until = error, self._clock() + HOLD
                    raise
                self._regions[opened.kms.region] = opened.kms
                self._opened = opened
            return self._opened

    def kms(self, region: str = "") -> Kms:
        """The façade in a Region ("": where the account was opened); slow the first time.

        Raises KmsTuiError.
        """
        home = self.opened().kms
        with self._lock:
            there = self._regions.get(region or home.region)
            if there is None:
                there = self._regions[region] = home.in_region(region)
            return there

    def services(self, region: str = "") -> Services | None:
        """As ``kms``, for the services beside KMS; None if there are none."""
        services = self.opened().services
        return services if services is None or region in ("", services.region) else services.in_region(region)

    def writing_services(self, region: str = "") -> Services:
        """As ``services``, with the writes of SERVICE_WRITES, each of which goes to the session's log.

        Raises as ``require_writes``, which knows all settings of an account that is opened.
        """
        writing = self.opened().writing
        self.require_writes()
        if writing is None:
            raise UnavailableError("A write to another service")
        return writing if region in ("", writing.region) else writing.in_region(region)

    def require_writes(self, operation: str = "A write to another service") -> None:
        """Raise ReadOnlyError, or ConfigurationError where the user has not allowed moves to write.

        ReadOnlyError says that ``operation`` was not sent. Of several accounts it names this one, if it is
        read-only by its own settings, and not by the connection's.
        """
        if self.read_only:
            raise ReadOnlyError(operation, self.title if self.name and self.settings.read_only else "")
        if not self.allows_service_writes:
            where = self.title if self.id or self.name else "this account"
            raise ConfigurationError(
                f"Writes to other services than KMS are not allowed in {where}.",
                next_step="Start with --allow-service-writes, or set allow_service_writes in the "
                "configuration file.",
            )

    @property
    def refusal_monitor(self) -> RefusalMonitor | None:
        return self._opened.refusal_monitor if self._opened is not None else None

    @property
    def scans(self) -> Scans:
        """The resources that name the keys of each Region, after a scan; slow until the account is opened."""
        kms, services, *_ = self.opened()
        with self._lock:
            if self._scans is None:
                from kms_tui.evidence.scans import Scans  # the first rows need no scan

                self._scans = Scans(kms, services, self._now)
            return self._scans

    def close(self) -> None:
        """Scan no more."""
        if self._scans is not None:
            self._scans.close()
