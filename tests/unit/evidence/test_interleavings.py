"""Every order of two threads in a scan and in the watch over disabled keys: nothing is lost or left open."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from kms_tui.backend.base import Backend
from kms_tui.evidence import refused_uses, scan_task
from kms_tui.evidence.activity import Trail
from kms_tui.evidence.refused_uses import RefusalMonitor, RefusalWrapper
from kms_tui.evidence.scan_task import ScanTask
from kms_tui.evidence.scanners import SCANNERS
from kms_tui.workers import Job, Workers
from tests.unit.evidence.trail import KEY, NOW, REGION, FakeTrail, entry
from tests.unit.evidence.world import Answer, FakeServices, denied
from tests.unit.interleaving import Interleaving, every_single_hand_over, traced_locks

BUCKETS = next(scanner for scanner in SCANNERS if scanner.listing.operation == "ListBuckets")


class Jobs:
    """Workers that do their jobs where a test says so."""

    def __init__(self) -> None:
        self.waiting: deque[Job] = deque()

    def put(self, queue: str, job: Job) -> None:
        self.waiting.append(job)

    def drop(self, queue: str) -> int:
        dropped = len(self.waiting)
        self.waiting.clear()
        return dropped

    def work(self) -> None:
        while self.waiting:
            self.waiting.popleft().run()


def denied_for_all(_: object) -> dict[str, Any]:
    raise denied("GetBucketEncryption")


def nonsense(_: object) -> dict[str, Any]:
    raise TypeError("an answer of the wrong types")


@pytest.mark.parametrize("detail", [{}, denied_for_all, nonsense], ids=["answers", "denied", "nonsense"])
def test_a_scan_task_that_two_threads_work_on_always_ends(detail: Answer) -> None:
    buckets = {"Buckets": [{"Name": f"b{number}"} for number in range(8)]}

    def run(schedule: Sequence[int]) -> int:
        with traced_locks(scan_task):
            jobs = Jobs()
            services = FakeServices({"ListBuckets": buckets, "GetBucketEncryption": detail})
            looked = ScanTask(BUCKETS, services, cast(Workers, jobs))
            looked.start()
            jobs.waiting.popleft().run()
            lines = Interleaving([scan_task], [jobs.work, jobs.work]).run(schedule)
            found = looked.section()
        assert found.is_over
        assert found.listed == 8
        assert found.checked == (8 if detail == {} else 0)
        assert bool(found.failed_calls) is (detail != {})
        return lines

    assert every_single_hand_over(run) > 20


class Calls:
    """A KMS that takes everything."""

    account_id, region, partition = "111122223333", REGION, "aws"

    def call(self, operation: str, params: object) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    ("operations", "is_watched"),
    [
        (["EnableKey"], False),
        (["EnableKey", "DisableKey"], True),
        (["ScheduleKeyDeletion", "CancelKeyDeletion", "EnableKey", "DisableKey"], True),
    ],
    ids=["enabled", "disabled again", "to and fro"],
)
def test_a_look_never_undoes_what_this_session_did_meanwhile(
    operations: Sequence[str], is_watched: bool
) -> None:
    """The trail is late: its newest event is that the key was enabled."""
    events = [entry("e1", "EnableKey", minutes_ago=-0.5)]

    def run(schedule: Sequence[int]) -> int:
        with traced_locks(refused_uses):
            minutes = itertools.count()

            def now() -> datetime:
                return NOW + timedelta(minutes=next(minutes))

            monitor = RefusalMonitor(Trail(FakeTrail(events), is_live=True), now)
            watched = RefusalWrapper(cast(Backend, Calls()), monitor, now)
            watched.call("DisableKey", {"KeyId": KEY})

            def change() -> None:
                for operation in operations:
                    watched.call(operation, {"KeyId": KEY})

            lines = Interleaving([refused_uses], [monitor.poll, change]).run(schedule)
            assert bool(monitor.all) is is_watched
        return lines

    assert every_single_hand_over(run) > 10
