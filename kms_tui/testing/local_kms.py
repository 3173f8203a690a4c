"""An offline KMS inside a test: every boto3 client of the process speaks to it, without a port."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self

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
from kms_tui.seed.seed_application import apply_seed
from kms_tui.seed.seed_model import Seed
from kms_tui.seed.seed_reading import read_seed
from kms_tui.serve import running
from kms_tui.serve.any_admission import AnyAdmission
from kms_tui.serve.endpoint import Endpoint
from kms_tui.serve.fault_injection import FaultInjection
from kms_tui.serve.http_messages import HttpRequest, HttpResponse
from kms_tui.testing import client_hook

SeedSource = str | Path | Mapping[str, Any]
"""A file (a text that ends in .yaml, .yml, .json or .toml is its path), its text, or what it would say."""
_FILE_ENDINGS = (".yaml", ".yml", ".json", ".toml")

_ID, _SECRET = "AKIALOCALKMSADMIN000", "local-kms/administrator/secret/access000"
"""The access key in the environment of a test; like any that is not known, it is the default caller's."""


class LocalKms:
    """A KMS of its own, in memory, with real cryptography, policies and grants.

    While it is active (``with LocalKms(seed="seed.yaml") as kms:``) every boto3 or botocore client of the
    process speaks to it, in any thread, however it was made; nothing reaches the network. Requests for other
    services go where they went. Several may be active: the last one answers.

    ``seed`` is a file, its text or a mapping (``kms_tui.seed``), and names the account and the Region where
    these are not given; ``now`` a moment at which its clock stands
    still, instead of real time. ``caller_arn`` is who calls with credentials that it does not know, instead
    of the account's administrator. ``sts`` False leaves STS to others, such as moto. ``attestation_trust``
    says which attestation documents of Nitro Enclaves are believed.
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
        read = None if seed is None else _read(seed)
        self.clock = ControlledClock(now)
        self._sts = sts
        self._store = open_store(clock=self.clock)
        self._access_keys = AccessKeys(self._store.now)
        self.backend = LocalBackend(
            self._store,
            account_id=account_id or (read.account if read else DEFAULT_ACCOUNT),
            region=region or (read.region if read else DEFAULT_REGION),
            caller_arn=caller_arn,
            attestation_trust=attestation_trust,
        )
        """The KMS itself, called as the default caller without any client."""
        if read is not None:
            self._apply(read)
        self._control = KmsControl(self._store, self.clock, self._access_keys)
        self._endpoint = Endpoint(self.backend, AnyAdmission((), self._access_keys))
        self._injection = FaultInjection(self._control)
        self._active = ExitStack()

    @property
    def faults(self) -> FaultRules:
        """The faults that calls meet: ``kms.faults.plan("Encrypt", THROTTLE, OK)``."""
        return self._control.faults

    @property
    def calls(self) -> CallJournal:
        """The calls made since the last reset: ``kms.calls.count("Decrypt")``."""
        return self._control.calls

    def add(self, seed: SeedSource) -> tuple[AccessKey, ...]:
        """Add what a seed says to what is there; the access keys that it names.

        KmsTuiError with all that is wrong with it, and nothing added.
        """
        read = _read(seed)
        self._apply(read)
        return read.access_keys

    def _apply(self, seed: Seed) -> None:
        apply_seed(seed, self._store)
        for key in seed.access_keys:
            self._access_keys.add(key)

    def access_key(self, arn: str, **members: Any) -> AccessKey:
        """An access key of a principal: the one that is known, or a new one.

        ``members`` are those of a principal in a seed (``policies``, ``tags``, ``via``, ``source_arn``,
        ``context`` …), for a principal of which the seed says nothing.
        """
        keys = self._access_keys.copy().values()
        known = next((key for key in keys if key.caller_arn == arn and not key.session_token), None)
        if known is not None and not members:
            return known
        named = {"arn": arn, "access_key_id": f"AKIALOCALKMS{len(keys):08}", "secret_access_key": _SECRET}
        (made,) = self.add({"principals": [named | members]})
        return made

    def snapshot(self) -> KmsSnapshot:
        """The present state: keys, policies, access keys and the clock."""
        return self._control.snapshot()

    def restore(self, snapshot: KmsSnapshot) -> None:
        """Go back to a state of this KMS; the calls made so far, and ordered faults, stay."""
        self._control.restore(snapshot)

    def reset(self) -> None:
        """Go back to the seed: no faults, and no calls."""
        self._control.reset()

    def session(
        self, principal: AccessKey | str | None = None, *, region: str | None = None
    ) -> boto3.Session:
        """A boto3 session of a principal, by access key or ARN; without one, of the default caller."""
        key = self.access_key(principal) if isinstance(principal, str) else principal
        return boto3.Session(
            aws_access_key_id=key.access_key_id if key else _ID,
            aws_secret_access_key=key.secret_access_key if key else _SECRET,
            aws_session_token=(key.session_token or None) if key else None,
            region_name=region or self.backend.region,
        )

    def client(
        self, principal: AccessKey | str | None = None, *, service: str = "kms", region: str | None = None
    ) -> Any:
        """A boto3 client of a principal, as ``session``."""
        session: Any = self.session(principal, region=region)
        return session.client(service)

    @contextmanager
    def served(self, *, port: int = 0) -> Iterator[str]:
        """The same KMS over HTTP as well, with its control, for other processes; gives its URL."""
        with running(self.backend, port=port, control=self._control) as url:
            yield url

    def __enter__(self) -> Self:
        client_hook.activate(self)
        self._active.callback(client_hook.deactivate, self)
        self._active.enter_context(_environment(self.backend.region))
        return self

    def __exit__(self, *exception: object) -> None:
        self._active.close()

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


def _read(source: SeedSource) -> Seed:
    is_path = isinstance(source, str) and source.endswith(_FILE_ENDINGS) and "\n" not in source
    return read_seed(Path(source) if is_path and isinstance(source, str) else source)


@contextmanager
def _environment(region: str) -> Iterator[None]:
    """Credentials in the environment, so that clients find some, and never real ones."""
    values = {"AWS_ACCESS_KEY_ID": _ID, "AWS_SECRET_ACCESS_KEY": _SECRET, "AWS_SESSION_TOKEN": None}
    if not os.environ.get("AWS_DEFAULT_REGION"):  # the only one that boto3 reads
        values["AWS_DEFAULT_REGION"] = os.environ.get("AWS_REGION") or region
    before = {name: os.environ.get(name) for name in values}
    _set_environment(values)
    try:
        yield
    finally:
        _set_environment(before)


def _set_environment(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
