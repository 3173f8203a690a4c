"""A scan finds everything in one account and Region that names a key; ``Scans`` keeps a session's."""

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
from kms_tui.evidence.scanners import SCANNERS, Scanner
from kms_tui.kms.errors import AnswerError, KmsTuiError
from kms_tui.kms.facts import UNASKED
from kms_tui.workers import Job, QueueRules, WorkerPool, WorkQueues

_KEYS = "KMS"
"""The queue in which KMS is asked for the names of its keys."""
_WORKERS, _PER_SERVICE = 8, 4
"""Threads of a scan, and how many of them may call one service."""


@dataclass(frozen=True, slots=True)
class Stray:
    """A use of a key that is not one of this account and region; ``reason`` says what it names instead."""

    use: Use
    reason: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan found, for every key of the region at once.

    There is a section for each scanner, in their order; ``strays`` is what names none of the region's keys.
    """

    region: str
    started: datetime
    duration: timedelta
    sections: tuple[Section, ...]
    names: KeyNames
    is_cancelled: bool
    strays: tuple[Stray, ...]
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
        """The scan of these sections, every use of which is assigned to a key or to the strays."""
        by_key: defaultdict[str, list[Use]] = defaultdict(list)
        strays = []
        for section in sections:
            for use in sorted(section.uses, key=attrgetter("resource")):
                target = names.target(use.reference)
                if target.key_id:
                    by_key[target.key_id].append(use)
                else:
                    strays.append(Stray(use, target.elsewhere))
        return cls(region, started, duration, sections, names, is_cancelled, tuple(strays), by_key)

    def uses(self, key_id: str) -> Sequence[Use]:
        """What names a key of the region, by its id, its ARN or an alias, in the order of the sections."""
        return self._by_key.get(key_id, ())

    @property
    def unchecked(self) -> tuple[Section, ...]:
        """Services that were not checked whole: they say nothing about the keys that they do not name."""
        return tuple(section for section in self.sections if not section.is_checked)

    @property
    def checked(self) -> int:
        """How many resources were checked."""
        return sum(section.checked for section in self.sections)


class ScanRun:
    """One scan under way. ``run`` blocks; the other methods may be called from any thread meanwhile."""

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
        self._pool = WorkerPool(
            WorkQueues(
                {
                    _KEYS: QueueRules(rate=1.0),
                    **{each.title: QueueRules(rate=each.rate, workers=_PER_SERVICE) for each in scanners},
                },
                workers=_WORKERS,
            ),
            name="scan",
        )
        self._tasks = [ScanTask(scanner, services, self._pool) for scanner in scanners]
        self._names = KeyNames(kms.account_id, kms.region, UNASKED, UNASKED)
        self._is_cancelled = threading.Event()

    def run(self) -> Scan:
        """Scan everything, or until ``cancel``."""
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
        """Call nothing more; ``run`` returns what was found so far."""
        self._is_cancelled.set()
        self._pool.close()

    def sections(self) -> tuple[Section, ...]:
        return tuple(task.section() for task in self._tasks)

    def _read_names(self) -> None:
        self._names = read_names(self._kms)


class Scans:
    """Starts scans on daemon threads and remembers what they found. Every method returns at once and may be
    called from any thread.
    """

    def __init__(self, kms: Kms, services: Services | None, now: Callable[[], datetime]) -> None:
        self._kms = kms
        self._services = services
        self._now = now
        self._lock = threading.Lock()
        self._runs: dict[str, ScanRun | None] = {}
        self._called_off: set[str] = set()
        self._results: dict[str, Scan | KmsTuiError] = {}

    @property
    def is_offered(self) -> bool:
        """Whether the backend has services to scan: a local store has none."""
        services = self._services
        return services is not None and any(services.offers(scanner.service) for scanner in SCANNERS)

    def result(self, region: str) -> Scan | KmsTuiError | None:
        """What the last scan of a region found, or why it could not begin; None before the first."""
        with self._lock:
            return self._results.get(region)

    def is_running(self, region: str) -> bool:
        with self._lock:
            return region in self._runs

    def run_of(self, region: str) -> ScanRun | None:
        """The scan under way, once it has begun to call."""
        with self._lock:
            return self._runs.get(region)

    def start(self, region: str) -> None:
        """Scan a region, unless that is being done already."""
        with self._lock:
            if self._services is None or region in self._runs:
                return
            self._runs[region] = None
        threading.Thread(
            target=self._work, args=(self._services, region), name="kms-tui scan", daemon=True
        ).start()

    def cancel(self, region: str) -> None:
        """Call nothing more; an earlier result stays, else the partial one counts."""
        with self._lock:
            if region not in self._runs:
                return
            self._called_off.add(region)
            run = self._runs[region]
        if run is not None:
            run.cancel()

    def close(self) -> None:
        """Call nothing more for any region."""
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
                self._called_off.discard(region)

    def _scan(self, services: Services, region: str) -> Scan:
        run = ScanRun(self._kms.in_region(region), services.in_region(region), self._now)
        with self._lock:
            self._runs[region] = run
            is_called_off = region in self._called_off
        if is_called_off:
            run.cancel()
        return run.run()

    def _keep(self, region: str, result: Scan | KmsTuiError) -> None:
        """An earlier whole result is kept over a cancelled scan's."""
        with self._lock:
            before = self._results.get(region)
            if not (isinstance(result, Scan) and result.is_cancelled and isinstance(before, Scan)):
                self._results[region] = result
