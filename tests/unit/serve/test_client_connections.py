"""What a connection asks the application, in which order it answers, and how long it waits."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from kms_tui.serve.application import MAX_BODY, MAX_DISCARDED
from kms_tui.serve.client_connections import (
    MAX_HEADER_BYTES,
    REQUEST_SECONDS,
    STALL_SECONDS,
    ClientConnection,
)
from kms_tui.serve.http_messages import Delivery, HttpRequest, HttpResponse

KEEP_ALIVE = 60


class FakeTransport(asyncio.Transport):
    """Remembers what is done to it."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = self.closing = False
        self.is_read = True
        self.written = b""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("10.0.3.7", 4711) if name == "peername" else default

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.aborted = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True


class Application:
    """Keeps the requests, and what takes their answers."""

    def __init__(self) -> None:
        self.asked: list[HttpRequest] = []
        self._answers: list[Callable[[HttpResponse], None]] = []

    def __call__(self, request: HttpRequest, answer: Callable[[HttpResponse], None]) -> None:
        self.asked.append(request)
        self._answers.append(answer)

    def answer(self, body: bytes, *, close: bool = False, delivery: Delivery = Delivery.WHOLE) -> None:
        self._answers.pop(0)(HttpResponse(200, body, close=close, delivery=delivery))


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
def transport() -> FakeTransport:
    return FakeTransport()


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture
def connection(
    application: Application, transport: FakeTransport, loop: asyncio.AbstractEventLoop
) -> ClientConnection:
    config = Config(
        application,
        http=ClientConnection,
        interface="asgi3",
        proxy_headers=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE,
    )
    config.load()
    made = ClientConnection(config, ServerState(), {}, loop)
    made.connection_made(transport)
    return made


def post(path: str, *headers: str, body: bytes = b"", version: str = "1.1") -> bytes:
    lines = [f"POST {path} HTTP/{version}", "Host: h", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def turn(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_until_complete(asyncio.sleep(0))


def test_a_request_comes_as_it_is_on_the_wire(connection: ClientConnection, application: Application) -> None:
    sent = post("/a%20b?c=%2F", "X-One: 1", "x-one: \xe9", body=b"{}")
    for part in (sent[:9], sent[9:70], sent[70:]):
        connection.data_received(part)
    (request,) = application.asked
    assert (request.method, request.path, request.query, request.body) == ("POST", "/a%20b", "c=%2F", b"{}")
    assert request.headers == {"host": "h", "content-length": "2", "x-one": "1,\xe9"}
    assert request.address == "10.0.3.7"


def test_requests_are_asked_one_after_another_and_not_read_meanwhile(
    connection: ClientConnection,
    application: Application,
    transport: FakeTransport,
    loop: asyncio.AbstractEventLoop,
) -> None:
    connection.data_received(post("/1") + post("/2") + post("/3"))
    read = []
    for number in range(3):
        assert len(application.asked) == number + 1
        read.append(transport.is_read)
        application.answer(b"answer %d" % number)
        turn(loop)
    assert [request.path for request in application.asked] == ["/1", "/2", "/3"]
    assert re.findall(rb"answer \d", transport.written) == [b"answer 0", b"answer 1", b"answer 2"]
    assert [*read, transport.is_read] == [False, False, False, True]


@pytest.mark.parametrize("how", ["header", "version", "answer", "shutdown"])
def test_after_the_last_answer_a_connection_closes_and_asks_nothing_more(
    connection: ClientConnection,
    application: Application,
    transport: FakeTransport,
    loop: asyncio.AbstractEventLoop,
    how: str,
) -> None:
    headers = ["Connection: close"] if how == "header" else []
    first = post("/1", *headers, version="1.0" if how == "version" else "1.1")
    connection.data_received(first + post("/2"))
    if how == "shutdown":
        connection.shutdown()
        assert not transport.closing
    application.answer(b"", close=how == "answer")
    turn(loop)
    connection.resume_writing()
    assert transport.closing
    assert b"\r\nconnection: close\r\n\r\n" in transport.written
    assert [request.path for request in application.asked] == ["/1"]


def test_a_connection_at_rest_ends_with_the_server(
    connection: ClientConnection, transport: FakeTransport
) -> None:
    connection.shutdown()
    assert transport.closing


def test_the_next_request_waits_until_the_answer_before_was_read(
    connection: ClientConnection,
    application: Application,
    transport: FakeTransport,
    loop: asyncio.AbstractEventLoop,
) -> None:
    connection.data_received(post("/1") + post("/2"))
    connection.pause_writing()
    application.answer(b"")
    turn(loop)
    assert len(application.asked) == 1
    connection.resume_writing()
    assert len(application.asked) == 2


def test_the_answer_to_a_client_that_went_away_is_dropped(
    connection: ClientConnection, application: Application, transport: FakeTransport
) -> None:
    connection.data_received(post("/"))
    transport.closing = True
    connection.connection_lost(None)
    application.answer(b"x")
    assert transport.written == b""


def test_who_waits_for_it_is_told_to_go_on(connection: ClientConnection, transport: FakeTransport) -> None:
    connection.data_received(post("/", "Expect: 100-Continue", body=b"{}")[:-2])
    assert transport.written == b"HTTP/1.1 100 Continue\r\n\r\n"


def test_nobody_is_told_to_go_on_amid_the_answer_to_another(
    connection: ClientConnection, transport: FakeTransport
) -> None:
    connection.data_received(post("/1") + post("/2", "Expect: 100-continue", body=b"{}")[:-2])
    assert transport.written == b""


def test_a_body_is_kept_until_it_is_too_large_and_asked_about_once(
    connection: ClientConnection, application: Application
) -> None:
    sent = post("/", body=b"x" * (MAX_DISCARDED + 2 * MAX_BODY))
    for start in range(0, len(sent), MAX_BODY // 2):
        connection.data_received(sent[start : start + MAX_BODY // 2])
    (request,) = application.asked
    assert MAX_BODY < len(request.body) <= 2 * MAX_BODY


def test_many_requests_in_one_read_are_no_large_headers(
    connection: ClientConnection, application: Application, transport: FakeTransport
) -> None:
    connection.data_received(post("/") * (MAX_HEADER_BYTES // 10) + post("/")[:20])
    assert (len(application.asked), transport.written) == (1, b"")


def test_trailers_too_large_are_refused(
    connection: ClientConnection, application: Application, transport: FakeTransport
) -> None:
    chunked = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.data_received(chunked + b"2\r\n{}\r\n0\r\n")
    connection.data_received(b"X-Filler: x\r\n" * MAX_HEADER_BYTES)
    assert transport.written.startswith(b"HTTP/1.1 431 ")
    assert application.asked == []


def test_a_chunked_body_and_its_end_are_no_headers(
    connection: ClientConnection, application: Application, transport: FakeTransport
) -> None:
    chunked = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    size = 2 * MAX_HEADER_BYTES
    connection.data_received(chunked + b"%x\r\n" % size)
    connection.data_received(b"x" * size + b"\r\n0")
    connection.data_received(b"\r\nX-Trailer: 1\r\n\r\n")
    (request,) = application.asked
    assert (len(request.body), transport.written) == (size, b"")
    assert "x-trailer" not in request.headers


def test_what_is_no_request_is_refused_after_the_answers_before_it(
    connection: ClientConnection,
    application: Application,
    transport: FakeTransport,
    loop: asyncio.AbstractEventLoop,
) -> None:
    connection.data_received(post("/1") + post("/2") + b"\0no request\r\n\r\n")
    connection.sweep(time.monotonic() + REQUEST_SECONDS + 1)
    for body in (b"answer 1", b"answer 2"):
        assert not transport.closing
        application.answer(body)
        turn(loop)
    assert re.findall(rb"answer \d|HTTP/1.1 400", transport.written) == [
        b"answer 1",
        b"answer 2",
        b"HTTP/1.1 400",
    ]
    assert transport.closing
    assert not transport.aborted


def test_the_time_in_which_nothing_is_read_does_not_count(
    connection: ClientConnection,
    application: Application,
    transport: FakeTransport,
    loop: asyncio.AbstractEventLoop,
) -> None:
    connection.data_received(post("/1") + post("/2") + post("/3")[:9])
    connection.sweep(time.monotonic() + REQUEST_SECONDS + 1)
    for _ in range(2):
        assert not transport.aborted
        application.answer(b"")
        turn(loop)
    connection.sweep(time.monotonic() + REQUEST_SECONDS - 1)
    assert not transport.aborted
    connection.sweep(time.monotonic() + REQUEST_SECONDS + 1)
    assert transport.aborted


def test_a_connection_at_rest_is_closed_after_a_while(
    connection: ClientConnection, application: Application, transport: FakeTransport
) -> None:
    connection.data_received(post("/"))
    connection.sweep(time.monotonic() + 2 * KEEP_ALIVE)
    application.answer(b"")
    closed = []
    for seconds in (KEEP_ALIVE / 2, KEEP_ALIVE + 1):
        connection.sweep(time.monotonic() + seconds)
        closed.append(transport.closing)
    assert closed == [False, True]
    assert not transport.aborted


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


@pytest.mark.parametrize("next_one", [post("/2"), b"\0no request\r\n\r\n"], ids=["request", "no request"])
def test_nothing_more_is_asked_or_refused_once_the_connection_closes(
    connection: ClientConnection,
    application: Application,
    transport: FakeTransport,
    loop: asyncio.AbstractEventLoop,
    next_one: bytes,
) -> None:
    connection.data_received(post("/1") + next_one)
    application.answer(b"")
    written = transport.written
    transport.close()
    turn(loop)
    assert [request.path for request in application.asked] == ["/1"]
    assert transport.written == written


@pytest.mark.parametrize("reads", [1, 2])
def test_the_body_of_a_request_to_upgrade_is_no_request(
    connection: ClientConnection,
    application: Application,
    transport: FakeTransport,
    loop: asyncio.AbstractEventLoop,
    reads: int,
) -> None:
    inner = post("/inner")
    sent = post("/", "Connection: Upgrade", "Upgrade: h2c", body=inner)
    for part in [sent] if reads == 1 else [sent[: -len(inner)], inner]:
        connection.data_received(part)
    application.answer(b"")
    turn(loop)
    connection.data_received(inner)
    assert [request.path for request in application.asked] == ["/"]
    assert transport.closing
    assert transport.written.count(b"HTTP/1.1 ") == 1


def test_a_client_that_sends_nothing_more_gets_its_answers(
    connection: ClientConnection,
    application: Application,
    transport: FakeTransport,
    loop: asyncio.AbstractEventLoop,
) -> None:
    connection.data_received(post("/1") + post("/2") + post("/3")[:9])
    assert connection.eof_received()
    connection.sweep(time.monotonic() + REQUEST_SECONDS + 1)
    for body in (b"answer 1", b"answer 2"):
        assert not transport.closing
        application.answer(body)
        turn(loop)
    assert re.findall(rb"answer \d", transport.written) == [b"answer 1", b"answer 2"]
    assert transport.closing
    assert not transport.aborted


def test_the_connection_of_a_client_that_waits_for_nothing_ends_with_what_it_sends(
    connection: ClientConnection,
) -> None:
    connection.data_received(post("/")[:9])
    assert not connection.eof_received()


def test_a_call_that_is_never_answered_keeps_its_connection_until_the_client_goes(
    connection: ClientConnection, application: Application, transport: FakeTransport
) -> None:
    connection.data_received(post("/1"))
    application.answer(b"", delivery=Delivery.NEVER)
    connection.data_received(post("/2"))
    assert (len(application.asked), transport.written, transport.aborted) == (1, b"", False)
    assert not connection.eof_received()


@pytest.mark.parametrize("leave", ["eof_received", "shutdown"])
def test_nobody_waits_for_an_answer_that_never_comes(
    connection: ClientConnection, application: Application, transport: FakeTransport, leave: str
) -> None:
    connection.data_received(post("/1"))
    getattr(connection, leave)()
    application.answer(b"", delivery=Delivery.NEVER)
    assert (transport.aborted, transport.written) == (True, b"")


def test_a_server_that_ends_leaves_nobody_without_an_answer(
    connection: ClientConnection, application: Application, transport: FakeTransport
) -> None:
    connection.data_received(post("/1"))
    application.answer(b"", delivery=Delivery.NEVER)
    connection.shutdown()
    assert transport.aborted
