"""The table of moto's departures names tests that there are, each once."""

from __future__ import annotations

import importlib

from tests.contract.moto_departures import DEPARTURES


def test_every_departure_names_a_test_that_there_is() -> None:
    for departure in DEPARTURES:
        for name in departure.tests:
            module, _, function = name.partition("[")[0].partition("::")
            assert hasattr(importlib.import_module(f"tests.contract.{module}"), function), name


def test_no_test_is_in_the_table_twice() -> None:
    names = [name for departure in DEPARTURES for name in departure.tests]
    assert len(set(names)) == len(names)
    whole = {name for name in names if "[" not in name}
    assert not [name for name in names if "[" in name and name.partition("[")[0] in whole]


def test_every_departure_says_what_and_by_which_source() -> None:
    assert all(departure.reason and departure.source and departure.tests for departure in DEPARTURES)
    assert len({departure.reason for departure in DEPARTURES}) == len(DEPARTURES)
