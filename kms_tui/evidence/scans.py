"""A scan finds the resources of one account and Region that name a key; ``Scans`` keeps a session's scans."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Self

from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.references import KeyNames, read_names
from kms_tui.evidence.scan_task import ScanTask, Section, Use
from kms_tui.evidence.scanners import SCANNERS
from kms_tui.evidence.scanners.scanner import Scanner
from kms_tui.kms.errors import AnswerError, KmsTuiError
from kms_tui.kms.facts import UNASKED
from kms_tui.workers import Job, QueueRules, WorkerPool, WorkQueues

_KEYS = "KMS"
"""The queue of the calls to KMS for the names of its keys."""
_WORKERS, _PER_SERVICE = 8, 4
"""Threads of a scan, and the most that call one service."""


@dataclass(frozen=True, slots=True)
class UnmatchedUse:
    """A use of a key that is not in this account and region; ``reason`` says what it names instead."""

    use: Use
    reason: str


@dataclass(frozen=True, slots=True)
class Scan:
    """The result of a scan, for every key of the region.

    There is a section for each scanner of the region, in their order; ``unmatched`` uses name no key of it.
    """

    region: str
    started: datetime
    duration: timedelta
    sections: tuple[Section, ...]
    names: KeyNames
    is_cancelled: bool
    unmatched: tuple[UnmatchedUse, ...]
    _by_key: Mapping[str, Sequence[Use]] = field(repr=False)

    @classmethod
    def of(
        cls,
        region: str,
        started: datetime,
        duration: timedelta,
        sections: tuple[Section, ...],
        names: KeyNames,
        *,
        is_cancelled: bool = False,
    ) -> Self:
        """The scan of these sections; each use belongs to a key or to ``unmatched``."""
        by_key: defaultdict[str, list[Use]] = defaultdict(list)
        unmatched = []
        for section in sections:
            for use in sorted(section.uses, key=attrgetter("resource")):
                target = names.target(use.reference)
                if target.key_id:
                    by_key[target.key_id].append(use)
                else:
                    unmatched.append(UnmatchedUse(use, target.reason))
        return cls(region, started, duration, sections, names, is_cancelled, tuple(unmatched), by_key)

    def uses(self, key_id: str) -> Sequence[Use]:
        """The uses that name a key by its id, ARN or an alias, in the order of the sections."""
        return self._by_key.get(key_id, ())

    @property
    def unchecked(self) -> tuple[Section, ...]:
        """Kinds that were not checked whole: a key without a use there may still be used."""
        return tuple(section for section in self.sections if not section.is_checked)

    @property
    def not_offered(self) -> tuple[Section, ...]:
        """Services that the region does not have."""
        return tuple(section for section in self.sections if not section.is_offered)

    @property
    def checked(self) -> int:
        """The number of checked resources."""
        return sum(section.checked for section in self.sections)


def can_scan(services: Services) -> bool:
    """Whether there are services to scan: a local store has CloudTrail and VPC endpoints at most."""
    return all(services.offers(scanner.service) for scanner in SCANNERS)


class ScanRun:
    """One scan. ``run`` blocks; the other methods may be called from any thread meanwhile."""

    def __init__(
        self,
        kms: Kms,
        services: Services,
        now: Callable[[], datetime],
        scanners: Sequence[Scanner] = SCANNERS,
    ) -> None:
        self._kms = kms
        self._now = now
        self._services = services
        here = [each for each in scanners if each.home in ("", services.region)]
        self._pool = WorkerPool(
            WorkQueues(
                {
                    _KEYS: QueueRules(rate=1.0),
                    **{each.title: QueueRules(rate=each.rate, workers=_PER_SERVICE) for each in here},
                },
                workers=_WORKERS,
            ),
            name="scan",
        )
        self._tasks = [ScanTask(scanner, services, self._pool) for scanner in here]
        self._names = KeyNames(kms.account_id, kms.region, UNASKED, UNASKED)
        self._is_cancelled = threading.Event()

    def run(self) -> Scan:
        """Scan all services, or until ``cancel``."""
        started = self._now()
        self._pool.put(_KEYS, Job(_KEYS, self._read_names))
        for task in self._tasks:
            task.start()
        self._pool.join()
        self._pool.close()
        return Scan.of(
            self._services.region,
            started,
            self._now() - started,
            self.sections(),
            self._names,
            is_cancelled=self._is_cancelled.is_set(),
        )

    def cancel(self) -> None:
        """Make no more calls; ``run`` returns the uses found so far."""
        self._is_cancelled.set()
        self._pool.close()

    def sections(self) -> tuple[Section, ...]:
        return tuple(task.section() for task in self._tasks)

    def _read_names(self) -> None:
        self._names = read_names(self._kms)


class Scans:
    """Starts scans on daemon threads and keeps their results. Every method returns at once and may be called
    from any thread.
    """

    def __init__(self, kms: Kms, services: Services | None, now: Callable[[], datetime]) -> None:
        self._kms = kms
        self._services = services
        self._now = now
        self._lock = threading.Lock()
        self._runs: dict[str, ScanRun | None] = {}
        self._cancelled: set[str] = set()
        self._results: dict[str, Scan | KmsTuiError] = {}

    @property
    def is_offered(self) -> bool:
        """Whether the backend has the services to scan."""
        return self._services is not None and can_scan(self._services)

    def result(self, region: str) -> Scan | KmsTuiError | None:
        """The last scan of a region, or why it could not begin; None before the first."""
        with self._lock:
            return self._results.get(region)

    def is_running(self, region: str) -> bool:
        with self._lock:
            return region in self._runs

    def run_of(self, region: str) -> ScanRun | None:
        """The running scan, once it makes calls."""
        with self._lock:
            return self._runs.get(region)

    def start(self, region: str) -> None:
        """Scan a region, unless a scan of it runs."""
        with self._lock:
            if self._services is None or region in self._runs:
                return
            self._runs[region] = None
        threading.Thread(
            target=self._work, args=(self._services, region), name="kms-tui scan", daemon=True
        ).start()

    def cancel(self, region: str) -> None:
        """Make no more calls; an earlier result stays, else the partial one is kept."""
        with self._lock:
            if region not in self._runs:
                return
            self._cancelled.add(region)
            run = self._runs[region]
        if run is not None:
            run.cancel()

    def take(self, scan: Scan) -> None:
        """Keep a scan that was made elsewhere, as if it had been started here."""
        self._keep(scan.region, scan)

    def close(self) -> None:
        """Make no more calls for any region."""
        with self._lock:
            regions = list(self._runs)
        for region in regions:
            self.cancel(region)

    def _work(self, services: Services, region: str) -> None:
        try:
            self._keep(region, self._scan(services, region))
        except KmsTuiError as error:
            self._keep(region, error)
        except Exception as error:
            self._keep(region, AnswerError.of(error))
        finally:
            with self._lock:
                del self._runs[region]
                self._cancelled.discard(region)

    def _scan(self, services: Services, region: str) -> Scan:
        run = ScanRun(self._kms.in_region(region), services.in_region(region), self._now)
        with self._lock:
            self._runs[region] = run
            is_cancelled = region in self._cancelled
        if is_cancelled:
            run.cancel()
        return run.run()

    def _keep(self, region: str, result: Scan | KmsTuiError) -> None:
        """Keep a result; a cancelled scan does not replace an earlier one."""
        with self._lock:
            before = self._results.get(region)
            if not (isinstance(result, Scan) and result.is_cancelled and isinstance(before, Scan)):
                self._results[region] = result
