"""Run the health checks on the account's keys: ``kms-tui report``, for pipelines and auditors.

What cannot be read is listed as not known, and never counts as a pass. AWS-managed keys are not examined.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kms_tui.cli.reading import Step, add_reading_flags, followed, open_for_reading, write_out
from kms_tui.session import Session

if TYPE_CHECKING:
    from kms_tui.evidence.health.examination import Examination
    from kms_tui.evidence.health.health_report import Report

FAILURE = 2
"""The exit code without a complete report; 1 is for findings."""
_EPILOG = """\
examples:
  kms-tui report --profile prod --format md -o health.md
  kms-tui report --profile prod --fail-on high --strict     in a pipeline
  kms-tui report --demo --unused 90

exit codes: 0 no finding reaches --fail-on; 1 one does; 2 bad usage, or no whole report; 130 stopped with
Ctrl+C.

It calls ListKeys, ListAliases, DescribeKey, GetKeyRotationStatus, GetKeyPolicy, CloudTrail's LookupEvents,
ListResourceTags where the configuration has required_tags, and GetKeyLastUsage for --unused; what it may not
call is listed as not known."""
_FORMATS = ("table", "md", "json", "csv")
_SEVERITIES = ("high", "medium", "low")


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
        "-o", "--output", type=Path, metavar="FILE", help="write it to a file, which is replaced"
    )
    add_reading_flags(parser)


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 36_500:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Write the report; see ``--help`` for the exit codes."""
    session = open_for_reading(args)
    from kms_tui.inventory.row_health import HealthSeverity

    try:
        examination = _examination(session, args.unused)
        report = followed(examination.run, partial(_progress, examination), name="kms-tui report")
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


def _examination(session: Session, unused: int | None) -> Examination:
    from kms_tui.config import default_path, load
    from kms_tui.evidence.health.examination import Examination
    from kms_tui.evidence.health.examined import Settings

    settings = Settings(unused_days=unused, required_tags=load(default_path()).required_tags)
    session.inventory.open()
    return Examination(session.inventory, session.kms_for, settings, session.services_for)


def _progress(examination: Examination) -> Step:
    stage = examination.progress()
    words = f"{stage.words} ({stage.error})" if stage.error else stage.words
    return Step(words, stage.done, stage.total)


def _write(report: Report, args: argparse.Namespace) -> None:
    from kms_tui.evidence.health.formats.report_words import summary
    from kms_tui.evidence.health.formats.writers import WRITERS

    text = WRITERS[args.format](report)
    if args.output is None:
        write_out(text)
        return
    from kms_tui.atomic import SHARED, atomic_file

    with atomic_file(args.output, overwrite=True, mode=SHARED) as file:
        file.write(text.encode())
    print(summary(report))
