"""A session: the KMS of an account, or of several, as the console uses it, with its counts and its log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kms_tui.accounts.account import Account, AccountClaims, AccountSource, OpenedAccount, first_that_opens
from kms_tui.config import ProfileSettings
from kms_tui.kms.arn import key_account, key_region
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.facts import UNASKED
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.accounts.account_choice import AccountChoice
    from kms_tui.backend.base import Backend, Services
    from kms_tui.backend.kms_facade import Kms
    from kms_tui.backend.wrappers.metering import Meter
    from kms_tui.backend.wrappers.session_log import SessionLog
    from kms_tui.data_files import ImportFiles, PolicyFiles
    from kms_tui.denials.layer_files import LayerFiles
    from kms_tui.evidence.refused_uses import RefusalMonitor
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
    allow_service_writes: bool = False
    """Whether a move to another key may write to other services than KMS."""
    accounts: AccountChoice | None = None
    """The accounts whose keys are listed together; None: only the connection's own."""
    by_config: bool = True
    """Whether an aggregator of AWS Config may tell which keys the accounts have."""

    @property
    def title(self) -> str:
        """The connection's name for people: the profile's name, "demo", "local"."""
        if self.accounts is not None and self.kind in (None, BackendKind.AWS):
            return self.accounts.title
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
    """An open connection: its accounts, each a façade over a wrapped backend; one list, meter and log."""

    connection: Connection
    accounts: tuple[Account, ...]
    """Those whose keys are listed together."""
    current: Account
    """The account in which keys are created, and whose aliases and key stores are shown: it is opened."""
    inventory: Inventory
    meter: Meter
    log: SessionLog
    history: UndoHistory
    notice: str = ""
    """A notice that the header always shows ("UNPROTECTED STORE")."""
    now: Callable[[], datetime] = field(default=utc_now)
    seen_principals: set[str] = field(default_factory=set)
    """Principals in the policies and grants read in this session; the policy editor offers them."""
    imports: dict[str, ImportParameters] = field(default_factory=dict)
    """Key ARN -> import parameters that have not been used."""
    grant_tokens: tuple[Secret, ...] = ()
    """Grant tokens that the uses of keys send."""
    _grants: dict[str, KeptGrants] = field(default_factory=dict, init=False, repr=False)

    @property
    def read_only(self) -> bool:
        """Whether no account may be changed."""
        return all(account.read_only for account in self.accounts)

    @property
    def has_several_accounts(self) -> bool:
        return len(self.accounts) > 1

    @property
    def kms(self) -> Kms:
        """The façade of the current account."""
        return self.current.kms()

    @property
    def services(self) -> Services | None:
        """AWS services beside KMS in the current account; None if the backend has none."""
        return self.current.services()

    @property
    def refusal_monitors(self) -> list[RefusalMonitor]:
        """Those of the accounts that are opened, and have CloudTrail."""
        found = (account.refusal_monitor for account in self.accounts)
        return [monitor for monitor in found if monitor is not None]

    def account_of(self, arn: str) -> Account:
        """The account of a key's or an alias's ARN; the current one for a key of none of them."""
        return self.account_with(key_account(arn))

    def account_with(self, account_id: str) -> Account:
        """The account of an id; the current one for any other."""
        return next((account for account in self.accounts if account.id == account_id), self.current)

    def kms_for(self, arn: str) -> Kms:
        """The façade in the account and Region of a key's or an alias's ARN."""
        return self.account_of(arn).kms(key_region(arn))

    def services_for(self, arn: str) -> Services | None:
        """The services beside KMS in the account and Region of an ARN; None if the backend has none."""
        return self.account_of(arn).services(key_region(arn))

    def account_note(self, account: Account) -> str:
        """What a command line does not say of its account, as a comment of the shell; "" where it says all.

        A profile is in the command, the credentials of an assumed role are not.
        """
        if account.profile or not self.has_several_accounts:
            return ""
        return f"  # in account {visible(account.title)}"

    def connection_for(self, arn: str) -> Connection:
        """The connection to the account of an ARN alone: of its profile, if it has one."""
        return replace(self.connection, profile=self.account_of(arn).profile or self.connection.profile)

    def reread(self, *key_ids: str) -> None:
        """Read keys again after a change; new ones are looked for in the account that was changed last."""
        changed = self.log.entries[-1:] if self.has_several_accounts else ()
        self.inventory.reread(*key_ids, account=self.account_with(changed[0].account) if changed else None)

    def open_all(self) -> None:
        """Open every account that can be opened, so that each is found by its id; slow."""
        for account in self.accounts:
            with suppress(KmsTuiError):
                account.kms().caller()

    def due_changes(self) -> frozenset[str]:
        """The ids of keys that are to be read again: KMS does not show their changes yet."""
        return frozenset().union(*(account.pending.due() for account in self.accounts))

    def with_grant_tokens(self, kms: Kms) -> Kms:
        """The façade for uses of keys: it sends the grant tokens, where there are any."""
        if not self.grant_tokens:
            return kms
        from kms_tui.backend.wrappers.grant_tokens import WithGrantTokens  # the first rows send no token

        return type(kms)(WithGrantTokens(kms.backend, self.grant_tokens))

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
        for account in self.accounts:
            account.close()


Prompt = Callable[[str], "str | None"]
"""Asks the user for a secret (an MFA code, a passphrase); None if declined. It blocks."""

Opener = Callable[[Connection, Prompt], Session]
"""Opens a connection; slow, and raises KmsTuiError. The console calls it off the event loop."""


def open_session(
    connection: Connection,
    backend: Backend,
    settings: ProfileSettings | None = None,
    *,
    settings_by_id: Mapping[str, ProfileSettings] | None = None,
    notice: str = "",
    now: Callable[[], datetime] = utc_now,
    pace: Pace | None = None,
    required_tags: tuple[str, ...] = (),
) -> Session:
    """A session of one account, whose backend is open; see ``open_accounts`` and ``AccountSource``."""
    source = AccountSource(
        lambda: backend,
        profile=connection.profile or "",
        region=backend.region,
        settings=settings or ProfileSettings(),
        settings_by_id=settings_by_id or {},
    )
    return open_accounts(connection, [source], notice=notice, now=now, pace=pace, required_tags=required_tags)


def open_accounts(
    connection: Connection,
    sources: Sequence[AccountSource],
    *,
    notice: str = "",
    now: Callable[[], datetime] = utc_now,
    pace: Pace | None = None,
    required_tags: tuple[str, ...] = (),
    config_services: Services | None = None,
) -> Session:
    """Wrap backends as ``kms_tui.backend.wrappers.stack`` says, and build the session around them.

    The first account that can be opened is opened, and is the current one; the others are when they are
    listed. Raises the KmsTuiError of the first where none can be. An account is read-only if the connection
    or its settings say so. A key without one of the ``required_tags`` needs attention. An
    aggregator of AWS Config, if ``config_services`` have one, is the first source of the list.
    """
    # Imported here: the console's first frame needs only a Connection.
    from kms_tui.backend.base import KnowsServices
    from kms_tui.backend.kms_facade import Kms
    from kms_tui.backend.wrappers.metering import Meter
    from kms_tui.backend.wrappers.read_your_writes import PendingChanges
    from kms_tui.backend.wrappers.session_log import SessionLog, recorded_writes
    from kms_tui.backend.wrappers.stack import wrapped
    from kms_tui.evidence.activity import SERVICE, Trail
    from kms_tui.evidence.health.row_judge import RowJudge
    from kms_tui.evidence.refused_uses import RefusalMonitor, RefusalWrapper
    from kms_tui.inventory import Inventory
    from kms_tui.undo import UndoHistory, UndoRecorder

    meter, log, history, claims = Meter(), SessionLog(), UndoHistory(), AccountClaims()

    def wrap(backend: Backend, account: Account) -> OpenedAccount:
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
                pending=account.pending,
                watch_refusals=watch_refusals,
                record_undo=partial(UndoRecorder, history=history, now=now),
                now=now,
                read_only=account.read_only,
            )
        )
        may_be_another = bool(account.profile) if account.id else len(sources) > 1
        if may_be_another:
            claims.claim(account.source, kms.caller().account)
        writing = recorded_writes(services, log, kms.account_id, now)
        return OpenedAccount(kms, services, refusal_monitor, writing)

    accounts = tuple(
        Account(
            source,
            wrap,
            PendingChanges(),
            read_only=connection.read_only,
            allow_service_writes=connection.allow_service_writes,
            now=now,
        )
        for source in sources
    )
    current = first_that_opens(accounts)
    kms = current.kms()
    inventory = Inventory(
        kms,
        judge=RowJudge(required_tags),
        regions=connection.regions,
        accounts=[(account, account.region or kms.region) for account in accounts],
        config_services=config_services,
        now=now,
        pace=pace,
    )
    return Session(
        replace(connection, read_only=all(account.read_only for account in accounts)),
        accounts,
        current,
        inventory,
        meter,
        log,
        history,
        notice,
        now,
    )
