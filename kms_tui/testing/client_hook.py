"""Where the boto3 clients of a process are led to an offline KMS: botocore's event before a request is sent.

The hook is one of botocore's own handlers, which every session takes over when it is made. So clients of
sessions that were made before this module was imported are not led here; the pytest plugin imports it first.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from botocore import handlers
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

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
    with _lock:
        _active.remove(responder)


def _responder_for(service: str) -> Responder | None:
    with _lock:
        return next((each for each in reversed(_active) if each.offers(service)), None)


def _before_send(event_name: str, request: Any, **_: Any) -> AWSResponse | None:
    """botocore's handler: the answer, or None where the request is sent. Raises as a connection does."""
    responder = _responder_for(event_name.split(".")[1])
    if responder is None:
        return None
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


for _service in SERVICES:
    handlers.BUILTIN_HANDLERS.append((f"before-send.{_service}", _before_send, handlers.REGISTER_FIRST))
