"""Jobs side by side on a few threads, each lane at its pace."""

from __future__ import annotations

import threading
from functools import partial
from itertools import pairwise

from kms_tui.evidence.lanes import HANDS, WIDTH, Lanes

_FAST = 1_000_000.0


def test_everything_is_done_and_what_jobs_put_is_too() -> None:
    lanes = Lanes({"a": _FAST, "b": _FAST})
    done: list[int] = []

    def fan_out() -> None:
        for number in range(20):
            lanes.put("b", partial(done.append, number))

    lanes.put("a", fan_out)
    lanes.run()
    assert sorted(done) == list(range(20))


def test_nothing_to_do_is_done_at_once() -> None:
    Lanes({"a": 1.0}).run()


def test_one_lane_takes_part_of_the_hands_and_leaves_the_others_to_the_rest() -> None:
    lanes = Lanes({"slow": _FAST, "quick": _FAST})
    all_in, quick_done = threading.Barrier(WIDTH + 1), threading.Event()

    def hold_on() -> None:
        all_in.wait(10)
        assert quick_done.wait(10)

    def look() -> None:
        all_in.wait(10)
        quick_done.set()

    for number in range(HANDS):
        lanes.put("slow", hold_on if number < WIDTH else lambda: None)
    lanes.put("quick", look)
    lanes.run()
    assert quick_done.is_set()


def test_a_lane_starts_no_more_in_a_second_than_its_rate() -> None:
    readings, started = [0.0], list[float]()

    def clock() -> float:
        """Time passes by 4 ms whenever somebody looks at it."""
        readings.append(readings[-1] + 0.004)
        return readings[-1]

    lanes = Lanes({"a": 100.0}, hands=1, clock=clock)
    for _ in range(4):
        lanes.put("a", lambda: started.append(readings[-1]))
    lanes.run()
    assert len(started) == 4
    assert all(later - earlier >= 0.01 for earlier, later in pairwise(started))


def test_stopping_returns_at_once_while_a_call_hangs_and_starts_nothing_more() -> None:
    lanes, hangs, let_go = Lanes({"a": _FAST}, hands=1), threading.Event(), threading.Event()
    later: list[int] = []

    def hang() -> None:
        hangs.set()
        let_go.wait(10)

    lanes.put("a", hang)
    lanes.put("a", lambda: later.append(1))
    running = threading.Thread(target=lanes.run, daemon=True)
    running.start()
    assert hangs.wait(10)
    lanes.stop()
    running.join(10)
    assert not running.is_alive()
    let_go.set()
    assert later == []


def test_what_is_dropped_is_not_done() -> None:
    lanes = Lanes({"a": _FAST})
    done: list[int] = []
    for _ in range(3):
        lanes.put("a", lambda: done.append(1))
    assert lanes.drop("a") == 3
    lanes.run()
    assert done == []
