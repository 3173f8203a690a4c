"""What failed in passing is tried again by itself; what was refused is not."""

from __future__ import annotations

import pytest

from kms_tui.inventory import Pace
from kms_tui.inventory.pace import Priority, reading_queues
from kms_tui.kms.errors import CredentialsError, EndpointError, KmsTuiError, ServiceError
from kms_tui.kms.facts import Denied, Failed, Known
from kms_tui.workers import FIRST_WAIT, LAST_WAIT, RetryTimer, is_passing
from tests.unit.inventory.world import Clock, FakeAccount, SteppedWorkers, World, denied, named

THROTTLED = ServiceError("ThrottlingException", "Rate exceeded")


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (THROTTLED, True),
        (EndpointError("the connection was closed"), True),
        (ServiceError("KMSInternalException", status=500), True),
        (denied("ListKeys"), False),
        (ServiceError("NotFoundException"), False),
        (CredentialsError("expired"), False),
        (KmsTuiError("not understood"), False),
    ],
    ids=str,
)
def test_a_fault_that_passes_is_told_from_a_refusal(error: KmsTuiError, passing: bool) -> None:
    assert is_passing(error) is passing


def on_screen(account: FakeAccount) -> World:
    world = World(account, pace=Pace(read_unasked=0)).open()
    world.inventory.show(world.view.rows)
    world.work()
    return world


def test_facts_on_screen_come_by_themselves_once_the_throttle_ends() -> None:
    account = FakeAccount(named(*"abc"))
    account.fail["DescribeKey"] = THROTTLED
    world = on_screen(account)
    assert world.inventory.passing_error is THROTTLED
    assert isinstance(world.row("a").described, Failed)
    assert world.inventory.idle
    del account.fail["DescribeKey"]
    world.work(seconds=FIRST_WAIT)
    assert all(isinstance(row.rotation, Known) for row in world.view.rows)
    assert world.inventory.passing_error is None


def test_a_fact_that_was_refused_is_not_asked_for_again() -> None:
    account = FakeAccount(named(*"abc"))
    account.fail["DescribeKey"] = denied("DescribeKey")
    world = on_screen(account)
    world.work(seconds=10 * LAST_WAIT)
    assert isinstance(world.row("a").described, Denied)
    assert account.count("DescribeKey") == 3


def test_rows_scrolled_away_are_not_tried_again() -> None:
    account = FakeAccount(named(*"abc"))
    account.fail["DescribeKey"] = THROTTLED
    world = on_screen(account)
    world.inventory.show([])
    world.work(seconds=10 * LAST_WAIT)
    assert account.count("DescribeKey") == 3


def test_a_listing_that_broke_off_begins_again_and_one_that_was_denied_does_not() -> None:
    account, other = FakeAccount(named(*"ab")), FakeAccount(named("c"), region="us-east-1")
    account.others["us-east-1"] = other
    account.fail["ListKeys"] = EndpointError("the answer was cut short")
    other.fail["ListKeys"] = denied("ListKeys")
    world = World(account, regions=("eu-west-1", "us-east-1"), pace=Pace(read_unasked=0)).open()
    account.fail.clear()
    told = [(world.inventory.busy, str(world.inventory.passing_error))]
    world.workers.work(1, seconds=FIRST_WAIT)
    told.append((world.inventory.busy, str(world.inventory.passing_error)))
    world.work()
    told.append((world.inventory.busy, str(world.inventory.passing_error)))
    cut = "the answer was cut short"
    assert told == [(False, cut), (True, cut), (False, "None")]
    assert [region.error is None for region in world.inventory.regions] == [True, False]
    assert other.count("ListKeys") == 1
    world.work(seconds=10 * LAST_WAIT)
    assert (account.count("ListKeys"), other.count("ListKeys")) == (2, 1)


def test_waits_grow_up_to_half_a_minute_and_begin_anew_after_a_quiet_time() -> None:
    clock = Clock()
    workers = SteppedWorkers(reading_queues(clock=clock), clock)
    tries: list[float] = []
    timer = RetryTimer(workers, Priority.RETRY, lambda: tries.append(clock.seconds), clock)

    def wait() -> float:
        began = clock.seconds
        timer.later()
        timer.later()
        workers.work(seconds=1000)
        return tries[-1] - began

    assert [wait() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert len(tries) == 7
    clock.seconds += 100
    assert wait() == FIRST_WAIT


def test_a_long_listing_goes_on_at_the_page_at_which_it_broke_off() -> None:
    account = FakeAccount(named(*(f"key-{n:02}" for n in range(30))), page=3)
    world = World(account, pace=Pace(read_unasked=0))
    world.inventory.open()
    world.work(8)
    before = account.count("ListAliases"), account.count("ListKeys")
    assert min(before) > 1
    account.fail["ListAliases"] = account.fail["ListKeys"] = THROTTLED
    world.work()
    assert world.inventory.passing_error is THROTTLED
    account.fail.clear()
    world.work(seconds=FIRST_WAIT)
    assert world.names == [f"key-{n:02}" for n in range(30)]
    assert (account.count("ListAliases"), account.count("ListKeys")) == (10 + 1, 10 + 1)
