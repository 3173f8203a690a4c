"""A large account keeps the garbage collector away from its rows, and gives it back what it takes."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from kms_tui.inventory.row_table import FREEZE_EVERY, Collector


@pytest.fixture
def collector() -> Iterator[Collector]:
    thresholds = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    made = Collector()
    yield made
    made.close()
    gc.set_threshold(*thresholds)
    gc.freeze()


def test_an_ordinary_account_leaves_the_collector_alone(collector: Collector) -> None:
    before = (gc.get_threshold(), gc.get_freeze_count())
    for _ in range(FREEZE_EVERY - 1):
        collector.count()
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


def test_the_rows_of_a_large_account_are_set_aside_until_it_is_closed(collector: Collector) -> None:
    thresholds = gc.get_threshold()
    for _ in range(FREEZE_EVERY):
        collector.count()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold() > thresholds
    collector.close()
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == thresholds
