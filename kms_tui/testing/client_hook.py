"""Where the boto3 clients of a process are led to an offline KMS: botocore's event before a request is sent.

The hook is one of botocore's own handlers, which every session takes over when it is made, and every client
of its session. Sessions and clients that are there already when this module is imported get it then.
"""

from __future__ import annotations

import gc
import io
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlsplit

from botocore import handlers
from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.session import Session

from kms_tui.serve.http_messages import Delivery, HttpRequest, HttpResponse

SERVICES = ("kms", "sts")
"""The services of which requests are led here, by botocore's names."""

_ANSWERED = "local-kms:"
"""The URL of a request that was answered: botocore calls all handlers, and moto's takes none with this."""


class Responder(Protocol):
    """Answers HTTP requests in the place of AWS."""

    def offers(self, service: str) -> bool:
        """Whether it answers requests for a service."""

    def respond(self, request: HttpRequest) -> HttpResponse: ...


_active: list[Responder] = []
"""Those in use, the last first asked."""
_lock = threading.Lock()


def activate(responder: Responder) -> None:
    """Lead all clients to a responder, until it is deactivated."""
    with _lock:
        _active.append(responder)


def deactivate(responder: Responder) -> None:
    """Take back its last activation."""
    with _lock:
        del _active[max(place for place, each in enumerate(_active) if each is responder)]


def lead_session(events: Any, responder: Responder) -> None:
    """Lead the clients of one session to a responder, active or not, whichever others are active."""
    for service in SERVICES:
        if responder.offers(service):
            events.unregister(_event(service), _before_send)
            events.register_first(_event(service), partial(_answer_from, responder))


def _responder_for(service: str) -> Responder | None:
    with _lock:
        return next((each for each in reversed(_active) if each.offers(service)), None)


def _event(service: str) -> str:
    return f"before-send.{service}"


def _before_send(event_name: str, request: Any, **_: Any) -> AWSResponse | None:
    """botocore's handler: the answer, or None where the request is sent. Raises as a connection does."""
    responder = _responder_for(event_name.split(".")[1])
    return None if responder is None else _answer_from(responder, request)


def _answer_from(responder: Responder, request: Any, **_: Any) -> AWSResponse:
    url = request.url
    response = responder.respond(_http_request(request))
    request.url = _ANSWERED
    is_half = response.delivery is Delivery.HALF
    if response.delivery is Delivery.RESET or (is_half and not response.body):
        raise ConnectionClosedError(endpoint_url=url)
    if response.delivery is Delivery.NEVER:
        raise ReadTimeoutError(endpoint_url=url)
    body = response.body[: len(response.body) // 2] if is_half else response.body
    headers = {
        "content-type": response.content_type,
        "content-length": str(len(response.body)),
        **dict(response.headers),
    }
    return AWSResponse(url, response.status, HTTPHeaders.from_dict(headers), _Body(body))


class _Body(io.BytesIO):
    """A body as botocore reads one of urllib3."""

    def stream(self, size: int = 65536, **_: Any) -> Iterator[bytes]:
        while piece := self.read(size):
            yield piece


def _http_request(request: Any) -> HttpRequest:
    parts = urlsplit(request.url)
    body = request.body or b""
    if not isinstance(body, bytes | bytearray):
        body = body.encode() if isinstance(body, str) else body.read()
    return HttpRequest(
        request.method, parts.path or "/", parts.query, _headers(request.headers), bytes(body), "127.0.0.1"
    )


def _headers(headers: Mapping[str, Any]) -> dict[str, str]:
    return {
        name.lower(): value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in headers.items()
    }


def _lead_all() -> None:
    """Lead all sessions and clients of the process: those that are there, and those that will be made."""
    emitters = [_emitter(each) for each in gc.get_objects() if issubclass(type(each), Session | BaseClient)]
    for service in SERVICES:
        handlers.BUILTIN_HANDLERS.append((_event(service), _before_send, handlers.REGISTER_FIRST))
        for emitter in emitters:
            if emitter is not None:
                emitter.register_first(_event(service), _before_send)


def _emitter(of: Session | BaseClient) -> Any:
    """What tells its events; None for a client that is not made yet, which has no attributes to ask for."""
    if isinstance(of, Session):
        return of.get_component("event_emitter")
    return of.meta.events if "meta" in vars(of) else None


_lead_all()
