"""Commands of a part of a plan, to be pasted into a shell: a subshell that stops at the first that fails."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from kms_tui.key_moves.move_plan import MovePlan, PlannedMove
from kms_tui.key_moves.step_commands import NEW_KEY, commands
from kms_tui.visible import visible

_INPUT = '"$INPUT"'


def move_commands(each: PlannedMove) -> Sequence[str]:
    """The commands of one move, with the variables NEW_KEY and INPUT; none where a person has to do it."""
    return [*commands(each.move.steps, each.values(NEW_KEY))] if each.has_commands else []


def for_shell(
    plan: MovePlan, title: str, account: str, lines: Sequence[str], environment: Mapping[str, str]
) -> str:
    """The lines with the variables that they need; ``environment`` is exported, as AWS_PROFILE.

    ``title`` and ``account`` (its id) say what the lines are, and may be untrusted.
    """
    return "\n".join(["(", *_framed(plan, title, account, lines, environment), ")"]) + "\n"


def _framed(
    plan: MovePlan, title: str, account: str, lines: Sequence[str], environment: Mapping[str, str]
) -> Iterator[str]:
    yield f"# {visible(title)}, with credentials of account {visible(account)}"
    yield "set -eu"
    exported = {"AWS_REGION": plan.region, "AWS_DEFAULT_REGION": plan.region, "AWS_PAGER": "", **environment}
    yield "export " + " ".join(f"{name}={shlex.quote(value)}" for name, value in exported.items())
    if plan.new is not None:
        yield f"NEW_KEY={shlex.quote(plan.new.arn)}"
    else:
        yield ': "${NEW_KEY:?set it to the ARN of the new key}"'
    if any(_INPUT in line for line in lines):
        yield "INPUT=$(mktemp)"
        yield f"trap 'rm -f {_INPUT}' EXIT"
    yield from lines
