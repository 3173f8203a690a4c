"""All keys of an account described: the console side by side with the AWS CLI, a process a key.

    python -m tests.bench.bench_describe [--keys 300] [--latency 0.03] [--aws PATH]
    python -m tests.bench.bench_describe --quit

Both speak to the same endpoint, which waits ``--latency`` seconds before each answer. The AWS CLI's time is a
whole ``aws kms list-keys`` and one whole ``aws kms describe-key`` for each key, one after the other (several
minutes). The console's is from exec until its first rows are painted, until it has asked all that the rows
on the screen need, and until it says that all keys are known; it describes what is off the screen at its
polite rate, 40 keys a second. ``--quit`` measures only how long quitting takes while 16 calls hang.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Mapping

from kms_tui.control.faults import Hang
from tests.bench.bench_start import KMS_TUI, environment, until_painted, whole_run
from tests.endpoints.server import FaultEndpoint
from tests.endpoints.synthetic import SyntheticAccount

AWS_MANAGED = 4
ON_SCREEN = 41
"""Rows of a terminal of 48 lines."""


def console(endpoint: FaultEndpoint, keys: int, environ: Mapping[str, str]) -> None:
    command = [*KMS_TUI, "--endpoint-url", endpoint.url]
    endpoint.clear()
    first = until_painted(command, b"service-", environ).wall
    print(f"kms-tui, first rows                    {first:8.2f} s")
    endpoint.clear()
    started = time.monotonic()
    whole = until_painted(command, f"{keys - AWS_MANAGED} keys".encode(), environ).wall
    described = [request.at for request in endpoint.requests if request.operation == "DescribeKey"]
    print(f"kms-tui, rows on the screen described  {described[ON_SCREEN - 1] - started:8.2f} s")
    print(f"kms-tui, all {keys} keys known           {whole:8.2f} s, calls {dict(endpoint.counts)}")


def quitting(environ: Mapping[str, str]) -> None:
    """From the key press to the end of the process, with 16 calls that are never answered."""
    with FaultEndpoint(SyntheticAccount(100, AWS_MANAGED)) as endpoint:
        endpoint.always("DescribeKey", Hang())
        child, terminal = pty.fork()
        if child == 0:
            os.execvpe(KMS_TUI[0], [*KMS_TUI, "--endpoint-url", endpoint.url], dict(environ))
        while endpoint.count("DescribeKey") < 16:
            drain(terminal)
        started = time.perf_counter()
        os.write(terminal, b"q")
        while os.waitpid(child, os.WNOHANG) == (0, 0):
            drain(terminal)
        print(f"quit while 16 calls hang               {time.perf_counter() - started:8.2f} s")
        os.close(terminal)


def drain(terminal: int) -> None:
    """Read what is painted, lest the console waits for its terminal."""
    if select.select([terminal], [], [], 0.01)[0]:
        with contextlib.suppress(OSError):
            os.read(terminal, 65536)


def command_line(aws: str, endpoint: FaultEndpoint, environ: Mapping[str, str]) -> None:
    base = [aws, "kms", "--endpoint-url", endpoint.url, "--output", "json"]
    endpoint.clear()
    listing = whole_run([*base, "list-keys"], environ).wall
    answer = subprocess.run([*base, "list-keys"], env=dict(environ), check=True, capture_output=True)
    keys = [key["KeyId"] for key in json.loads(answer.stdout)["Keys"]]
    print(f"aws kms list-keys                      {listing:8.2f} s")
    describing = sum(whole_run([*base, "describe-key", "--key-id", key], environ).wall for key in keys)
    print(f"… and a describe-key for each of {len(keys)}   {listing + describing:8.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keys", type=int, default=300)
    parser.add_argument("--latency", type=float, default=0.03, metavar="SECONDS")
    parser.add_argument("--aws", default=shutil.which("aws"), help="the AWS CLI's executable")
    parser.add_argument("--quit", action="store_true")
    options = parser.parse_args()
    environ = environment()
    if options.quit:
        quitting(environ)
        return
    with FaultEndpoint(SyntheticAccount(options.keys, AWS_MANAGED), latency=options.latency) as endpoint:
        console(endpoint, options.keys, environ)
        if options.aws is None:
            print("the AWS CLI: not measured, there is no aws executable")
        else:
            command_line(options.aws, endpoint, environ)


if __name__ == "__main__":
    main()
