"""The calls of one reading of layers: each asked once, counted, and stopped between two."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from kms_tui.backend.base import Services
from kms_tui.kms.errors import KmsTuiError, ServiceError, UnavailableError
from kms_tui.policy.layers import Layer, NamedPolicy, UnreadLayer, read_policy

MAX_CALLS = 300
"""Calls of one reading: a user in ten groups with ten policies each takes about 250."""
_MOST_PAGES = 50


MISSHAPEN = (KeyError, TypeError, AttributeError, IndexError)
"""What taking an answer apart raises where it is not of the API's types."""


class NotReadError(Exception):
    """Why a layer is not known, as a sentence without its full stop: "iam GetRole was denied"."""


class ServiceReads:
    """Makes calls of ``Services``, the same one once. Raises NotReadError where a call gives no answer."""

    def __init__(
        self, services: Services | None, keep_going: Callable[[], bool], most: int = MAX_CALLS
    ) -> None:
        self._services = services
        self._keep_going = keep_going
        self._most = self._left = most
        self._answers: dict[str, Mapping[str, Any] | KmsTuiError] = {}

    def call(self, service: str, operation: str, **params: Any) -> Mapping[str, Any]:
        """The answer of a call; NotReadError, with the call and the reason, where there is none."""
        answer = self._answer(service, operation, params)
        if not isinstance(answer, KmsTuiError):
            return answer
        name = f"{service} {operation}"
        if isinstance(answer, ServiceError) and answer.denied:
            raise NotReadError(f"{name} was denied") from answer
        if isinstance(answer, UnavailableError):
            raise NotReadError(f"this connection has no {service} to ask") from answer
        raise NotReadError(f"{name} failed: {str(answer).rstrip('.')}") from answer

    def answers_code(self, service: str, operation: str, *codes: str, **params: Any) -> bool:
        """Whether the call ends with one of these error codes."""
        answer = self._answer(service, operation, params)
        return isinstance(answer, ServiceError) and answer.code in codes

    def pages(self, service: str, operation: str, member: str, marker: str, **params: Any) -> Iterator[Any]:
        """All entries of a paged answer; ``marker`` is the member that asks for the next page."""
        given: dict[str, Any] = {}
        for _ in range(_MOST_PAGES):
            answer = self.call(service, operation, **params, **given)
            entries = answer.get(member)
            if not isinstance(entries, list):
                raise NotReadError(f"{service} {operation} answered without {member}")
            yield from entries
            following = answer.get(marker)
            if not following or following == given.get(marker):
                return
            given = {marker: following}
        raise NotReadError(f"{service} {operation} has more than {_MOST_PAGES} pages")

    def _answer(
        self, service: str, operation: str, params: Mapping[str, Any]
    ) -> Mapping[str, Any] | KmsTuiError:
        key = json.dumps([service, operation, params], sort_keys=True, default=str)
        if key not in self._answers:
            if not self._keep_going():
                raise NotReadError("the reading was stopped")
            if self._services is None or not self._services.offers(service):
                return UnavailableError(service, operation)
            if self._left <= 0:
                raise NotReadError(f"it takes more than {self._most} calls")
            self._left -= 1
            try:
                self._answers[key] = self._services.call(service, operation, params)
            except KmsTuiError as error:
                self._answers[key] = error
        return self._answers[key]


def unread(error: Exception) -> UnreadLayer:
    """The layer whose reading ended in NotReadError, or in one of ``MISSHAPEN``."""
    if isinstance(error, NotReadError):
        return UnreadLayer(str(error))
    return UnreadLayer(f"an answer of AWS has another form than it promises ({type(error).__name__})")


def policy_of(layer: Layer, name: str, document: object) -> NamedPolicy:
    """A policy as a service answers it: an object, JSON, or JSON that is URL-encoded, as in IAM's API.

    Raises NotReadError for a document that does not parse.
    """
    if isinstance(document, str):
        text = unquote(document) if document.lstrip().startswith("%") else document
    else:
        text = json.dumps(document, indent=2)
    policy = read_policy(layer, name, text)
    for problem in policy.document.problems:
        raise NotReadError(f"the policy {name} cannot be read: {problem.sentence.rstrip('.')}")
    return policy
