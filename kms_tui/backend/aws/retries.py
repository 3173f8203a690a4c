"""When a request is sent again, beside what botocore's standard mode decides, and which answers are whole.

botocore asks a needs-retry handler after each attempt; it answers the seconds to wait before the next, or
None.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

import botocore.exceptions as boto
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError

from kms_tui.kms.errors import THROTTLED

MAX_ATTEMPTS = 3
"""Attempts in all, as in botocore's standard mode."""
_MAX_DELAY = 20.0
_NEVER_SENT = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError)

Handler = Callable[..., float | None]


def backoff(attempts: int, fraction: Callable[[], float]) -> float:
    """Seconds to wait after so many attempts: standard mode's truncated exponential with full jitter."""
    return fraction() * min(2.0 ** (attempts - 1), _MAX_DELAY)


def refused_mutations(fraction: Callable[[], float] = random.random) -> Handler:
    """Sends a mutation again only where KMS says that it was throttled, or no connection was made."""

    def needs_retry(
        *, response: Any, attempts: int, caught_exception: Exception | None, **_: Any
    ) -> float | None:
        if attempts >= MAX_ATTEMPTS:
            return None
        refused = isinstance(caught_exception, _NEVER_SENT) or _error_code(response) in THROTTLED
        return backoff(attempts, fraction) if refused else None

    return needs_retry


def broken_answers(max_attempts: int, fraction: Callable[[], float] = random.random) -> Handler:
    """Asks again for a successful answer that is not whole; raises IncompleteAnswerError after the last."""

    def needs_retry(*, response: Any, operation: Any, attempts: int, **_: Any) -> float | None:
        if response is None:
            return None
        http = response[0]
        expects_body = operation.output_shape is not None and bool(operation.output_shape.members)
        if http.status_code >= 300 or is_whole(http.content, http.headers, expects_body):
            return None
        if attempts >= max_attempts:
            raise IncompleteAnswerError(endpoint_url=http.url)
        return backoff(attempts, fraction)

    return needs_retry


def refuse_broken_answers(events: Any, service: str, max_attempts: int) -> None:
    """Have a client refuse answers that are not whole, or no JSON, which botocore reads as empty ones.

    ``service`` is the service's id in botocore's event names ("kms", "secrets-manager").
    """
    events.register(f"before-parse.{service}", withhold_bad_body)
    events.register(f"needs-retry.{service}", broken_answers(max_attempts))


def withhold_bad_body(*, response_dict: dict[str, Any], **_: Any) -> None:
    """Before parsing: withhold a body that is no JSON object; botocore's parser fails on some of them."""
    if response_dict["body"] and not is_object(response_dict["body"]):
        response_dict["body"] = b""


def _error_code(response: Any) -> str:
    return str(response[1].get("Error", {}).get("Code", "")) if response is not None else ""


class IncompleteAnswerError(boto.HTTPClientError):
    """A successful answer whose body is not whole: fewer bytes than announced, or not JSON."""

    fmt = "The answer was cut short or is not KMS's"


def is_whole(content: bytes, headers: Mapping[str, str], expects_body: bool) -> bool:
    """Whether the body of a successful answer can be believed.

    botocore takes a body that is not JSON for an empty answer, so a page cut in half, or a hotel's sign-in
    page, would read as "no keys".
    """
    announced = headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) != len(content):
        return False
    # Some servers answer null for nothing.
    return not expects_body if content in (b"", b"null") else is_object(content)


def is_object(content: bytes) -> bool:
    """Whether the bytes are a JSON object."""
    try:
        return isinstance(json.loads(content), dict)
    except ValueError:
        return False
