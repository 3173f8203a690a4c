"""The end of the console: threads at work end first, and those that wait for an answer are left behind."""

from __future__ import annotations

import threading
import time

import pytest

from kms_tui.cli.console_command import let_threads_end


def test_a_thread_at_work_ends_before_the_interpreter_does(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    def work() -> None:
        begun.set()
        time.sleep(0.05)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    begun.wait(10)
    monkeypatch.setattr(threading, "enumerate", lambda: [threading.main_thread(), thread])
    let_threads_end(30.0)
    assert not thread.is_alive()


def test_a_thread_that_waits_for_an_answer_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()
    threads = [threading.Thread(target=answer.wait, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    monkeypatch.setattr(threading, "enumerate", lambda: threads)
    let_threads_end(0.01)
    assert all(thread.is_alive() for thread in threads)
    answer.set()
