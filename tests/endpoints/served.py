"""Our own server over a backend that can be exchanged while it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from kms_tui.backend.aws import AwsBackend, connect
from kms_tui.backend.base import Backend
from kms_tui.kms.model import CallerIdentity
from kms_tui.serve.server import running
from kms_tui.serve.sigv4 import random_credential
from tests.endpoints.environment import clear_aws_environment


class Switch:
    """A backend that passes everything to whichever backend ``current`` is."""

    def __init__(self, region: str, switch: Switch | None = None) -> None:
        self._region = region
        self._switch = switch or self
        self.current: Backend | None = None

    @property
    def _inner(self) -> Backend:
        current = self._switch.current
        assert current is not None, "nothing is behind the server"
        return current.in_region(self._region)

    @property
    def account_id(self) -> str:
        return self._inner.account_id

    @property
    def region(self) -> str:
        return self._region

    @property
    def partition(self) -> str:
        return self._inner.partition

    def caller(self) -> CallerIdentity:
        return self._inner.caller()

    def in_region(self, region: str) -> Switch:
        return Switch(region, self._switch)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._inner.call(operation, params)


@contextmanager
def served_connection(region: str) -> Iterator[tuple[Switch, AwsBackend]]:
    """A running server that checks signatures, and an AwsBackend that signs for it."""
    switch, credential = Switch(region), random_credential()
    with running(switch, credential=credential) as url:
        with pytest.MonkeyPatch.context() as patch:
            clear_aws_environment(patch)
            patch.setenv("AWS_ACCESS_KEY_ID", credential.access_key_id)
            patch.setenv("AWS_SECRET_ACCESS_KEY", credential.secret_access_key)
            backend = connect(region=region, endpoint_url=url)
        yield switch, backend
