"""The order of calls: urgent before polite, paced, and never two of the same at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest

from kms_tui.inventory.crew import DaemonCrew
from kms_tui.inventory.work import Job, Lane, Pace, WorkQueue
from tests.unit.inventory.world import Clock

PACE = Pace(rest=10, demand=10, usage=5)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> WorkQueue:
    return WorkQueue(PACE, hands=4, clock=clock)


def job(name: str) -> Job:
    return Job(name, lambda: None)


def taken(queue: WorkQueue, count: int = 100) -> list[object]:
    """The names of the jobs that may run at this moment, none of them ending."""
    names: list[object] = []
    while len(names) < count and (each := queue.take()) is not None:
        names.append(each.name)
    return names


def test_urgent_lanes_come_first(queue: WorkQueue) -> None:
    for lane in (Lane.REST, Lane.DEMAND, Lane.VISIBLE, Lane.LISTING):
        queue.put(lane, job(lane.name))
    assert taken(queue) == ["LISTING", "VISIBLE"]


def test_nothing_is_prefetched_while_something_on_screen_is_read(queue: WorkQueue, clock: Clock) -> None:
    queue.put(Lane.VISIBLE, job("on screen"))
    queue.put(Lane.NEAR, job("near"))
    running = queue.take()
    assert running is not None
    clock.seconds += 10
    assert queue.take() is None
    assert queue.wait() is None
    queue.done(running)
    assert taken(queue) == ["near"]


def test_listing_leaves_hands_for_what_is_on_screen(queue: WorkQueue) -> None:
    for number in range(9):
        queue.put(Lane.LISTING, job(f"page {number}"))
    queue.put(Lane.VISIBLE, job("on screen"))
    assert taken(queue) == ["page 0", "page 1", "on screen"]


def test_a_paced_lane_lets_calls_through_at_its_rate(queue: WorkQueue, clock: Clock) -> None:
    for number in range(5):
        queue.put(Lane.USAGE, job(str(number)))
    assert taken(queue) == ["0"]
    assert queue.wait() == pytest.approx(0.2)
    clock.seconds += 0.2
    assert taken(queue) == ["1"]


def test_an_idle_time_is_not_saved_up_for_a_burst(queue: WorkQueue, clock: Clock) -> None:
    clock.seconds += 100
    for number in range(5):
        queue.put(Lane.REST, job(str(number)))
    assert taken(queue) == ["0"]


def test_a_paused_lane_waits(queue: WorkQueue, clock: Clock) -> None:
    queue.put(Lane.DEMAND, job("a"))
    queue.pause(Lane.DEMAND, 7)
    assert taken(queue) == []
    assert queue.wait() == pytest.approx(7)
    clock.seconds += 7
    assert taken(queue) == ["a"]


def test_of_two_jobs_of_one_name_only_one_runs_at_a_time(queue: WorkQueue) -> None:
    queue.put(Lane.VISIBLE, job("a"))
    queue.put(Lane.VISIBLE, job("a"))
    queue.put(Lane.VISIBLE, job("b"))
    assert taken(queue) == ["a", "b"]


def test_a_replaced_lane_forgets_what_waited_and_takes_lazily(queue: WorkQueue) -> None:
    asked: list[int] = []

    def endless() -> Iterator[Job]:
        number = 0
        while True:
            asked.append(number)
            yield job(f"new {number}")
            number += 1

    queue.put(Lane.VISIBLE, job("old"))
    queue.replace(Lane.VISIBLE, endless())
    assert taken(queue, 2) == ["new 0", "new 1"]
    assert len(asked) <= 3
    queue.replace(Lane.VISIBLE, [job("listed")])
    assert taken(queue) == ["listed"]


def test_a_queue_is_idle_when_nothing_runs_and_nothing_waits(queue: WorkQueue) -> None:
    assert queue.idle()
    queue.put(Lane.REST, job("a"))
    assert not queue.idle()
    running = queue.take()
    assert running is not None
    assert not queue.idle()
    queue.done(running)
    assert queue.idle()


def test_daemon_threads_do_all_jobs_and_keep_time() -> None:
    crew = DaemonCrew(WorkQueue(Pace(rest=500), hands=4))
    done: list[int] = []
    all_done = threading.Event()

    def run(number: int) -> None:
        done.append(number)
        if len(done) == 60:
            all_done.set()

    for number in range(40):
        crew.put(Lane.VISIBLE, Job(number, partial(run, number)))
    crew.replace(Lane.REST, (Job(number, partial(run, number)) for number in range(40, 60)))
    assert all_done.wait(20)
    assert sorted(done) == list(range(60))
    crew.close()


def test_threads_are_daemons_so_that_a_hanging_call_cannot_hold_the_exit() -> None:
    crew = DaemonCrew(WorkQueue(hands=2))
    started, release = threading.Event(), threading.Event()
    daemons: list[bool] = []

    def hang() -> None:
        daemons.append(threading.current_thread().daemon)
        started.set()
        release.wait(20)

    crew.put(Lane.VISIBLE, Job("hang", hang))
    assert started.wait(20)
    crew.close()
    assert daemons == [True]
    release.set()


def test_a_closed_crew_takes_no_more_jobs() -> None:
    crew = DaemonCrew(WorkQueue(hands=2))
    crew.close()
    ran = threading.Event()
    crew.put(Lane.VISIBLE, Job("late", ran.set))
    assert not ran.wait(0.05)


def test_a_job_that_raises_costs_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    crew = DaemonCrew(WorkQueue(hands=2))
    done, raised = threading.Semaphore(0), threading.Semaphore(0)
    monkeypatch.setattr(threading, "excepthook", lambda _: raised.release())

    def fail() -> None:
        raise RuntimeError("a fault of ours")

    for number in range(6):
        crew.put(Lane.VISIBLE, Job(("fails", number), fail))
    for number in range(2):
        crew.put(Lane.VISIBLE, Job(("works", number), done.release))
    assert [raised.acquire(timeout=20) for _ in range(6)] == [True] * 6
    assert [done.acquire(timeout=20) for _ in range(2)] == [True] * 2
    crew.close()
