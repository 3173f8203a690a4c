"""Processor time that the guard takes: realistic policies by size, and the worst texts that the tests know.

Run: python -m tests.bench.bench_policy
"""

from __future__ import annotations

import json
import statistics
import time

from kms_tui.policy import snippets
from kms_tui.policy.guard import check
from tests.unit.policy.build import ACCOUNT, KEY, Shape, allow, deny
from tests.unit.policy.test_guard_invariants import HOSTILE, largest

ROUNDS = 15


def realistic(size: int) -> str:
    """A policy of about that many bytes, with the kinds of statement that real ones have."""
    statements: list[Shape] = [snippets.enable_iam_policies(ACCOUNT)]
    while len(text := json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)) < size:
        statements.append(_statement(len(statements)))
    return text


def _statement(number: int) -> Shape:
    roles = [f"arn:aws:iam::{ACCOUNT}:role/team-{number}/app-{index}" for index in range(4)]
    logs = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/app/{number}*"
    limits = {"StringEquals": {"kms:CallerAccount": ACCOUNT, "kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    kinds: list[Shape] = [
        snippets.key_users(roles),
        snippets.grants_for_aws_resources(roles),
        snippets.service_use("logs.us-east-1.amazonaws.com", ACCOUNT, logs),
        allow(
            "*",
            ["kms:Decrypt", "kms:GenerateDataKey*"],
            limits | {"ArnLike": {"aws:PrincipalArn": roles[0] + "*"}},
        ),
        deny({"ArnLike": {"aws:PrincipalArn": roles[0]}}, action="kms:Decrypt"),
    ]
    return kinds[number % len(kinds)] | {"Sid": f"statement {number}"}


def _milliseconds(text: str, rounds: int) -> tuple[float, float]:
    times: list[float] = []
    for _ in range(rounds):
        started = time.process_time()
        check(text, account_id=ACCOUNT, caller_arn=f"arn:aws:iam::{ACCOUNT}:role/KeyAdmin", key_arn=KEY)
        times.append((time.process_time() - started) * 1000)
    return statistics.median(times), max(times)


def main() -> None:
    for size in (1_000, 8_000, 32_000, 128_000):
        text = realistic(size)
        median, worst = _milliseconds(text, ROUNDS)
        print(f"realistic {len(text):>7,} bytes: median {median:6.2f} ms, worst {worst:6.2f} ms")
    slowest = sorted(
        ((_milliseconds(largest(make), 3)[0], name) for name, make in HOSTILE.items()), reverse=True
    )
    for median, name in slowest[:5]:
        print(f"hostile, 128 KB, {name}: median {median:6.1f} ms")


if __name__ == "__main__":
    main()
