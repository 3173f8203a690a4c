"""The inventory on its real threads: everything arrives, and nothing holds the exit."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.health.row_judge import RowJudge
from kms_tui.inventory import Changes, Inventory, Pace, View
from kms_tui.inventory.row import Row
from kms_tui.inventory.row_health import RowHealth
from kms_tui.kms.facts import Known
from tests.unit.inventory.world import NOW, FakeAccount, NoPolicies, named

HANGING = """
import threading, time
from kms_tui.backend.kms_facade import Kms
from kms_tui.inventory import Inventory
from kms_tui.evidence.health.row_judge import RowJudge
from tests.unit.inventory.world import FakeAccount, named

account = FakeAccount(named(*map(str, range(50))))
hanging = threading.Semaphore(0)
def hang(operation, key):
    if operation == "DescribeKey":
        hanging.release()
        time.sleep(600)
account.before = hang
inventory = Inventory(Kms(account), judge=RowJudge())
listed = threading.Event()
inventory.listen(lambda changes: inventory.busy or listed.set())
inventory.open()
assert listed.wait(30)
inventory.show(inventory.rows())
for _ in range(16):
    assert hanging.acquire(timeout=30)
inventory.close()
"""


def test_sixteen_hanging_calls_do_not_hold_the_exit() -> None:
    root = Path(__file__).parents[3]
    ended = subprocess.run(
        [sys.executable, "-c", HANGING], cwd=root, timeout=120, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_everything_arrives_and_the_counts_agree() -> None:
    account = FakeAccount(named(*(f"key-{number:03}" for number in range(300))), page=20)
    inventory = Inventory(Kms(account), judge=RowJudge(), now=lambda: NOW, pace=Pace(rest=100_000))
    heard: list[Changes] = []
    everything = threading.Event()

    def listen(changes: Changes) -> None:
        heard.append(changes)
        if inventory.tally(aws=False).described == 300:
            everything.set()

    inventory.listen(listen)
    inventory.open()
    assert everything.wait(60)
    inventory.close()
    view = View(inventory)
    assert [row.aliases[0] for row in view.rows] == [f"key-{number:03}" for number in range(300)]
    assert all(isinstance(row.described, Known) for row in view.rows)
    assert account.count("DescribeKey") == 300
    assert frozenset().union(*(changes.rows for changes in heard)) == {row.arn for row in view.rows}
    assert sum(inventory.row_classes().values()) == 300


def test_rows_and_counts_are_read_while_another_thread_writes() -> None:
    begun, may_end = threading.Event(), threading.Event()

    class Slow(NoPolicies):
        def health(self, row: Row, now: datetime) -> RowHealth:
            begun.set()
            assert may_end.wait(30)
            return super().health(row, now)

    inventory = Inventory(Kms(FakeAccount(named(*"abc"))), judge=Slow(), now=lambda: NOW)
    inventory.open()
    assert begun.wait(30), "a row is judged under the lock of the table"
    found: list[object] = []

    def read() -> None:
        found.append(
            (inventory.rows(), inventory.row_classes(), inventory.rows_of("a"), inventory.tally(aws=False))
        )

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(30)
    may_end.set()
    assert found
    inventory.close()


def test_asking_for_the_same_rows_over_and_over_asks_once() -> None:
    account = FakeAccount(named(*map(str, range(30))))
    inventory = Inventory(Kms(account), judge=RowJudge(), now=lambda: NOW, pace=Pace(read_unasked=0))
    listed, everything = threading.Event(), threading.Event()

    def listen(changes: Changes) -> None:
        if inventory.busy:
            return
        listed.set()
        if all(isinstance(row.rotation, Known) for row in inventory.rows()):
            everything.set()

    inventory.listen(listen)
    inventory.open()
    assert listed.wait(60)
    rows = inventory.rows()
    for _ in range(50):
        inventory.show(rows)
    assert everything.wait(60)
    inventory.close()
    assert account.count("DescribeKey") == account.count("GetKeyRotationStatus") == 30
