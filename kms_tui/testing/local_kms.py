"""An offline KMS inside a test: every boto3 client of the process speaks to it, without a port."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import boto3

from kms_tui.backend.local import LocalBackend
from kms_tui.backend.local.attestation.attestations import NO_TRUST, AttestationTrust
from kms_tui.backend.local.default_store import DEFAULT_ACCOUNT, DEFAULT_REGION
from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.backend.local.principals.key_table import AccessKeys
from kms_tui.backend.local.store.store_opening import open_store
from kms_tui.control.call_journal import CallJournal
from kms_tui.control.clock import ControlledClock
from kms_tui.control.fault_rules import FaultRules
from kms_tui.control.kms_control import KmsControl, KmsSnapshot
from kms_tui.serve.any_admission import AnyAdmission
from kms_tui.serve.endpoint import Endpoint
from kms_tui.serve.fault_injection import FaultInjection
from kms_tui.serve.http_messages import HttpRequest, HttpResponse
from kms_tui.testing import client_hook, surroundings

if TYPE_CHECKING:
    from kms_tui.seed.seed_model import Seed

SeedSource = str | Path | Mapping[str, Any]
"""A file (a text that ends in .yaml, .yml, .json or .toml is its path), its text, or what it would say."""
_FILE_ENDINGS = (".yaml", ".yml", ".json", ".toml")

_ID, _SECRET = "AKIALOCALKMSADMIN000", "local-kms/administrator/secret/access000"
"""The access key in the environment of a test; like any that is not known, it is the default caller's."""
_numbers = count(1)
"""Of access keys in this process: no id comes back for another principal, as after a reset."""


class LocalKms:
    """A KMS of its own, in memory, with real cryptography, policies and grants.

    While it is active (``with LocalKms(seed="seed.yaml") as kms:``) every boto3 or botocore client of the
    process speaks to it, in any thread, however and whenever it was made; no request for KMS reaches the
    network. Requests for other services go where they went. boto3 finds its Region and credentials of its
    own in the environment, and none of a profile. Several may be active: the last one answers.

    ``seed`` is a file, its text or a mapping (``kms_tui.seed``). ``account_id`` and ``region`` are the
    default client's, and of what the seed does not say of which account or Region it is; where they are not
    given they are the seed's, and without a seed the Region is that of the environment. ``now`` is a moment
    at which its clock stands still, instead of real time. ``caller_arn`` is who calls with credentials that
    it does not know, instead of the account's administrator. ``sts`` False leaves STS to others, such as
    moto. ``attestation_trust`` says which attestation documents of Nitro Enclaves are believed.
    """

    def __init__(
        self,
        seed: SeedSource | None = None,
        *,
        account_id: str = "",
        region: str = "",
        now: datetime | None = None,
        caller_arn: str | None = None,
        sts: bool = True,
        attestation_trust: AttestationTrust = NO_TRUST,
    ) -> None:
        read = None if seed is None else _read(seed, account_id, region)
        self.clock = ControlledClock(now)
        self._sts = sts
        self._region = region or (read.region if read else None)
        """What boto3 is to find as its Region; None where the environment may name another."""
        self._store = open_store(clock=self.clock)
        self._access_keys = AccessKeys(self._store.now)
        self.backend = LocalBackend(
            self._store,
            account_id=account_id or (read.account if read else DEFAULT_ACCOUNT),
            region=self._region or surroundings.environment_region() or DEFAULT_REGION,
            caller_arn=caller_arn,
            attestation_trust=attestation_trust,
        )
        """The KMS itself, called as the default caller without any client."""
        if read is not None:
            try:
                self._apply(read)
            except BaseException:
                self._store.close()
                raise
        self._control = KmsControl(self._store, self.clock, self._access_keys)
        self._endpoint = Endpoint(self.backend, AnyAdmission((), self._access_keys))
        self._injection = FaultInjection(self._control)
        self._lock = threading.Lock()

    @property
    def faults(self) -> FaultRules:
        """The faults that calls meet: ``kms.faults.plan("Encrypt", THROTTLE, OK)``.

        Requests to STS meet none. An answer takes its time whatever time-outs a client has.
        """
        return self._control.faults

    @property
    def calls(self) -> CallJournal:
        """The calls of KMS made since the last reset: ``kms.calls.count("Decrypt")``; none of STS."""
        return self._control.calls

    def add(self, seed: SeedSource) -> tuple[AccessKey, ...]:
        """Add what a seed says to what is there; the access keys that it names.

        What names no account and no Region is of the default client's. KmsTuiError with all that is wrong
        with it, and nothing added.
        """
        backend = self.backend
        read = _read(seed, backend.account_id, backend.region)
        self._apply(read)
        return read.access_keys

    def _apply(self, seed: Seed) -> None:
        from kms_tui.seed.seed_application import apply_seed

        apply_seed(seed, self._store)
        for key in seed.access_keys:
            self._access_keys.add(key)

    def access_key(self, arn: str, **members: Any) -> AccessKey:
        """An access key of a principal: the one that is known, or a new one.

        ``members`` are those of a principal in a seed (``policies``, ``tags``, ``via``, ``source_arn``,
        ``context`` …), for a principal of which the seed says nothing.
        """
        with self._lock:
            keys = self._access_keys.copy().values()
            known = next((key for key in keys if key.caller_arn == arn and not key.session_token), None)
            if known is not None and not members:
                return known
            access_key_id = f"AKIALOCALKMS{next(_numbers):08}"
            named = {"arn": arn, "access_key_id": access_key_id, "secret_access_key": _SECRET}
            (made,) = self.add({"principals": [named | members]})
            return made

    def snapshot(self) -> KmsSnapshot:
        """The present state: keys, policies, access keys and the clock."""
        return self._control.snapshot()

    def restore(self, snapshot: KmsSnapshot) -> None:
        """Go back to a state of this KMS; the calls made so far, and ordered faults, stay.

        ValueError for a state of another KMS.
        """
        self._control.restore(snapshot)

    def reset(self) -> None:
        """Go back to the seed: no faults, and no calls."""
        self._control.reset()

    def session(
        self, principal: AccessKey | str | None = None, *, region: str | None = None
    ) -> boto3.Session:
        """A boto3 session of a principal, by access key or ARN; without one, of the default caller.

        Its clients speak to this KMS, also while another or none is active.
        """
        key = self.access_key(principal) if isinstance(principal, str) else principal
        made = boto3.Session(
            aws_access_key_id=key.access_key_id if key else _ID,
            aws_secret_access_key=key.secret_access_key if key else _SECRET,
            aws_session_token=(key.session_token or None) if key else None,
            region_name=region or self.backend.region,
        )
        client_hook.lead_session(made.events, self)
        return made

    def client(
        self, principal: AccessKey | str | None = None, *, service: str = "kms", region: str | None = None
    ) -> Any:
        """A boto3 client of a principal, as ``session``."""
        session: Any = self.session(principal, region=region)
        return session.client(service)

    @contextmanager
    def served(self, *, port: int = 0) -> Iterator[str]:
        """The same KMS over HTTP as well, with its control, for other processes; gives its URL."""
        from kms_tui.serve.server import running  # a test without HTTP waits for no server

        with running(self.backend, port=port, control=self._control) as url:
            yield url

    def __enter__(self) -> Self:
        region = self._region or surroundings.environment_region() or self.backend.region
        surroundings.begin(self, _ID, _SECRET, region)
        client_hook.activate(self)
        return self

    def __exit__(self, *exception: object) -> None:
        client_hook.deactivate(self)
        surroundings.end(self)

    def close(self) -> None:
        """Give up what it holds, at its end."""
        self._store.close()

    def offers(self, service: str) -> bool:
        return service == "kms" or self._sts

    def respond(self, request: HttpRequest) -> HttpResponse:
        """Answer a request as the served KMS does."""
        task = self._endpoint.accept(request)
        if isinstance(task, HttpResponse):
            return task
        injected = self._injection.begin(task)
        if injected.delay:
            time.sleep(injected.delay)
        response = injected.response or self._endpoint.run(injected.task)
        return self._injection.end(injected, response)


def _read(seed: SeedSource, account: str, region: str) -> Seed:
    """The seed; one without a Region is in this. An account without a seed does not wait for its schema."""
    from kms_tui.seed.seed_reading import read_seed

    return read_seed(_source(seed), account=account, region=region)


def _source(seed: SeedSource) -> SeedSource:
    """The seed, its file as a Path."""
    is_path = isinstance(seed, str) and seed.endswith(_FILE_ENDINGS) and "\n" not in seed
    return Path(seed) if is_path and isinstance(seed, str) else seed
