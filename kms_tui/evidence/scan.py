"""A scan: everything in one account and region that names a key, whichever key it is."""

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
from kms_tui.evidence.lanes import Lanes
from kms_tui.evidence.references import KeyNames, read_names
from kms_tui.evidence.scanners import SCANNERS, Scanner
from kms_tui.evidence.sweep import Section, Sweep, Use
from kms_tui.kms.facts import UNASKED

_KEYS = "KMS"
"""The lane in which KMS is asked for the names of its keys."""


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
        """What was not looked at, or not whole: from these nothing follows about keys they do not name."""
        return tuple(section for section in self.sections if not section.is_checked)

    @property
    def checked(self) -> int:
        """How many resources were looked at."""
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
        self._lanes = Lanes({_KEYS: 1.0, **{scanner.title: scanner.rate for scanner in scanners}})
        self._sweeps = [Sweep(scanner, services, self._lanes) for scanner in scanners]
        self._names = KeyNames(kms.account_id, kms.region, UNASKED, UNASKED)
        self._is_cancelled = threading.Event()

    def run(self) -> Scan:
        """Look at everything, or at what there is time for until ``cancel``."""
        started = self._now()
        self._lanes.put(_KEYS, self._read_names)
        self._lanes.run()
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
        self._lanes.stop()

    def sections(self) -> tuple[Section, ...]:
        return tuple(sweep.section() for sweep in self._sweeps)

    def _read_names(self) -> None:
        self._names = read_names(self._kms)
