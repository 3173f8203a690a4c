"""Slow, broken, greedy and many clients: each gets its answer or its end, and the next one is served."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from selectors import EVENT_READ, DefaultSelector
from typing import Any, cast

import pytest

from kms_tui.serve import application, client_connections
from kms_tui.serve.server import running
from tests.serve.raw import Answer, Raw, call, post
from tests.unit.serve.fakes import FakeBackend

LIST_KEYS = post("ListKeys")


class Gate:
    """A backend whose lists, and whose making of keys, wait until the gate opens."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.waiting = threading.Semaphore(0)
        self.backend = FakeBackend(self._answer)

    def _answer(self, operation: str, _params: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation in ("ListKeys", "CreateKey"):
            self.waiting.release()
            assert self.open.wait(30)
        return {}

    def wait_for(self, calls: int) -> None:
        """Return when that many calls wait at the gate."""
        for _ in range(calls):
            assert self.waiting.acquire(timeout=30)


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open.set()


@pytest.fixture
def url() -> Iterator[str]:
    with running(FakeBackend()) as url:
        yield url


def assert_serving(url: str) -> None:
    assert call(url, "ListKeys").status == 200


def test_a_call_that_takes_long_holds_up_no_other(gate: Gate) -> None:
    with running(gate.backend) as url, ExitStack() as stack:
        slow = [stack.enter_context(Raw(url)) for _ in range(12)]
        for number, connection in enumerate(slow):
            connection.send(post("CreateKey" if number % 2 else "ListKeys"))
        gate.wait_for(application.KEY_MAKING_THREADS + 6)
        assert call(url, "Encrypt", KeyId="k").status == 200
        assert call(url, "ListAliases").status == 200
        gate.open.set()
        assert [connection.answer().status for connection in slow] == [200] * 12


def test_a_flood_of_slow_calls_is_throttled_and_then_over(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "WAITING", 4)
    room, too_many = application.THREADS + 4, 5
    with running(gate.backend) as url, ExitStack() as stack, DefaultSelector() as answered:
        flood = [stack.enter_context(Raw(url)) for _ in range(room + too_many)]
        for connection in flood:
            answered.register(connection, EVENT_READ)
            connection.send(LIST_KEYS)
        refused: list[Answer] = []
        while len(refused) < too_many:
            for key, _ in answered.select(20):
                answered.unregister(key.fileobj)
                refused.append(cast(Raw, key.fileobj).answer())
        assert {(answer.status, answer.error) for answer in refused} == {(400, "ThrottlingException")}
        gate.open.set()
        let_in = [cast(Raw, key.fileobj) for key in answered.get_map().values()]
        assert [connection.answer().status for connection in let_in] == [200] * room
        assert_serving(url)


def test_many_clients_at_once_are_all_answered(url: str) -> None:
    def hammer(_number: int) -> set[int]:
        with Raw(url) as connection:
            return {connection.ask(LIST_KEYS).status for _ in range(20)}

    with ThreadPoolExecutor(32) as pool:
        assert set().union(*pool.map(hammer, range(64))) == {200}


def test_more_connections_than_there_is_room_for_are_told_so(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_connections, "MAX_CONNECTIONS", 3)
    with ExitStack() as stack:
        held = [stack.enter_context(Raw(url)) for _ in range(3)]
        assert [connection.ask(LIST_KEYS).status for connection in held] == [200] * 3
        with Raw(url) as one_more:
            answer = one_more.answer()
            assert (answer.status, answer.error) == (503, "ThrottlingException")
            assert one_more.is_closed_by_server()
    assert_serving(url)


def test_a_request_that_never_arrives_whole_is_cut_off(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Raw(url) as silent, Raw(url) as slow_head, Raw(url) as slow_body, Raw(url) as second:
        slow_head.send(LIST_KEYS[:40])
        slow_body.send(LIST_KEYS[:-1])
        assert second.ask(LIST_KEYS).status == 200
        second.send(LIST_KEYS[:-1])
        monkeypatch.setattr(client_connections, "REQUEST_SECONDS", 0.1)
        for connection in (silent, slow_head, slow_body, second):
            assert connection.is_closed_by_server()
    assert_serving(url)


def test_a_client_that_rests_between_requests_is_not_cut_off(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Raw(url) as resting, Raw(url) as silent:
        assert resting.ask(LIST_KEYS).status == 200
        monkeypatch.setattr(client_connections, "REQUEST_SECONDS", 0.1)
        assert silent.is_closed_by_server()
        assert resting.ask(LIST_KEYS).status == 200


def test_a_body_too_large_is_refused_and_its_sender_gets_to_read_it(url: str) -> None:
    with Raw(url) as connection:
        answer = connection.ask(post("Encrypt", b"x" * (3 * application.MAX_BODY)))
        assert (answer.status, answer.error) == (413, "RequestEntityTooLargeException")
        assert connection.is_closed_by_server()
    assert_serving(url)


def test_a_chunked_body_is_read_and_an_endless_one_is_not(url: str) -> None:
    head = LIST_KEYS.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked")[:-2]
    with Raw(url) as connection:
        assert connection.ask(head + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n").status == 200
    with Raw(url) as endless:
        endless.send(head)
        chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        with pytest.raises(ConnectionError):
            endless.send(chunk * 100)
    assert_serving(url)


def test_headers_too_large_are_refused(url: str) -> None:
    with Raw(url) as connection:
        answer = connection.ask(post("ListKeys", b"{}", "X-Filler: " + "x" * 300_000))
        assert answer.status == 431
    assert_serving(url)


def test_a_client_that_goes_away_in_the_middle_leaves_no_trace(
    url: str, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    with running(gate.backend) as gated:
        with Raw(gated) as leaving:
            leaving.send(LIST_KEYS)
            gate.wait_for(1)
        with Raw(gated) as leaving:
            leaving.send(LIST_KEYS[:-1])
        gate.open.set()
        assert_serving(gated)
    assert not caplog.records


def test_a_client_that_sends_nothing_more_is_answered_and_closed(gate: Gate) -> None:
    with running(gate.backend) as url, Raw(url) as connection:
        connection.send(LIST_KEYS)
        connection.send_nothing_more()
        gate.wait_for(1)
        assert call(url, "Encrypt", KeyId="k").status == 200
        gate.open.set()
        assert connection.answer().status == 200
        assert connection.is_closed_by_server()


def test_pipelined_requests_are_answered_in_their_order(url: str) -> None:
    with Raw(url) as connection:
        connection.send(LIST_KEYS + post("Nothing") + LIST_KEYS)
        assert [connection.answer().status for _ in range(3)] == [200, 400, 200]


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST http://h HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ],
    ids=lambda data: repr(data[:24]),
)
def test_what_is_no_http_is_a_bad_request(url: str, data: bytes) -> None:
    with Raw(url) as connection:
        assert connection.ask(data).status == 400
    assert_serving(url)


@pytest.mark.parametrize("upgrade", ["websocket", "h2c"])
def test_another_protocol_is_not_offered_and_http_goes_on(url: str, upgrade: str) -> None:
    with Raw(url) as connection:
        head = f"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: {upgrade}\r\n\r\n"
        assert connection.ask(head.encode()).status == 200


def test_head_has_no_body(url: str) -> None:
    with Raw(url) as connection:
        connection.send(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.skip_head()
        assert connection.answer().body == b"healthy: kms, sts\n"


def test_mutilated_requests_never_take_it_down(url: str, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(7)
    for _ in range(300):
        data = bytearray(LIST_KEYS)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        with Raw(url) as connection:
            connection.send(bytes(data))
    assert_serving(url)
    assert not caplog.records


def test_an_answer_beyond_json_is_an_internal_exception() -> None:
    with running(FakeBackend(lambda _operation, _params: {"Keys": object()})) as url:
        answer = call(url, "ListKeys")
        assert (answer.status, json.loads(answer.body)["__type"]) == (500, "KMSInternalException")
