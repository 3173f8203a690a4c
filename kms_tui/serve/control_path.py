"""Control over HTTP: what a test orders of the KMS behind a server, under one reserved path, in JSON.

    GET    /_kms-tui/health
    POST   /_kms-tui/reset                      to the beginning: no faults, no calls
    GET    /_kms-tui/snapshots                  the names of earlier states
    POST   /_kms-tui/snapshots                  {"name": "…"}; without a name one is made up
    POST   /_kms-tui/snapshots/NAME/restore
    DELETE /_kms-tui/snapshots/NAME
    GET    /_kms-tui/clock
    POST   /_kms-tui/clock      {"set": "2027-01-01T00:00:00Z", "advance": "90d", "freeze": true}
    GET    /_kms-tui/faults                     what is ordered, and how many calls each order has met
    POST   /_kms-tui/faults     {"operation": "Encrypt", "key": "alias/app", "principal": "arn:…",
                                 "plan": ["ok", "throttle"], "always": "deny"}
    DELETE /_kms-tui/faults
    GET    /_kms-tui/calls?operation=Encrypt&key=…&principal=…
    DELETE /_kms-tui/calls

Errors are JSON with ``error``, and HTTP 400, 404 or 405; an order that is refused does nothing. Web pages are
refused, and other machines unless the control is ``from_anywhere``. Faults and calls are those of KMS:
requests to STS meet none, and are not told.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote

from kms_tui import __version__
from kms_tui.control.clock import moment_of, span_of
from kms_tui.control.fault_rules import ANY, FaultOrder
from kms_tui.control.faults import fault_of, order_of
from kms_tui.control.kms_control import KmsControl, KmsSnapshot
from kms_tui.kms.errors import ServiceError
from kms_tui.serve.admission import PageGuard, is_of_this_machine
from kms_tui.serve.fault_injection import FaultInjection
from kms_tui.serve.http_messages import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

T = TypeVar("T")

PREFIX = "/_kms-tui"
MAX_SNAPSHOTS = 100
MAX_PLAN = 10_000
"""Faults in one plan."""
_JSON = "application/json"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
"""Clients take "." and ".." out of a path."""


class _OrderError(Exception):
    """Why an order is not taken, and the HTTP status that says so."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class _Order(NamedTuple):
    """A request to the control path, taken apart."""

    body: Mapping[str, Any]
    query: Mapping[str, str]
    name: str


class _Route(NamedTuple):
    """What does an order, and the members of its body and its query; an order with others is refused."""

    run: Callable[[_Order], object]
    members: tuple[str, ...] = ()
    query: tuple[str, ...] = ()


class ControlPath:
    """Answers the requests to the reserved path; several threads may use it."""

    def __init__(self, control: KmsControl, pages: PageGuard) -> None:
        self.faults = FaultInjection(control)
        self._control = control
        self._pages = pages
        self._snapshots: dict[str, KmsSnapshot] = {}
        self._numbers = count(1)
        about = ("operation", "key", "principal")
        self._routes: Mapping[str, Mapping[str, _Route]] = {
            "/health": {"GET": _Route(self._health)},
            "/reset": {"POST": _Route(self._reset)},
            "/snapshots": {"GET": _Route(self._names), "POST": _Route(self._take, ("name",))},
            "/snapshots/*": {"DELETE": _Route(self._drop)},
            "/snapshots/*/restore": {"POST": _Route(self._restore)},
            "/clock": {
                "GET": _Route(self._clock),
                "POST": _Route(self._set_clock, ("set", "advance", "freeze")),
            },
            "/faults": {
                "GET": _Route(self._orders),
                "POST": _Route(self._order, (*about, "plan", "always")),
                "DELETE": _Route(self._clear_faults),
            },
            "/calls": {"GET": _Route(self._calls, query=about), "DELETE": _Route(self._clear_calls)},
        }

    @staticmethod
    def is_for(request: HttpRequest) -> bool:
        return request.path == PREFIX or request.path.startswith(f"{PREFIX}/")

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Do what the request orders, and say what came of it."""
        try:
            self._pages.refuse_pages(request)
            if not (self._control.from_anywhere or is_of_this_machine(request)):
                raise _OrderError("other machines order nothing here: start it with --allow-network", 403)
            route, name = self._route(request)
            order = _Order(_body(request), request.query_parameters(), name)
            _require_known(order.body, "member", route.members)
            _require_known(order.query, "parameter", route.query)
            return _json(200, route.run(order))
        except _OrderError as error:
            return _json(error.status, {"error": str(error)})
        except ServiceError as error:
            return _json(error.status, {"error": error.message})
        except ValueError as error:
            return _json(400, {"error": str(error)})
        except Exception as error:
            logger.exception("an order failed (request %s)", request.id)
            return _json(500, {"error": f"the order failed: {type(error).__name__}"})

    def _route(self, request: HttpRequest) -> tuple[_Route, str]:
        parts = request.path.removeprefix(PREFIX).rstrip("/").split("/")
        name = unquote(parts[2]) if len(parts) > 2 else ""
        pattern = "/".join("*" if place == 2 else part for place, part in enumerate(parts))
        methods = self._routes.get(pattern)
        if methods is None:
            raise _OrderError(f"there is no {request.path}; there are {', '.join(self._routes)}", 404)
        if request.method not in methods:
            raise _OrderError(f"{request.path} takes {', '.join(methods)}", 405)
        return methods[request.method], name

    def _health(self, _order: _Order) -> object:
        row = self._control.store.one("SELECT count(*) FROM keys")
        return {
            "status": "healthy",
            "version": __version__,
            "now": _text(self._control.clock()),
            "keys": row[0] if row else 0,
            "snapshots": len(self._snapshots),
            "calls": self._control.calls.count(),
        }

    def _reset(self, _order: _Order) -> object:
        self._control.reset()
        return {"reset": True}

    def _names(self, _order: _Order) -> object:
        return {"snapshots": list(self._snapshots)}

    def _take(self, order: _Order) -> object:
        name = order.body.get("name", f"snapshot-{next(self._numbers)}")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise _OrderError('"name" has 1 to 64 letters, digits, dots, hyphens and underscores')
        if name not in self._snapshots and len(self._snapshots) >= MAX_SNAPSHOTS:
            raise _OrderError(f"{MAX_SNAPSHOTS} snapshots are kept: delete one first")
        self._snapshots[name] = self._control.snapshot()
        return {"snapshot": name}

    def _restore(self, order: _Order) -> object:
        self._control.restore(self._snapshot(order.name))
        return {"restored": order.name}

    def _drop(self, order: _Order) -> object:
        self._snapshot(order.name)
        del self._snapshots[order.name]
        return {"deleted": order.name}

    def _snapshot(self, name: str) -> KmsSnapshot:
        if name not in self._snapshots:
            raise _OrderError(f"there is no snapshot {name!r}", 404)
        return self._snapshots[name]

    def _clock(self, _order: _Order) -> object:
        clock = self._control.clock
        return {"now": _text(clock()), "frozen": clock.is_frozen}

    def _set_clock(self, order: _Order) -> object:
        """All of an order is read before any of it is done."""
        moment = _read(order.body, "set", moment_of)
        span = _read(order.body, "advance", span_of)
        freeze = order.body.get("freeze")
        if not isinstance(freeze, bool | None):
            raise _OrderError('"freeze" is true or false')
        clock = self._control.clock
        before = clock.state()
        try:
            if moment is not None:
                clock.set(moment)
            if span is not None:
                clock.advance(span)
        except ValueError:
            clock.restore(before)
            raise
        if freeze is not None:
            clock.freeze() if freeze else clock.run()
        return self._clock(order)

    def _orders(self, _order: _Order) -> object:
        return {"faults": [_shown(order) for order in self._control.faults.orders()]}

    def _order(self, order: _Order) -> object:
        operation = _name(order.body, "operation") or ANY
        plan = order.body.get("plan", [])
        if not isinstance(plan, list) or len(plan) > MAX_PLAN:
            raise _OrderError(f'"plan" is a list of at most {MAX_PLAN} faults')
        faults = [fault_of(each) for each in plan]
        always = fault_of(order.body["always"]) if "always" in order.body else None
        if not faults and always is None:
            raise _OrderError('an order needs "plan", a list of faults, or "always", one fault')
        about = {"key": _name(order.body, "key"), "principal": _name(order.body, "principal")}
        if faults:
            self._control.faults.plan(operation, *faults, **about)
        if always is not None:
            self._control.faults.always(operation, always, **about)
        return self._orders(order)

    def _clear_faults(self, order: _Order) -> object:
        self._control.faults.clear()
        return self._orders(order)

    def _calls(self, order: _Order) -> object:
        found = self._control.calls.calls(
            order.query.get("operation", ""),
            key=order.query.get("key", ""),
            principal=order.query.get("principal", ""),
        )
        return {"calls": [call._asdict() | {"at": _text(call.at)} for call in found]}

    def _clear_calls(self, order: _Order) -> object:
        self._control.calls.clear()
        return {"calls": []}


def _shown(order: FaultOrder) -> object:
    selector = order.selector
    about = {"operation": selector.operation, "key": selector.key, "principal": selector.principal}
    shown = {name: value for name, value in about.items() if value} | {"met": order.met}
    return shown if order.always is None else shown | {"always": order_of(order.always)}


def _body(request: HttpRequest) -> Mapping[str, Any]:
    if not request.body.strip():
        return {}
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise _OrderError("the body is not JSON") from error
    if not isinstance(body, dict):
        raise _OrderError("the body is a JSON object")
    return body


def _require_known(given: Iterable[str], what: str, known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            raise _OrderError(f"there is no {what} {name!r} here; there are {', '.join(known) or 'none'}")


def _name(body: Mapping[str, Any], member: str) -> str:
    value = body.get(member, "")
    if not isinstance(value, str):
        raise _OrderError(f'"{member}" is a text')
    return value


def _read(body: Mapping[str, Any], member: str, read: Callable[[object], T]) -> T | None:
    """What a member means; None where it is not there."""
    if member not in body:
        return None
    try:
        return read(body[member])
    except ValueError as error:
        raise _OrderError(f'"{member}": {error}') from error


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(status: int, content: object) -> HttpResponse:
    return HttpResponse(status, json.dumps(content, default=str).encode() + b"\n", _JSON)
