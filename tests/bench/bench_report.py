"""Calls of ``kms-tui report`` against the fewest that its checks need, at an endpoint that counts them.

    python -m tests.bench.bench_report [--keys 2000] [--aws-managed 12] [--latency 0.01]

The command is a process of its own, with its polite rate of 200 calls a second; time is from exec to exit,
and memory the most that the process held. The fewest: the pages of ListKeys and ListAliases (1,000 and 100
an answer), DescribeKey and GetKeyPolicy for each customer key, GetKeyRotationStatus for each that can rotate,
and one LookupEvents for the region's disabled keys, which this endpoint refuses.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter

from tests.endpoints.server import FaultEndpoint
from tests.endpoints.synthetic import SyntheticAccount


def fewest(account: SyntheticAccount) -> Counter[str]:
    """What the checks cannot do without, worked out from the account alone."""
    customers = [account.metadata("eu-west-1", number) for number in range(account.aws_managed, account.keys)]
    rotate = [key for key in customers if key["KeySpec"] == "SYMMETRIC_DEFAULT" and key["Enabled"]]
    return Counter(
        {
            "ListKeys": -(-account.keys // 1000),
            "ListAliases": -(-account.keys // 100),
            "DescribeKey": len(customers),
            "GetKeyPolicy": len(customers),
            "GetKeyRotationStatus": len(rotate),
            "LookupEvents": int(any(key["KeyState"] == "Disabled" for key in customers)),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keys", type=int, default=2000)
    parser.add_argument("--aws-managed", type=int, default=12)
    parser.add_argument("--latency", type=float, default=0.01, help="seconds that each answer takes")
    args = parser.parse_args()
    account = SyntheticAccount(args.keys, args.aws_managed)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "an-example-and-no-secret",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    with FaultEndpoint(account, latency=args.latency) as endpoint:
        command = [sys.executable, "-m", "kms_tui", "report", "--format", "json", "--region", "eu-west-1"]
        started = time.perf_counter()
        done = subprocess.run(
            [*command, "--endpoint-url", endpoint.url], env=environ, stdout=subprocess.PIPE, check=True
        )
        seconds = time.perf_counter() - started
        made = endpoint.counts
    report = json.loads(done.stdout)
    least = fewest(account)
    print(f"{'operation':<24}{'made':>8}{'fewest':>8}")
    for operation in sorted({*made, *least}):
        print(f"{operation:<24}{made[operation]:>8,}{least[operation]:>8,}")
    calls = sum(made[operation] for operation in least)
    print(f"{report['keys']:,} customer keys: {calls:,} calls, {calls / least.total():.3f} of the fewest.")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{seconds:.1f} s, {peak:.0f} MB; {report['summary']}")


if __name__ == "__main__":
    main()
