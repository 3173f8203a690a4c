"""Run the health checks on the account's keys: ``kms-tui report``, for pipelines and auditors.

What cannot be read is listed as not known, and never counts as a pass. AWS-managed keys are not examined.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kms_tui.cli.file_streams import PIPE, read_start
from kms_tui.cli.reading import (
    Step,
    add_reading_flags,
    add_text_output_flag,
    followed,
    open_for_reading,
    write_result,
)
from kms_tui.session import Session
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.evidence.health.baseline import Baseline
    from kms_tui.evidence.health.examination import Examination
    from kms_tui.evidence.health.health_report import Report

FAILURE = 2
"""The exit code without a complete report; 1 is for findings."""
_EPILOG = """\
examples:
  kms-tui report --profile prod --format md -o health.md
  kms-tui report --profile prod --fail-on high --strict     in a pipeline
  kms-tui report --demo --unused 90
  kms-tui report --profile prod --pack cis --pack pci --format html -o health.html
  kms-tui report --profile prod --write-baseline accepted.toml
  kms-tui report --profile prod --baseline accepted.toml --fail-on low

sarif is for code scanning, junit for the test results of a pipeline, html one file for people. asff is a list
of findings for AWS Security Hub, which takes 100 a call, in the Region and from the account that they are of:
  kms-tui report --profile prod --format asff -o findings.json
  jq -c '. as $all | range(0; length; 100) as $n | $all[$n:$n+100]' findings.json | while read -r findings
  do aws securityhub batch-import-findings --findings file:///dev/stdin <<<"$findings"; done
Of several accounts or Regions take those of one first, so that no call mixes them:
  jq 'map(select(.AwsAccountId == "111122223333" and .Region == "eu-west-1"))' findings.json > one.json

A baseline is a file in TOML (or YAML, or JSON, by its ending) of findings that someone answers for. They are
shown, and do not count for --fail-on until they expire:
  [[accepted]]
  check = "rotation-off"
  key = "arn:aws:kms:*:111122223333:key/*"    an ARN, alias/NAME or an account; * and ? stand for others
  owner = "Kim"
  reason = "only tests use it"
  expires = 2027-03-31                        the last day
On standard input it is TOML, or JSON.
From the day after, an entry accepts nothing: its findings count for --fail-on again, and standard error
names it. Standard error also names entries that nothing is found for any more, and those for no account and
Region of this report.

exit codes: 0 no finding reaches --fail-on; 1 one does; 2 bad usage, no whole report, or a baseline of which
something is wrong, which is said; 130 stopped with Ctrl+C.

A Region without a customer key is no finding; the report and standard error say "No customer keys in …".

It calls ListKeys, ListAliases, DescribeKey, GetKeyRotationStatus, GetKeyPolicy, CloudTrail's LookupEvents,
ListResourceTags where the configuration has required_tags, and GetKeyLastUsage for --unused; what it may not
call is listed as not known."""
_FORMATS = ("table", "md", "json", "csv", "html", "sarif", "asff", "junit")
_SEVERITIES = ("high", "medium", "low")
_PACKS = ("cis", "pci", "nist", "fsbp")


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
        "--pack",
        dest="packs",
        action="append",
        default=[],
        choices=_PACKS,
        help="how the controls of a standard stand: CIS AWS Foundations, PCI DSS, NIST SP 800-53, AWS FSBP; "
        "may be given several times",
    )
    parser.add_argument(
        "--baseline", metavar="FILE", help="findings that are accepted, and by whom; - is standard input"
    )
    parser.add_argument(
        "--write-baseline",
        type=_new_baseline,
        metavar="FILE",
        help="write a baseline of all that is found, with owners and reasons to fill in",
    )
    add_text_output_flag(parser)
    add_reading_flags(parser)


def _new_baseline(text: str) -> Path:
    """The file of --write-baseline, which is TOML: --baseline reads it by its ending."""
    if not text.lower().endswith(".toml"):
        raise argparse.ArgumentTypeError(f"{text!r}: the file is TOML, and its name must end in .toml")
    return Path(text)


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 36_500:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Write the report; see ``--help`` for the exit codes."""
    from kms_tui.inventory.row_health import HealthSeverity

    baseline = _baseline(args)
    session = open_for_reading(args)
    try:
        examination = _examination(session, args.unused)
        report = followed(examination.run, partial(_progress, examination), name="kms-tui report")
    except KeyboardInterrupt:
        print("Stopped. No report was written.", file=sys.stderr)
        return 130
    finally:
        session.inventory.close()
    report = _with_packs(report, args.packs)
    if baseline is not None:
        report, remarks = baseline.applied_to(report)
        _say(remarks)
    _write(report, args)
    _write_baseline(report, args)
    if baseline is not None and baseline.problems:
        return FAILURE
    if args.fail_on is not None and report.reaches(HealthSeverity(args.fail_on)):
        return 1
    if not report.is_whole:
        return FAILURE
    return int(args.strict and bool(report.gaps))


def _baseline(args: argparse.Namespace) -> Baseline | None:
    """The baseline of ``--baseline``; what is wrong with it is said. Raises KmsTuiError."""
    if args.write_baseline is not None and args.write_baseline.exists():
        args.usage_error(f"--write-baseline: {visible(str(args.write_baseline))} exists already")
    if args.baseline is None:
        return None
    from kms_tui.evidence.health.baseline import baseline_in, read_baseline
    from kms_tui.seed.seed_text import MAX_BYTES
    from kms_tui.session import utc_now

    today = utc_now().date()
    if args.baseline == PIPE:
        baseline = baseline_in(read_start(PIPE, MAX_BYTES), "Standard input", today)
    else:
        baseline = read_baseline(Path(args.baseline), today)
    _say(baseline.problems)
    return baseline


def _with_packs(report: Report, names: Sequence[str]) -> Report:
    from kms_tui.evidence.health.compliance_packs import PACKS

    return replace(report, packs=tuple(PACKS[name] for name in dict.fromkeys(names)))


_MOST_SAID = 20


def _say(sentences: Sequence[str]) -> None:
    for sentence in sentences[:_MOST_SAID]:
        print(visible(sentence), file=sys.stderr)
    if len(sentences) > _MOST_SAID:
        print(f"{len(sentences) - _MOST_SAID:,} more remarks on the baseline.", file=sys.stderr)


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
    from kms_tui.evidence.health.formats.report_words import no_keys, place_words, strays_in_words, summary
    from kms_tui.evidence.health.formats.writers import WRITERS

    write_result(WRITERS[args.format](report), args.output, summary(report))
    for each in report.unlisted:
        said = f"Not all keys of {place_words(report, each.place)} could be listed. {each.unlisted}"
        print(visible(said), file=sys.stderr)
    for said in filter(None, (no_keys(report), strays_in_words(report))):
        print(visible(said), file=sys.stderr)
    if not report.complete:
        print("The report is not whole: KMS gave no answer for too long.", file=sys.stderr)


def _write_baseline(report: Report, args: argparse.Namespace) -> None:
    if args.write_baseline is None:
        return
    from kms_tui.atomic import SHARED, atomic_file
    from kms_tui.evidence.health.baseline import baseline_text

    with atomic_file(args.write_baseline, mode=SHARED) as file:
        file.write(baseline_text(report).encode())
    wanted = f"{len(report.findings):,} findings; fill in owner and reason of each that is accepted."
    print(f"{visible(str(args.write_baseline))}: {wanted}", file=sys.stderr)
