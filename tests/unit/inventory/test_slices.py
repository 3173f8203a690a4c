"""Filtering and sorting in slices: nothing is shown before the last one, and newer work replaces older."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_tui.inventory import Pace, Row, Sort, slices
from kms_tui.inventory.slices import finish
from tests.unit.inventory.world import FakeAccount, FakeKey, World, key_id, named

T = TypeVar("T")
NAMES = [first + last for last in "zy" for first in "wkpn"]
"""In order of their key ids, in which none of these letters occurs."""


@pytest.fixture(autouse=True)
def _slices_are_of_three_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE", 3)


def result(work: Generator[None, None, T]) -> tuple[T, int]:
    """What sliced work returns, and the number of its pauses."""
    pauses = 0
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value, pauses
        pauses += 1


def opened(*names: str) -> World:
    return World(FakeAccount(named(*names)), pace=Pace(read_unasked=0)).open()


@given(
    values=st.lists(st.none() | st.integers(0, 9), max_size=60),
    reverse=st.booleans(),
    bucket=st.integers(1, 8),
    samples=st.integers(1, 4),
)
def test_sorting_in_slices_is_sorting(values: list[Any], reverse: bool, bucket: int, samples: int) -> None:
    rows = [Row(f"{index}", f"{index}", "eu-west-1") for index in range(len(values))]
    value = dict(zip(rows, values, strict=True))
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, number in (("SLICE", 3), ("_BUCKET", bucket), ("_SAMPLES", samples)):
            monkeypatch.setattr(slices, name, number)
        ordered, pauses = result(slices.sort(rows, lambda row: value[row], reverse=reverse))
    known = [row for row in rows if value[row] is not None]
    unknown = [row for row in rows if value[row] is None]
    assert ordered == sorted(known, key=lambda row: value[row], reverse=reverse) + unknown
    assert pauses >= max(0, (len(rows) - 1) // 3)


def test_each_key_is_read_once_as_another_thread_may_change_its_row() -> None:
    rows = [Row(f"{index}", f"{index}", "eu-west-1") for index in range(10)]
    read: list[Row] = []

    def key(row: Row) -> int:
        read.append(row)
        return -int(row.arn)

    ordered, _ = result(slices.sort(rows, key))
    assert ordered == rows[::-1]
    assert read == rows


def test_a_small_account_is_one_slice() -> None:
    world = opened("k", "n", "p")
    assert list(world.view.filtering("n")) == []
    assert list(world.view.sorting(Sort("id", descending=True))) == []
    assert world.names == ["n"]


def test_the_list_shows_the_former_state_until_the_last_slice() -> None:
    world = opened(*NAMES)
    before = world.names
    work = world.view.sorting(Sort("id", descending=True))
    for _ in work:
        assert world.names == before
        assert world.view.sort == Sort()
        assert world.view.wanted.sort == Sort("id", descending=True)
    assert world.names == NAMES[::-1]
    assert world.view.sort == Sort("id", descending=True)


def test_newer_work_makes_up_for_older_work_that_is_dropped() -> None:
    world = opened(*NAMES)
    next(world.view.sorting(Sort("id", descending=True)))
    next(world.view.filtering("y"))
    finish(world.view.filtering("k"))
    assert world.names == ["ky", "kz"]
    world.view.set_filter("")
    assert world.names == NAMES[::-1]


def test_keys_that_arrive_while_work_is_dropped_are_not_lost() -> None:
    world = opened(*NAMES)
    world.account.keys[key_id(99)] = FakeKey(key_id(99), ("kx",))
    world.inventory.refresh()
    world.work()
    work = world.view.filtering("k")
    next(work)
    next(work)
    world.view.set_filter("x")
    assert world.names == ["kx"]
    world.view.set_filter("")
    assert sorted(world.names) == sorted([*NAMES, "kx"])


def test_what_changes_while_the_work_goes_on_is_judged_as_it_is_now() -> None:
    world = opened(*NAMES)
    world.view.set_filter("state:disabled")
    work = world.view.filtering("state:disabled -y")
    next(work)
    key = world.row("kz")
    world.account.keys[key.key_id].metadata["KeyState"] = "Disabled"
    world.inventory.show([key])
    world.work()
    assert world.names == ["kz"]
    finish(work)
    assert world.names == ["kz"]
    assert world.view.summary().undecided == len(NAMES) // 2 - 1


def test_a_filter_that_narrows_looks_at_the_keys_shown_only() -> None:
    world = opened(*NAMES)
    world.view.set_filter("k")
    assert len(list(world.view.filtering("ky"))) == 0
    assert world.names == ["ky"]
    assert len(list(world.view.filtering("n"))) == len(NAMES) // 3


def test_marks_of_hidden_keys_are_counted() -> None:
    world = opened(*NAMES)
    world.view.mark_shown()
    world.view.set_filter("y")
    summary = world.view.summary()
    assert (summary.marked, summary.marked_hidden) == (len(NAMES), len(NAMES) // 2)
