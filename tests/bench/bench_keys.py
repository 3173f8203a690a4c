"""Every key of the console answers: from a key to its repaint, the longest block of the event loop, memory.

    python -m tests.bench.bench_keys [--keys 100000] [--describe] [--latency 0.002]
    python -m tests.bench.bench_keys --screens [--first]

At ``--keys`` keys the account is synthetic and in this process; each call takes ``--latency`` seconds until
all are listed. ``--describe`` first describes every key, so that filters have facts to look at. Memory is
VmHWM of the whole process, the synthetic account (which keeps nothing) included.

``--screens`` presses every key of the key list, of the details and of every screen on the demo's account,
twice: the first use also imports. ``--first`` presses each in a process of its own, so that no key's first
use profits from another's.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from textual import events
from textual.binding import Binding
from textual.widgets import Input, Tabs

from kms_tui.backend.base import Backend
from kms_tui.config import Config
from kms_tui.demo import demo_backend
from kms_tui.inventory import FilterError, Pace, Sort, parse
from kms_tui.session import BackendKind, Connection, Prompt, Session, open_session
from kms_tui.ui.app import KmsApp
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.screens.keys_screen import KeysScreen
from kms_tui.ui.widgets.filter_line import FilterLine
from kms_tui.ui.widgets.key_list import KeyList
from tests.bench.pressing import Presser, Response, quiet
from tests.bench.synthetic_account import NOW, SyntheticAccount

FILTERS = (
    "orders-c",
    "ord",
    "payments 77",
    "zzz",
    "state:disabled",
    "spec:rsa -cards",
    "age:>1y",
    "-billing",
    "name:orders",
    "description:team",
)
SORTS = ("attention", "spec", "created", "id", "description", "name")
DIALOGS = (("m", "menu"), ("X", "disable"), ("x", "enable"), ("D", "delete"), ("t", "tags"), ("c", "copy"))
SLOWEST = 10
SIZE = (160, 48)
_NOT_PRESSED = frozenset({"q", "ctrl+q", "L", "ctrl+z"})
"""Keys that quit, run a program, or have nothing to do here."""


COLLECTOR = (50_000, 20, 20)
"""As ``kms_tui.cli.console_command`` sets it."""


def console(backend: Backend, pace: Pace) -> KmsApp:
    def opener(chosen: Connection, _prompt: Prompt) -> Session:
        return open_session(chosen, backend, now=lambda: NOW, pace=pace)

    return KmsApp(opener, Connection(BackendKind.DEMO), Config())


def key_list_of(app: KmsApp) -> KeyList:
    return app.screen.query_one(KeyList)


def session_of(app: KmsApp) -> Session:
    assert app.session is not None
    return app.session


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.002)


def peak_memory_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def show(title: str, responses: list[Response]) -> None:
    """The slowest, and what all have in common."""
    walls, cpus = (
        sorted(values) for values in zip(*[(each.repaint, each.cpu) for each in responses], strict=True)
    )
    at95 = int(len(walls) * 0.95)
    print(
        f"\n{title}: {len(responses)} keys, to repaint p50 {statistics.median(walls):.0f} ms "
        f"({statistics.median(cpus):.0f} of CPU), p95 {walls[at95]:.0f} ({cpus[at95]:.0f}), "
        f"max {walls[-1]:.0f} ({cpus[-1]:.0f}); longest block {max(each.block for each in responses):.0f} ms "
        f"({max(each.block_cpu for each in responses):.0f} of CPU); {peak_memory_mb():.0f} MB"
    )
    for each in sorted(responses, key=lambda each: -max(each.cpu, each.block_cpu))[:SLOWEST]:
        print(f"  {each}")


# Many keys


async def many_keys(keys: int, latency: float, describe: bool) -> None:
    account = SyntheticAccount(keys, latency)
    app = console(account, Pace(demand=1_000_000) if describe else Pace())
    start = time.perf_counter()
    async with app.run_test(size=SIZE) as pilot:
        presser = Presser(app)
        await until(lambda: app.session is not None and isinstance(app.screen, KeysScreen))
        key_list = key_list_of(app)
        await until(lambda: key_list.rows)
        print(
            f"{keys:,} keys, {latency * 1000:.0f} ms a call; first rows {time.perf_counter() - start:.2f} s"
        )
        inventory = session_of(app).inventory
        presser.watch.lap()
        await until(lambda: not inventory.busy and len(key_list.rows) >= keys)
        await quiet(app)
        wall, cpu = presser.watch.lap()
        took = time.perf_counter() - start
        memory = f"{peak_memory_mb():.0f} MB"
        print(f"listed whole {took:.2f} s; longest block {wall:.0f} ms ({cpu:.0f} of CPU); {memory}")
        account.latency = 0.0
        if describe:
            start = time.perf_counter()
            line = app.screen.query_one(FilterLine).input
            line.value = "state:creating"
            await until(lambda: inventory.tally(aws=False).described == keys)
            line.value = ""
            await asyncio.sleep(0.5)
            await quiet(app)
            wall, cpu = presser.watch.lap()
            took = time.perf_counter() - start
            print(f"described whole {took:.2f} s; longest block {wall:.0f} ms ({cpu:.0f} of CPU)")
        await pilot.pause()
        show("typing a filter", [each async for each in typing(app, presser)])
        show("sorting", [each async for each in sorting(app, presser)])
        show("marking", [each async for each in marking(app, presser)])
        show("moving", [each async for each in moving(presser)])
        show("refreshing", [await refreshing(app, presser)])
        presser.watch.stop()


Responses = AsyncIterator[Response]


async def typing(app: KmsApp, presser: Presser) -> Responses:
    """Each text is typed, then cleared; a key is answered when the list shows the keys that match."""
    line = app.screen.query_one(FilterLine)
    view = key_list_of(app).view
    assert view is not None

    def shown() -> bool:
        try:
            parse(line.input.value, NOW)
        except FilterError:
            return line.is_error
        return view.query.text == line.input.value

    yield await presser.press("slash", "filter")
    for text in FILTERS:
        for end, character in enumerate(text, 1):
            yield await presser.press(_key(character), f"of {text[:end]}", character, shown=shown)
        yield await presser.press("escape", f"clears {text}", shown=shown)
    yield await presser.press("enter", "leaves the filter")


def _key(character: str) -> str:
    names = {" ": "space", ":": "colon", "-": "minus", ">": "greater_than_sign"}
    return names.get(character, character)


async def sorting(app: KmsApp, presser: Presser) -> Responses:
    key_list = key_list_of(app)
    for column in SORTS:
        for descending in (False, True):
            sort = Sort(column, descending)
            yield await presser.act(
                partial(key_list.set_sort, sort), f"by {column}{' descending' * descending}"
            )
    key_list.set_sort(Sort())
    await quiet(app)
    yield await presser.press("full_stop", "sorts again")
    for scope in ("AWS", "all", "customer"):
        yield await presser.press("W", f"scope {scope}")


async def marking(app: KmsApp, presser: Presser) -> Responses:
    yield await presser.press("M", "marks all")
    yield await presser.press("space", "takes a mark away")
    for key, what in DIALOGS:
        yield await presser.press(key, f"{what}, all marked")
        await close(app, presser)
    yield await presser.press("u", "unmarks all")
    yield await presser.press("v", "begins a range")
    yield await presser.press("end", "of the range: all")
    yield await presser.press("escape", "ends the range")
    yield await presser.press("u", "unmarks all")


async def moving(presser: Presser) -> Responses:
    for key in ("home", "end", "home", *["pagedown"] * 20, *["down"] * 10, *["up"] * 5, "home"):
        yield await presser.press(key)


async def refreshing(app: KmsApp, presser: Presser) -> Response:
    inventory = session_of(app).inventory
    presser.watch.lap()
    first = await presser.press("r", "refresh")
    await until(lambda: not inventory.busy)
    await quiet(app)
    wall, cpu = presser.watch.lap()
    return first._replace(block=max(first.block, wall), block_cpu=max(first.block_cpu, cpu))


async def close(app: KmsApp, presser: Presser) -> None:
    """Close what a key opened, and everything on the way."""
    for _ in range(20):
        screen = app.screen
        if isinstance(screen, KeysScreen) and app.current_mode == "keys":
            break
        if isinstance(screen, Dialog):
            await until(partial(_is_armed, app, screen))
        if app.screen is not screen:
            continue
        if len(app.screen_stack) == 1:
            app.action_open_mode("keys")
        else:
            app.post_message(events.Key("escape", None))
        await quiet(app)
        if app.screen is screen:
            screen.dismiss()
            await quiet(app)
    await quiet(app)


def _is_armed(app: KmsApp, dialog: Dialog[Any]) -> bool:
    return dialog.armed or app.screen is not dialog


# Every key


def keys_of(app: KmsApp) -> Iterator[tuple[str, str]]:
    """The keys that the key list offers, with what they do; the first key of each binding."""
    seen = set()
    for active in app.screen.active_bindings.values():
        binding: Binding = active.binding
        key = binding.key.split(",")[0]
        if binding.action not in seen and key not in _NOT_PRESSED and active.enabled and binding.description:
            seen.add(binding.action)
            yield key, binding.description


async def screens(only: str = "", list_only: bool = False) -> list[tuple[Response, Response]]:
    app = console(demo_backend(now=lambda: NOW), Pace(rest=10_000))
    responses: list[tuple[Response, Response]] = []
    async with app.run_test(size=SIZE) as pilot:
        presser = Presser(app)
        await until(lambda: app.session is not None and isinstance(app.screen, KeysScreen))
        await until(lambda: session_of(app).inventory.idle and key_list_of(app).rows)
        await asyncio.sleep(1.0)
        await quiet(app)
        tabs = app.screen.query("#details Tab")
        pressed = [*keys_of(app), *[(f"tab:{number}", "") for number in range(2, len(tabs) + 1)]]
        if list_only:
            print("\n".join(key for key, _ in pressed))
            return []
        for key, what in pressed:
            if only and key != only:
                continue
            both = []
            for _ in range(2):
                both.append(await once(app, presser, key, what))
                await pilot.pause()
            responses.append((both[0], both[1]))
        presser.watch.stop()
    return responses


async def once(app: KmsApp, presser: Presser, key: str, what: str) -> Response:
    if key.startswith("tab:"):
        tabs = app.screen.query_one("#details Tabs", Tabs)
        tab = tabs.query("Tab")[int(key[4:]) - 1]
        response = await presser.act(lambda: setattr(tabs, "active", tab.id), f"tab {tab.id}")
        await asyncio.sleep(0.4)
        await quiet(app)
        tabs.active = tabs.query("Tab").first().id or ""
        await asyncio.sleep(0.4)
        await quiet(app)
        return response
    response = await presser.press(key, what)
    await close(app, presser)
    app.screen.query_one(FilterLine).query_one(Input).value = ""
    key_list_of(app).focus()
    await quiet(app)
    return response


def first_uses() -> list[Response]:
    """Each key in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.bench_keys", "--screens"]
    keys = subprocess.run([*command, "--list"], capture_output=True, text=True, check=True).stdout.split()
    responses = []
    for key in keys:
        run = subprocess.run([*command, "--only", key], capture_output=True, text=True)
        for line in run.stdout.splitlines():
            if line.startswith("FIRST\t"):
                what, *numbers = line.split("\t")[1:]
                responses.append(Response(what, *map(float, numbers)))
    return responses


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--latency", type=float, default=0.002)
    parser.add_argument("--describe", action="store_true")
    parser.add_argument("--screens", action="store_true")
    parser.add_argument("--first", action="store_true")
    parser.add_argument("--list", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--only", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    gc.set_threshold(*COLLECTOR)
    gc.freeze()
    with tempfile.TemporaryDirectory() as home:
        for kind in ("CONFIG", "DATA", "STATE"):
            os.environ[f"XDG_{kind}_HOME"] = home
        if not options.screens:
            asyncio.run(many_keys(options.keys, options.latency, options.describe))
        elif options.first:
            show("first uses, each in a process of its own", first_uses())
        else:
            both = asyncio.run(screens(options.only, options.list))
            if options.only:
                for first, _ in both:
                    print("FIRST", *first, sep="\t")
            elif both:
                show("first uses", [first for first, _ in both])
                show("second uses", [second for _, second in both])


if __name__ == "__main__":
    main()
