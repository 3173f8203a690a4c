"""Plan how everything under a key moves to another key: ``kms-tui plan-move KEY --to KEY``.

Each resource that names the key is judged: in place, by copy, impossible. Nothing is changed: the plan is a
Markdown file to review, JSON, or a shell script of aws commands.
"""

from __future__ import annotations

import argparse
import sys

from kms_tui.cli.file_streams import PIPE
from kms_tui.cli.reading import (
    Step,
    add_reading_flags,
    add_text_output_flag,
    followed,
    open_for_reading,
    write_result,
)
from kms_tui.counts import counted_as
from kms_tui.session import Session
from kms_tui.visible import visible

FAILURE = 2
"""The exit code without a whole plan."""
_NEW = "new"
"""In place of a key's name: a key made like the old one."""
_FORMATS = ("md", "json", "sh")
_EPILOG = """\
examples:
  kms-tui plan-move alias/orders-db --to alias/orders-2027 --profile prod -o plan.md
  kms-tui plan-move alias/orders-db --to new --format sh -o move.sh
  kms-tui plan-move arn:aws:kms:eu-west-1:111122223333:key/… --to arn:… --accounts organization --role Audit
  kms-tui plan-move alias/orders-db --to alias/orders-2027 --format json | jq '.moves[].how'

exit codes: 0 the plan is whole, and nothing stands in its way; 1 something is to be solved before anything
moves, which the plan says first; 2 bad usage, a key that nothing can move to, or something could not be
checked, which the plan says; 130 stopped with Ctrl+C.

--to new plans a key made like this one: its policy, tags and rotation, and the grants. The script asks for
nothing: copies are made, and aliases repointed, only where variables say so, which it names at its top."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("key", metavar="KEY", help="the key that is left: its id, alias or ARN")
    parser.add_argument("--to", required=True, metavar="KEY2", help="the other key: id, alias, ARN; or: new")
    parser.add_argument("--format", choices=_FORMATS, default="md", help="default: md")
    add_text_output_flag(parser)
    add_reading_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Scan and plan; see ``--help`` for the exit codes."""
    if args.regions:
        args.usage_error("--regions: a key is used in its own Region, which --region or its ARN names")
    session = open_for_reading(args)
    try:
        return _plan(session, args)
    finally:
        session.close()


def _plan(session: Session, args: argparse.Namespace) -> int:
    from kms_tui.key_moves.plan_formats import WRITERS, head
    from kms_tui.key_moves.planning import MovePlanning

    planning = MovePlanning(session, args.key, None if args.to == _NEW else args.to)

    def progress() -> Step:
        stage = planning.progress()
        return Step(stage.current or "scanning", stage.done, stage.total)

    try:
        plan = followed(planning.run, progress, name="kms-tui plan-move")
    except KeyboardInterrupt:
        planning.cancel()
        print("Stopped: without a whole scan there is no plan.", file=sys.stderr)
        return 130
    write_result(WRITERS[args.format](plan), args.output, head(plan))
    place = "it" if args.output == PIPE else args.output
    if plan.obstacles:
        things = counted_as(len(plan.obstacles), "thing stands", "things stand")
        print(visible(f"{things} in the way of the move: {place} says which, first."), file=sys.stderr)
    if plan.gaps:
        said = f"The plan is not whole: {place} says what was not checked, and why."
        print(visible(said), file=sys.stderr)
        return FAILURE
    return 1 if plan.obstacles else 0
