"""The whole of a line of the move screen: its title, all that is known of it, and what is copied of it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from kms_tui.campaigns.campaign import GRANTS, CampaignItem, keeps_aliases
from kms_tui.evidence.key_uses import UseGap
from kms_tui.evidence.scan_shortfalls import use_words
from kms_tui.key_moves.destination import Obstacle
from kms_tui.key_moves.move_plan import MoveGroup, MovePlan, PlannedMove
from kms_tui.key_moves.move_script import alias_command, copy_variable, grant_command
from kms_tui.key_moves.pasted_commands import for_shell, move_commands
from kms_tui.kms.model import Alias, Grant
from kms_tui.ui.base.safe_text import Content, safe, visible
from kms_tui.ui.screens.campaign_words import CampaignView, item_title
from kms_tui.ui.screens.move_words import (
    ABOUT,
    HOW_CELLS,
    HOW_COLOURS,
    PlanItem,
    PlanSection,
    short_principal,
)


def title(item: PlanItem) -> str:
    """What a line is about, in few words. Untrusted."""
    subject = item.subject
    if isinstance(subject, PlannedMove):
        return f"{subject.move.kind}: {subject.found.use.resource}"
    if isinstance(subject, CampaignItem):
        return item_title(subject)
    if isinstance(subject, Grant):
        return f"Grant for {short_principal(subject.grantee)}"
    return subject.name if isinstance(subject, Alias) else str(item.section)


Facts = list[tuple[str, str]]


def facts(
    item: PlanItem, plan: MovePlan | None, accounts: Mapping[str, str], view: CampaignView | None = None
) -> Facts:
    """(label, text) of all that there is to know of a line, made visible; a text may have lines.

    What has become of it in a campaign comes first. ``plan`` is None where nothing was scanned.
    """
    subject = item.subject
    found: Facts
    if isinstance(subject, PlannedMove):
        found = _move_facts(subject, plan, accounts)
    elif isinstance(subject, CampaignItem):
        found = _item_facts(subject, accounts)
    elif isinstance(subject, Obstacle):
        found = [("What", subject.sentence)]
        if subject.statement is not None:
            found.append(("Missing", "in the new key's policy:\n" + _statement(subject)))
    elif isinstance(subject, Grant):
        found = [
            ("Grantee", subject.grantee),
            ("May", ", ".join(subject.operations)),
            ("Name", subject.name),
            ("Only with", json.dumps(dict(subject.constraints)) if subject.constraints else ""),
            ("May retire it", subject.retiring),
            ("Command", grant_command(subject)),
        ]
    elif isinstance(subject, Alias):
        found = [("Alias", subject.name), ("Then", ABOUT[PlanSection.ALIASES])]
        found.append(("Command", "" if _is_elsewhere(plan) else alias_command(subject)))
        found.append(("By hand", _ELSEWHERE if _is_elsewhere(plan) else ""))
    elif isinstance(subject, UseGap):
        account = accounts.get(subject.account, subject.account)
        found = [("Not checked", subject.what or "the account"), ("Account", account), ("Why", subject.why)]
    elif subject is None:
        found = [("", ABOUT[item.section])]
    else:
        found = [("", subject)]
    if view is not None:
        found = [*view.facts(subject), *found]
    return [(label, visible(text, newlines=label in _BLOCKS)) for label, text in found if text]


_BLOCKS = ("", "Missing", "Command", "Commands", "Sent")
"""The labels of texts with lines of their own; a line end in any other comes from a name."""
_ELSEWHERE = "An alias names a key of its own account: make aliases in the new key's account."


def _is_elsewhere(plan: MovePlan | None) -> bool:
    return plan is not None and keeps_aliases(plan)


def _statement(obstacle: Obstacle) -> str:
    return json.dumps(obstacle.statement, indent=2)


def _move_facts(each: PlannedMove, plan: MovePlan | None, accounts: Mapping[str, str]) -> Facts:
    use, move, lines = each.found.use, each.move, move_commands(each)
    account = each.found.account
    by_hand = move.by_hand
    if not lines and move.steps:
        by_hand = f"{move.by_hand} No command is made: the name cannot be put into one.".strip()
    is_confirmed = lines and each.group is MoveGroup.BY_COPY
    return [
        ("Data", move.data),
        ("By hand", by_hand),
        ("Down", move.down),
        ("Roughly", move.cost),
        ("Old key", "needed afterwards, by data that stays under it" if move.old_key_needed else ""),
        ("Commands", "\n".join(lines)),
        ("In a script", f"only with {copy_variable(move.kind)}=yes" if is_confirmed else ""),
        ("Names it", ", ".join(part for part in (use_words(use), _reference(use.reference, plan)) if part)),
        ("Account", accounts.get(account, account)),
        ("Sources", ", ".join(move.sources)),
    ]


def _item_facts(item: CampaignItem, accounts: Mapping[str, str]) -> Facts:
    """What a campaign's item is, where no plan says more."""
    use = item.use
    data = [("Data", item.move.data)] if item.is_resource else []
    return [
        *data,
        ("Names it", use_words(use) if item.is_resource else ""),
        ("Grantee", use.purpose if item.use.kind == GRANTS else ""),
        ("Account", accounts.get(item.account, item.account)),
    ]


def _reference(reference: str, plan: MovePlan | None) -> str:
    """How the resource names the key, where ``use_words`` does not say it."""
    if "alias/" in reference:
        return ""
    return "by its ARN" if plan is not None and reference == plan.old.arn else f"by {reference}"


def detail_head(item: PlanItem) -> Content:
    """The first line of the details: what, how, and the keys for the whole of it."""
    head = safe(title(item)).stylize("bold")
    if isinstance(item.subject, PlannedMove):
        how = item.subject.move.how
        head += Content("  ") + Content.styled(HOW_CELLS[how][0], HOW_COLOURS.get(how, "$accent"))
    return head


def whole_text(
    item: PlanItem, plan: MovePlan | None, accounts: Mapping[str, str], view: CampaignView | None = None
) -> str:
    """All of a line as plain text, for the text screen."""
    parts = []
    for label, text in facts(item, plan, accounts, view):
        begin = f"{label}\n" if label in _BLOCKS else f"{label}: "
        parts.append(f"{begin}{text}" if label else text)
    return "\n\n".join(parts)


def copied(
    item: PlanItem, plan: MovePlan | None, environment: Mapping[str, str], view: CampaignView | None = None
) -> tuple[str, str]:
    """(what it is, text) of what is copied of a line: commands where it has some.

    ``environment`` is what leads ``aws`` to the account and endpoint of the line.
    """
    subject, lines = item.subject, list[str]()
    if isinstance(subject, CampaignItem):
        record = view.record_of(subject) if view is not None else None
        sent = record.commands if record is not None else ()
        return (_plural_commands(len(sent)), "\n".join(sent) + "\n") if sent else ("", "")
    if isinstance(subject, PlannedMove):
        lines = [*move_commands(subject)]
    elif isinstance(subject, Grant):
        lines = [grant_command(subject)]
    elif isinstance(subject, Alias) and not _is_elsewhere(plan):
        lines = [alias_command(subject)]
    if lines and plan is not None:
        account = subject.found.account if isinstance(subject, PlannedMove) else plan.old.account_id
        return _plural_commands(len(lines)), for_shell(plan, title(item), account, lines, environment)
    if isinstance(subject, Obstacle) and subject.statement is not None:
        return "The missing statement", _statement(subject)
    if item.section is PlanSection.PERMISSIONS and isinstance(subject, str):
        return "The IAM policy", subject
    return "", ""


def _plural_commands(count: int) -> str:
    return "The command" if count == 1 else f"The {count:,} commands"
