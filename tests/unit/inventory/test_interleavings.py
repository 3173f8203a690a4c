"""Every order of two things at once: no fact is lost, whoever hands over to whom and at which line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui import workers
from kms_tui.inventory import FactName, Pace, changes, fact_reader, listing, live_list, row_table
from kms_tui.inventory.fact_reader import missing_of
from kms_tui.kms.errors import CredentialsError, ServiceError
from kms_tui.kms.facts import Denied, Failed, Known
from tests.unit.interleaving import Interleaving, every_single_hand_over, traced_locks
from tests.unit.inventory import world as worlds
from tests.unit.inventory.world import FakeAccount, FakeKey, World, key_id, named

MODULES = (live_list, listing, changes, fact_reader, row_table, workers, worlds)
UNASKED = Pace(read_unasked=0, demand=1e6, usage=1e6, rest=1e6)
WHOLE = Pace(demand=1e6, usage=1e6, rest=1e6)

Case = Callable[[], tuple[World, list[Callable[[], object]], Callable[[], None]]]
"""Sets up a world; the two things that happen at once; and what must be so when all work is done."""


def opened(*names: str, pace: Pace = UNASKED) -> World:
    return World(FakeAccount(named(*names)), pace=pace).open()


def all_read(world: World) -> Callable[[], None]:
    def check() -> None:
        assert [(type(row.described), type(row.rotation)) for row in world.view.rows] == [
            (Known, Known)
        ] * len(world.view.rows)

    return check


def shown_while_a_fact_arrives() -> tuple[World, list[Callable[[], object]], Callable[[], None]]:
    world = opened(*"ab")
    world.inventory.show(world.view.rows[:1])
    return (
        world,
        [lambda: world.workers.work(1), lambda: world.inventory.show(world.view.rows)],
        all_read(world),
    )


def shown_while_it_is_read_from_elsewhere() -> tuple[World, list[Callable[[], object]], Callable[[], None]]:
    world = opened("a")
    world.inventory.show([], world.view.rows)
    world.clock.seconds += 10
    return (
        world,
        [lambda: world.workers.work(1), lambda: world.inventory.show(world.view.rows)],
        all_read(world),
    )


def read_again_while_it_is_read() -> tuple[World, list[Callable[[], object]], Callable[[], None]]:
    world = opened("a")
    world.inventory.show([], world.view.rows)
    world.clock.seconds += 10
    world.inventory.show([], world.view.rows)
    world.clock.seconds += 10

    def change() -> None:
        world.account.keys[key_id(1)].metadata["KeyState"] = "Disabled"
        world.inventory.reread(key_id(1))
        world.workers.work(3)

    def check() -> None:
        key = world.row("a").key
        assert key is not None
        assert key.state == "Disabled"

    return world, [lambda: world.workers.work(1), change], check


def asked_for_while_the_list_moves() -> tuple[World, list[Callable[[], object]], Callable[[], None]]:
    world = opened(*"ab")
    world.inventory.show(world.view.rows)

    def check() -> None:
        assert isinstance(world.row("a").tags, Known)
        all_read(world)()

    def ask() -> None:
        world.inventory.ask(world.row("a"), FactName.TAGS)
        world.inventory.show(world.view.rows[1:])
        world.inventory.show(world.view.rows)

    return world, [lambda: world.workers.work(2), ask], check


def another_demand_while_the_first_ends() -> tuple[World, list[Callable[[], object]], Callable[[], None]]:
    world = opened("a")
    world.inventory.demand(world.view.rows, missing_of(FactName.DESCRIBED))

    def demand() -> None:
        world.inventory.demand(world.view.rows, missing_of(FactName.TAGS, FactName.LAST_USAGE), usage=True)

    def check() -> None:
        row = world.row("a")
        assert (type(row.tags), type(row.last_usage)) == (Known, Known)
        assert not world.inventory.demanding

    return world, [lambda: world.workers.work(2), demand], check


def signed_in_while_calls_fail() -> tuple[World, list[Callable[[], object]], Callable[[], None]]:
    world = opened(*"ab")
    world.inventory.show(world.view.rows)
    failing = [CredentialsError("expired"), ServiceError("ExpiredTokenException")]

    def expire(operation: str, key: str) -> None:
        if failing:
            raise failing.pop()

    world.account.before = expire

    def sign_in() -> None:
        failing.clear()
        world.inventory.resume()

    def check() -> None:
        assert world.inventory.stopped is None
        all_read(world)()

    return world, [lambda: world.workers.work(2), sign_in], check


def shown_while_a_refresh_begins() -> tuple[World, list[Callable[[], object]], Callable[[], None]]:
    world = opened(*"ab")
    world.inventory.show(world.view.rows[:1])
    world.work()
    world.inventory.refresh()

    def check() -> None:
        all_read(world)()
        assert not world.inventory.busy
        assert not any(row.stale for row in world.view.rows)

    return world, [lambda: world.workers.work(1), lambda: world.inventory.show(world.view.rows)], check


def refreshed_while_pages_come_in() -> tuple[World, list[Callable[[], object]], Callable[[], None]]:
    account = FakeAccount([FakeKey(key_id(1), ("a", "b")), FakeKey(key_id(2), ("c",))], page=1)
    world = World(account, pace=UNASKED)
    world.inventory.open()
    world.work(1)

    def check() -> None:
        assert [row.aliases for row in world.inventory.rows()] == [("a", "b"), ("c",)]
        assert not any(row.gone for row in world.inventory.rows())

    return world, [lambda: world.workers.work(2), world.inventory.open], check


def a_small_account_read_whole_while_its_list_is_shown() -> tuple[
    World, list[Callable[[], object]], Callable[[], None]
]:
    world = opened(*"ab", pace=WHOLE)
    world.clock.seconds += 10
    return (
        world,
        [lambda: world.workers.work(2), lambda: world.inventory.show(world.view.rows[:1])],
        all_read(world),
    )


def tried_again_while_another_fact_fails() -> tuple[World, list[Callable[[], object]], Callable[[], None]]:
    world = opened(*"ab")
    world.account.fail["DescribeKey"] = ServiceError("ThrottlingException")
    world.inventory.show(world.view.rows[:1])
    world.work()
    world.inventory.show(world.view.rows)
    world.workers.work(1)
    world.account.fail.clear()
    world.clock.seconds += 60

    def check() -> None:
        assert not any(isinstance(row.described, Denied | Failed) for row in world.view.rows)

    return (world, [lambda: world.workers.work(1), lambda: world.inventory.show(world.view.rows)], check)


def sorted_again_while_gone_keys_are_dropped() -> tuple[
    World, list[Callable[[], object]], Callable[[], None]
]:
    world = opened(*"abc")
    del world.account.keys[key_id(2)]
    world.inventory.refresh()
    world.work()
    assert world.row("b").gone
    world.account.keys[key_id(4)] = FakeKey(key_id(4), ("d",))
    world.inventory.refresh()

    def check() -> None:
        world.view.rebuild()
        assert world.names == ["a", "c", "d"]

    return world, [lambda: world.workers.work(1), world.view.rebuild], check


CASES = [
    shown_while_a_fact_arrives,
    shown_while_it_is_read_from_elsewhere,
    read_again_while_it_is_read,
    asked_for_while_the_list_moves,
    another_demand_while_the_first_ends,
    signed_in_while_calls_fail,
    shown_while_a_refresh_begins,
    refreshed_while_pages_come_in,
    a_small_account_read_whole_while_its_list_is_shown,
    tried_again_while_another_fact_fails,
    sorted_again_while_gone_keys_are_dropped,
]


def run(case: Case, schedule: Sequence[int], *, swapped: bool) -> int:
    with traced_locks(*MODULES):
        world, tasks, check = case()
        lines = Interleaving(MODULES, tasks[::-1] if swapped else tasks).run(schedule)
        for _ in range(3):
            world.work(seconds=120)
            world.inventory.flush()
    assert world.inventory.idle
    check()
    return lines


@pytest.mark.slow
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_nothing_is_lost_wherever_one_hands_over_to_the_other(case: Case, swapped: bool) -> None:
    assert every_single_hand_over(lambda schedule: run(case, schedule, swapped=swapped)) > 5


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CASES), st.lists(st.integers(1, 250), min_size=2, max_size=4), st.booleans())
def test_nothing_is_lost_when_they_hand_over_to_and_fro(
    case: Case, schedule: list[int], swapped: bool
) -> None:
    run(case, schedule, swapped=swapped)
