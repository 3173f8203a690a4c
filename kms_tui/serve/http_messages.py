"""An HTTP request and its response as plain values, whatever server carries them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count
from typing import NamedTuple
from urllib.parse import parse_qsl
from uuid import uuid4

JSON = "application/x-amz-json-1.1"
XML = "text/xml"
TEXT = "text/plain"

_ID_OF_THIS_RUN = f"{str(uuid4())[:24]}%012x"
"""A UUID that ends in a number: a random one for each request would cost 2 us or more."""
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP request. ``path`` and ``query`` are as on the wire, still percent-encoded.

    ``headers`` has names in lower case; values of repeated headers are joined by commas. Headers hold
    signatures and the body plaintext, so neither is in the repr.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    address: str = ""
    """Of the client; "" where it is not known."""
    id: str = field(default_factory=lambda: _ID_OF_THIS_RUN % next(_numbers))

    def __repr__(self) -> str:
        return f"Request({self.method} {self.path})"

    @property
    def client_address(self) -> str:
        """``address``; of a client that speaks IPv4 to a socket for IPv6, its own."""
        return self.address.removeprefix("::ffff:") if "." in self.address else self.address

    def query_parameters(self) -> dict[str, str]:
        """The query decoded; of repeated names the last counts."""
        return dict(parse_qsl(self.query, keep_blank_values=True)) if self.query else {}


class Delivery(Enum):
    """How much of an answer leaves, where a fault was ordered."""

    WHOLE = auto()
    HALF = auto()
    """All of its headers and half of its body; then the connection is closed. Without a body it is reset."""
    RESET = auto()
    """Nothing: the connection is reset."""
    NEVER = auto()
    """Nothing, on a connection that stays open until the client or the server ends it."""


def session_token_of(request: HttpRequest) -> str:
    """The session token that comes with a request's access key; "" where there is none."""
    token = request.headers.get("x-amz-security-token")
    if token is None and "X-Amz-Security-Token=" in request.query:
        return request.query_parameters().get("X-Amz-Security-Token", "")
    return token or ""


class HttpResponse(NamedTuple):
    """``close``: the connection takes no other request. The body may hold plaintext: not in the repr."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    close: bool = False
    delivery: Delivery = Delivery.WHOLE

    def __repr__(self) -> str:
        return f"Response({self.status})"
