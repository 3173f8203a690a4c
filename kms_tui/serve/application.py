"""The endpoint as an ASGI application: bounded bodies, calls at once or on threads, responses.

Calls that take no time run on the event loop, those that arrive together at once. Any other runs on a thread;
those that make keys have threads of their own, so that no other call waits for them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.operations import Trait, has, names_with
from kms_tui.serve import aws_json
from kms_tui.serve.endpoint import Endpoint, Task, refusal
from kms_tui.serve.http_messages import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope


logger = logging.getLogger(__name__)

MAX_BODY = 1024 * 1024
"""Bytes; the largest request, Recipient's attestation document in base64, is a third of this."""

MAX_DISCARDED = 16 * MAX_BODY
"""Bytes of a body too large that are read and dropped, so that its sender gets to read the refusal."""

THREADS, KEY_MAKING_THREADS, WAITING = 8, 2, 256
"""How many calls run at a time beside the loop, and how many more of each kind may wait."""

TOGETHER = 32
"""How many quick calls run at a time, for a few milliseconds."""

_TOO_LARGE = HttpResponse(
    413,
    aws_json.error_body("RequestEntityTooLargeException", f"The body exceeds {MAX_BODY} bytes."),
    close=True,
)


class Application:
    """An ASGI application for HTTP alone; it answers every request that arrives whole, and raises nothing."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._quick = QuickCalls(endpoint)
        self._calls = BoundedExecutor("call", THREADS, WAITING)
        self._key_making = BoundedExecutor("key making", KEY_MAKING_THREADS, WAITING)

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        started = time.perf_counter()
        body = await _body(scope, receive)
        if body is None:
            return
        request = _request(scope, body)
        answer = _TOO_LARGE if len(body) > MAX_BODY else self._endpoint.accept(request)
        task = answer if isinstance(answer, Task) else None
        response = answer if isinstance(answer, HttpResponse) else await self._run(answer)
        headers = [
            (b"content-type", response.content_type.encode()),
            (b"content-length", b"%d" % len(response.body)),
            (b"x-amzn-requestid", request.id.encode()),
        ]
        for name, value in response.headers:
            headers.append((name.encode(), value.encode()))
        if response.close:
            headers.append((b"connection", b"close"))
        await send(
            {"type": "http.response.start", "status": response.status, "headers": headers, "trailers": False}
        )
        await send({"type": "http.response.body", "body": response.body, "more_body": False})
        if logger.isEnabledFor(logging.INFO):
            logger.info(
                "%s %s %d %.1f ms",
                task.operation if task else request.method,
                task.backend.region if task else "-",
                response.status,
                (time.perf_counter() - started) * 1000,
            )

    async def _run(self, task: Task) -> HttpResponse:
        if is_quick(task.operation, task.params):
            return await self._quick.run(task)
        executor = self._key_making if makes_keys(task.operation) else self._calls
        try:
            return await executor.run(partial(self._endpoint.run, task))
        except ServiceError as error:
            return refusal(error)

    def close(self) -> None:
        """Begin nothing more; what runs is left to end."""
        self._calls.close()
        self._key_making.close()


async def _body(scope: HTTPScope, receive: ASGIReceiveCallable) -> bytes | None:
    """The request's body, at most one chunk longer than MAX_BODY; None where the client went away."""
    message = await receive()
    if message["type"] == "http.request" and not message["more_body"]:
        return message["body"]
    parts, size = [], 0
    while True:
        if message["type"] != "http.request":
            return None
        size += len(message["body"])
        if size - len(message["body"]) <= MAX_BODY:
            parts.append(message["body"])
        if not message["more_body"] or size > MAX_DISCARDED:
            return b"".join(parts)
        message = await receive()


def _request(scope: HTTPScope, body: bytes) -> HttpRequest:
    received = list(scope["headers"])
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in received}
    if len(headers) < len(received):
        headers = _joined(received)
    raw_path = scope["raw_path"] or b"/"
    return HttpRequest(
        scope["method"],
        raw_path.decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        headers,
        body,
        scope["client"][0] if scope["client"] else "",
    )


def _joined(received: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers of which some are repeated."""
    values = defaultdict(list)
    for name, value in received:
        values[name].append(value)
    return {name.decode("latin-1"): b",".join(each).decode("latin-1") for name, each in values.items()}


_QUICK = frozenset(names_with(Trait.QUICK))
_ALGORITHM_MEMBERS = ("EncryptionAlgorithm", "SourceEncryptionAlgorithm", "DestinationEncryptionAlgorithm")


def is_quick(operation: str, params: Mapping[str, Any]) -> bool:
    """Whether handing a call to a thread costs more than it takes."""
    if operation not in _QUICK:
        return False
    algorithms = [params[member] for member in _ALGORITHM_MEMBERS if member in params]
    return all(algorithm == SYMMETRIC_DEFAULT for algorithm in algorithms)


def makes_keys(operation: str) -> bool:
    """Whether a call may look for RSA primes, which takes seconds of a processor."""
    return has(operation, Trait.MAKES_KEY)


class QuickCalls:
    """Runs on the loop what takes no time. What arrives in one turn of the loop runs in its next, together.

    So their records share a commit, and their answers leave one right after another. One loop uses it.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._waiting: deque[tuple[Task, asyncio.Future[HttpResponse]]] = deque()

    def run(self, task: Task) -> asyncio.Future[HttpResponse]:
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._run, loop)
        self._waiting.append((task, answer))
        return answer

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run what waits; of a crowd only the first, so that the loop does not stand still."""
        group = [self._waiting.popleft() for _ in range(min(len(self._waiting), TOGETHER))]
        responses = self._endpoint.run_together([task for task, _ in group])
        for (_, answer), response in zip(group, responses, strict=True):
            if not answer.done():
                answer.set_result(response)
        if self._waiting:
            loop.call_soon(self._run, loop)


class BoundedExecutor:
    """Some threads with a bounded queue; raises ThrottlingException when it is full. One loop uses it."""

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"kms-tui {name}")
        self._limit = threads + waiting
        self._under_way = 0

    async def run(self, work: Callable[[], HttpResponse]) -> HttpResponse:
        if self._under_way >= self._limit:
            raise ServiceError("ThrottlingException", "Rate exceeded")
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        finally:
            self._under_way -= 1

    def close(self) -> None:
        """Drop what has not begun; does not wait for what has."""
        self._executor.shutdown(wait=False, cancel_futures=True)
