"""Runs a fault endpoint over a synthetic account until the input closes or Ctrl+C; prints its URL first.

A line of input changes what it does, so that a console can be looked at while things go wrong:

    latency 3                   seconds before each answer
    DescribeKey deny            every request for the operation ("*": for all) is met like this
    clear                       proper answers again
    counts                      requests so far, by operation
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

from kms_tui.control.faults import (
    DENY,
    EXPIRED,
    INTERNAL,
    OK,
    SKEWED,
    THROTTLE,
    UNAVAILABLE,
    Drop,
    Fault,
    Half,
    Hang,
)
from tests.endpoints.server import FaultEndpoint
from tests.endpoints.synthetic import SyntheticAccount

FAULTS: Mapping[str, Fault] = {
    "ok": OK,
    "deny": DENY,
    "drop": Drop(),
    "expired": EXPIRED,
    "half": Half(),
    "hang": Hang(),
    "internal": INTERNAL,
    "skew": SKEWED,
    "throttle": THROTTLE,
    "unavailable": UNAVAILABLE,
}


def obey(endpoint: FaultEndpoint, order: str) -> None:
    """Carry out a line of input."""
    match order.split():
        case ["latency", seconds]:
            endpoint.latency = float(seconds)
        case ["clear"]:
            endpoint.clear()
        case ["counts"]:
            print(dict(endpoint.counts), flush=True)
        case [operation, fault] if fault in FAULTS:
            endpoint.always(operation, FAULTS[fault])
        case _:
            print(f"not understood; faults are {', '.join(FAULTS)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.endpoints",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--keys", type=int, default=300, help="customer and AWS-managed keys together")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="before each answer")
    arguments = parser.parse_args()
    with FaultEndpoint(SyntheticAccount(arguments.keys), latency=arguments.latency) as endpoint:
        print(endpoint.url, flush=True)
        try:
            for order in sys.stdin:
                obey(endpoint, order)
        except KeyboardInterrupt:
            pass
        print(dict(endpoint.counts), flush=True)


if __name__ == "__main__":
    main()
