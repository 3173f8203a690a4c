"""News is gathered: much at once is one delivery, and the first of it comes at once."""

from __future__ import annotations

import threading
import time

from kms_tui.inventory.changes import Changes, Coalescer


def by_hand() -> tuple[Coalescer, list[Changes]]:
    coalescer = Coalescer(lambda run: None)
    heard: list[Changes] = []
    coalescer.listen(heard.append)
    return coalescer, heard


def test_many_changes_are_one_delivery() -> None:
    coalescer, heard = by_hand()
    for name in "abcab":
        coalescer.note(name)
    coalescer.note(listing=True)
    coalescer.flush()
    assert heard == [Changes(frozenset("abc"), listing=True)]


def test_nothing_is_delivered_where_nothing_changed() -> None:
    coalescer, heard = by_hand()
    coalescer.flush()
    assert heard == []


def test_a_listener_can_leave() -> None:
    coalescer, heard = by_hand()
    other: list[Changes] = []
    forget = coalescer.listen(other.append)
    forget()
    coalescer.note("a")
    coalescer.flush()
    assert other == []
    assert len(heard) == 1


def test_a_closed_coalescer_is_silent() -> None:
    coalescer, heard = by_hand()
    coalescer.close()
    coalescer.note("a")
    coalescer.flush()
    assert heard == []


def test_the_thread_delivers_everything_in_few_deliveries() -> None:
    coalescer = Coalescer(interval=0.02)
    heard: list[Changes] = []
    everything = threading.Event()

    def listen(changes: Changes) -> None:
        heard.append(changes)
        if changes.progress:
            everything.set()

    coalescer.listen(listen)
    start = time.monotonic()
    for number in range(2000):
        coalescer.note(str(number))
    coalescer.note(progress=True)
    assert everything.wait(20)
    took = time.monotonic() - start
    assert frozenset().union(*(changes.rows for changes in heard)) == {str(n) for n in range(2000)}
    assert len(heard) <= 2 + took / 0.02
    coalescer.close()
