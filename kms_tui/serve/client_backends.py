"""The backend of each client: its principal, its Region, its address and its name for itself."""

from __future__ import annotations

from typing import NamedTuple

from kms_tui.backend.base import Backend, NotesOrigin
from kms_tui.backend.local.local_backend import LocalBackend
from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.serve.admission import Admitted
from kms_tui.serve.http_messages import HttpRequest

_MAX_BACKENDS = 512
_MAX_PRINCIPALS = 512


class _Client(NamedTuple):
    access_key: AccessKey | None
    backend: Backend


class ClientBackends:
    """Gives each client a backend, and keeps it; several threads may use it.

    Access keys count where the backend is an offline one; any other has one caller.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._principals: dict[tuple[str, str | None], _Client] = {}
        self._clients: dict[tuple[str, str | None, str, str], _Client] = {}

    def of(self, request: HttpRequest, admitted: Admitted) -> Backend:
        """The backend for an admitted request."""
        region, key = admitted
        agent = request.headers.get("user-agent", "")
        address = request.client_address
        name = (key.access_key_id if key else "", region, address, agent)
        client = self._clients.get(name)
        if client is not None and client.access_key is key:
            return client.backend
        backend = self._of_principal(key, region)
        if isinstance(backend, NotesOrigin):
            backend = backend.called_from(address, agent)
        if len(self._clients) >= _MAX_BACKENDS:
            self._clients.clear()
        self._clients[name] = _Client(key, backend)
        return backend

    def _of_principal(self, key: AccessKey | None, region: str | None) -> Backend:
        """One for all clients of an access key in a Region, who share what is read of its policies."""
        if key is None or not isinstance(self._backend, LocalBackend):
            return self._backend if region is None else self._backend.in_region(region)
        name = (key.access_key_id, region)
        known = self._principals.get(name)
        if known is not None and known.access_key is key:
            return known.backend
        if len(self._principals) >= _MAX_PRINCIPALS:
            self._principals.clear()
        backend = self._backend.called_by(key, region)
        self._principals[name] = _Client(key, backend)
        return backend

    def __len__(self) -> int:
        """How many clients' backends are kept."""
        return len(self._clients)
