"""uvicorn's HTTP protocol with limits: connections that are slow, silent or too many are closed."""

from __future__ import annotations

import asyncio
import time
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

REQUEST_SECONDS = 20.0
"""How long a request may take to arrive, from the connection or its first byte on."""

STALL_SECONDS = 20.0
"""How long a client may leave an answer unread."""

MAX_HEADER_BYTES = 64 * 1024
MAX_CONNECTIONS = 1000

_INTERIM = b"HTTP/1.1 100 "
_BUSY = b'{"__type":"ThrottlingException","message":"Too many connections."}'
_HEADERS_TOO_LARGE = b'{"__type":"RequestEntityTooLargeException","message":"The headers are too large."}'


class _Joined:
    """A transport for answers: head and body leave together, which spares both sides a system call.

    uvicorn writes them one after the other; measured with small answers, a tenth of the server's time.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._parts: list[bytes] = []
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        if data.startswith(_INTERIM):
            self._transport.write(data)
        else:
            self._parts.append(data)

    def flush(self) -> None:
        if self._parts:
            self._transport.write(b"".join(self._parts))
            self._parts.clear()

    def close(self) -> None:
        self.flush()
        self._transport.close()


class ClientConnection(HttpToolsProtocol):
    """One client's connection; whoever owns it calls ``sweep`` about once a second."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._awaited_since: float | None = time.monotonic()
        self._stalled_since: float | None = None
        self._header_bytes: int | None = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._joined = _Joined(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self._refuse(b"503 Service Unavailable", _BUSY)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._header_bytes is not None:
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES:
                self._refuse(b"431 Request Header Fields Too Large", _HEADERS_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._awaited_since = time.monotonic()
        self._header_bytes = 0

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.cycle.transport = cast(asyncio.Transport, self._joined)
        self._header_bytes = None

    def on_response_complete(self) -> None:
        self._joined.flush()
        super().on_response_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._awaited_since = None

    def shutdown(self) -> None:
        """Let an answer be finished, but wait for no request."""
        if self._awaited_since is None:
            super().shutdown()
        else:
            self.transport.close()

    def sweep(self, now: float) -> None:
        """Close the connection if its request, or the reading of its answer, takes too long."""
        if self._awaited_since is not None and now - self._awaited_since > REQUEST_SECONDS:
            self.transport.abort()
        elif not (self.flow.write_paused or self.transport.is_closing()):
            self._stalled_since = None
        elif self._stalled_since is None:
            self._stalled_since = now
        elif now - self._stalled_since > STALL_SECONDS:
            self.transport.abort()

    def _refuse(self, status: bytes, body: bytes) -> None:
        self.transport.write(
            b"HTTP/1.1 %b\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: %d\r\n"
            b"connection: close\r\n\r\n%b" % (status, len(body), body)
        )
        self.transport.close()
