"""A session: one account's KMS as the console uses it, with its counts and its log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kms_tui.config import ProfileSettings
from kms_tui.kms.arn import key_region
from kms_tui.kms.facts import UNASKED

if TYPE_CHECKING:
    from kms_tui.backend.base import Backend, Services
    from kms_tui.backend.kms_facade import Kms
    from kms_tui.backend.wrappers.metering import Meter
    from kms_tui.backend.wrappers.read_your_writes import PendingChanges
    from kms_tui.backend.wrappers.session_log import SessionLog
    from kms_tui.data_files import ImportFiles, PolicyFiles
    from kms_tui.denials.layer_files import LayerFiles
    from kms_tui.evidence.refused_uses import RefusalMonitor
    from kms_tui.evidence.scans import Scans
    from kms_tui.inventory import Inventory, Pace
    from kms_tui.kms.facts import Fact
    from kms_tui.kms.model import Grant, ImportParameters, Secret
    from kms_tui.undo import UndoHistory


class BackendKind(Enum):
    """The kinds of KMS for a session."""

    AWS = "aws"
    LOCAL = "local"
    DEMO = "demo"


@dataclass(frozen=True, slots=True)
class Connection:
    """The KMS to connect to, and the identity; nothing is opened yet.

    ``kind`` is None until chosen: AWS if there are credentials, else the start page.
    """

    kind: BackendKind | None
    profile: str | None = None
    region: str | None = None
    regions: tuple[str, ...] = ()
    """The regions whose keys are listed together; empty: only the session's own."""
    endpoint_url: str | None = None
    store: Path | None = None
    caller_arn: str | None = None
    layer_files: LayerFiles | None = None
    """The policies that limit ``caller_arn``, or give it something."""
    caller_endpoint: str = ""
    """The id of the VPC endpoint that ``caller_arn`` comes through, or ""."""
    read_only: bool = False

    @property
    def title(self) -> str:
        """The connection's name for people: the profile's name, "demo", "local"."""
        if self.kind is BackendKind.DEMO:
            return "demo"
        if self.kind is BackendKind.LOCAL:
            return self.store.name if self.store else "local"
        return self.profile or ("endpoint" if self.endpoint_url else "default")


_GRANTS_LAST = timedelta(minutes=5)
"""How long grants that were read once count as known."""
_GRANT_CHANGES = ("CreateGrant", "RetireGrant", "RevokeGrant")


class KeptGrants(NamedTuple):
    """A key's grants: when they were read, and how many calls of the session had changed grants by then."""

    read: datetime
    changes: int
    grants: Fact[list[Grant]]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Session:
    """An open connection: the façade over a wrapped backend, its meter and its log."""

    connection: Connection
    kms: Kms
    inventory: Inventory
    meter: Meter
    log: SessionLog
    history: UndoHistory
    pending_changes: PendingChanges
    settings: ProfileSettings = field(default_factory=ProfileSettings)
    notice: str = ""
    """A notice that the header always shows ("UNPROTECTED STORE")."""
    now: Callable[[], datetime] = field(default=utc_now)
    services: Services | None = None
    """AWS services beside KMS; None if the backend has none."""
    refusal_monitor: RefusalMonitor | None = None
    """Watches refused uses of disabled keys, and has the trail; None without CloudTrail."""
    seen_principals: set[str] = field(default_factory=set)
    """Principals in the policies and grants read in this session; the policy editor offers them."""
    imports: dict[str, ImportParameters] = field(default_factory=dict)
    """Key ARN -> import parameters that have not been used."""
    grant_tokens: tuple[Secret, ...] = ()
    """Grant tokens that the uses of keys send."""
    _scans: Scans | None = field(default=None, init=False, repr=False)
    _grants: dict[str, KeptGrants] = field(default_factory=dict, init=False, repr=False)

    @property
    def read_only(self) -> bool:
        return self.connection.read_only

    def kms_for(self, arn: str) -> Kms:
        """The façade in the account and Region of a key's or an alias's ARN."""
        return self.kms.in_region_of(arn)

    def services_for(self, arn: str) -> Services | None:
        """The services beside KMS in the account and Region of an ARN; None if the backend has none."""
        services, region = self.services, key_region(arn)
        return services if services is None or region in ("", services.region) else services.in_region(region)

    def with_grant_tokens(self, kms: Kms) -> Kms:
        """The façade for uses of keys: it sends the grant tokens, where there are any."""
        if not self.grant_tokens:
            return kms
        from kms_tui.backend.wrappers.grant_tokens import WithGrantTokens  # the first rows send no token

        return type(kms)(WithGrantTokens(kms.backend, self.grant_tokens))

    @property
    def scans(self) -> Scans:
        """The resources that name the keys of each region, after a scan."""
        if self._scans is None:
            from kms_tui.evidence.scans import Scans  # the first rows need no scan

            self._scans = Scans(self.kms, self.services, self.now)
        return self._scans

    @property
    def policy_files(self) -> PolicyFiles:
        """The policy drafts, and policies that were replaced; a demo's are gone when the program ends."""
        from kms_tui.data_files import policy_files  # nor any draft

        return policy_files(kept=self.connection.kind is not BackendKind.DEMO)

    @property
    def import_files(self) -> ImportFiles | None:
        """The files that keep import parameters between runs; None for a demo."""
        from kms_tui.data_files import import_files  # nor any file of ours

        return None if self.connection.kind is BackendKind.DEMO else import_files()

    def keep_grants(self, key_arn: str, grants: Fact[list[Grant]]) -> None:
        """Keep what was read of a key's grants, for what shows them beside other facts."""
        self._grants[key_arn] = KeptGrants(self.now(), self._grant_changes, grants)

    def grants_of(self, key_arn: str) -> Fact[list[Grant]]:
        """A key's grants as last read; UNASKED if that is long ago or this session changed grants since."""
        kept = self._grants.get(key_arn)
        if kept is None or self.now() - kept.read > _GRANTS_LAST or kept.changes != self._grant_changes:
            return UNASKED
        return kept.grants

    @property
    def _grant_changes(self) -> int:
        return sum(self.meter.calls[operation] for operation in _GRANT_CHANGES)

    def held_import(self, key_arn: str) -> ImportParameters | None:
        """A key's valid import parameters; may read a file."""
        if key_arn not in self.imports and self.import_files is not None:
            kept = self.import_files.held(key_arn, self.now())
            if kept is not None:
                self.imports[key_arn] = kept
        held = self.imports.get(key_arn)
        return held if held is not None and self.now() < held.valid_to else None

    def keep_import(self, key_arn: str) -> None:
        """Keep a key's import parameters until they are used, also after this run; raises FileError."""
        if self.import_files is not None:
            self.import_files.keep(key_arn, self.imports[key_arn])

    def forget_import(self, key_arn: str) -> None:
        """Remove a key's import parameters: they have been used."""
        self.imports.pop(key_arn, None)
        if self.import_files is not None:
            self.import_files.forget(key_arn)

    def close(self) -> None:
        """Make no more calls; running calls are abandoned."""
        self.inventory.close()
        if self._scans is not None:
            self._scans.close()


Prompt = Callable[[str], "str | None"]
"""Asks the user for a secret (an MFA code, a passphrase); None if declined. It blocks."""

Opener = Callable[[Connection, Prompt], Session]
"""Opens a connection; slow, and raises KmsTuiError. The console calls it off the event loop."""


def open_session(
    connection: Connection,
    backend: Backend,
    settings: ProfileSettings | None = None,
    *,
    notice: str = "",
    now: Callable[[], datetime] = utc_now,
    pace: Pace | None = None,
    required_tags: tuple[str, ...] = (),
) -> Session:
    """Wrap a backend as ``kms_tui.backend.wrappers.stack`` says, and build the session around it.

    A session is read-only if the connection or the profile's settings say so. A key without one of the
    ``required_tags`` needs attention.
    """
    # Imported here: the console's first frame needs only a Connection.
    from kms_tui.backend.base import KnowsServices
    from kms_tui.backend.kms_facade import Kms
    from kms_tui.backend.wrappers.metering import Meter
    from kms_tui.backend.wrappers.read_your_writes import PendingChanges
    from kms_tui.backend.wrappers.session_log import SessionLog
    from kms_tui.backend.wrappers.stack import wrapped
    from kms_tui.evidence.activity import SERVICE, Trail
    from kms_tui.evidence.health.row_judge import RowJudge
    from kms_tui.evidence.refused_uses import RefusalMonitor, RefusalWrapper
    from kms_tui.inventory import Inventory
    from kms_tui.undo import UndoHistory, UndoRecorder

    settings = settings or ProfileSettings()
    connection = replace(connection, read_only=connection.read_only or settings.read_only)
    meter, log, history, pending = Meter(), SessionLog(), UndoHistory(), PendingChanges()
    services = backend.services if isinstance(backend, KnowsServices) else None
    refusal_monitor = watch_refusals = None
    if services is not None and services.offers(SERVICE):
        trail = Trail(services, is_live=connection.kind in (BackendKind.LOCAL, BackendKind.DEMO))
        refusal_monitor = RefusalMonitor(trail, now)
        watch_refusals = partial(RefusalWrapper, monitor=refusal_monitor, now=now)
    kms = Kms(
        wrapped(
            backend,
            meter=meter,
            log=log,
            pending=pending,
            watch_refusals=watch_refusals,
            record_undo=partial(UndoRecorder, history=history, now=now),
            now=now,
            read_only=connection.read_only,
        )
    )
    return Session(
        connection,
        kms,
        Inventory(
            kms,
            judge=RowJudge(required_tags),
            regions=connection.regions,
            now=now,
            pace=pace,
            pending=pending,
        ),
        meter,
        log,
        history,
        pending,
        settings,
        notice,
        now,
        services,
        refusal_monitor,
    )
