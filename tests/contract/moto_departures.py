"""Where moto's KMS departs from AWS: each entry is strict, so a moto that comes closer fails it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Departure:
    """What moto does, the source that says what AWS does, and the tests that show it.

    A test is named by its function, or by its function and variant: ``test_x[RSA_2048]``.
    """

    reason: str
    source: str
    tests: tuple[str, ...]


DEPARTURES: tuple[Departure, ...] = ()

_BY_TEST = {test: departure for departure in DEPARTURES for test in departure.tests}


def departure_of(function: str, variant: str) -> Departure | None:
    """The departure that a test shows on moto, if any."""
    return _BY_TEST.get(f"{function}[{variant}]") or _BY_TEST.get(function)
