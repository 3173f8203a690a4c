"""A backend that keeps what it was called with, and requests signed by botocore's own signer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from kms_tui.kms.model import CallerIdentity
from kms_tui.serve.http_messages import HttpRequest
from kms_tui.serve.sigv4 import Credential

CREDENTIAL = Credential("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
CALLER = CallerIdentity("111122223333", "arn:aws:iam::111122223333:user/ada", "AIDAEXAMPLE")
REGION = "eu-west-1"

Answer = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


class FakeBackend:
    """Answers by a function; ``calls`` holds (region, operation, params)."""

    account_id = CALLER.account
    partition = "aws"

    def __init__(self, answer: Answer | None = None, region: str = REGION) -> None:
        self.region = region
        self.answer: Answer = answer or (lambda _operation, _params: {})
        self.calls: list[tuple[str, str, Mapping[str, Any]]] = []

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self.calls.append((self.region, operation, params))
        return self.answer(operation, params)

    def caller(self) -> CallerIdentity:
        return CALLER

    def in_region(self, region: str) -> FakeBackend:
        other = FakeBackend(self.answer, region)
        other.calls = self.calls
        return other


def kms_request(operation: str, body: bytes = b"{}", **headers: str) -> HttpRequest:
    """An unsigned request to KMS."""
    return HttpRequest("POST", "/", "", {"x-amz-target": f"TrentService.{operation}", **headers}, body)


def signed(
    body: bytes = b"{}",
    *,
    headers: Mapping[str, str] | None = None,
    url: str = "http://127.0.0.1:8000/",
    service: str = "kms",
    region: str = REGION,
    credential: Credential = CREDENTIAL,
    token: str | None = None,
) -> HttpRequest:
    """A request with an Authorization header by botocore, as the server receives it."""
    prepared = AWSRequest("POST", url, data=body, headers=dict(headers or {}))
    SigV4Auth(_botocore(credential, token), service, region).add_auth(prepared)
    return _received(prepared, body)


def presigned(
    url: str,
    *,
    service: str = "sts",
    region: str = REGION,
    expires: int = 60,
    credential: Credential = CREDENTIAL,
    token: str | None = None,
) -> HttpRequest:
    """A GET request signed in its query by botocore."""
    prepared = AWSRequest("GET", url)
    SigV4QueryAuth(_botocore(credential, token), service, region, expires=expires).add_auth(prepared)
    return _received(prepared, b"")


def time_of(request: HttpRequest) -> datetime:
    """When a request was signed."""
    timestamp = request.headers.get("x-amz-date") or request.query_parameters()["X-Amz-Date"]
    return datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _received(prepared: AWSRequest, body: bytes) -> HttpRequest:
    place = urlsplit(str(prepared.url))
    headers = {name.lower(): str(value) for name, value in prepared.headers.items()}
    return HttpRequest(str(prepared.method), place.path, place.query, {"host": place.netloc, **headers}, body)


def _botocore(credential: Credential, token: str | None) -> Credentials:
    return Credentials(credential.access_key_id, credential.secret_access_key, token)
