"""The order and the rate of the inventory's calls: its queues, the most urgent first."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from kms_tui.workers import QueueRules, WorkQueues


class Priority(IntEnum):
    """The queues of the inventory, the most urgent first."""

    LISTING = 0
    """Pages of ListKeys and ListAliases."""
    VISIBLE = 1
    """Facts of rows on screen, and facts asked for one by one."""
    RETRY = 2
    """Retries of passing errors."""
    NEAR = 3
    """Facts of rows a screen up or down."""
    DEMAND = 4
    """Facts of all rows, for a filter or a sort."""
    USAGE = 5
    """GetKeyLastUsage of all rows: 5 a second is the account's whole quota."""
    REST = 6
    """Facts of all other rows of a small account, unasked."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Calls a second for the background queues, and the size up to which the keys are read unasked.

    The rates are those of one account: DescribeKey's quota is 2000 a second, shared with the account's
    applications; GetKeyLastUsage's is 5.
    """

    rest: float = 100.0
    demand: float = 200.0
    usage: float = 5.0
    read_unasked: int = 2000
    """Largest number of keys whose descriptions are read unasked."""
    read_whole: int = 500
    """Largest number of keys whose every fact in the list is read unasked."""


def reading_queues(
    pace: Pace | None = None,
    *,
    workers: int = 16,
    grouped: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> WorkQueues:
    """The inventory's queues; ``grouped`` where several accounts take turns, each at the rates of ``pace``.

    LISTING takes at most half the workers, so a screenful of facts never waits behind a thousand pages; RETRY
    and below wait until no VISIBLE job waits or runs.
    """
    pace, half = pace or Pace(), max(1, workers // 2)
    return WorkQueues(
        {
            Priority.LISTING: QueueRules(Priority.LISTING, workers=half, grouped=grouped),
            Priority.VISIBLE: QueueRules(Priority.VISIBLE),
            Priority.RETRY: _polite(Priority.RETRY, pace.demand, is_work=False),
            Priority.NEAR: _polite(Priority.NEAR, pace.demand, workers=half),
            Priority.DEMAND: _polite(Priority.DEMAND, pace.demand, grouped=grouped),
            Priority.USAGE: _polite(Priority.USAGE, pace.usage, grouped=grouped),
            Priority.REST: _polite(Priority.REST, pace.rest, grouped=grouped),
        },
        workers=workers,
        clock=clock,
    )


def _polite(
    priority: Priority,
    rate: float,
    *,
    workers: int | None = None,
    is_work: bool = True,
    grouped: bool = False,
) -> QueueRules:
    return QueueRules(priority, rate, workers, Priority.VISIBLE, is_work, grouped)
