"""The endpoint under load: what runs on the event loop, and what on threads beside it.

Calls that take no time run on the event loop, those that arrive together at once. Any other runs on a thread;
those that make keys have threads of their own, so that no other call waits for them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.operations import Trait, has, names_with
from kms_tui.serve import aws_json
from kms_tui.serve.endpoint import Endpoint, Task, failure, refusal
from kms_tui.serve.http_messages import Delivery, HttpRequest, HttpResponse

if TYPE_CHECKING:
    from kms_tui.serve.control_path import ControlPath
    from kms_tui.serve.fault_injection import FaultInjection

logger = logging.getLogger(__name__)

Answer = Callable[[HttpResponse], None]
"""Takes the answer to a request."""

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

_RESET = HttpResponse(500, delivery=Delivery.RESET)


class Application:
    """Answers every request, and raises nothing. One loop uses it.

    With a control, calls meet the faults that were ordered, and requests to its path order more.
    """

    def __init__(self, endpoint: Endpoint, control: ControlPath | None = None) -> None:
        self._endpoint = endpoint
        self._control = control
        self._quick = QuickCalls(endpoint)
        self._calls = BoundedExecutor("call", THREADS, WAITING)
        self._key_making = BoundedExecutor("key making", KEY_MAKING_THREADS, WAITING)
        self.running: set[asyncio.Task[None]] = set()
        """What is to be answered by a call on a thread."""
        self._delayed: set[Answer] = set()
        """The answers of calls that a fault keeps from beginning."""

    def __call__(self, request: HttpRequest, answer: Answer) -> None:
        """Have a request answered: ``answer`` is called on the loop, now or later."""
        accepted = _TOO_LARGE if len(request.body) > MAX_BODY else self._accept(request)
        if logger.isEnabledFor(logging.INFO):
            answer = _logged(request, accepted, answer)
        if isinstance(accepted, HttpResponse):
            answer(accepted)
        elif self._control is not None:
            self._begin_injected(self._control.faults, accepted, answer)
        else:
            self._begin(accepted, answer)

    def _accept(self, request: HttpRequest) -> Task | HttpResponse:
        if self._control is not None and self._control.is_for(request):
            return self._control.answer(request)
        return self._endpoint.accept(request)

    def _begin(self, task: Task, answer: Answer) -> None:
        if is_quick(task.operation, task.params):
            self._quick.begin(task, answer)
        else:
            running = asyncio.get_running_loop().create_task(self._run(task, answer))
            self.running.add(running)
            running.add_done_callback(self.running.discard)

    def _begin_injected(self, faults: FaultInjection, task: Task, answer: Answer) -> None:
        """Begin a call that may meet a fault: after its delay, and unless that answers it."""
        try:
            injected = faults.begin(task)
        except Exception as error:
            answer(failure(error, task.operation, task.request))
            return

        def end(response: HttpResponse) -> None:
            answer(faults.end(injected, response))

        def begin() -> None:
            if answer not in self._delayed:
                return  # The server ends.
            self._delayed.remove(answer)
            if injected.response is None:
                self._begin(injected.task, end)
            else:
                end(injected.response)

        self._delayed.add(answer)
        if injected.delay:
            asyncio.get_running_loop().call_later(injected.delay, begin)
        else:
            begin()

    def let_go(self) -> None:
        """Reset the connections whose calls a fault keeps from beginning, as the server ends."""
        delayed, self._delayed = self._delayed, set()
        for answer in delayed:
            answer(_RESET)

    async def _run(self, task: Task, answer: Answer) -> None:
        executor = self._key_making if makes_keys(task.operation) else self._calls
        try:
            response = await executor.run(partial(self._endpoint.run, task))
        except ServiceError as error:
            response = refusal(error)
        answer(response)

    def close(self) -> None:
        """Begin nothing more; what runs is left to end."""
        self._calls.close()
        self._key_making.close()


def _logged(request: HttpRequest, accepted: Task | HttpResponse, answer: Answer) -> Answer:
    """``answer``, and a line in the log."""
    started = time.perf_counter()
    what, where = request.method, "-"
    if isinstance(accepted, Task):
        what, where = accepted.operation, accepted.backend.region

    def answer_and_log(response: HttpResponse) -> None:
        answer(response)
        millis = (time.perf_counter() - started) * 1000
        logger.info("%s %s %d %.1f ms", what, where, response.status, millis)

    return answer_and_log


_QUICK = frozenset(names_with(Trait.QUICK))
_ALGORITHM_MEMBERS = ("EncryptionAlgorithm", "SourceEncryptionAlgorithm", "DestinationEncryptionAlgorithm")


def is_quick(operation: str, params: Mapping[str, Any]) -> bool:
    """Whether handing a call to a thread costs more than it takes."""
    if operation not in _QUICK or "Recipient" in params:  # a document has five signatures to verify
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
        self._waiting: deque[tuple[Task, Answer]] = deque()

    def begin(self, task: Task, answer: Answer) -> None:
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._run)
        self._waiting.append((task, answer))

    def _run(self) -> None:
        """Run what waits; of a crowd only the first, so that the loop does not stand still."""
        group = [self._waiting.popleft() for _ in range(min(len(self._waiting), TOGETHER))]
        responses = self._endpoint.run_together([task for task, _ in group])
        for (_, answer), response in zip(group, responses, strict=True):
            answer(response)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._run)


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
