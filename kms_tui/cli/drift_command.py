"""Hold Terraform's state, or a plan, against the keys of the account, by meaning.

A policy that is written differently and means the same is no drift. What a plan would replace or destroy
comes first, with why, and with what goes with it. Nothing sensitive of the state is shown.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from kms_tui.cli.file_streams import PIPE, read_start, require_one_standard_input
from kms_tui.cli.reading import (
    Step,
    add_reading_flags,
    add_text_output_flag,
    followed,
    open_for_reading,
    write_result,
)
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.drift.drift import DriftReport
    from kms_tui.drift.state import State
    from kms_tui.session import Session

FAILURE = 2
"""The exit code without a whole comparison; 1 is for drift."""
_EPILOG = """\
examples:
  kms-tui drift --state terraform.tfstate --profile prod
  terraform show -json plan.out | kms-tui drift --state - --profile prod
  kms-tui drift --state a.tfstate --state b.tfstate --unmanaged --format md -o drift.md

It reads state files of version 4, and what `terraform show -json` prints of a state or a plan: the resources
aws_kms_key, _external_key, _replica_key, _replica_external_key, _key_policy, _alias, _grant and
_custom_key_store of all modules. Each is compared in the account and Region of its ARN.

exit codes: 0 no drift (keys in no state are none, nor is a state without such resources); 1 something
differs, or a plan destroys or replaces; 2 bad usage or input, or something could not be compared; 130 stopped
with Ctrl+C. It calls DescribeKey, GetKeyPolicy, GetKeyRotationStatus, ListResourceTags, ListAliases and
ListGrants, as far as the state has such resources."""
_FORMATS = ("table", "md", "json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument(
        "--state",
        action="append",
        metavar="FILE",
        required=True,
        help="a state, or a plan as JSON; may be given again; - is standard input",
    )
    parser.add_argument(
        "--unmanaged", action="store_true", help="also list the customer keys that no given state has"
    )
    parser.add_argument("--format", choices=_FORMATS, default="table", help="default: table")
    add_text_output_flag(parser)
    add_reading_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Write the report; see ``--help`` for the exit codes."""
    require_one_standard_input(args, *args.state)
    state = _state(args.state)
    session = open_for_reading(args)
    try:
        report, problems = _report(session, state, unmanaged=args.unmanaged)
    except KeyboardInterrupt:
        print("Stopped. No report was written.", file=sys.stderr)
        return 130
    finally:
        session.close()
    _write(report, args)
    for problem in problems:
        print(visible(problem), file=sys.stderr)
    if report.not_compared:
        missed = len(report.not_compared)
        resources = "1 resource was" if missed == 1 else f"{missed:,} resources were"
        print(f"The comparison is not whole: {resources} not compared.", file=sys.stderr)
    if report.not_compared or problems:
        return FAILURE
    return 0 if report.is_clean else 1


def _state(names: list[str]) -> State:
    """What all the files hold, which may be nothing of KMS. Raises ConfigurationError, FileError."""
    from kms_tui.drift.state import merged
    from kms_tui.drift.state_reading import MAX_BYTES, read_state

    states = {}
    for name in names:
        shown = "Standard input" if name == PIPE else name
        states[shown] = read_state(read_start(name, MAX_BYTES), shown)
    return merged(states)


def _report(session: Session, state: State, *, unmanaged: bool) -> tuple[DriftReport, list[str]]:
    from kms_tui.cli.filtered_keys import FilteredKeys
    from kms_tui.drift.comparison import StateComparison
    from kms_tui.drift.live_account import LiveAccount

    session.open_all()
    comparison = StateComparison(state, LiveAccount(session.kms_for, session.kms))
    total = len(state.resources)
    followed(comparison.run, lambda: Step("comparing", comparison.done, total), name="kms-tui drift")
    if not unmanaged:
        return comparison.report(), []
    keys = FilteredKeys(session, "-manager:aws")
    rows = keys.read("kms-tui drift")
    named = {row.arn: row.aliases[0] if row.aliases else row.key_id for row in rows}
    return comparison.report(named), list(keys.problems())


def _write(report: DriftReport, args: argparse.Namespace) -> None:
    from kms_tui.drift.drift_formats import WRITERS, as_table, summary

    if args.output == PIPE and args.format == "table":
        text = as_table(report, colored=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    else:
        text = WRITERS[args.format](report)
    write_result(text, args.output, summary(report))
