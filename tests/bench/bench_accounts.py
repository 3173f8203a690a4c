"""An organization in one list: time to the first rows and to all names, calls, and peak memory.

    python -m tests.bench.bench_accounts [--accounts 200] [--keys 500] [--latency 0.03]

The organization is synthetic, in a process of its own, four Regions an account. It is listed without a
screen, by KMS and by an aggregator of AWS Config, each in a process of its own: what is measured is the
session and its inventory, from the imports on.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time

REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "us-west-2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--keys", type=int, default=500, help="of each Region")
    parser.add_argument("--latency", type=float, default=0.03)
    parser.add_argument("--measure", nargs=3, metavar=("URL", "KEYS", "SOURCE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        url, keys, source = args.measure
        measure(url, int(keys), by_config=source == "config")
        return
    served = [sys.executable, "-m", "tests.endpoints.organization"]
    numbers = [str(args.accounts), str(args.keys), str(args.latency)]
    with subprocess.Popen([*served, *numbers, *REGIONS], stdout=subprocess.PIPE, text=True) as endpoint:
        assert endpoint.stdout is not None
        url = endpoint.stdout.readline().strip()
        keys = str(args.accounts * args.keys * len(REGIONS))
        try:
            for source in ("kms", "config"):
                print(f"by {source}:", flush=True)
                subprocess.run(
                    [sys.executable, "-m", __spec__.name, "--measure", url, keys, source], check=True
                )
        finally:
            endpoint.kill()


def measure(url: str, keys: int, *, by_config: bool) -> None:
    """List everything behind the endpoint, and print the figures."""
    os.environ.update(
        AWS_ACCESS_KEY_ID="AKIAEXAMPLE",
        AWS_SECRET_ACCESS_KEY="x",
        AWS_CONFIG_FILE=os.devnull,
        HOME=tempfile.mkdtemp(),
    )
    began = time.monotonic()
    from kms_tui.accounts.account_choice import AccountChoice
    from kms_tui.cli.account_opening import chosen_accounts
    from kms_tui.config import Config
    from kms_tui.inventory import Pace
    from kms_tui.session import BackendKind, Connection, open_accounts

    choice = AccountChoice(organization=True, role="KmsReader")
    connection = Connection(
        BackendKind.AWS, region=REGIONS[0], regions=REGIONS, endpoint_url=url, accounts=choice
    )
    chosen = chosen_accounts(connection, choice, Config(), None)
    print(f"accounts listed after {time.monotonic() - began:.1f} s")
    session = open_accounts(
        connection,
        chosen.sources,
        pace=Pace(read_unasked=0),
        config_services=chosen.home if by_config else None,
    )
    inventory = session.inventory
    inventory.open()
    while not len(inventory):
        time.sleep(0.005)
    print(f"first rows after {time.monotonic() - began:.1f} s")
    while inventory.busy or len(inventory) < keys:
        time.sleep(0.05)
    spent = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"all {len(inventory):,} names after {time.monotonic() - began:.1f} s, "
        f"{spent.ru_utime + spent.ru_stime:.1f} s of CPU, peak memory {spent.ru_maxrss / 1024:.0f} MB"
    )
    print(f"{session.meter.total:,} calls of KMS: {dict(session.meter.calls)}")
    session.close()


if __name__ == "__main__":
    main()
