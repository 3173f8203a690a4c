"""The key list at 100,000 keys: first rows, keystroke to repaint, longest block of the event loop, memory.

    python -m tests.bench.bench_key_list [--keys 100000] [--latency 0.03] [--describe [--demand 200]]

The account is synthetic and in this process; each call takes ``--latency`` seconds. ``--describe`` first
describes every key, ``--demand`` of them a second, so that filters have facts to look at. Memory is VmHWM
of the whole process, the synthetic account (which keeps nothing) included.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import App, ComposeResult

from kms_tui.backend.kms_facade import Kms
from kms_tui.inventory import FilterError, Inventory, Pace, Sort, View
from kms_tui.inventory.row import FactName
from kms_tui.kms.model import CallerIdentity
from kms_tui.ui.app_shell.themes import DARK
from kms_tui.ui.widgets.key_list import KeyList

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TEAMS = ("audit", "billing", "cards", "ledger", "logs", "orders", "payments", "search", "tokens", "users")
SPECS = (
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
    ("RSA_3072", "SIGN_VERIFY"),
    ("HMAC_256", "GENERATE_VERIFY_MAC"),
)
FILTERS = (
    "orders-c",
    "ord",
    "payments 77",
    "zzz",
    "state:disabled",
    "spec:rsa -cards",
    "age:>1y",
    "-billing",
)


class SyntheticAccount:
    """A Backend of any number of keys that are made up as they are asked for."""

    region, partition, account_id = "eu-west-1", "aws", "111122223333"

    def __init__(self, keys: int, latency: float) -> None:
        self.keys = keys
        self.latency = latency
        self.calls: Counter[str] = Counter()

    def caller(self) -> CallerIdentity:
        return CallerIdentity()

    def in_region(self, region: str) -> SyntheticAccount:
        return self

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self.calls[operation] += 1
        time.sleep(self.latency)
        answer: Mapping[str, Any] = _ANSWERS[operation](self, params)
        return answer

    def _page(self, member: str, entry: Callable[[int], Any], params: Mapping[str, Any]) -> Mapping[str, Any]:
        start = int(params.get("Marker") or 0)
        end = min(start + params["Limit"], self.keys)
        more = {"Truncated": True, "NextMarker": str(end)} if end < self.keys else {"Truncated": False}
        return {member: [entry(number) for number in range(start, end)], **more}

    def list_keys(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._page(
            "Keys", lambda number: {"KeyId": key_id(number), "KeyArn": arn(f"key/{key_id(number)}")}, params
        )

    def list_aliases(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        def entry(number: int) -> Mapping[str, str]:
            name = f"alias/{TEAMS[number * len(TEAMS) // self.keys]}-{TEAMS[number % 10]}-{number:06}"
            return {"AliasName": name, "AliasArn": arn(name), "TargetKeyId": key_id(number)}

        return self._page("Aliases", entry, params)

    def describe_key(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        number = int(params["KeyId"][:8], 16) * 7 % 100_003
        spec, usage = SPECS[number % 3]
        return {
            "KeyMetadata": {
                "KeyId": params["KeyId"],
                "Arn": arn(f"key/{params['KeyId']}"),
                "AWSAccountId": self.account_id[:],
                "KeyManager": "CUSTOMER",
                "KeyState": "Disabled" if number % 11 == 0 else "Enabled",
                "Enabled": number % 11 != 0,
                "KeySpec": spec,
                "KeyUsage": usage,
                "Origin": "AWS_KMS",
                "Description": f"Key {number} of the {TEAMS[number % 10]} team",
                "CreationDate": NOW - timedelta(days=number % 1500),
                "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            }
        }


_ANSWERS: Mapping[str, Callable[[SyntheticAccount, Mapping[str, Any]], Mapping[str, Any]]] = {
    "ListKeys": SyntheticAccount.list_keys,
    "ListAliases": SyntheticAccount.list_aliases,
    "DescribeKey": SyntheticAccount.describe_key,
    "GetKeyRotationStatus": lambda account, params: {"KeyRotationEnabled": True, "RotationPeriodInDays": 365},
}


def key_id(number: int) -> str:
    scrambled = number * 2_654_435_761 % 2**32
    return f"{scrambled:08x}-12ab-34cd-56ef-{number:012x}"


def arn(resource: str) -> str:
    return f"arn:aws:kms:eu-west-1:{SyntheticAccount.account_id}:{resource}"


class Bench(App[None]):
    CSS = "KeyList { height: 1fr; }"

    def compose(self) -> ComposeResult:
        yield KeyList()

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.theme = DARK.name


class LoopWatch:
    """The longest time for which the event loop did nothing else, and the most CPU it took at one go.

    On a machine that is busy with other things the first says more about those.
    """

    def __init__(self) -> None:
        self._wall = self._cpu = 0.0
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            wall, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.001)
            self._wall = max(self._wall, time.perf_counter() - wall - 0.001)
            self._cpu = max(self._cpu, time.thread_time() - cpu)

    def lap(self) -> str:
        wall, cpu = self._wall, self._cpu
        self._wall = self._cpu = 0.0
        return f"longest block {wall * 1000:.0f} ms ({cpu * 1000:.0f} ms of CPU)"

    def stop(self) -> None:
        self._task.cancel()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.002)


def peak_memory_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


async def measure(keys: int, latency: float, describe: bool, demand: float) -> None:
    account = SyntheticAccount(keys, latency)
    inventory = Inventory(Kms(account), now=lambda: NOW, pace=Pace(demand=demand))
    app = Bench()
    async with app.run_test(size=(160, 48)) as pilot:
        key_list = app.query_one(KeyList)
        key_list.focus()
        await pilot.pause()
        watch = LoopWatch()
        start = time.perf_counter()
        view = View(inventory)
        key_list.show_view(view)
        inventory.open()
        await until(lambda: bool(view.rows))
        print(f"{keys:,} keys, {latency * 1000:.0f} ms a call")
        print(f"first rows           {time.perf_counter() - start:6.3f} s")
        await until(lambda: len(view.rows) > 45 and all(_complete(row) for row in view.rows[:47]))
        print(f"visible complete     {time.perf_counter() - start:6.3f} s, calls {dict(account.calls)}")
        await until(lambda: not inventory.busy and len(view.rows) >= keys)
        await pilot.pause()
        took = time.perf_counter() - start
        print(f"listed whole         {took:6.3f} s; {watch.lap()}")
        if describe:
            account.latency = 0.0
            start = time.perf_counter()
            key_list.set_filter("state:creating")
            view.read_missing()
            await until(lambda: inventory.tally(aws=False).described == keys)
            key_list.set_filter("")
            await pilot.pause()
            took = time.perf_counter() - start
            print(f"described whole      {took:6.3f} s; {watch.lap()}")
        times = [taken for text in FILTERS for taken in await _type(key_list, text)]
        for what, values in (("", [wall for wall, _ in times]), (" in CPU", [cpu for _, cpu in times])):
            values.sort()
            print(
                f"keystroke to repaint{what} p50 {statistics.median(values):.0f} ms, "
                f"p95 {values[int(len(values) * 0.95)]:.0f} ms, max {values[-1]:.0f} ms"
            )
        print(f"{len(times)} keystrokes; {watch.lap()}")
        for column in ("attention", "spec", "created", "id", "name"):
            wall, cpu = await _timed(partial(key_list.set_sort, Sort(column)), key_list)
            print(f"sort by {column:<12} {wall:4.0f} ms, {cpu:.0f} ms of CPU")
        print(f"sorting: {watch.lap()}")
        moves = [await _timed(lambda: key_list.action_page(1), key_list) for _ in range(50)]
        wall, cpu = map(statistics.median, zip(*moves, strict=True))
        print(f"page down            {wall:4.0f} ms, {cpu:.0f} ms of CPU; {watch.lap()}")
        watch.stop()
    inventory.close()
    print(f"peak memory          {peak_memory_mb():4.0f} MB")


def _complete(row: Any) -> bool:
    return not any(row.wants(name) for name in (FactName.DESCRIBED, FactName.ROTATION))


async def _type(key_list: KeyList, text: str) -> list[tuple[float, float]]:
    """Milliseconds, and those of CPU, from each keystroke to its repaint; the text is typed, then cleared."""
    times = []
    for end in (*range(1, len(text) + 1), 0):
        times.append(await _timed(partial(_filter, key_list, text[:end]), key_list))
    return times


def _filter(key_list: KeyList, text: str) -> None:
    with contextlib.suppress(FilterError):
        key_list.set_filter(text)


async def _timed(act: Callable[[], None], key_list: KeyList) -> tuple[float, float]:
    painted = asyncio.Event()
    start, cpu = time.perf_counter(), time.thread_time()
    act()
    key_list.refresh()
    key_list.call_after_refresh(painted.set)
    await painted.wait()
    return (time.perf_counter() - start) * 1000, (time.thread_time() - cpu) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--latency", type=float, default=0.03)
    parser.add_argument("--describe", action="store_true")
    parser.add_argument("--demand", type=float, default=Pace().demand, help="DescribeKey a second")
    options = parser.parse_args()
    asyncio.run(measure(options.keys, options.latency, options.describe, options.demand))


if __name__ == "__main__":
    main()
