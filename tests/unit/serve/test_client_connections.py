"""How long a connection is waited for."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from kms_tui.serve.client_connections import REQUEST_SECONDS, STALL_SECONDS, ClientConnection


class FakeTransport(asyncio.Transport):
    """Remembers what is done to it; what is written to it stays unread."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = self.closing = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.aborted = True


async def application(_scope: Any, _receive: Any, _send: Any) -> None: ...


@pytest.fixture
def transport() -> FakeTransport:
    return FakeTransport()


@pytest.fixture
def connection(transport: FakeTransport) -> ClientConnection:
    config = Config(application, http=ClientConnection, ws="none", log_config=None, log_level="critical")
    made = ClientConnection(config, ServerState(), {}, asyncio.new_event_loop())
    made.loop.close()
    made.connection_made(transport)
    return made


def test_a_connection_without_a_request_is_aborted_after_a_while(
    connection: ClientConnection, transport: FakeTransport
) -> None:
    connection.sweep(time.monotonic() + REQUEST_SECONDS / 2)
    assert not transport.aborted
    connection.sweep(time.monotonic() + REQUEST_SECONDS + 1)
    assert transport.aborted


@pytest.mark.parametrize("why", ["paused", "closing"])
def test_an_answer_that_nobody_reads_is_aborted_after_a_while(
    connection: ClientConnection, transport: FakeTransport, why: str
) -> None:
    connection._awaited_since = None
    if why == "paused":
        connection.pause_writing()
    else:
        transport.close()
    for seconds, aborted in ((0, False), (STALL_SECONDS - 1, False), (STALL_SECONDS + 1, True)):
        connection.sweep(1000 + seconds)
        assert transport.aborted is aborted


def test_an_answer_that_is_read_slowly_is_not(connection: ClientConnection, transport: FakeTransport) -> None:
    connection._awaited_since = None
    for seconds in range(0, 100, 10):
        connection.pause_writing()
        connection.sweep(1000 + seconds)
        connection.resume_writing()
        connection.sweep(1005 + seconds)
    assert not transport.aborted
