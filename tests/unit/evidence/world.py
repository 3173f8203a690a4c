"""Other services as one would have them: a double of ``Services`` with answers and failures to order."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.evidence.scan_task import Section
from kms_tui.evidence.scans import Scan, ScanRun
from kms_tui.kms.errors import KmsTuiError, ServiceError

NOW = datetime(2026, 11, 20, 12, 4, tzinfo=UTC)
REGION, ACCOUNT = "eu-west-1", "111122223333"

Answer = Mapping[str, Any] | KmsTuiError | Callable[[Mapping[str, Any]], Mapping[str, Any]]


class FakeServices:
    """``answers`` by operation: an answer, an error to raise, or what makes the answer from the request.

    An operation that is not there answers nothing, as a service does in which there is nothing.
    """

    def __init__(self, answers: Mapping[str, Answer] | None = None, region: str = REGION) -> None:
        self.answers = dict(answers or {})
        self.calls: Counter[str] = Counter()
        self._region = region
        self._lock = threading.Lock()

    @property
    def region(self) -> str:
        return self._region

    def offers(self, service: str) -> bool:
        return True

    def in_region(self, region: str) -> FakeServices:
        return self if region == self._region else FakeServices(self.answers, region)

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        with self._lock:
            self.calls[operation] += 1
        answer = self.answers.get(operation, {})
        if isinstance(answer, KmsTuiError):
            raise answer
        return answer(params) if callable(answer) else answer


def denied(operation: str) -> ServiceError:
    return ServiceError("AccessDeniedException", "not authorized", operation=operation)


def throttled(operation: str) -> ServiceError:
    return ServiceError("ThrottlingException", "Rate exceeded", operation=operation)


def local_backend() -> LocalBackend:
    return LocalBackend(open_store(), account_id=ACCOUNT, region=REGION)


def new_key(backend: Backend, alias: str = "") -> str:
    """A new key's id."""
    key_id = str(backend.call("CreateKey", {})["KeyMetadata"]["KeyId"])
    if alias:
        backend.call("CreateAlias", {"AliasName": f"alias/{alias}", "TargetKeyId": key_id})
    return key_id


def arn_of(key_id: str, *, region: str = REGION, account: str = ACCOUNT) -> str:
    return f"arn:aws:kms:{region}:{account}:key/{key_id}"


def scan(backend: Backend, services: FakeServices) -> Scan:
    return ScanRun(Kms(backend), services, lambda: NOW).run()


def section(found: Scan, title: str) -> Section:
    return next(each for each in found.sections if each.title == title)
