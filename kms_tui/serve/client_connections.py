"""A client's connection: HTTP/1.1 by httptools, with limits, for uvicorn's server.

uvicorn's own protocol is for any ASGI application; this one, for an application that takes requests and gives
answers as values, costs a third less of a processor for all of a small request. Connections that are slow,
silent or too many are closed.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from collections import defaultdict, deque
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, NamedTuple, cast

import httptools
from uvicorn.config import Config
from uvicorn.server import ServerState

from kms_tui.serve.application import MAX_BODY, MAX_DISCARDED
from kms_tui.serve.aws_json import error_body
from kms_tui.serve.http_messages import Delivery, HttpRequest, HttpResponse

REQUEST_SECONDS = 20.0
"""How long a request may take to arrive, from the connection or its first byte on."""

STALL_SECONDS = 20.0
"""How long a client may leave an answer unread."""

_NO_LINGERING = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
"""SO_LINGER with no time to linger: what is closed so is reset."""

MAX_HEADER_BYTES = 64 * 1024
MAX_CONNECTIONS = 1000

_BUSY = HttpResponse(503, error_body("ThrottlingException", "Too many connections."), close=True)
_HEADERS_TOO_LARGE = HttpResponse(
    431, error_body("RequestEntityTooLargeException", "The headers are too large."), close=True
)
_NO_HTTP = HttpResponse(400, b"Invalid HTTP request received.", "text/plain; charset=utf-8", close=True)
_STATUS_LINES = {each.value: f"HTTP/1.1 {each.value} {each.phrase}\r\n" for each in HTTPStatus}


class _Received(NamedTuple):
    """A request, and whether another may follow it."""

    request: HttpRequest
    keeps_alive: bool


class ClientConnection(asyncio.Protocol):
    """One client's connection, whose requests are answered one after another.

    The application is called with a request and a function that takes its answer, at once or later, on the
    loop. Whoever owns the connection calls ``sweep`` about once a second.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._application = cast(Any, config.loaded_app)
        self._keep_alive_seconds = config.timeout_keep_alive
        self._server_state = server_state
        self._connections = cast(set[Any], server_state.connections)
        self._loop = _loop or asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        # A request after one that ends the connection is no error: it is not looked at.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._waiting: deque[_Received] = deque()
        self._answered: _Received | None = None
        self._refusal: HttpResponse | None = None
        self._is_ending = False
        self._is_gone = False
        """Whether the client sends nothing more, or the server ends."""
        self._is_unanswered = False
        """Whether the present request is to have no answer."""
        self._is_full = False
        self._awaited_since: float | None = time.monotonic()
        self._idle_since: float | None = None
        self._stalled_since: float | None = None
        self._header_bytes: int | None = 0
        self._has_only_headers = True

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if isinstance(peer, tuple) and peer else ""
        self._connections.add(self)
        if len(self._connections) > MAX_CONNECTIONS:
            self._refuse(_BUSY)

    def connection_lost(self, _error: Exception | None) -> None:
        self._connections.discard(self)
        self._forget_waiting()

    def data_received(self, data: bytes) -> None:
        if self._transport.is_closing() or self._refusal is not None:
            return
        self._has_only_headers = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # No other protocol is offered: the request was answered as any, as the last one.
        except httptools.HttpParserError:
            self._refuse(_NO_HTTP)
            return
        if self._header_bytes is not None and self._has_only_headers:
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES:
                self._refuse(_HEADERS_TOO_LARGE)

    def eof_received(self) -> bool:
        """Keep the connection of a client that sends nothing more until all that it sent is answered."""
        self._is_ending = self._is_gone = True
        self._awaited_since = None
        return not self._is_unanswered and (self._answered is not None or bool(self._waiting))

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._begin_next()

    # The parser's side

    def on_message_begin(self) -> None:
        self._awaited_since = time.monotonic()
        self._idle_since = None
        self._header_bytes = 0
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._header_bytes = None
        target = httptools.parse_url(self._url)
        self._path, self._query = target.path.decode("latin-1"), (target.query or b"").decode("latin-1")
        self._names = _as_text(self._headers)
        is_free = self._answered is None and not self._is_ending
        if is_free and self._names.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_chunk_header(self) -> None:
        """Count again: after the last chunk there may be trailers, which mean nothing here."""
        self._header_bytes = 0

    def on_body(self, body: bytes) -> None:
        """Keep a body until it is too large, and read on for a while: see ``MAX_DISCARDED``."""
        self._header_bytes, self._has_only_headers = None, False
        if self._body_bytes <= MAX_BODY:
            self._body.append(body)
        self._body_bytes += len(body)
        if self._body_bytes > MAX_DISCARDED:
            self._receive()

    def on_message_complete(self) -> None:
        self._header_bytes, self._has_only_headers = None, False
        self._receive()

    # Requests and answers

    def _receive(self) -> None:
        self._awaited_since = None
        if self._is_ending:
            return
        method, body = self._parser.get_method().decode("ascii"), b"".join(self._body)
        request = HttpRequest(method, self._path, self._query, self._names, body, self._address)
        # The parser passes over the body of a request to upgrade, which must not count as the next request.
        keeps_alive = (
            self._parser.get_http_version() != "1.0"
            and self._parser.should_keep_alive()
            and not self._parser.should_upgrade()
        )
        self._is_ending = not keeps_alive or self._body_bytes > MAX_DISCARDED
        self._waiting.append(_Received(request, keeps_alive))
        self._begin_next()
        if self._waiting:
            self._transport.pause_reading()

    def _begin_next(self) -> None:
        """Have the next request answered, or refuse what follows, unless an answer is still to be sent."""
        if self._answered is not None or self._is_full or self._transport.is_closing():
            return
        if self._waiting:
            self._answered = self._waiting.popleft()
            self._application(self._answered.request, self._answer)
        elif self._refusal is not None:
            self._transport.write(self._bytes_of(self._refusal, None, True))
            self._end()

    def _answer(self, response: HttpResponse) -> None:
        if response.delivery is Delivery.NEVER:
            self._is_unanswered = True
            if self._is_gone:
                self._reset()
            return
        received, self._answered = self._answered, None
        if received is None or self._transport.is_closing():
            return
        is_half = response.delivery is Delivery.HALF
        if response.delivery is Delivery.RESET or (is_half and not response.body):
            self._reset()
            return
        ends = response.close or is_half or not received.keeps_alive
        message = self._bytes_of(response, received.request, ends)
        self._transport.write(message[: len(message) - (len(response.body) + 1) // 2] if is_half else message)
        if ends:
            self._end()
        elif self._waiting or self._refusal is not None:
            self._loop.call_soon(self._begin_next)
        elif self._is_ending:
            self._end()
        else:
            if self._awaited_since is None:
                self._idle_since = time.monotonic()
            else:
                self._awaited_since = time.monotonic()
            self._transport.resume_reading()

    def _end(self) -> None:
        """Close once everything that was written is sent, and look at nothing more."""
        self._forget_waiting()
        self._transport.close()

    def _reset(self) -> None:
        """Have the client see that the connection was reset, not that it came to its end."""
        self._forget_waiting()
        connected = self._transport.get_extra_info("socket")
        if connected is not None:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
        self._transport.abort()

    def _forget_waiting(self) -> None:
        self._is_ending = True
        self._waiting.clear()
        self._refusal = None

    def _refuse(self, response: HttpResponse) -> None:
        """Answer what is no request, after the requests before it, and end."""
        self._is_ending = True
        self._awaited_since = None
        self._refusal = response
        self._transport.pause_reading()
        self._begin_next()

    def _bytes_of(self, response: HttpResponse, request: HttpRequest | None, ends: bool) -> bytes:
        """An answer on the wire: head and body leave together, which spares both sides a system call."""
        defaults = self._server_state.default_headers
        if response.headers:
            own = {name.encode() for name, _ in response.headers}
            defaults = [header for header in defaults if header[0] not in own]
        lines = [
            _STATUS_LINES.get(response.status) or f"HTTP/1.1 {response.status} Unknown\r\n",
            *(f"{name.decode()}: {value.decode()}\r\n" for name, value in defaults),
            f"content-type: {response.content_type}\r\ncontent-length: {len(response.body)}\r\n",
        ]
        if request is not None:
            lines.append(f"x-amzn-requestid: {request.id}\r\n")
        for name, value in response.headers:
            lines.append(f"{name}: {value}\r\n")
        lines.append("connection: close\r\n\r\n" if ends else "\r\n")
        has_body = request is None or request.method != "HEAD"
        return "".join(lines).encode("latin-1") + (response.body if has_body else b"")

    # The server's side

    def shutdown(self) -> None:
        """Let an answer be finished, but wait for no request."""
        self._is_gone = True
        if self._answered is None:
            self._end()
        elif self._is_unanswered:
            self._reset()
        else:
            self._answered = self._answered._replace(keeps_alive=False)

    def sweep(self, now: float) -> None:
        """Close the connection if its request, or the reading of its answer, takes too long."""
        # While requests wait, nothing more is read.
        awaited_since = None if self._waiting else self._awaited_since
        if awaited_since is not None and now - awaited_since > REQUEST_SECONDS:
            self._transport.abort()
        elif self._idle_since is not None and now - self._idle_since > self._keep_alive_seconds:
            self._transport.close()
        elif not (self._is_full or self._transport.is_closing()):
            self._stalled_since = None
        elif self._stalled_since is None:
            self._stalled_since = now
        elif now - self._stalled_since > STALL_SECONDS:
            self._transport.abort()


def _as_text(received: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by their names in lower case."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in received}
    return headers if len(headers) == len(received) else _joined(received)


def _joined(received: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers of which some are repeated: their values joined by commas."""
    values = defaultdict(list)
    for name, value in received:
        values[name.decode("latin-1").lower()].append(value.decode("latin-1"))
    return {name: ",".join(each) for name, each in values.items()}
