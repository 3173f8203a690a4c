"""A scan task reads one service: its pages, its entries, and what of them failed."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jmespath

from kms_tui.backend.base import Services
from kms_tui.evidence.scanners import Scanner
from kms_tui.kms.errors import AnswerError, EndpointError, KmsTuiError, ServiceError
from kms_tui.workers import Job, Workers

_PATIENCE = 5
"""After so many failures in a row the rest of a service is not asked: a denied caller is told once, not
a thousand times."""
_KEPT = 5
"""Failed calls that are kept word for word; the others are counted."""


@dataclass(frozen=True, slots=True)
class Use:
    """A resource that names a key; ``reference`` is an id, ARN or alias, as its service has it.

    ``by_default`` where the resource names none and ``reference`` is the alias of the AWS-managed key that
    its service then uses.
    """

    kind: str
    resource: str
    reference: str
    label: str = ""
    purpose: str = ""
    by_default: bool = False


@dataclass(frozen=True, slots=True)
class FailedCall:
    """A call that failed, and why: ``what`` is a resource, or "" for a page of the list."""

    what: str
    error: KmsTuiError


@dataclass(frozen=True, slots=True)
class Section:
    """What one scanner has found so far.

    ``listed`` resources are known by name, of which ``checked`` were looked at; ``is_whole_list`` says that
    the service has told all it has, ``is_over`` that nothing more will come.
    """

    title: str
    uses: tuple[Use, ...] = ()
    listed: int = 0
    checked: int = 0
    calls: int = 0
    failed_calls: tuple[FailedCall, ...] = ()
    is_whole_list: bool = False
    is_over: bool = False

    @property
    def is_checked(self) -> bool:
        """Whether the whole service was checked, so that a resource not in ``uses`` uses no key."""
        return self.is_over and self.is_whole_list and not self.unchecked

    @property
    def unchecked(self) -> int:
        """How many of the listed resources have not been checked."""
        return self.listed - self.checked


class ScanTask:
    """Puts a scanner's calls into its queue, a page after the other, and gathers the answers."""

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

    def start(self) -> None:
        """Ask for the first page."""
        self._is_started = True
        self._put(partial(self._page, {}))

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
            )

    # Calls; each runs as a job of the scanner's queue

    def _put(self, job: partial[None]) -> None:
        def run() -> None:
            try:
                job()
            except (TypeError, ValueError, AttributeError, LookupError) as error:
                # An answer of the wrong types costs what was asked for, and the scan still ends.
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

    def _page(self, position: Mapping[str, str]) -> None:
        listing = self.scanner.listing
        place = {listing.in_region: self._services.region} if listing.in_region else {}
        try:
            answer = self._call(listing.operation, {**listing.params, **place, **position})
        except KmsTuiError as error:
            self._failed(FailedCall("", error))
            return
        asked, answered = listing.token
        token = text(answer, answered)
        if token and token == position.get(asked):
            sentence = f"{listing.operation} answers the same page again and again."
            self._failed(FailedCall("", EndpointError(sentence)))
            return
        entries = list(self._entries(answer))
        with self._lock:
            self._listed += len(entries)
            self._is_whole_list = not token
        if token:
            self._put(partial(self._page, {asked: token}))
        for entry in entries:
            if self.scanner.detail is None:
                self._look_at(entry, entry)
            else:
                self._put(partial(self._ask, entry))

    def _entries(self, answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The page's entries that are of this region, or do not tell theirs."""
        scanner = self.scanner
        for entry in values(answer, scanner.listing.items):
            shaped = {scanner.listing.wrap: entry} if isinstance(entry, str) else entry
            region = text(shaped, scanner.region_at) if scanner.region_at else ""
            if region in ("", self._services.region):
                yield shaped

    def _ask(self, entry: Mapping[str, Any]) -> None:
        detail = self.scanner.detail
        assert detail is not None
        try:
            answer = self._call(detail.operation, {**detail.params, detail.member: text(entry, detail.of)})
        except ServiceError as error:
            if error.code not in detail.without:
                self._failed(FailedCall(self._name(entry), error))
                return
            answer = {}
        except KmsTuiError as error:
            self._failed(FailedCall(self._name(entry), error))
            return
        self._look_at(entry, answer)

    # What they answer

    def _look_at(self, entry: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        uses = list(self._uses_in(entry, answer))
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
        """A page that fails ends the list, since it alone knew of the next; an entry costs that entry."""
        with self._lock:
            if len(self._failed_calls) < _KEPT:
                self._failed_calls.append(failed)
            if not failed.what:
                self._is_whole_list = False
            self._failures += 1
            self._is_given_up |= self._failures >= _PATIENCE
        if self._is_given_up:
            dropped = self._workers.drop(self.scanner.title)
            with self._lock:
                self._open -= dropped


def values(answer: Any, path: str) -> Iterator[Any]:
    """What stands at a path of an API answer: each entry of a list, nothing where a member is missing.

    ``path`` is a JMESPath expression; an empty one is the answer itself.
    """
    found = jmespath.search(path, answer) if path else answer
    yield from found if isinstance(found, list) else () if found is None else (found,)


def text(answer: Any, path: str) -> str:
    """The first text at a path; "" where there is none."""
    return next((value for value in values(answer, path) if isinstance(value, str)), "")
