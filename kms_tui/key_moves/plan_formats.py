"""A plan as a text: Markdown for those who review it, JSON for programs, a script of ``aws`` commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from kms_tui.counts import counted_as
from kms_tui.evidence.scan_shortfalls import use_words
from kms_tui.evidence.scanners import NOT_LOOKED_AT
from kms_tui.export import ExportFormat, Table, markdown_text, render
from kms_tui.key_moves.move import How
from kms_tui.key_moves.move_plan import MoveGroup, MovePlan, PlannedMove
from kms_tui.key_moves.move_script import copy_variable, script
from kms_tui.key_moves.permissions import permissions
from kms_tui.key_moves.step_commands import NEW_KEY, commands

_COLUMNS = ("account", "kind", "resource", "names it")
_KINDS = ("kind", "how", "data", "by hand", "down meanwhile", "roughly", "sources")


def head(plan: MovePlan) -> str:
    """What the plan amounts to, in one sentence."""
    counts = {how: sum(each.move.how is how for each in plan.moves) for how in How}
    told = ", ".join(f"{count:,} {how}" for how, count in counts.items() if count)
    return f"From {plan.old.arn} to {plan.new_name}: {told or 'no resource that was checked names the key'}."


def _as_markdown(plan: MovePlan) -> str:
    parts = [f"# Move everything off a key\n\n{markdown_text(head(plan))}\n"]
    if plan.obstacles:
        parts.append("# Before anything else\n")
        for obstacle in plan.obstacles:
            parts.append(f"- {markdown_text(obstacle.sentence)}\n")
            if obstacle.statement is not None:
                shown = json.dumps(obstacle.statement, indent=2)
                parts.append(f"  Missing in the new key's policy:\n\n{_fenced(shown, 'json')}\n")
    tables = [
        Table(str(group), _COLUMNS, [_row(each) for each in plan.of_group(group)]) for group in MoveGroup
    ]
    tables += [
        Table("How each kind is moved", _KINDS, _kinds(plan)),
        Table(
            "Grants to create for the new key",
            ("grantee", "operations", "name"),
            [(grant.grantee, ", ".join(grant.operations), grant.name) for grant in plan.grants],
        ),
        Table("Aliases to repoint, last", ("alias",), [(alias.name,) for alias in plan.aliases]),
        Table("Not checked", _GAPS, [(gap.account, gap.what, gap.why) for gap in plan.gaps]),
        Table("What no scan looks at", ("what",), [(each,) for each in NOT_LOOKED_AT]),
        Table("To be known", ("what",), [(each,) for each in notes(plan)]),
    ]
    parts += [render(table, ExportFormat.MARKDOWN) for table in tables if table.rows]
    parts.append(f"# Permissions that it needs\n\n{_fenced(json.dumps(permissions(plan), indent=2), 'json')}")
    return "\n".join(parts)


_GAPS = ("account", "what", "why")


def _fenced(text: str, language: str) -> str:
    return f"```{language}\n{text}\n```\n"


def notes(plan: MovePlan) -> list[str]:
    """What is to be known beside the resources, in sentences; untrusted text."""
    if not plan.service_grants:
        return [*plan.notes]
    told = counted_as(
        plan.service_grants,
        "of its grants is of a service, which creates its own for the new key.",
        "of its grants are of services, which create their own for the new key.",
    )
    return [*plan.notes, told]


def _row(each: PlannedMove) -> tuple[str, ...]:
    use = each.found.use
    return (each.found.account, use.kind, use.resource, use_words(use))


def _kinds(plan: MovePlan) -> list[tuple[str, ...]]:
    moves = {id(each.move): each.move for each in plan.moves}.values()
    return [
        (
            f"{move.kind}: {', '.join(move.purposes)}" if move.purposes else move.kind,
            str(move.how),
            move.data,
            move.by_hand,
            move.down,
            move.cost,
            ", ".join(move.sources),
        )
        for move in moves
    ]


def _as_json(plan: MovePlan) -> str:
    shape = {
        "key": plan.old.arn,
        "new_key": plan.new.arn if plan.new is not None else None,
        "made": plan.made.isoformat(timespec="seconds"),
        "whole": not plan.gaps,
        "before_anything_else": [
            {"what": each.sentence, "missing_statement": each.statement} for each in plan.obstacles
        ],
        "moves": [_move_shape(each) for each in plan.moves],
        "grants": [
            {
                "grantee": grant.grantee,
                "operations": list(grant.operations),
                "retiring": grant.retiring,
                "constraints": dict(grant.constraints),
                "name": grant.name,
            }
            for grant in plan.grants
        ],
        "grants_of_services": plan.service_grants,
        "aliases": [alias.name for alias in plan.aliases],
        "notes": list(plan.notes),
        "not_checked": [{"account": gap.account, "what": gap.what, "why": gap.why} for gap in plan.gaps],
        "not_looked_at": list(NOT_LOOKED_AT),
        "permissions": permissions(plan),
    }
    return json.dumps(shape, indent=2) + "\n"


def _move_shape(each: PlannedMove) -> dict[str, Any]:
    use, move = each.found.use, each.move
    lines = [*commands(move.steps, each.values(NEW_KEY))] if each.has_commands else []
    return {
        "account": each.found.account,
        "region": each.region,
        "kind": use.kind,
        "resource": use.resource,
        "label": use.label,
        "purpose": use.purpose,
        "reference": use.reference,
        "group": each.group.name.lower(),
        "how": str(move.how),
        "data": move.data,
        "old_key_needed": move.old_key_needed,
        "commands": lines,
        "confirmed_by": copy_variable(use.kind) if lines and each.group is MoveGroup.BY_COPY else "",
        "by_hand": move.by_hand,
        "down": move.down,
        "cost": move.cost,
        "sources": list(move.sources),
    }


WRITERS: Mapping[str, Callable[[MovePlan], str]] = {"md": _as_markdown, "json": _as_json, "sh": script}
"""The name of a format -> the text of a plan."""
