"""A scan task reads one service: its pages, its entries and its failures."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import jmespath

from kms_tui.backend.base import Services
from kms_tui.evidence.scanners.scanner import Scanner
from kms_tui.kms.errors import AnswerError, EndpointError, KmsTuiError, NotOfferedError, ServiceError
from kms_tui.workers import Job, Workers

_MAX_FAILURES = 5
"""Failures in a row after which the rest of a service is skipped, as for a denied caller."""
_MAX_KEPT = 5
"""Failed calls kept with their error; further ones are counted."""


@dataclass(frozen=True, slots=True)
class Use:
    """A resource that names a key; ``reference`` is an id, ARN or alias, as its service returns it.

    ``by_default``: the resource names no key, and ``reference`` is the alias of the AWS-managed key that its
    service then uses.
    """

    kind: str
    resource: str
    reference: str
    label: str = ""
    purpose: str = ""
    by_default: bool = False


@dataclass(frozen=True, slots=True)
class FailedCall:
    """A call that failed, and why; ``resource`` is "" for a page of the list."""

    resource: str
    error: KmsTuiError


@dataclass(frozen=True, slots=True)
class Section:
    """The uses that one scanner has found so far.

    Of the ``listed`` resources, ``checked`` were read; ``is_whole_list``: the last page has been read;
    ``is_over``: the scanner has finished; ``is_offered``: the region has the service.
    """

    title: str
    uses: tuple[Use, ...] = ()
    listed: int = 0
    checked: int = 0
    calls: int = 0
    failed_calls: tuple[FailedCall, ...] = ()
    is_whole_list: bool = False
    is_over: bool = False
    is_offered: bool = True

    @property
    def is_checked(self) -> bool:
        """Whether the whole service was checked, so that a resource not in ``uses`` uses no key."""
        return self.is_over and (not self.is_offered or (self.is_whole_list and not self.unchecked))

    @property
    def unchecked(self) -> int:
        """The number of listed resources that have not been checked."""
        return self.listed - self.checked


class ScanTask:
    """Puts a scanner's calls into its queue, page after page, and collects the answers."""

    def __init__(self, scanner: Scanner, services: Services, workers: Workers) -> None:
        self.scanner = scanner
        self._services = services
        self._workers = workers
        self._lock = threading.Lock()
        self._uses: list[Use] = []
        self._failed_calls: list[FailedCall] = []
        self._listed = self._checked = self._calls = 0
        self._open = self._failures = 0
        self._is_started = self._is_whole_list = self._is_given_up = False
        self._is_offered = True

    def start(self) -> None:
        """Queue the first page."""
        self._is_started = True
        self._put(partial(self._read_page, {}))

    def section(self) -> Section:
        with self._lock:
            return Section(
                self.scanner.title,
                tuple(self._uses),
                self._listed,
                self._checked,
                self._calls,
                tuple(self._failed_calls),
                self._is_whole_list,
                self._is_started and self._open == 0,
                self._is_offered,
            )

    # Calls: each runs as a job of the scanner's queue

    def _put(self, job: partial[None]) -> None:
        def run() -> None:
            try:
                job()
            except (TypeError, ValueError, AttributeError, LookupError) as error:
                # An answer with wrong types fails this call; the scan goes on.
                self._failed(FailedCall("", AnswerError.of(error)))
            finally:
                with self._lock:
                    self._open -= 1

        with self._lock:
            if self._is_given_up:
                return
            self._open += 1
        self._workers.put(self.scanner.title, Job(object(), run))

    def _call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        with self._lock:
            self._calls += 1
        return self._services.call(self.scanner.service, operation, params)

    def _read_page(self, position: Mapping[str, str]) -> None:
        listing = self.scanner.listing
        place = {listing.in_region: self._services.region} if listing.in_region else {}
        try:
            answer = self._call(listing.operation, {**listing.params, **place, **position})
        except NotOfferedError:
            with self._lock:
                self._is_offered = False
            return
        except KmsTuiError as error:
            self._failed(FailedCall("", error))
            return
        asked, answered = listing.token
        token = text(answer, answered) if answered else ""
        if token and token == position.get(asked):
            sentence = f"{listing.operation} answers the same page again and again."
            self._failed(FailedCall("", EndpointError(sentence)))
            return
        entries = list(self._entries(answer))
        with self._lock:
            self._listed += len(entries)
            self._is_whole_list = not token
        if token:
            self._put(partial(self._read_page, {asked: token}))
        for entry in entries:
            if self.scanner.detail is None:
                self._add_uses(entry, entry)
            else:
                self._put(partial(self._read_detail, entry))

    def _entries(self, answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The page's entries of this region, or without a region."""
        scanner = self.scanner
        for entry in values(answer, scanner.listing.items):
            shaped = {scanner.listing.wrap: entry} if isinstance(entry, str) else entry
            region = text(shaped, scanner.region_at) if scanner.region_at else ""
            if region in ("", self._services.region):
                yield shaped

    def _read_detail(self, entry: Mapping[str, Any]) -> None:
        detail = self.scanner.detail
        assert detail is not None
        named = [each for each in values(entry, detail.of) if isinstance(each, str)]
        if detail.as_list and not named:
            self._add_uses(entry, {})
            return
        asked = named if detail.as_list else next(iter(named), "")
        also = {member: text(entry, path) for member, path in detail.also.items()}
        try:
            answer = self._call(detail.operation, {**detail.params, **also, detail.member: asked})
        except ServiceError as error:
            if error.code not in detail.without:
                self._failed(FailedCall(self._name(entry), error))
                return
            answer = {}
        except KmsTuiError as error:
            self._failed(FailedCall(self._name(entry), error))
            return
        self._add_uses(entry, answer)

    # Answers

    def _add_uses(self, entry: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        uses = dict.fromkeys(self._uses_in(entry, answer))
        with self._lock:
            self._checked += 1
            self._failures = 0
            self._uses += uses

    def _uses_in(self, entry: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[Use]:
        scanner = self.scanner
        label = text(entry, scanner.label) if scanner.label else ""
        for place in scanner.keys:
            for structure in values(answer, place.within):
                named = text(structure, place.key)
                applies = place.when is None or text(structure, place.when[0]) in place.when[1]
                reference = named or (place.default if applies else "")
                if reference:
                    yield Use(
                        scanner.title,
                        self._name(entry),
                        reference,
                        label,
                        place.purpose,
                        by_default=not named,
                    )

    def _name(self, entry: Mapping[str, Any]) -> str:
        name = text(entry, self.scanner.name)
        return name.rpartition(self.scanner.name_after)[2] if self.scanner.name_after else name

    def _failed(self, failed: FailedCall) -> None:
        """Note a failure. A failed page ends the list, since only it names the next page."""
        with self._lock:
            if len(self._failed_calls) < _MAX_KEPT:
                self._failed_calls.append(failed)
            if not failed.resource:
                self._is_whole_list = False
            self._failures += 1
            self._is_given_up |= self._failures >= _MAX_FAILURES
        if self._is_given_up:
            dropped = self._workers.drop(self.scanner.title)
            with self._lock:
                self._open -= dropped


@cache
def _compiled(path: str) -> Any:
    """The table has more paths than jmespath keeps compiled."""
    return jmespath.compile(path)


def values(answer: Any, path: str) -> Iterator[Any]:
    """The values at a path of an API answer: each entry of a list, nothing if a member is missing.

    ``path`` is a JMESPath expression; "" is the answer itself.
    """
    found = _compiled(path).search(answer) if path else answer
    yield from found if isinstance(found, list) else () if found is None else (found,)


def text(answer: Any, path: str) -> str:
    """The first text at a path, or ""."""
    return next((value for value in values(answer, path) if isinstance(value, str)), "")
