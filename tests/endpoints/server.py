"""A KMS endpoint with faults to order, for tests and benchmarks.

    with FaultEndpoint(SyntheticAccount(keys=300), latency=0.03) as endpoint:
        endpoint.plan("DescribeKey", THROTTLE, OK, DENY)   # the next three requests, then proper answers
        endpoint.always("ListKeys", Drop())                # every request, until ``clear``
        backend = connect(region="eu-west-1", endpoint_url=endpoint.url)
        ...
        assert endpoint.count("CreateKey") == 1

Faults are ordered as ``kms_tui.control.fault_rules`` says. What answers is an ``Account``: a
``SyntheticAccount`` (no store, any size) or a ``Forward`` to a backend. STS GetCallerIdentity is answered
too, unless ``sts=False``, and so are AssumeRole and the sign-in portal's GetRoleCredentials, with credentials
that last an hour. Requests are kept in ``requests``.

``python -m tests.endpoints --keys 100000 --latency 0.03`` runs one by itself and prints its URL.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import formatdate
from types import TracebackType
from typing import Any, Self

from kms_tui.control.fault_rules import FaultRules
from kms_tui.control.faults import Answer, Drop, Fault, Half, Hang, Raw, Refuse
from kms_tui.kms.errors import ServiceError
from tests.endpoints import signin
from tests.endpoints.synthetic import SyntheticAccount

Account = Callable[[str, str, Mapping[str, Any]], dict[str, Any]]
"""(region, operation, params) -> response, in the wire's shapes; raises ServiceError."""

_SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/")


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived; ``at`` is monotonic seconds, ``connection`` a number for each connection."""

    operation: str
    params: Mapping[str, Any]
    region: str
    access_key: str
    connection: int
    at: float


class FaultEndpoint:
    """See the module's docstring. Settings may be changed from any thread while it runs."""

    def __init__(self, account: Account | None = None, *, latency: float = 0.0, sts: bool = True) -> None:
        self.account = account or SyntheticAccount()
        self.latency = latency
        self.sts = sts
        self.requests: deque[Request] = deque()
        self.url = ""
        self._executor = None if isinstance(self.account, SyntheticAccount) else ThreadPoolExecutor(16)
        self._rules = FaultRules()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault endpoint", daemon=True)
        self._connections: set[_Connection] = set()
        self._opened = 0

    def plan(self, operation: str, *faults: Fault) -> None:
        """Meet the next requests for the operation with these, one each."""
        self._rules.plan(operation, *faults)

    def plan_from(self, operation: str, faults: Iterable[Fault]) -> None:
        self._rules.plan_from(operation, faults)

    def always(self, operation: str, fault: Fault) -> None:
        """Meet every request for the operation with this, once its plan is used up."""
        self._rules.always(operation, fault)

    def clear(self) -> None:
        """Forget all plans and requests."""
        self._rules.clear()
        self.requests.clear()

    def count(self, operation: str | None = None) -> int:
        return sum(operation in (None, request.operation) for request in list(self.requests))

    @property
    def counts(self) -> Counter[str]:
        return Counter(request.operation for request in list(self.requests))

    def drop_idle(self) -> None:
        """Close all connections, as servers do with idle ones; returns when they are closed."""
        asyncio.run_coroutine_threadsafe(self._close_connections(), self._loop).result(10)

    def fault_for(self, operation: str) -> Fault:
        return self._rules.fault_for(operation).fault

    def __enter__(self) -> Self:
        self._thread.start()
        opening = asyncio.run_coroutine_threadsafe(self._open(), self._loop)
        self.url = opening.result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        if self._executor is not None:
            self._executor.shutdown()

    async def _open(self) -> str:
        self._server = await self._loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _close(self) -> None:
        # asyncio leaves a socket open that was accepted just before its server closed: accept no more first.
        for listening in self._server.sockets:
            self._loop.remove_reader(listening.fileno())
        await self._close_connections()
        self._server.close()

    async def _close_connections(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        while self._connections or others:
            for connection in list(self._connections):
                connection.abort()
            await asyncio.sleep(0)
            others = asyncio.all_tasks() - {asyncio.current_task()}

    def opened(self, connection: _Connection) -> int:
        self._connections.add(connection)
        self._opened += 1
        return self._opened

    def closed(self, connection: _Connection) -> None:
        self._connections.discard(connection)

    async def respond(self, request: Request) -> dict[str, Any]:
        if signin.is_signin(request.operation):
            if not self.sts:
                raise ServiceError("UnknownOperationException", status=404)
            return {}
        if self._executor is None:
            return self.account(request.region, request.operation, request.params)
        return await self._loop.run_in_executor(
            self._executor, self.account, request.region, request.operation, request.params
        )


class _Connection(asyncio.Protocol):
    """One HTTP/1.1 connection, kept alive."""

    def __init__(self, endpoint: FaultEndpoint) -> None:
        self._endpoint = endpoint
        self._received = b""
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._number = self._endpoint.opened(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._endpoint.closed(self)
        for task in self._tasks:
            task.cancel()

    def abort(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, rest = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(_headers(head).get("content-length", 0))
        if len(rest) < length:
            return
        self._received = rest[length:]
        request = _request(head, rest[:length], self._number)
        self._endpoint.requests.append(request)
        task = asyncio.get_running_loop().create_task(self._meet(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _meet(self, request: Request) -> None:
        endpoint = self._endpoint
        fault = endpoint.fault_for(request.operation)
        delay = endpoint.latency + (fault.after if isinstance(fault, Answer) else 0.0)
        if delay:
            await asyncio.sleep(delay)
        match fault:
            case Refuse():
                self._write(fault.status, _error(request, fault.code, fault.message), fault.date)
            case Raw():
                self._write(fault.status, fault.body)
            case Drop(done=False):
                self._transport.abort()
            case _:
                await self._perform(request, fault)

    async def _perform(self, request: Request, fault: Fault) -> None:
        try:
            answer = await self._endpoint.respond(request)
            status, body = 200, _success(request, answer)
        except ServiceError as error:
            status, body = error.status, _error(request, error.code, error.message)
        match fault:
            case Drop():
                self._transport.abort()
            case Half():
                self._write(status, body, sent=len(body) // 2)
                self._transport.close()
            case Hang():
                pass
            case _:
                self._write(status, body)

    def _write(self, status: int, body: bytes, date: str = "", sent: int | None = None) -> None:
        head = (
            f"HTTP/1.1 {status} x\r\nContent-Type: application/x-amz-json-1.1\r\n"
            f"Content-Length: {len(body)}\r\nDate: {date or formatdate(usegmt=True)}\r\n\r\n"
        )
        self._transport.write(head.encode() + body[:sent])


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _request(head: bytes, body: bytes, connection: int) -> Request:
    headers, path = _headers(head), head.split(b" ", 2)[1].decode()
    scope = _SCOPE.search(headers.get("authorization", ""))
    access_key, region = scope.groups() if scope else ("", "")
    target = headers.get("x-amz-target", "")
    params: Mapping[str, Any]
    if target:
        operation, params = target.rpartition(".")[2], json.loads(body or b"{}")
    else:
        operation, params = signin.operation_of(path, headers, body)
    return Request(operation, params, region, access_key, connection, time.monotonic())


def _success(request: Request, answer: Mapping[str, Any]) -> bytes:
    if signin.is_signin(request.operation):
        return signin.success(request.operation)
    return json.dumps(answer).encode()


def _error(request: Request, code: str, message: str) -> bytes:
    if signin.is_sts(request.operation):
        return signin.sts_error(code, message)
    return json.dumps({"__type": code, "message": message}).encode()
