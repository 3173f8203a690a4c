"""One API call: who calls, where, what it has touched so far, and the event that is recorded of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from kms_tui.backend.local.attestation.attestations import NO_TRUST, Attestation, AttestationTrust
from kms_tui.backend.local.engine.request_validation import request_of
from kms_tui.backend.local.store.call_records import CallRecord, write_records
from kms_tui.backend.local.store.key_rows import KeyRow
from kms_tui.backend.local.store.sources import to_datetime
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.local.store.stored_material import Keyring
from kms_tui.kms.arn import alias_arn, key_arn
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import CallerIdentity
from kms_tui.policy.evaluation import ContextValue
from kms_tui.policy.layers import Layers

JsonShape = dict[str, Any]

_ENCODER = json.JSONEncoder(default=str, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class CallScope:
    """Where calls go to."""

    partition: str
    region: str
    account: str


@dataclass(frozen=True, slots=True)
class CallOrigin:
    """Where calls come from: an address, and the client's name for itself.

    Those of this process (not ``remote``) have no aws:SourceIp, though the trail names this machine.
    """

    address: str = "127.0.0.1"
    agent: str = "kms-tui"
    remote: bool = False


_HERE = CallOrigin()


ContextValues = Mapping[str, ContextValue]


def _nothing() -> ContextValues:
    return {}


def _nowhere(_account: str) -> ContextValues:
    return {}


_LONGEST = 1024
"""Characters of an error's text, or of a client's name for itself, that are kept."""


@dataclass(slots=True)
class Call:
    """One call: its operation, checked parameters, place, caller, time (milliseconds).

    ``layers_for`` gives the caller's layers for the keys of an account, without those of a key. Parameters
    may be plaintext, so they are not in the repr.
    """

    operation: str
    params: Mapping[str, Any] = field(repr=False)
    scope: CallScope
    caller: CallerIdentity
    store: Store
    keyring: Keyring
    authorize: Authorize
    layers_for: Callable[[str], Layers]
    now: int
    origin: CallOrigin = _HERE
    read_context: Callable[[], ContextValues] = _nothing
    organization_of: Callable[[str], ContextValues] = _nowhere
    """Condition keys in lower case that tell the organization of a key's account."""
    key: KeyRow | None = None
    """The key that the call is about, once it was found."""
    constraints: Mapping[str, Any] = field(default_factory=dict)
    """GrantConstraints of the grant that the call retires, once it was found."""
    attestation_trust: AttestationTrust = NO_TRUST
    attestation: Attestation | None = None
    """What the request's Recipient attests, once it was judged."""
    _used: list[KeyRow] = field(default_factory=list)
    _recorded: bool = False

    @property
    def time(self) -> datetime:
        return to_datetime(self.now)

    @property
    def context(self) -> ContextValues:
        """Condition keys in lower case that come with the caller: tags, a service, a network."""
        return self.read_context()

    def arn(self, key: KeyRow) -> str:
        return key_arn(self.scope.partition, key.region, key.account, key.key_id)

    def alias_arn(self, name: str) -> str:
        """The ARN of an alias (with its ``alias/``) of this account and Region."""
        return alias_arn(self.scope.partition, self.scope.region, self.scope.account, name)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the change and the record of the call."""
        with self.store.write() as db:
            yield db
            write_records(db, [self._record()])
            self._recorded = True

    def used(self, key: KeyRow) -> None:
        """Note a successful cryptographic use of a key, for GetKeyLastUsage."""
        self._used.append(key)

    def record(self, error: ServiceError | None = None) -> None:
        """Record the call, unless its transaction did; ``error`` is why the call failed."""
        if not self._recorded or error:
            self.store.record(self._record(error))
            self._recorded = True

    def _record(self, error: ServiceError | None = None) -> CallRecord:
        key, scope, origin = self.key, self.scope, self.origin
        used = self._used if error is None else []
        sources = [each for each in used if key and each.row != key.row]
        return CallRecord(
            event_id=self.store.ids.event_id(),
            at=self.now,
            account=scope.account,
            region=scope.region,
            operation=self.operation,
            key_id=key.key_id if key else None,
            caller=self.caller.arn,
            error=error.code if error else "",
            request=_recordable(self.operation, self.params),
            key_account=key.account if key else None,
            source_key=self.arn(sources[0]) if sources else None,
            message=error.message[:_LONGEST] if error else "",
            address=origin.address,
            agent=origin.agent[:_LONGEST],
            used=tuple(each.row for each in used),
        )

    def dry_run(self) -> None:
        """DryRunOperationException if the caller asked for a dry run; called once all is checked."""
        if self.params.get("DryRun"):
            raise ServiceError(
                "DryRunOperationException", "The request would have succeeded, but the DryRun option is set."
            )


class Authorize(Protocol):
    """Refuses an action ("kms:Encrypt") on a key by raising AccessDeniedException.

    Where there is no key, ``resource`` is an alias ARN, * for the account, or "" for one that is yet to be.
    """

    def __call__(self, call: Call, key: KeyRow | None, action: str, resource: str = "*") -> None: ...


def _recordable(operation: str, params: Mapping[str, Any]) -> str:
    shown = {name: params[name] for name in request_of(operation).recordable if name in params}
    return _ENCODER.encode(shown)
