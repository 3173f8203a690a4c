"""Where the server listens, what of that can be wrong, and what it waits for."""

from __future__ import annotations

import socket

import pytest

from kms_tui.kms.errors import EndpointError
from kms_tui.serve import server
from kms_tui.serve.any_admission import AnyAdmission
from kms_tui.serve.application import Application
from kms_tui.serve.endpoint import Endpoint
from kms_tui.serve.server import listen
from tests.unit.serve.fakes import FakeBackend


@pytest.mark.parametrize("host", ["\udcff", "a..b", "x" * 300, "é" * 70])
def test_a_host_that_can_be_none_is_a_sentence(host: str) -> None:
    """Python refuses these before it asks anybody."""
    with pytest.raises(EndpointError, match=r"Cannot listen on .*: it is no name of a host"):
        listen(host, 0)


def test_a_host_that_nobody_knows_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(EndpointError, match="Cannot listen on nowhere: Name or service not known"):
        listen("nowhere", 0)


def test_the_server_waits_at_its_end_for_the_calls_under_way() -> None:
    application = Application(Endpoint(FakeBackend(), AnyAdmission(())))
    assert server._server(application, lambda: None).server_state.tasks is application.running
