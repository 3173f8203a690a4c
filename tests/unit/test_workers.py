"""The order of calls: urgent before polite, paced, and never two of the same at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import partial
from itertools import pairwise

import pytest

from kms_tui.inventory.pace import Pace, Priority, reading_queues
from kms_tui.workers import Job, QueueRules, WorkerPool, WorkQueues
from tests.unit.inventory.world import Clock

PACE = Pace(rest=10, demand=10, usage=5)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> WorkQueues:
    return reading_queues(PACE, workers=4, clock=clock)


def job(name: str) -> Job:
    return Job(name, lambda: None)


def taken(queue: WorkQueues, count: int = 100) -> list[object]:
    """The names of the jobs that may run at this moment, none of them ending."""
    names: list[object] = []
    while len(names) < count and (each := queue.take()) is not None:
        names.append(each.name)
    return names


def test_urgent_queues_come_first(queue: WorkQueues) -> None:
    for priority in (Priority.REST, Priority.DEMAND, Priority.VISIBLE, Priority.LISTING):
        queue.put(priority, job(priority.name))
    assert taken(queue) == ["LISTING", "VISIBLE"]


def test_nothing_is_prefetched_while_something_on_screen_is_read(queue: WorkQueues, clock: Clock) -> None:
    queue.put(Priority.VISIBLE, job("on screen"))
    queue.put(Priority.NEAR, job("near"))
    running = queue.take()
    assert running is not None
    clock.seconds += 10
    assert queue.take() is None
    assert queue.wait() is None
    queue.done(running)
    assert taken(queue) == ["near"]


def test_listing_leaves_workers_for_what_is_on_screen(queue: WorkQueues) -> None:
    for number in range(9):
        queue.put(Priority.LISTING, job(f"page {number}"))
    queue.put(Priority.VISIBLE, job("on screen"))
    assert taken(queue) == ["page 0", "page 1", "on screen"]


def test_a_paced_queue_lets_calls_through_at_its_rate(queue: WorkQueues, clock: Clock) -> None:
    for number in range(5):
        queue.put(Priority.USAGE, job(str(number)))
    assert taken(queue) == ["0"]
    assert queue.wait() == pytest.approx(0.2)
    clock.seconds += 0.2
    assert taken(queue) == ["1"]


def test_an_idle_time_is_not_saved_up_for_a_burst(queue: WorkQueues, clock: Clock) -> None:
    clock.seconds += 100
    for number in range(5):
        queue.put(Priority.REST, job(str(number)))
    assert taken(queue) == ["0"]


def test_a_paused_queue_waits(queue: WorkQueues, clock: Clock) -> None:
    queue.put(Priority.DEMAND, job("a"))
    queue.pause(Priority.DEMAND, 7)
    assert taken(queue) == []
    assert queue.wait() == pytest.approx(7)
    clock.seconds += 7
    assert taken(queue) == ["a"]


def test_of_two_jobs_of_one_name_only_one_runs_at_a_time(queue: WorkQueues) -> None:
    queue.put(Priority.VISIBLE, job("a"))
    queue.put(Priority.VISIBLE, job("a"))
    queue.put(Priority.VISIBLE, job("b"))
    assert taken(queue) == ["a", "b"]


def test_a_replaced_queue_forgets_what_waited_and_takes_lazily(queue: WorkQueues) -> None:
    asked: list[int] = []

    def endless() -> Iterator[Job]:
        number = 0
        while True:
            asked.append(number)
            yield job(f"new {number}")
            number += 1

    queue.put(Priority.VISIBLE, job("old"))
    queue.replace(Priority.VISIBLE, endless())
    assert taken(queue, 2) == ["new 0", "new 1"]
    assert len(asked) <= 3
    queue.replace(Priority.VISIBLE, [job("listed")])
    assert taken(queue) == ["listed"]


def test_a_queue_is_idle_when_nothing_runs_and_nothing_waits(queue: WorkQueues) -> None:
    assert queue.idle()
    queue.put(Priority.REST, job("a"))
    assert not queue.idle()
    running = queue.take()
    assert running is not None
    assert not queue.idle()
    queue.done(running)
    assert queue.idle()


def test_daemon_threads_do_all_jobs_and_keep_time() -> None:
    pool = WorkerPool(reading_queues(Pace(rest=500), workers=4), name="test")
    done: list[int] = []
    all_done = threading.Event()

    def run(number: int) -> None:
        done.append(number)
        if len(done) == 60:
            all_done.set()

    for number in range(40):
        pool.put(Priority.VISIBLE, Job(number, partial(run, number)))
    pool.replace(Priority.REST, (Job(number, partial(run, number)) for number in range(40, 60)))
    assert all_done.wait(20)
    assert sorted(done) == list(range(60))
    pool.close()


def test_threads_are_daemons_so_that_a_hanging_call_cannot_hold_the_exit() -> None:
    pool = WorkerPool(reading_queues(workers=2), name="test")
    started, release = threading.Event(), threading.Event()
    daemons: list[bool] = []

    def hang() -> None:
        daemons.append(threading.current_thread().daemon)
        started.set()
        release.wait(20)

    pool.put(Priority.VISIBLE, Job("hang", hang))
    assert started.wait(20)
    pool.close()
    assert daemons == [True]
    release.set()


def test_a_closed_pool_takes_no_more_jobs() -> None:
    pool = WorkerPool(reading_queues(workers=2), name="test")
    pool.close()
    ran = threading.Event()
    pool.put(Priority.VISIBLE, Job("late", ran.set))
    assert not ran.wait(0.05)


def test_a_job_that_raises_costs_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = WorkerPool(reading_queues(workers=2), name="test")
    done, raised = threading.Semaphore(0), threading.Semaphore(0)
    monkeypatch.setattr(threading, "excepthook", lambda _: raised.release())

    def fail() -> None:
        raise RuntimeError("a fault of ours")

    for number in range(6):
        pool.put(Priority.VISIBLE, Job(("fails", number), fail))
    for number in range(2):
        pool.put(Priority.VISIBLE, Job(("works", number), done.release))
    assert [raised.acquire(timeout=20) for _ in range(6)] == [True] * 6
    assert [done.acquire(timeout=20) for _ in range(2)] == [True] * 2
    pool.close()


# Queues of equal urgency, each with its rate

_FAST = 1_000_000.0
WORKERS, PER_QUEUE = 8, 4


def pool_of(
    rates: Mapping[str, float], *, workers: int = WORKERS, clock: Callable[[], float] = time.monotonic
) -> WorkerPool:
    rules: dict[Hashable, QueueRules] = {
        name: QueueRules(rate=rate, workers=PER_QUEUE) for name, rate in rates.items()
    }
    return WorkerPool(WorkQueues(rules, workers=workers, clock=clock), name="test")


def once(run: Callable[[], object]) -> Job:
    """A job whose name is its own."""
    return Job(object(), lambda: (run(), None)[1])


def test_everything_is_done_and_what_jobs_put_is_too() -> None:
    pool = pool_of({"a": _FAST, "b": _FAST})
    done: list[int] = []

    def fan_out() -> None:
        for number in range(20):
            pool.put("b", once(partial(done.append, number)))

    pool.put("a", once(fan_out))
    pool.join()
    assert sorted(done) == list(range(20))


def test_nothing_to_do_is_done_at_once() -> None:
    pool_of({"a": 1.0}).join()


def test_one_queue_takes_part_of_the_workers_and_leaves_the_others_to_the_rest() -> None:
    pool = pool_of({"slow": _FAST, "quick": _FAST})
    all_in, quick_done = threading.Barrier(PER_QUEUE + 1), threading.Event()

    def hold_on() -> None:
        all_in.wait(10)
        assert quick_done.wait(10)

    def look() -> None:
        all_in.wait(10)
        quick_done.set()

    for number in range(WORKERS):
        pool.put("slow", once(hold_on if number < PER_QUEUE else lambda: None))
    pool.put("quick", once(look))
    pool.join()
    assert quick_done.is_set()


def test_a_queue_starts_no_more_in_a_second_than_its_rate() -> None:
    readings, started = [0.0], list[float]()

    def clock() -> float:
        """Time passes by 4 ms whenever somebody looks at it."""
        readings.append(readings[-1] + 0.004)
        return readings[-1]

    pool = pool_of({"a": 100.0}, workers=1, clock=clock)
    for _ in range(4):
        pool.put("a", once(lambda: started.append(readings[-1])))
    pool.join()
    assert len(started) == 4
    assert all(later - earlier >= 0.01 for earlier, later in pairwise(started))


def test_stopping_returns_at_once_while_a_call_hangs_and_starts_nothing_more() -> None:
    pool, hangs, let_go = pool_of({"a": _FAST}, workers=1), threading.Event(), threading.Event()
    later: list[int] = []

    def hang() -> None:
        hangs.set()
        let_go.wait(10)

    pool.put("a", once(hang))
    pool.put("a", once(lambda: later.append(1)))
    running = threading.Thread(target=pool.join, daemon=True)
    running.start()
    assert hangs.wait(10)
    pool.close()
    running.join(10)
    assert not running.is_alive()
    let_go.set()
    assert later == []


def test_what_is_dropped_is_not_done() -> None:
    pool = pool_of({"a": _FAST})
    pool.pause("a", 1000)
    done: list[int] = []
    for _ in range(3):
        pool.put("a", once(lambda: done.append(1)))
    assert pool.drop("a") == 3
    pool.join()
    assert done == []


@pytest.fixture
def accounts(clock: Clock) -> WorkQueues:
    """The queues of several accounts."""
    return reading_queues(PACE, workers=100, grouped=True, clock=clock)


def job_of(account: str, number: int) -> Job:
    return Job(f"{account}{number}", lambda: None, account)


def test_accounts_take_turns_and_each_has_the_rate_for_itself(accounts: WorkQueues, clock: Clock) -> None:
    jobs = [job_of(account, number) for account in "ab" for number in range(3)]
    accounts.replace(Priority.USAGE, iter(jobs))
    assert taken(accounts) == ["a0", "b0"]
    assert accounts.wait() == pytest.approx(0.2)
    clock.seconds += 0.2
    assert sorted(map(str, taken(accounts))) == ["a1", "b1"]
    clock.seconds += 0.2
    assert sorted(map(str, taken(accounts))) == ["a2", "b2"]
    assert accounts.wait() is None


def test_listing_goes_round_the_accounts(accounts: WorkQueues) -> None:
    for account in "ab":
        for number in range(2):
            accounts.put(Priority.LISTING, job_of(account, number))
    assert taken(accounts) == ["a0", "b0", "a1", "b1"]


def test_a_throttled_account_waits_alone(accounts: WorkQueues, clock: Clock) -> None:
    for account in "ab":
        accounts.put(Priority.DEMAND, job_of(account, 0))
    accounts.pause(Priority.DEMAND, 7, "a")
    assert taken(accounts) == ["b0"]
    assert accounts.wait() == pytest.approx(7)
    clock.seconds += 7
    assert taken(accounts) == ["a0"]


def test_jobs_far_behind_those_of_a_closed_account_are_found(accounts: WorkQueues, clock: Clock) -> None:
    jobs = [*(job_of("a", number) for number in range(2500)), job_of("b", 0)]
    accounts.replace(Priority.USAGE, iter(jobs))
    names = [name for _ in range(5) for name in taken(accounts)]
    assert names == ["a0", "b0"]
