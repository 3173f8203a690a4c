"""How soon the console shows something, and how soon it shows keys; both as ratios measured in this run.

    python tests/bench/bench_start.py [--rounds 7] [--aws PATH]

First frame: from exec to the first painted text in a pseudo-terminal, against ``python -c "import
textual.app"`` on the same machine. First rows: from exec to the first key rows against a local endpoint
with 300 keys, against a whole ``aws kms list-keys`` by the AWS CLI's own executable.
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

KEYS = 300
KMS_TUI = [sys.executable, "-m", "kms_tui"]


def until_painted(command: list[str], wanted: bytes, environ: Mapping[str, str]) -> float:
    """Seconds from exec until ``wanted`` has come out of a 160x48 pseudo-terminal."""
    started = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe(command[0], command, dict(environ))
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 48, 160, 0, 0))
    seen = b""
    try:
        while wanted not in seen:
            ready, _, _ = select.select([terminal], [], [], 30)
            if not ready:
                raise TimeoutError(f"{wanted!r} was not painted within 30 s by {command}")
            seen += os.read(terminal, 65536)
        return time.perf_counter() - started
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


def whole_run(command: list[str], environ: Mapping[str, str]) -> float:
    """Seconds that a command takes from exec to exit."""
    started = time.perf_counter()
    subprocess.run(command, check=True, env=dict(environ), stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


@contextmanager
def endpoint(environ: Mapping[str, str]) -> Iterator[str]:
    """moto's server with 300 keys, in a process of its own."""
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER],
        env=dict(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


_SERVER = f"""
import boto3, threading
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = f"http://127.0.0.1:{{port}}"
kms = boto3.client("kms", endpoint_url=url)
for number in range({KEYS}):
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=f"alias/bench-{{number:03}}", TargetKeyId=key)
print(url, flush=True)
threading.Event().wait()
"""


def side_by_side(rounds: int, ours: Callable[[], float], theirs: Callable[[], float]) -> tuple[float, float]:
    """The medians of two measurements that take turns."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def report(what: str, ours: float, theirs: float, against: str, aim: float) -> None:
    ratio = f"ratio {ours / theirs:.2f} (aim <= {aim})"
    print(f"{what}: {ours * 1000:.0f} ms, {against}: {theirs * 1000:.0f} ms, {ratio}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--aws", default=shutil.which("aws"), help="the AWS CLI's executable")
    args = parser.parse_args()
    environ = {
        **os.environ,
        "TERM": "xterm-256color",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    ours, theirs = side_by_side(
        args.rounds,
        lambda: until_painted([*KMS_TUI, "--demo"], b"kms-tui", environ),
        lambda: whole_run([sys.executable, "-c", "import textual.app"], environ),
    )
    report("first frame", ours, theirs, "import textual.app", 1.5)
    if args.aws is None:
        print("first rows: not measured, there is no aws executable")
        return
    with endpoint(environ) as url:
        ours, theirs = side_by_side(
            args.rounds,
            lambda: until_painted([*KMS_TUI, "--endpoint-url", url], b"bench-0", environ),
            lambda: whole_run([args.aws, "kms", "list-keys", "--endpoint-url", url], environ),
        )
    report("first rows", ours, theirs, "aws kms list-keys", 1.25)


if __name__ == "__main__":
    main()
