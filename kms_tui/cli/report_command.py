"""Run the health checks on the account's keys: ``kms-tui report``, for pipelines and auditors.

What cannot be read is listed as not known, and never counts as a pass. AWS-managed keys are not examined.
"""

from __future__ import annotations

import argparse
import sys
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kms_tui.cli.connection import add_connection_flags, connection_from
from kms_tui.session import BackendKind, Connection, Session

if TYPE_CHECKING:
    from kms_tui.evidence.health import Examination, Report

FAILURE = 2
"""The exit code without a complete report; 1 is for findings."""
_EPILOG = (
    "exit codes: 0 no finding reaches --fail-on; 1 one does; 2 bad usage, or no whole report; "
    "130 stopped with Ctrl+C. "
    "It calls ListKeys, ListAliases, DescribeKey, GetKeyRotationStatus, GetKeyPolicy, CloudTrail's "
    "LookupEvents, ListResourceTags where the configuration has required_tags, and GetKeyLastUsage for "
    "--unused; what it may not call is listed as not known."
)
_FORMATS = ("table", "md", "json", "csv")
_SEVERITIES = ("high", "medium", "low")
_DRAW = 0.2
"""Seconds between two updates of the progress line."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("--format", choices=_FORMATS, default="table", help="default: table")
    parser.add_argument(
        "--fail-on",
        choices=_SEVERITIES,
        metavar="SEVERITY",
        help="exit with 1 from this severity on: high, medium, low",
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 if something is not known, too")
    parser.add_argument(
        "--unused",
        type=_days,
        metavar="DAYS",
        help="also find keys not used for so long (GetKeyLastUsage: 5 keys a second)",
    )
    parser.add_argument(
        "--regions", type=_regions, default=(), metavar="R,R", help="several regions in one report"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write it to a file, which is replaced"
    )
    add_connection_flags(parser)
    parser.set_defaults(connection_from=partial(connection_from, parser), usage_error=parser.error)


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 36_500:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days")
    return int(text)


def _regions(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of regions")
    return names


def run(args: argparse.Namespace) -> int:
    """Write the report; see ``--help`` for the exit codes."""
    if args.region and args.regions:
        args.usage_error("--region or --regions, not both")
    from kms_tui.evidence.health import HealthSeverity

    session = _open(args)
    try:
        report = _examine(session, args.unused)
    except KeyboardInterrupt:
        print("Stopped. No report was written.", file=sys.stderr)
        return 130
    finally:
        session.inventory.close()
    _write(report, args)
    if args.fail_on is not None and report.reaches(HealthSeverity(args.fail_on)):
        return 1
    if not report.complete:
        print("The report is not whole: KMS gave no answer for too long.", file=sys.stderr)
        return FAILURE
    return int(args.strict and bool(report.gaps))


def _open(args: argparse.Namespace) -> Session:
    from kms_tui.cli.connection import open_backend
    from kms_tui.inventory import Pace
    from kms_tui.session import open_session

    connection: Connection = args.connection_from(args)
    if args.regions:
        kind = connection.kind or BackendKind.AWS
        connection = replace(connection, kind=kind, region=args.regions[0], regions=args.regions)
    if connection.kind is BackendKind.LOCAL:
        from kms_tui.backend.local.default_store import default_path
        from kms_tui.backend.local.store.store_file import require_store

        require_store(connection.store or default_path())
    offline = connection.kind in (BackendKind.DEMO, BackendKind.LOCAL)
    pace = Pace(demand=10_000, usage=10_000, read_unasked=0) if offline else Pace(read_unasked=0)
    # A report only reads; a read-only session makes sure of it.
    return open_session(replace(connection, read_only=True), open_backend(connection), pace=pace)


def _examine(session: Session, unused: int | None) -> Report:
    from kms_tui.config import default_path, load
    from kms_tui.evidence.health import Examination, Settings

    settings = Settings(unused_days=unused, required_tags=load(default_path()).required_tags)
    session.inventory.open()
    examination = Examination(session.inventory, session.kms, settings, session.services)
    return _followed(examination)


def _followed(examination: Examination) -> Report:
    """Run it on a daemon thread, so that Ctrl+C works at once, and draw its progress."""
    outcome: list[Report | BaseException] = []

    def work() -> None:
        try:
            outcome.append(examination.run())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=work, name="kms-tui report", daemon=True)
    thread.start()
    shown = sys.stderr.isatty()
    try:
        while thread.is_alive():
            thread.join(_DRAW)
            if shown and thread.is_alive():
                _draw(examination)
    finally:
        if shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    (result,) = outcome
    if isinstance(result, BaseException):
        raise result
    return result


def _draw(examination: Examination) -> None:
    from kms_tui.visible import visible

    stage = examination.progress()
    line = f"{stage.words}: {stage.done:,} of {stage.total:,}" if stage.total else f"{stage.words} …"
    if stage.error:
        line += f" ({stage.error})"
    print(f"\r\x1b[K{visible(line)[:78]}", end="", file=sys.stderr, flush=True)


def _write(report: Report, args: argparse.Namespace) -> None:
    from kms_tui.evidence.health.report_formats import WRITERS, summary

    text = WRITERS[args.format](report).encode()
    if args.output is None:
        from kms_tui.cli.file_streams import writing_output

        with writing_output() as out:
            out.write(text)
        return
    from kms_tui.atomic import SHARED, atomic_file

    with atomic_file(args.output, overwrite=True, mode=SHARED) as file:
        file.write(text)
    print(summary(report))
