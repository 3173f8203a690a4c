"""A plan as a POSIX shell script of ``aws`` commands, which people read before they run it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import groupby

from kms_tui.command_text import aws_cli
from kms_tui.creation import plain_commands
from kms_tui.evidence.scan_shortfalls import use_words
from kms_tui.evidence.scanners import NOT_LOOKED_AT
from kms_tui.key_moves.move_plan import MoveGroup, MovePlan, PlannedMove, grant_members
from kms_tui.key_moves.step_commands import NEW_KEY, NEW_KEY_NAME, commands
from kms_tui.kms.arn import Arn
from kms_tui.kms.model import Alias, Grant
from kms_tui.visible import visible

_HEAD = """\
#!/bin/sh
# The expressions of --query have quotes of their own:
# shellcheck disable=SC2016
#
# {title}
# Written by kms-tui plan-move, {made}. Read it before you run it.
#
# It needs the AWS CLI, and the permissions that the plan lists. It stops at the first command that fails.
# What is in place already is done again without harm, or skipped; a copy that is there already makes it stop.
# Nothing is deleted, and the old key stays as it is. What waits for a variable: {copies}.
set -eu

OLD_KEY={old}
{new}
AWS_REGION={region}
AWS_DEFAULT_REGION=$AWS_REGION
AWS_PAGER=''
export AWS_REGION AWS_DEFAULT_REGION AWS_PAGER
LEFT=0
INPUT=$(mktemp)
trap 'rm -f "$INPUT"' EXIT
trap 'exit 1' HUP INT TERM

say() {{ printf '%s\\n' "$*"; }}
left() {{ LEFT=$((LEFT + 1)); printf 'BY HAND: %s\\n' "$*"; }}

# Uses the credentials of an account (PROFILE_111122223333=name names a profile), and makes sure of them.
account() {{
    eval "profile=\\${{PROFILE_$1:-}}"
    if [ -n "$profile" ]; then AWS_PROFILE=$profile; export AWS_PROFILE; fi
    caller=$(aws sts get-caller-identity --query Account --output text)
    if [ "$caller" != "$1" ]; then
        say "These credentials are of account $caller, not $1: set PROFILE_$1 to a profile of $1."
        exit 1
    fi
}}
"""
_STATE = """\
STATE=$(aws kms describe-key --key-id "$NEW_KEY" --query KeyMetadata.KeyState --output text)
if [ "$STATE" != Enabled ]; then say "The new key is $STATE, not Enabled."; exit 1; fi
"""


def script(plan: MovePlan) -> str:
    """The whole script; ``sh -n`` takes it, and every name in it is quoted."""
    return "\n".join([*_head(plan), *_new_key(plan), *_resources(plan), *_aliases(plan), *_end()]) + "\n"


def copy_variable(kind: str) -> str:
    """The variable that lets copies of a kind be made."""
    return "COPY_" + re.sub("[^A-Z0-9]+", "_", kind.upper())


def _comment(text: str, indent: str = "") -> str:
    return f"{indent}# {visible(text)}"


def _head(plan: MovePlan) -> Iterator[str]:
    kinds = dict.fromkeys(each.move.kind for each in plan.of_group(MoveGroup.BY_COPY) if each.has_commands)
    variables = [f"{copy_variable(kind)}=yes" for kind in kinds]
    if plan.aliases:
        variables.append("REPOINT_ALIASES=yes")
    yield _HEAD.format(
        title=visible(f"Moves what names {plan.old.arn} to {plan.new_name}."),
        made=plan.made.strftime("%Y-%m-%d %H:%M UTC"),
        copies=", ".join(variables) or "nothing",
        old=shlex.quote(plan.old.arn),
        new=f"NEW_KEY={shlex.quote(plan.new.arn)}" if plan.new is not None else "NEW_KEY=${NEW_KEY:-}",
        region=shlex.quote(plan.region),
    )
    if plan.gaps:
        yield "# Not checked, so that the plan is not whole:"
        yield from (_comment(f"  {gap.account} {gap.what}: {gap.why}") for gap in plan.gaps)
    yield "# No scan looks at:"
    yield from (_comment(f"  {each}") for each in NOT_LOOKED_AT)
    yield from (_comment(each) for each in plan.notes)
    yield ""
    if plan.obstacles:
        yield "# Before anything else:"
        for obstacle in plan.obstacles:
            yield _comment(f"- {obstacle.sentence}")
            if obstacle.statement is not None:
                yield "#   Missing in the new key's policy:"
                yield from (
                    _comment(f"  {line}") for line in json.dumps(obstacle.statement, indent=2).splitlines()
                )
        yield 'if [ "${OBSTACLES_REMOVED:-no}" != yes ]; then'
        yield "    say 'Something stands in the way: the comments above say what. Remove it, and set'"
        yield "    say 'OBSTACLES_REMOVED=yes.'"
        yield "    exit 1"
        yield "fi"
        yield ""


def _new_key(plan: MovePlan) -> Iterator[str]:
    yield "# 1. The new key"
    yield shlex.join(["account", plan.old.account_id])
    if plan.draft is not None:
        partition = Arn.parse(plan.old.arn).partition
        create, *after = plain_commands(plan.draft, plan.old.account_id, partition, "", NEW_KEY_NAME)
        yield 'if [ -z "$NEW_KEY" ]; then'
        yield f"    NEW_KEY=$({create} --query KeyMetadata.Arn --output text)"
        for line in after:
            yield f"    {line}".replace(" NEW_KEY", ' "$NEW_KEY"')
        yield '    say "Made $NEW_KEY: set NEW_KEY to it when you run this again."'
        yield "fi"
    yield _STATE
    if plan.grants:
        yield "# Grants of others than services. With a name, the same grant is not made twice."
        yield from (grant_command(grant) for grant in plan.grants)
        yield ""


def grant_command(grant: Grant) -> str:
    """The command that creates a grant for the key $NEW_KEY."""
    line = aws_cli("CreateGrant", {"KeyId": "NEW_KEY", **grant_members(grant)})
    return line.replace("--key-id NEW_KEY", '--key-id "$NEW_KEY"', 1) + " --query GrantId --output text"


def _resources(plan: MovePlan) -> Iterator[str]:
    for number, group in enumerate(MoveGroup, 2):
        moves = plan.of_group(group)
        if not moves:
            continue
        yield f"# {number}. {group}"
        for account, of_account in groupby(moves, key=lambda each: each.found.account):
            yield shlex.join(["account", account])
            for _, of_move in groupby(of_account, key=lambda each: id(each.move)):
                yield from _of_move(list(of_move))
        yield ""


def _of_move(moves: Sequence[PlannedMove]) -> Iterator[str]:
    """The commands of one kind, and what is left to people."""
    move = moves[0].move
    yield ""
    yield _comment(f"{move.kind}: {move.data}")
    if move.down:
        yield _comment(f"Down meanwhile: {move.down}.")
    if move.cost:
        yield _comment(f"Roughly: {move.cost}.")
    is_copy = any(each.group is MoveGroup.BY_COPY and each.has_commands for each in moves)
    indent = "    " if is_copy else ""
    if is_copy:
        yield f'if [ "${{{copy_variable(move.kind)}:-no}}" = yes ]; then'
    for each in moves:
        use = each.found.use
        words = use_words(use)
        title = visible(f"{move.kind} {use.resource}{f' ({words})' if words else ''}")
        if each.has_commands:
            yield _comment(title, indent)
            yield f"{indent}{shlex.join(['say', title])}"
            for command in commands(move.steps, each.values(NEW_KEY)):
                yield "\n".join(f"{indent}{line}" for line in command.split("\n"))
        if move.by_hand or not each.has_commands:
            told = move.by_hand or "its name cannot be put into a command"
            yield f"{indent}{shlex.join(['left', visible(f'{title}: {told}')])}"
    if is_copy:
        yield "else"
        told = f"{move.kind}: not copied, set {copy_variable(move.kind)}=yes for that."
        yield f"    {shlex.join(['left', told])}"
        yield "fi"


def alias_command(alias: Alias) -> str:
    """The command that points an alias at the key $NEW_KEY."""
    line = aws_cli("UpdateAlias", {"AliasName": alias.name, "TargetKeyId": "NEW_KEY"})
    return line.replace("--target-key-id NEW_KEY", '--target-key-id "$NEW_KEY"')


def _aliases(plan: MovePlan) -> Iterator[str]:
    if not plan.aliases:
        return
    number = len(MoveGroup) + 2
    yield f"# {number}. Aliases, last: programs that name one use the new key from then on"
    if plan.new is not None and plan.new.account_id != plan.old.account_id:
        yield shlex.join(
            ["left", "An alias names a key of its own account: make aliases in the new key's account."]
        )
        return
    yield shlex.join(["account", plan.old.account_id])
    yield 'if [ "${REPOINT_ALIASES:-no}" = yes ]; then'
    for alias in plan.aliases:
        yield f"    {alias_command(alias)}"
    yield "else"
    yield "    left 'Aliases: not repointed, set REPOINT_ALIASES=yes for that.'"
    yield "fi"
    yield ""


def _end() -> Iterator[str]:
    yield 'say "$LEFT left to do by hand. What is still under the old key: kms-tui used-by $OLD_KEY"'
