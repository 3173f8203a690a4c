"""The flags that choose a source of recorded requests, and how a command follows its reading."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kms_tui.cli.progress_bar import ProgressBar
from kms_tui.kms.errors import ConfigurationError, KmsTuiError, UnavailableError
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.backend.base import Backend, Services
    from kms_tui.evidence.request_history.history_source import (
        HistoryQuery,
        HistoryReading,
        HistorySource,
        RequestHistory,
    )

FAILED, STOPPED = 2, 130
_DRAW = 0.2
"""Seconds between two updates of the progress line."""
_MOST_DAYS = 36_500
_OTHER_RECORD = "Give a trail's files with --events."


def add_history_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the record of requests (default: CloudTrail's LookupEvents)")
    group.add_argument(
        "--days", type=whole_number, default=90, metavar="N", help="how far back (default: 90)"
    )
    source = group.add_mutually_exclusive_group()
    source.add_argument("--events", type=Path, metavar="DIR", help="a trail's files: .json and .json.gz")
    source.add_argument("--athena", metavar="TABLE", help="Athena, over the trail's table: DATABASE.TABLE")
    source.add_argument("--lake", metavar="STORE", help="CloudTrail Lake: an event data store's id or ARN")
    source.add_argument("--logs", metavar="GROUP", help="Logs Insights, over the trail's log group")
    group.add_argument("--work-group", default="primary", metavar="W", help="of Athena (default: primary)")
    group.add_argument(
        "--result-location", default="", metavar="S3URI", help="where Athena writes its result"
    )
    group.add_argument(
        "--minutes", type=whole_number, default=10, metavar="N", help="stop reading after (10)"
    )
    group.add_argument("--yes", action="store_true", help="run a query that costs money without asking")


def whole_number(text: str) -> int:
    """A number of days, minutes or rows; for argparse."""
    digits = text.lstrip("0")[:6] if text.isascii() and text.isdigit() else ""
    if not digits or int(digits) > _MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {_MOST_DAYS}")
    return int(digits)


def services_of(backend: Backend | None) -> Services | None:
    """The services beside KMS, if the backend has any."""
    from kms_tui.backend.base import KnowsServices

    return backend.services if backend is not None and isinstance(backend, KnowsServices) else None


def source_from(
    args: argparse.Namespace, services: Services | None, region: str, *, live: bool
) -> HistorySource:
    """The chosen source. Raises ConfigurationError for a name that is none, or without the services."""
    if args.events is not None:
        from kms_tui.evidence.request_history.trail_files import TrailFiles

        return TrailFiles(args.events, region)
    services = _in_region(services, region)
    if args.athena is not None:
        from kms_tui.evidence.request_history.athena_history import AthenaHistory
        from kms_tui.evidence.request_history.history_sql import TableName

        if args.read_only:
            raise ConfigurationError("Athena writes its results to S3: leave out --read-only.")
        table = TableName.parse(args.athena)
        return AthenaHistory(
            services, table, work_group=args.work_group, output=_location(args.result_location)
        )
    if args.lake is not None:
        from kms_tui.evidence.request_history.history_sql import store_id
        from kms_tui.evidence.request_history.lake_history import LakeHistory

        return LakeHistory(services, store_id(args.lake))
    if args.logs is not None:
        from kms_tui.evidence.request_history.insights_history import InsightsHistory, log_group

        return InsightsHistory(services, log_group(args.logs))
    from kms_tui.evidence.activity import Trail
    from kms_tui.evidence.request_history.event_lookup import source_of

    return source_of(Trail(services, is_live=live), region)


def _location(text: str) -> str:
    if text and not text.startswith("s3://"):
        raise ConfigurationError(f"{text!r} is not a location in S3: s3://BUCKET/PREFIX/.")
    return text


def _in_region(services: Services | None, region: str) -> Services:
    if services is None:
        raise ConfigurationError("This connection has no record of requests.", next_step=_OTHER_RECORD)
    return services if services.region == region else services.in_region(region)


def agreed(args: argparse.Namespace, source: HistorySource, query: HistoryQuery) -> bool:
    """Whether the query may cost what it costs: by --yes, or by an answer in a terminal."""
    cost = source.cost(query)
    if cost.is_free:
        return True
    print(visible(cost.sentence), file=sys.stderr)
    if args.yes:
        return True
    if not sys.stdin.isatty():
        print("Nothing was asked: add --yes to run the query.", file=sys.stderr)
        return False
    print("Run it? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


class Followed(NamedTuple):
    """What a source had, and the exit code of how its reading ended: 0, ``FAILED`` or ``STOPPED``."""

    history: RequestHistory
    exit_code: int


def followed(
    source: HistorySource, query: HistoryQuery, minutes: float, clock: Callable[[], float] = time.monotonic
) -> Followed:
    """What a source has, read on a daemon thread.

    What was read until Ctrl+C, until the minutes are over, or until an error is kept. Raises KmsTuiError
    where nothing was read before the error.
    """
    from kms_tui.evidence.request_history.history_source import HistoryReading

    reading = HistoryReading(query, source.name)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            source.read(reading)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, name="kms-tui history", daemon=True)
    end = clock() + minutes * 60
    thread.start()
    stopped = _wait(thread, reading, end, clock)
    for error in failed:
        if isinstance(error, UnavailableError):
            raise ConfigurationError(str(error), next_step=_OTHER_RECORD) from error
        if not isinstance(error, KmsTuiError) or not reading.coverage().events:
            raise error
        reading.note(f"Reading ended early: {error}")
    return Followed(reading.snapshot(), STOPPED if stopped else FAILED if failed else 0)


def _wait(thread: threading.Thread, reading: HistoryReading, end: float, clock: Callable[[], float]) -> bool:
    bar = ProgressBar()
    stopped = False
    while thread.is_alive():
        try:
            thread.join(_DRAW)
            if clock() > end and reading.wanted():
                reading.note("Reading stopped when its time was over: --minutes allows more.")
                reading.cancel()
            if thread.is_alive():
                bar.update(reading.coverage().events, words="reading events, Ctrl+C stops")
        except KeyboardInterrupt:
            if stopped:
                raise
            stopped = True
            reading.note("Reading was stopped with Ctrl+C.")
            reading.cancel()
    bar.close()
    return stopped
