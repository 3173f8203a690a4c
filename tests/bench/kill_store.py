"""Kill programs that use a local store, many times, at moments of luck, and count what was lost.

    python -m tests.bench.kill_store making 300
    python -m tests.bench.kill_store checkpoint 300      # kill -9 inside a checkpoint
    python -m tests.bench.kill_store beside 100          # opens beside a program that writes all the time
    python -m tests.bench.kill_store passwd 100          # each kind of overlap and of kill, so many times
    python -m tests.bench.kill_store writing 200         # kill -9 of a program that makes keys
    python -m tests.bench.kill_store serve 20            # ten such kills beside serve, then one of serve
    python -m tests.bench.kill_store records 20          # kill -9 of serve: each answered use is an event

The suite has the same kills at chosen steps (``tests/unit/local/test_crashes.py``); here the kernel chooses.
Children are forked, so that a kill costs milliseconds. Prints one line a campaign; exits with 1 for a loss.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from kms_tui.backend.local import LocalBackend, Store, open_store
from kms_tui.backend.local.store.store_maintenance import back_up, change_protection
from kms_tui.backend.local.store.store_opening import open_existing

ACCOUNT, REGION = "111122223333", "eu-west-1"
Child = Callable[[Callable[[str], None]], None]


def make_key(store: Store) -> str:
    backend = LocalBackend(store, account_id=ACCOUNT, region=REGION)
    return str(backend.call("CreateKey", {})["KeyMetadata"]["KeyId"])


def unlock_with(passphrase: str | None) -> Callable[[bool], str | None]:
    return lambda _new: passphrase


class Forked:
    """A child that tells lines, and can be killed; ``lines`` reads what it told to its end."""

    def __init__(self, work: Child) -> None:
        reader, writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(reader)
            try:
                work(lambda line: void(os.write(writer, f"{line}\n".encode())))
            except BaseException as error:
                os.write(writer, f"failed {type(error).__name__}: {error}\n".encode())
                if os.environ.get("SHOW"):
                    traceback.print_exc()
            os._exit(0)
        os.close(writer)
        self._reader = reader

    def wait_for_output(self) -> None:
        select.select([self._reader], [], [], 20)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def lines(self) -> list[str]:
        with os.fdopen(self._reader) as told:
            lines = told.read().split("\n")[:-1]
        os.waitpid(self.pid, 0)
        return lines


def void(_: object) -> None:
    return None


def opens(path: Path, passphrase: str | None, keys: set[str]) -> str:
    """ "" where the store opens and has these keys, each of them usable; or what is wrong."""
    try:
        with open_existing(path, unlock_with(passphrase)) as store:
            backend = LocalBackend(store, account_id=ACCOUNT, region=REGION)
            for key_id in keys:
                backend.call("Encrypt", {"KeyId": key_id, "Plaintext": b"x"})
            verdict = store.one("PRAGMA integrity_check")
            return "" if verdict == ("ok",) else str(verdict)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def making(path: Path) -> Iterator[str]:
    def make(tell: Callable[[str], None]) -> None:
        tell("begun")
        store = open_store(path)
        tell(make_key(store))
        time.sleep(1)

    child = Forked(make)
    child.wait_for_output()
    time.sleep(random.uniform(0, 0.08))
    child.kill()
    acknowledged = set(child.lines()[1:])
    yield "killed after the first key" if acknowledged else "killed before"
    try:
        open_store(path).close()
    except Exception as error:
        yield f"LOST {type(error).__name__}: {str(error).replace(str(path), 'PATH')}"
        return
    wrong = opens(path, None, acknowledged)
    if wrong:
        yield f"LOST {wrong.replace(str(path), 'PATH')}"


def checkpoint(path: Path) -> Iterator[str]:
    with open_store(path) as store:
        keys = {make_key(store) for _ in range(5)}

    def work(tell: Callable[[str], None]) -> None:
        store = open_store(path)
        connection: Any = store._connection
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        for _ in range(6):
            with store.write() as db:
                db.execute(
                    "INSERT INTO migrations SELECT (SELECT max(version) FROM migrations) + value, 0 FROM "
                    "(WITH RECURSIVE n(value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM n LIMIT 40000) "
                    "SELECT value FROM n)"
                )
                db.execute("DELETE FROM migrations WHERE version % 3 = 0 AND version > 100")
            tell(make_key(store))
        tell("checkpoint")
        connection.execute("PRAGMA wal_checkpoint(FULL)")
        tell("end")

    child = Forked(work)
    told = ""
    while "checkpoint" not in told and "failed" not in told:
        told += os.read(child._reader, 4096).decode()
    time.sleep(random.uniform(0, 0.004))
    child.kill()
    rest = child.lines()
    yield "killed after it" if "end" in rest else "killed inside it"
    acknowledged = keys | {line for line in told.split() if "-" in line}
    wrong = opens(path, None, acknowledged)
    if wrong:
        yield f"LOST {wrong.replace(str(path), 'PATH')}"


def beside(path: Path) -> Iterator[str]:
    open_store(path).close()
    child = Forked(lambda tell: write_with_checkpoints(path, tell))
    child.wait_for_output()
    for _ in range(30):
        wrong = opens(path, None, set())
        yield f"LOST {wrong.replace(str(path), 'PATH')}" if wrong else "opened"
    child.kill()
    child.lines()


def write_with_checkpoints(path: Path, tell: Callable[[str], None]) -> None:
    store = open_store(path)
    store._connection.execute("PRAGMA wal_autocheckpoint = 20")
    while True:
        tell(make_key(store))


Way = str | None
_CHANGES: dict[str, tuple[Way, Way, Way]] = {
    "two passphrases for a key file": (None, "first", "second"),
    "two key files for a passphrase": ("before", None, None),
    "a key file and a passphrase": ("before", None, "second"),
    "two passphrases for a passphrase": ("before", "first", "second"),
}
"""What overlaps -> the way in before, and what the two make of it."""


def change(path: Path, before: Way, after: Way, at: float, tell: Callable[[str], None]) -> None:
    """Change what guards the store, a little after a moment of the monotonic clock."""
    store = open_existing(path, unlock_with(before))
    tell("ready")
    time.sleep(max(at - time.monotonic(), 0) + random.uniform(0, 0.003))
    change_protection(store, after)
    tell("done")
    store.close()


def prepared(path: Path, before: Way) -> set[str]:
    with open_store(path, unlock=unlock_with(before)) as store:
        return {make_key(store)}


def ways(path: Path, keys: set[str], known: set[str]) -> set[Way]:
    """What opens the store: None is the key file, beside which no passphrase is asked for."""
    by_key_file = not opens(path, None, keys)
    return {None} if by_key_file else {way for way in known if not opens(path, way, keys)}


def two_passwd(path: Path) -> Iterator[str]:
    for name, (before, first, second) in _CHANGES.items():
        place = path.with_name(f"{abs(hash(name))}.db")
        keys = prepared(place, before)
        at = time.monotonic() + 0.25
        children = [Forked(partial(change, place, before, way, at)) for way in (first, second)]
        told = [child.lines() for child in children]
        reported = {way for way, lines in zip((first, second), told, strict=True) if "done" in lines}
        now = ways(place, keys, {"before", "first", "second"})
        ok = len(now) == 1 and (now <= reported or (not reported and now == {before}))
        yield (
            f"{name}: {sum('done' in lines for lines in told)} done"
            if ok
            else f"LOST {name}: opens by {now}, {told}"
        )


def killed_passwd(path: Path) -> Iterator[str]:
    for before, after in ((None, "after"), ("before", None), ("before", "after")):
        place = path.with_name(f"{before}-{after}.db")
        keys = prepared(place, before)
        child = Forked(partial(change, place, before, after, 0))
        child.wait_for_output()
        time.sleep(random.uniform(0.04, 0.12) if after else random.uniform(0, 0.012))
        child.kill()
        told = child.lines()
        now = ways(place, keys, {"before", "after"})
        ok = len(now) == 1 and (now == {after} or ("done" not in told and now == {before}))
        state = "after" if "done" in told else "before"
        yield (
            f"killed {state} it was reported"
            if ok
            else f"LOST killed {before} to {after}: opens by {now}, {told}"
        )


def copy_it(path: Path, copy: Path, before: Way, latest: float, tell: Callable[[str], None]) -> None:
    store = open_existing(path, unlock_with(before))
    tell("ready")
    time.sleep(random.uniform(0, latest))
    back_up(store, copy)
    tell("done")


def passwd_beside_backup(path: Path) -> Iterator[str]:
    for before, after in ((None, "after"), ("before", None)):
        place, copy = path.with_name(f"{before}.db"), path.with_name(f"{before}-copy.db")
        keys = prepared(place, before)

        changing = Forked(partial(change, place, before, after, 0))
        copying = Forked(partial(copy_it, place, copy, before, 0.09 if after else 0.01))
        told = changing.lines(), copying.lines()
        now = ways(copy, keys, {"before", "after"})
        if "done" not in told[1]:
            yield f"backup {before} to {after} refused"
            continue
        ok = len(now) == 1 and ways(place, keys, {"before", "after"}) == {after}
        yield (
            f"copied, opens by {now}"
            if ok
            else f"LOST backup {before} to {after}: copy opens by {now}, {told}"
        )


def passwd_beside_serve(path: Path) -> Iterator[str]:
    keys = prepared(path, None)
    serving = Forked(lambda tell: write_with_checkpoints(path, tell))
    serving.wait_for_output()
    before: Way = None
    for after in ("first", None, "second"):
        told = Forked(partial(change, path, before, after, 0)).lines()
        now = ways(path, keys, {"first", "second"})
        ok = now == {after} and "done" in told
        yield "changed beside a writer" if ok else f"LOST beside a writer: opens by {now}, {told}"
        before = after
    serving.kill()
    made = set(serving.lines())
    wrong = opens(path, "second", made)
    yield f"LOST {wrong}" if wrong else "the writer lost nothing"


def passwd(path: Path) -> Iterator[str]:
    for number, kind in enumerate((two_passwd, killed_passwd, passwd_beside_backup, passwd_beside_serve)):
        place = path.with_name(str(number))
        place.mkdir()
        yield from kind(place / "store.db")


def writing(path: Path) -> Iterator[str]:
    open_store(path).close()
    for name, others in (("alone", 0), ("beside another", 1)):
        children = [Forked(lambda tell: write_with_checkpoints(path, tell)) for _ in range(others + 1)]
        children[0].wait_for_output()
        time.sleep(random.uniform(0, 0.08))
        for child in children:
            child.kill()
        told = [line for child in children for line in child.lines()]
        wrong = opens(path, None, {line for line in told if not line.startswith("failed")})
        bad = [line for line in told if line.startswith("failed")]
        yield f"LOST {wrong or bad}" if wrong or bad else f"{name}: nothing lost"
        yield from ["keys acknowledged"] * len(told)


class Served:
    """``kms-tui serve`` on a store, in a process of its own, that some clients call without end."""

    def __init__(self, path: Path, operation: str, params: dict[str, str], clients: int) -> None:
        flags = ["--store", str(path), "--auth", "any", "--region", REGION]
        command = [sys.executable, "-m", "kms_tui", "serve", *flags]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        url = self._process.stdout.readline().split()[-1]
        headers = {"X-Amz-Target": f"TrentService.{operation}", "Content-Type": "application/x-amz-json-1.1"}
        self._request = urllib.request.Request(url, json.dumps(params).encode(), headers)
        self._answers: list[Any] = []
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            while True:
                with urllib.request.urlopen(self._request, timeout=30) as answer:
                    self._answers.append(json.load(answer))

    def kill(self) -> list[Any]:
        """Every answer that a client has."""
        self._process.kill()
        self._process.communicate()
        for thread in self._threads:
            thread.join()
        return self._answers


def serve(path: Path) -> Iterator[str]:
    """Ten kills of a program that writes, beside one server, which is killed last."""
    open_store(path).close()
    served, told = Served(path, "CreateKey", {}, clients=1), set[str]()
    for _ in range(10):
        child = Forked(partial(write_with_checkpoints, path))
        child.wait_for_output()
        time.sleep(random.uniform(0, 0.05))
        child.kill()
        told |= set(child.lines())
        yield "writers killed"
    told |= {answer["KeyMetadata"]["KeyId"] for answer in served.kill()}
    yield "servers killed"
    wrong = opens(path, None, told)
    yield f"LOST {wrong}" if wrong else "stores in which nothing was lost"
    yield from ["keys acknowledged"] * len(told)


def records(path: Path) -> Iterator[str]:
    """A server is killed amid the uses of a key by eight clients."""
    with open_store(path) as store:
        key_id = make_key(store)
    served = Served(path, "Encrypt", {"KeyId": key_id, "Plaintext": "eA=="}, clients=8)
    time.sleep(random.uniform(0.1, 0.5))
    answers = len(served.kill())
    with open_existing(path, unlock_with(None)) as store:
        (recorded,) = store.one("SELECT count(*) FROM events WHERE operation = 'Encrypt'") or (0,)
    yield "servers killed" if recorded >= answers else f"LOST {answers - recorded} records"
    yield from ["uses answered and recorded"] * answers


CAMPAIGNS: dict[str, Callable[[Path], Iterator[str]]] = {
    each.__name__: each for each in (making, checkpoint, beside, passwd, writing, serve, records)
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("campaign", choices=CAMPAIGNS)
    parser.add_argument("times", type=int)
    args = parser.parse_args()
    outcomes: Counter[str] = Counter()
    for _ in range(args.times):
        with tempfile.TemporaryDirectory() as directory, contextlib.suppress(KeyboardInterrupt):
            outcomes.update(CAMPAIGNS[args.campaign](Path(directory) / "store.db"))
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:6,}  {outcome}")
    return int(any(outcome.startswith("LOST") for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
