"""Has calls meet the faults that were ordered, and notes what became of each call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from kms_tui.backend.local.engine.request_validation import request_of
from kms_tui.backend.local.local_backend import LocalBackend
from kms_tui.backend.local.store.snapshots import StoreSnapshot
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.control.call_journal import JournalCall
from kms_tui.control.faults import (
    OK,
    Answer,
    Drop,
    Fault,
    Half,
    Hang,
    Raw,
    Refuse,
    ShortPage,
    Stale,
    order_of,
)
from kms_tui.control.kms_control import KmsControl
from kms_tui.control.named_keys import key_names
from kms_tui.kms.operations import is_mutating
from kms_tui.serve import aws_json
from kms_tui.serve.endpoint import Task
from kms_tui.serve.http_messages import Delivery, HttpResponse

ERROR_HEADER = "x-amzn-errortype"
_PAGE = 100
"""Entries of a page of KMS's lists where the request does not say how many; half of it is short for any."""
_DELIVERIES: Mapping[type[Fault], Delivery] = {
    Drop: Delivery.RESET,
    Half: Delivery.HALF,
    Hang: Delivery.NEVER,
}
"""Fault after the operation is done -> what leaves of its answer."""


class InjectedTask(NamedTuple):
    """A call, and what it meets. ``response``: the answer without running it; ``delay``: seconds before."""

    task: Task
    fault: Fault
    call: JournalCall
    delay: float = 0.0
    response: HttpResponse | None = None
    store: Store | None = None
    """An earlier state, which a stale read is answered from."""

    def __repr__(self) -> str:
        return f"InjectedTask({self.task})"


class FaultInjection:
    """Faults and the record of calls of one controlled KMS; safe to use from several threads."""

    def __init__(self, control: KmsControl) -> None:
        self._control = control

    def begin(self, task: Task) -> InjectedTask:
        """What a call meets."""
        control, backend = self._control, task.backend
        principal = backend.caller().arn
        names = key_names(control.store, backend.partition, backend.region, backend.account_id, task.params)
        fault, since = control.faults.fault_for(task.operation, names, principal)
        recordable = request_of(task.operation).recordable
        call = JournalCall(
            control.clock(),
            task.operation,
            backend.region,
            principal,
            names,
            _encryption_context(task.params),
            {name: task.params[name] for name in recordable if name in task.params},
            task.request.id,
            None if fault == OK else order_of(fault),
        )
        injected = InjectedTask(task, fault, call)
        match fault:
            case Answer():
                return injected._replace(delay=fault.after)
            case Refuse():
                return injected._replace(response=_refusal(fault))
            case Raw():
                return injected._replace(response=HttpResponse(fault.status, fault.body, "text/html"))
            case Drop(done=False):
                return injected._replace(response=HttpResponse(500))
            case ShortPage():
                return injected._replace(task=_with_short_page(task))
            case Stale() if isinstance(since, StoreSnapshot) and isinstance(backend, LocalBackend):
                if not is_mutating(task.operation):
                    store = since.opened(control.store)
                    return injected._replace(task=task._replace(backend=backend.on_store(store)), store=store)
        return injected

    def end(self, injected: InjectedTask, response: HttpResponse) -> HttpResponse:
        """The answer as it leaves; the call is noted."""
        if injected.store is not None:
            injected.store.close()
        delivery = _DELIVERIES.get(type(injected.fault), Delivery.WHOLE)
        error = dict(response.headers).get(ERROR_HEADER, "")
        if response.status != 200 and not error:
            error = str(response.status)
        if delivery is not Delivery.WHOLE:
            error = delivery.name.lower()
        self._control.calls.add(injected.call._replace(error=error))
        return response._replace(delivery=delivery)


def _refusal(fault: Refuse) -> HttpResponse:
    headers = ((ERROR_HEADER, fault.code), *((("date", fault.date),) if fault.date else ()))
    return HttpResponse(fault.status, aws_json.error_body(fault.code, fault.message), headers=headers)


def _with_short_page(task: Task) -> Task:
    """The call with half the limit, where its operation has one."""
    asked = task.params.get("Limit", _PAGE)
    if "Limit" not in request_of(task.operation).recordable or asked < 1:
        return task
    return task._replace(params={**task.params, "Limit": max(1, asked // 2)})


def _encryption_context(params: Mapping[str, Any]) -> Mapping[str, str]:
    for member in ("EncryptionContext", "SourceEncryptionContext", "DestinationEncryptionContext"):
        if params.get(member):
            return dict(params[member])
    return {}
