"""What it costs to replay a change: events from files, the same as aggregated rows, and the judgement.

    python -m tests.bench.bench_history [--files 100] [--each 100000] [--distinct 5000]

Files of a trail are made first, with few distinct requests among their events. Each measurement runs in a
fresh process, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from kms_tui.evidence.change_replay import KeyAccess, PolicyChange, replay
from kms_tui.evidence.request_history.history_source import HistoryQuery, HistoryReading, read_history
from kms_tui.evidence.request_history.query_engine import QueryState, QueryStatus, run_query
from kms_tui.evidence.request_history.trail_files import TrailFiles
from kms_tui.policy import parse
from tests.unit.evidence.request_history.trail_events import ACCOUNT, KEY, NOW, event, role

QUERY = HistoryQuery(NOW - timedelta(days=90), NOW, KEY)
_ROLES = 20
_KINDS = 200
"""Distinct records in a file; each is repeated."""


def statement(sid: str, *roles: str, **more: Any) -> dict[str, Any]:
    principals = [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in roles]
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": principals},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        **more,
    }


def policy(dropped: int) -> str:
    """Ten statements with two roles each and a condition on the context; without that of a number."""
    condition = {"StringLike": {"kms:EncryptionContext:table": "t*"}}
    statements = [
        statement(f"S{number}", f"r{2 * number}", f"r{2 * number + 1}", Condition=condition)
        for number in range(10)
        if number != dropped
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def record(number: int, distinct: int) -> dict[str, Any]:
    """The record of a number: ``distinct`` of them differ."""
    kind = number % distinct
    return event(
        "Decrypt" if kind % 2 else "GenerateDataKey",
        role(f"r{kind % _ROLES}", f"s{number % 997}"),
        context={"table": f"t{kind // _ROLES}"},
        age=timedelta(minutes=number % 100_000),
    )


def make(folder: Path, files: int, each: int) -> int:
    """Write the files, and give their size without compression."""
    size = 0
    for number in range(files):
        kinds = [json.dumps(record(number + place * 7, _KINDS)) for place in range(_KINDS)]
        path = (
            folder / f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/11/{1 + number % 19:02d}/{number}.json.gz"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path, "wt", compresslevel=1) as file:
            file.write('{"Records":[')
            for place in range(each):
                file.write("," if place else "")
                file.write(kinds[place % _KINDS])
            file.write("]}")
        size += sum(map(len, kinds)) * each // _KINDS
    return size


class AggregatedRows:
    """An engine whose result is 5,000 rows, as those of Athena for any number of events."""

    name = "an aggregate"
    most_rows = 100_000

    def __init__(self, distinct: int, events: int) -> None:
        self._distinct = distinct
        self._events = events

    def start(self, _query: HistoryQuery) -> str:
        return "q"

    def status(self, _query_id: str) -> QueryStatus:
        return QueryStatus(QueryState.DONE)

    def rows(self, _query_id: str) -> Any:
        for number in range(self._distinct):
            row = record(number, self._distinct)
            yield {
                "identity_type": "AssumedRole",
                "principal": row["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"],
                "account": ACCOUNT,
                "operation": row["eventName"],
                "parameters": json.dumps(row["requestParameters"]),
                "key_arns": KEY,
                "calls": str(self._events // self._distinct),
                "first_time": "2026-10-01T00:00:00Z",
                "last_time": "2026-11-19T00:00:00Z",
            }

    def stop(self, _query_id: str) -> None:
        return


def of_files(folder: Path) -> Mapping[str, Any]:
    began = time.perf_counter()
    history = read_history(TrailFiles(folder), QUERY)
    took = time.perf_counter() - began
    events = history.coverage.events
    return {"events": events, "distinct": len(history.groups), "s": took, "events a second": events / took}


def of_aggregate(distinct: int, events: int) -> Mapping[str, Any]:
    began = time.perf_counter()
    reading = HistoryReading(QUERY, "an aggregate")
    run_query(AggregatedRows(distinct, events), reading)
    history = reading.snapshot()
    took = time.perf_counter() - began
    before, after = (parse(policy(dropped)) for dropped in (-1, 3))
    began = time.perf_counter()
    result = replay(history, KeyAccess(KEY, before), PolicyChange(after))
    judged = time.perf_counter() - began
    return {
        "events": history.coverage.events,
        "distinct": len(history.groups),
        "s to read": took,
        "s to judge": judged,
        "requests a second": result.judged / judged,
        "refused": len(result.refused),
        "unchanged": result.unchanged,
    }


def measured(work: Callable[..., Mapping[str, Any]], *arguments: Any) -> None:
    """Run it in a fresh process, and print its figures and its peak memory."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_into, args=(queue, work, arguments))
    process.start()
    figures = queue.get()
    process.join()
    told = ", ".join(
        f"{name} {value:,.3g}" if isinstance(value, float) else f"{name} {value:,}"
        for name, value in figures.items()
    )
    print(f"{work.__name__}: {told}", flush=True)


def _into(queue: Any, work: Callable[..., Mapping[str, Any]], arguments: tuple[Any, ...]) -> None:
    figures = dict(work(*arguments))
    queue.put(figures | {"peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--each", type=int, default=100_000)
    parser.add_argument("--distinct", type=int, default=5_000)
    args = parser.parse_args()
    measured(of_aggregate, args.distinct, 1_000_000_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = make(folder, args.files, args.each)
        print(f"{args.files} files, {size / 1e9:.2f} GB without compression", flush=True)
        measured(of_files, folder)


if __name__ == "__main__":
    main()
