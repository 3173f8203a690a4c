"""Say what has changed since a snapshot: ``kms-tui diff OLD [NEW]``; without NEW, until now.

Keys, states, aliases, rotation, tags and multi-Region settings; policies and grants by what they mean, not by
how they are written. What was not known then, or is not now, is never a change: it is said.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kms_tui.cli.file_streams import PIPE, require_one_standard_input
from kms_tui.cli.reading import add_reading_flags, add_text_output_flag, write_result
from kms_tui.cli.snapshot_command import collected
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.fact_files.fact_comparison import FactChanges
    from kms_tui.fact_files.fact_file import FactFile

CHANGED, FAILURE = 1, 2
_LIVE = "live"
_FORMATS = ("table", "md", "json")
_EPILOG = """\
examples:
  kms-tui diff prod.json --profile prod             since the snapshot, in its Regions
  kms-tui diff monday.json friday.json              between two; nothing is connected to
  aws s3 cp s3://audit/prod.json - | kms-tui diff - --profile prod
  kms-tui diff prod.json live --format json | jq '.changes[] | select(.severity == "high")'

exit codes, as those of diff: 0 no change; 1 something changed; 2 bad usage, or not all could be compared
(what could be is told all the same); 130 stopped with Ctrl+C. The calls are those of kms-tui snapshot. A
file of more than 512 MiB, the facts of some 250,000 keys, is refused."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("old", metavar="OLD", help="a file that kms-tui snapshot wrote; - is standard input")
    parser.add_argument("new", nargs="?", default=_LIVE, metavar="NEW", help="a newer one, or live (default)")
    parser.add_argument("--format", choices=_FORMATS, default="table", help="default: table")
    add_text_output_flag(parser)
    add_reading_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Write the changes; see ``--help`` for the exit codes."""
    from kms_tui.fact_files.fact_comparison import compared

    require_one_standard_input(args, args.old, args.new)
    old = _facts(args.old)
    if args.new != _LIVE:
        new = _facts(args.new)
    else:
        _choose_regions(args, old)
        try:
            new = collected(args, since=old)
        except KeyboardInterrupt:
            print("Stopped. Nothing was compared.", file=sys.stderr)
            return 130
        for gap in new.gaps():
            print(visible(gap), file=sys.stderr)
    changes = compared(old, new)
    _write(changes, args)
    if not changes.whole:
        print("Not all could be compared; the output says what.", file=sys.stderr)
        return FAILURE
    return CHANGED if changes.changes else 0


def _facts(name: str) -> FactFile:
    """The facts in a file or on standard input. Raises FactFileError, FileError."""
    from kms_tui.fact_files.fact_reading import read_fact_file, read_fact_stream

    return (
        read_fact_stream(sys.stdin.buffer, "Standard input") if name == PIPE else read_fact_file(Path(name))
    )


def _choose_regions(args: argparse.Namespace, old: FactFile) -> None:
    """Read the Regions of the snapshot, unless the flags name others."""
    names = tuple(dict.fromkeys(each.place.region for each in old.regions))
    if not args.region and not args.regions and names:
        args.regions = names


def _write(changes: FactChanges, args: argparse.Namespace) -> None:
    from kms_tui.fact_files.change_formats import WRITERS, summary

    text = WRITERS[args.format](changes)
    write_result(text, args.output, summary(changes))
