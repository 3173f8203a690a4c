"""How soon the console shows something, and how soon it shows keys; as ratios measured in this run.

    python -m tests.bench.bench_start [--rounds 7] [--aws PATH]

Rounds in turns, medians; wall time from exec, and the CPU time (user and system) that the process has spent
by then. First text: until the first painted text in a pseudo-terminal, against a whole
``python -c "import textual.app"``. First rows: until the first key rows, of 300 keys at an endpoint that
answers after 5 ms and of the demo, against a whole ``aws kms list-keys`` at that endpoint. The endpoint is
synthetic, and in a process of its own: what it spends is no part of the figures.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

KEYS = 300
LATENCY = 0.005
KMS_TUI = [sys.executable, "-m", "kms_tui"]
_LEFT_OUT = ("AWS_", "PYTHONDONTWRITEBYTECODE")
"""Beginnings of variables that children do not get. An installed program is compiled; the sources here are
compiled in a first round.
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds from exec: on the clock, and of CPU time."""

    wall: float
    cpu: float


def environment() -> dict[str, str]:
    """A terminal's environment, with credentials of no account."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
    return {
        **inherited,
        "TERM": "xterm-256color",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }


def until_painted(command: list[str], wanted: bytes, environ: Mapping[str, str]) -> Spent:
    """What it takes until ``wanted`` has come out of a 160x48 pseudo-terminal."""
    started = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe(command[0], command, dict(environ))
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 48, 160, 0, 0))
    seen, reaped = b"", False
    try:
        while wanted not in seen:
            ready, _, _ = select.select([terminal], [], [], 30)
            if not ready:
                raise TimeoutError(f"{wanted!r} was not painted within 30 s by {command}")
            seen += os.read(terminal, 65536)
        wall = time.perf_counter() - started
        os.kill(child, signal.SIGKILL)
        usage = os.wait4(child, 0)[2]
        reaped = True
        return Spent(wall, usage.ru_utime + usage.ru_stime)
    finally:
        if not reaped:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os.close(terminal)


def whole_run(command: list[str], environ: Mapping[str, str]) -> Spent:
    """What a command takes from exec to exit."""
    started = time.perf_counter()
    child = subprocess.Popen(command, env=dict(environ), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return Spent(wall, usage.ru_utime + usage.ru_stime)


@contextmanager
def endpoint(environ: Mapping[str, str]) -> Iterator[str]:
    """The URL of a synthetic account's endpoint, in a process of its own that ends with its input."""
    command = [sys.executable, "-m", "tests.endpoints", "--keys", str(KEYS), "--latency", str(LATENCY)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=dict(environ), stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.communicate()


def report(what: str, ours: list[Spent], against: str, theirs: list[Spent], wall: float, cpu: float) -> None:
    """The medians of two measurements that took turns, and the ratios to aim at."""
    print(f"{what}, against {against}:")
    for name, aim in (("wall", wall), ("cpu", cpu)):
        our, their = (statistics.median(getattr(each, name) for each in spent) for spent in (ours, theirs))
        ratio = f"ratio {our / their:.2f} (aim <= {aim})"
        print(f"    {name:<4} {our * 1000:5.0f} ms, {their * 1000:5.0f} ms, {ratio}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--aws", default=shutil.which("aws"), help="the AWS CLI's executable")
    args = parser.parse_args()
    environ = environment()
    import_textual = [sys.executable, "-c", "import textual.app"]
    with endpoint(environ) as url:
        runs: dict[str, Callable[[], Spent]] = {
            "first text": lambda: until_painted([*KMS_TUI, "--demo"], b"kms-tui", environ),
            "import textual.app": lambda: whole_run(import_textual, environ),
        }
        if args.aws is None:
            print("first rows: not measured, there is no aws executable")
        else:
            runs |= {
                "first rows": lambda: until_painted([*KMS_TUI, "--endpoint-url", url], b"team-", environ),
                "first rows of the demo": lambda: until_painted(
                    [*KMS_TUI, "--demo"], b"chat-archive", environ
                ),
                "aws kms list-keys": lambda: whole_run(
                    [args.aws, "kms", "list-keys", "--endpoint-url", url], environ
                ),
            }
        spent: dict[str, list[Spent]] = {name: [] for name in runs}
        for _ in range(args.rounds + 1):
            for name, run in runs.items():
                spent[name].append(run())
    # The first round compiles, and reads files that the others find in memory.
    spent = {name: each[1:] for name, each in spent.items()}
    textual, aws = "import textual.app", "aws kms list-keys"
    report("first text", spent["first text"], textual, spent[textual], 1.0, 1.0)
    if aws in spent:
        report("first rows", spent["first rows"], aws, spent[aws], 1.0, 1.1)
        report("first rows of the demo", spent["first rows of the demo"], aws, spent[aws], 0.8, 0.8)


if __name__ == "__main__":
    main()
