"""Processor time that the guard takes: realistic policies by size, and the worst texts that the tests know;
and how many requests a second are judged by all layers.

Run: python -m tests.bench.bench_policy
"""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import replace

from kms_tui.policy import AccessRequest, Caller, snippets
from kms_tui.policy.authorization import authorize_request, is_allowed
from kms_tui.policy.guard import check
from kms_tui.policy.layers import Layer, read_policy
from tests.unit.policy.build import ACCOUNT, KEY, Shape, allow, deny
from tests.unit.policy.layer_build import SESSION, everyone, gives, iam, layers, levels, named
from tests.unit.policy.test_guard_invariants import HOSTILE, largest

ROUNDS = 15
EVALUATIONS = 3_000


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


def _evaluations() -> None:
    """Requests a second by ten policies of all layers: the whole answer, and whether it is allowed alone."""
    full = levels(Layer.SCP, gives("*"), gives("*"), gives("*"))
    changed = layers(
        identity=(*iam(gives("kms:Decrypt")), *iam(gives("s3:*"))),
        boundary=named(Layer.BOUNDARY, gives()),
        session=(named(Layer.SESSION, gives()),),
        scps=full,
        rcps=levels(Layer.RCP, everyone("*"), everyone("*")),
    )
    many = replace(changed, key_policy=read_policy(Layer.KEY_POLICY, "key policy", realistic(8_000)))
    denied = replace(changed, session=(named(Layer.SESSION, gives("s3:*")),))
    context = {"kms:EncryptionContext:table": "orders", "kms:ViaService": "s3.us-east-1.amazonaws.com"}
    for name, tried in (("allowed", changed), ("denied", denied), ("key policy of 8 KB", many)):
        for what, judge in (("whole answer", authorize_request), ("allowed or not", is_allowed)):
            started = time.process_time()
            for _ in range(EVALUATIONS):
                judge(AccessRequest(Caller.parse(SESSION), "kms:Decrypt", KEY, context, complete=True), tried)
            rate = EVALUATIONS / (time.process_time() - started)
            print(f"all layers, {name}, {what}: {rate:,.0f} requests a second")


def main() -> None:
    _evaluations()
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
