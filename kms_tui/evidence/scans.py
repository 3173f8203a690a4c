"""``Scans``: the scans of a session, one for each region, kept until the session ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.scan import Scan, ScanRun
from kms_tui.evidence.scanners import SCANNERS
from kms_tui.kms.errors import AnswerError, KmsTuiError


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
        """Whether there is anything here that could be scanned: a local store has no S3."""
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
        """Call nothing more; what was found before stays, or else what was found by now."""
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
        """What was found before is worth more than the beginning of a scan that was called off."""
        with self._lock:
            before = self._results.get(region)
            if not (isinstance(result, Scan) and result.is_cancelled and isinstance(before, Scan)):
                self._results[region] = result
