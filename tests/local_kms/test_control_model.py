"""Orders and calls in any sequence, against a small model: keys, the clock, states, faults, calls."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kms_tui.serve import aws_json
from kms_tui.serve.admission import PageGuard
from kms_tui.serve.control_path import PREFIX, ControlPath
from kms_tui.serve.http_messages import Delivery, HttpRequest, HttpResponse
from kms_tui.testing import LocalKms

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
WINDOW = timedelta(days=7)
CODES = {
    "throttle": "ThrottlingException",
    "deny": "AccessDeniedException",
    "internal": "KMSInternalException",
}
"""Fault -> what a call is answered that meets it, and is not done."""
DONE = {"ok": Delivery.WHOLE, "lost-answer": Delivery.RESET, "hang": Delivery.NEVER}
"""Fault -> what leaves of the answer of a call that is done."""
FAULTS = st.sampled_from([*CODES, *DONE, "reset"])
OPERATIONS = ("CreateKey", "ScheduleKeyDeletion", "CancelKeyDeletion", "ListKeys")


@dataclass(frozen=True)
class State:
    """What a snapshot keeps: each key's date of deletion, and the present moment."""

    keys: dict[str, datetime | None] = field(default_factory=dict)
    now: datetime = NOW


class ControlModel(RuleBasedStateMachine):
    """All orders go over the control path, all calls through the endpoint, as HTTP requests without HTTP."""

    def __init__(self) -> None:
        super().__init__()
        self.kms = LocalKms(now=NOW, region="eu-west-1")
        self.path = ControlPath(self.kms._control, PageGuard(()))
        self.state = State()
        self.snapshots: dict[str, State] = {}
        self.plans: dict[str, list[str]] = {}
        self.always: dict[str, str] = {}
        self.calls: list[tuple[str, str]] = []

    def teardown(self) -> None:
        self.kms.close()

    # Orders

    def order(self, method: str, path: str, body: object = None) -> Any:
        sent = b"" if body is None else json.dumps(body).encode()
        answer = self.path.answer(HttpRequest(method, PREFIX + path, "", {}, sent))
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    @rule()
    def reset(self) -> None:
        self.order("POST", "/reset")
        self.state, self.plans, self.always, self.calls = State(), {}, {}, []

    @rule(name=st.sampled_from(["one", "two"]))
    def take(self, name: str) -> None:
        self.order("POST", "/snapshots", {"name": name})
        self.snapshots[name] = replace(self.state, keys=dict(self.state.keys))

    @precondition(lambda self: self.snapshots)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.snapshots)))
        self.order("POST", f"/snapshots/{name}/restore")
        self.state = replace(self.snapshots[name], keys=dict(self.snapshots[name].keys))

    @rule(hours=st.integers(-200, 400))
    def advance(self, hours: int) -> None:
        said = self.order("POST", "/clock", {"advance": f"{hours}h"})
        self.state = replace(self.state, now=self.state.now + timedelta(hours=hours))
        assert datetime.fromisoformat(said["now"]) == self.state.now

    @rule(operation=st.sampled_from(["*", *OPERATIONS]), faults=st.lists(FAULTS, min_size=1, max_size=3))
    def plan(self, operation: str, faults: list[str]) -> None:
        self.order("POST", "/faults", {"operation": operation, "plan": faults})
        self.plans[operation] = list(faults)

    @rule(operation=st.sampled_from(["*", *OPERATIONS]), fault=FAULTS)
    def have_always(self, operation: str, fault: str) -> None:
        self.order("POST", "/faults", {"operation": operation, "always": fault})
        self.always[operation] = fault

    @rule()
    def clear_faults(self) -> None:
        self.order("DELETE", "/faults")
        self.plans, self.always = {}, {}

    # Calls

    def call(self, operation: str, params: dict[str, str]) -> HttpResponse:
        headers = {"x-amz-target": f"{aws_json.TARGET_PREFIX}{operation}"}
        request = HttpRequest("POST", "/", "", headers, json.dumps(params).encode())
        return self.kms.respond(request)

    def fault(self, operation: str) -> str:
        """What the model has a call meet: of its own operation first, a plan before what is always so."""
        for name in (operation, "*"):
            if self.plans.get(name):
                return self.plans[name].pop(0)
            if name in self.always:
                return self.always[name]
        return "ok"

    def made(self, operation: str, expected: str, **params: str) -> tuple[bool, bytes]:
        """Make a call that is answered so where it is done; whether it was, and the answer if it is whole."""
        fault = self.fault(operation)
        for key, date in list(self.state.keys.items()):
            # A call finds out what is due; one that is not done finds out nothing.
            if fault in DONE and date is not None and date <= self.state.now:
                del self.state.keys[key]
        if fault in DONE and params and params["KeyId"] not in self.state.keys:
            expected = "NotFoundException"
        answer = self.call(operation, params)
        code = dict(answer.headers).get("x-amzn-errortype", "")
        assert answer.delivery is (Delivery.RESET if fault == "reset" else DONE.get(fault, Delivery.WHOLE))
        if fault in CODES:
            assert code == CODES[fault]
        elif fault in DONE:
            assert code == expected
        lost = answer.delivery is not Delivery.WHOLE
        self.calls.append((operation, answer.delivery.name.lower() if lost else code))
        return fault in DONE and not expected, answer.body

    @rule()
    def create(self) -> None:
        before = set(self.state.keys)
        done, _ = self.made("CreateKey", "")
        if done:
            found = self.kms._store.rows("SELECT key_id FROM keys")
            (made,) = {str(key) for (key,) in found} - before
            self.state.keys[made] = None

    @precondition(lambda self: self.state.keys)
    @rule(data=st.data())
    def schedule(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.state.keys)))
        expected = "KMSInvalidStateException" if self.state.keys[key] else ""
        done, _ = self.made("ScheduleKeyDeletion", expected, KeyId=key, PendingWindowInDays=7)  # type: ignore[arg-type]
        if done and key in self.state.keys:
            self.state.keys[key] = self.state.now + WINDOW

    @precondition(lambda self: self.state.keys)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.state.keys)))
        expected = "" if self.state.keys[key] else "KMSInvalidStateException"
        done, _ = self.made("CancelKeyDeletion", expected, KeyId=key)
        if done and key in self.state.keys:
            self.state.keys[key] = None

    @rule()
    def list_keys(self) -> None:
        done, body = self.made("ListKeys", "")
        if done and body:
            assert {key["KeyId"] for key in json.loads(body)["Keys"]} == set(self.state.keys)

    @invariant()
    def all_calls_are_told(self) -> None:
        told = [(call.operation, call.error) for call in self.kms.calls.calls()]
        assert told == self.calls
        assert self.kms.clock() == self.state.now


ControlModel.TestCase.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
TestControlModel = ControlModel.TestCase
