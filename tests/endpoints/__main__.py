"""Runs a fault endpoint over a synthetic account until the input closes or Ctrl+C; prints its URL first."""

from __future__ import annotations

import argparse
import sys

from tests.endpoints.server import FaultEndpoint
from tests.endpoints.synthetic import SyntheticAccount


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.endpoints", description=__doc__)
    parser.add_argument("--keys", type=int, default=300, help="customer and AWS-managed keys together")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="before each answer")
    arguments = parser.parse_args()
    with FaultEndpoint(SyntheticAccount(arguments.keys), latency=arguments.latency) as endpoint:
        print(endpoint.url, flush=True)
        try:
            sys.stdin.read()
        except KeyboardInterrupt:
            pass
        print(dict(endpoint.counts), flush=True)


if __name__ == "__main__":
    main()
