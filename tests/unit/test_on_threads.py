"""Work on a few threads that somebody waits for."""

from __future__ import annotations

import threading

from kms_tui.workers import on_threads


def test_on_threads_calls_each_number_once_on_some_threads() -> None:
    called: list[tuple[int, str]] = []
    on_threads(
        50, lambda number: called.append((number, threading.current_thread().name)), threads=4, name="t"
    )
    assert sorted(number for number, _ in called) == list(range(50))
    assert {name for _, name in called} == {"t"}
    on_threads(0, lambda number: called.append((number, "")), threads=4, name="t")
    assert len(called) == 50
