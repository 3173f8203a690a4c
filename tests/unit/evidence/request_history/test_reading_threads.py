"""Every order of a thread that reads and one that looks: counts agree, and a cancelled reading ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from kms_tui.evidence.request_history import history_source
from kms_tui.evidence.request_history.event_records import requests_in
from kms_tui.evidence.request_history.history_source import HistoryQuery, HistoryReading, RequestHistory
from tests.unit.evidence.request_history.trail_events import KEY, NOW, event, role
from tests.unit.interleaving import Interleaving, every_single_hand_over, traced_locks

QUERY = HistoryQuery(NOW - timedelta(days=9), NOW, KEY)
REQUESTS = [*requests_in(event()), *requests_in(event()), *requests_in(event(identity=role("batch")))]


def test_a_snapshot_counts_what_was_read_by_then() -> None:
    seen: list[RequestHistory] = []

    def run(schedule: Sequence[int]) -> int:
        seen.clear()
        with traced_locks(history_source):
            reading = HistoryReading(QUERY, "a test")
            tasks = (lambda: reading.add(REQUESTS), lambda: seen.append(reading.snapshot()))
            lines = Interleaving([history_source], tasks).run(schedule)
        (looked,) = seen
        assert sum(group.count for group in looked.groups) == looked.coverage.events <= 3
        assert reading.coverage().events == 3
        return lines

    every_single_hand_over(run)


def test_two_threads_that_read_lose_no_request() -> None:
    def run(schedule: Sequence[int]) -> int:
        with traced_locks(history_source):
            reading = HistoryReading(QUERY, "a test")
            tasks = (lambda: reading.add(REQUESTS), lambda: reading.add(REQUESTS))
            lines = Interleaving([history_source], tasks).run(schedule)
        assert sorted(group.count for group in reading.snapshot().groups) == [2, 4]
        return lines

    every_single_hand_over(run)
