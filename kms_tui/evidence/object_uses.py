"""Which objects of one S3 bucket are under a key: only HeadObject of each tells the key.

The objects come from a listing, or from an S3 Inventory, which says what is encrypted with KMS, not by which
key.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from kms_tui.backend.base import Services
from kms_tui.evidence.scan_shortfalls import error_words
from kms_tui.evidence.scan_task import FailedCall, text, values
from kms_tui.kms.errors import AnswerError, EndpointError, KmsTuiError, ServiceError
from kms_tui.workers import Job, QueueRules, WorkerPool, WorkQueues

RATE = 200.0
"""HeadObject a second; S3 takes 5,500 for each prefix (user guide, "Best practices design patterns")."""
_WORKERS = 8
_MOST_FAILURES = 20
"""Failures in a row after which the rest is not read, as for a denied caller."""
_MAX_KEPT = 5
NOT_KMS = "under no KMS key"


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object to be looked at; ``version`` is "" for the current one."""

    name: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class ObjectUse:
    """An object under the key."""

    name: str
    version: str
    size: int


@dataclass(frozen=True, slots=True)
class ObjectUses:
    """What was found in a bucket so far.

    ``others`` counts the objects that are under another key (its ARN) or under none (``NOT_KMS``);
    ``set_aside`` those of an inventory that need no look (its status), ``gone`` those deleted meanwhile.
    ``failed`` are counted, ``failed_calls`` the first of them. ``stopped`` says why the rest was not listed,
    or is "".
    """

    bucket: str
    prefix: str
    uses: tuple[ObjectUse, ...]
    others: Mapping[str, int]
    set_aside: Mapping[str, int]
    listed: int
    looked_at: int
    gone: int
    failed: int
    failed_calls: tuple[FailedCall, ...]
    stopped: str

    @property
    def size(self) -> int:
        """The bytes under the key."""
        return sum(use.size for use in self.uses)

    @property
    def is_whole(self) -> bool:
        return not self.failed and not self.stopped


Pages = Iterable[Sequence[ListedObject]]


class ObjectScan:
    """Looks at the objects of a bucket. ``run`` blocks; other threads may ask ``result`` and ``cancel``."""

    def __init__(
        self,
        services: Services,
        bucket: str,
        is_key: Callable[[str], bool],
        pages: Pages,
        *,
        prefix: str = "",
        set_aside: Mapping[str, int] | None = None,
        rate: float | None = RATE,
    ) -> None:
        self._services = services
        self._bucket, self._prefix = bucket, prefix
        self._is_key = is_key
        self._pages = pages
        self._set_aside: Mapping[str, int] = set_aside if set_aside is not None else {}
        self._pool = WorkerPool(
            WorkQueues({"heads": QueueRules(rate=rate)}, workers=_WORKERS), name="objects"
        )
        self._lock = threading.Lock()
        self._uses: list[ObjectUse] = []
        self._others: Counter[str] = Counter()
        self._failed_calls: list[FailedCall] = []
        self._listed = self._looked_at = self._gone = self._failed = self._in_a_row = 0
        self._stopped = ""

    def run(self) -> ObjectUses:
        """Look at all objects, a page at a time, or until ``cancel``."""
        try:
            for page in self._pages:
                if self._stopped:
                    break
                with self._lock:
                    self._listed += len(page)
                for each in page:
                    self._pool.put("heads", Job(object(), partial(self._look_at, each)))
                self._pool.join()
        except KmsTuiError as error:
            self._stop(f"the list ends early: {error_words(error)}")
        finally:
            self._pool.close()
        return self.result()

    def cancel(self) -> None:
        """Make no more calls."""
        self._stop("cancelled")

    def result(self) -> ObjectUses:
        with self._lock:
            return ObjectUses(
                self._bucket,
                self._prefix,
                tuple(sorted(self._uses, key=lambda use: (use.name, use.version))),
                dict(self._others.most_common()),
                dict(self._set_aside),
                self._listed,
                self._looked_at,
                self._gone,
                self._failed,
                tuple(self._failed_calls),
                self._stopped,
            )

    def progress(self) -> tuple[int, int]:
        """How many were looked at, and how many are under the key."""
        with self._lock:
            return self._looked_at, len(self._uses)

    def _stop(self, why: str) -> None:
        with self._lock:
            self._stopped = self._stopped or why
        self._pool.close()

    def _look_at(self, each: ListedObject) -> None:
        version = {"VersionId": each.version} if each.version else {}
        try:
            head = self._services.call(
                "s3", "HeadObject", {"Bucket": self._bucket, "Key": each.name, **version}
            )
            key, size = text(head, "SSEKMSKeyId"), int(head.get("ContentLength", 0))
        except ServiceError as error:
            if error.status == 404:
                with self._lock:
                    self._gone += 1
                return
            self._fail(FailedCall(each.name, error))
            return
        except KmsTuiError as error:
            self._fail(FailedCall(each.name, error))
            return
        except (TypeError, ValueError, AttributeError) as error:
            self._fail(FailedCall(each.name, AnswerError.of(error)))
            return
        with self._lock:
            self._looked_at += 1
            self._in_a_row = 0
            if key and self._is_key(key):
                self._uses.append(ObjectUse(each.name, each.version, size))
            else:
                self._others[key or NOT_KMS] += 1

    def _fail(self, failed: FailedCall) -> None:
        with self._lock:
            self._failed += 1
            self._in_a_row += 1
            if len(self._failed_calls) < _MAX_KEPT:
                self._failed_calls.append(failed)
            give_up = self._in_a_row >= _MOST_FAILURES
        if give_up:
            self._stop(f"{_MOST_FAILURES} calls in a row failed")


def listed_pages(
    services: Services, bucket: str, prefix: str, *, versions: bool
) -> Iterator[list[ListedObject]]:
    """The pages of a bucket's listing, of the current objects or of every version. Raises KmsTuiError."""
    operation, entries, token, answered = (
        ("ListObjectVersions", "Versions", ("KeyMarker", "VersionIdMarker"), "NextKeyMarker")
        if versions
        else ("ListObjectsV2", "Contents", ("ContinuationToken", ""), "NextContinuationToken")
    )
    position: dict[str, str] = {}
    while True:
        answer: Mapping[str, Any] = services.call(
            "s3", operation, {"Bucket": bucket, "Prefix": prefix} | position
        )
        try:
            yield [
                ListedObject(text(entry, "Key"), text(entry, "VersionId"))
                for entry in values(answer, entries)
                if text(entry, "Key")
            ]
            following = {token[0]: text(answer, answered)}
        except (TypeError, ValueError, AttributeError) as error:
            raise AnswerError.of(error) from error
        if not following[token[0]]:
            return
        if versions:
            following[token[1]] = text(answer, "NextVersionIdMarker")
        if following == position:
            raise EndpointError(f"{operation} answers the same page again and again.")
        position = following
