"""The words of the move screen: a plan, and the campaign that carries it out, as rows in sections."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kms_tui.campaigns.campaign import CampaignItem
from kms_tui.evidence.key_uses import UseGap
from kms_tui.evidence.scan_shortfalls import use_words
from kms_tui.evidence.scanners import NOT_LOOKED_AT
from kms_tui.key_moves.destination import Obstacle
from kms_tui.key_moves.move import How, Move
from kms_tui.key_moves.move_plan import MoveGroup, MovePlan, PlannedMove
from kms_tui.key_moves.permissions import permissions
from kms_tui.key_moves.plan_formats import notes
from kms_tui.kms.arn import Arn
from kms_tui.kms.model import Alias, Grant
from kms_tui.ui.base.words import counted
from kms_tui.ui.screens.campaign_words import CampaignView, item_cells, note_lines
from kms_tui.ui.widgets.line_table import MadeRows, TableColumn, TableRow

_KIND, _RESOURCE, _STATE, _ACCOUNT, _HOW, _DATA, _USE = (
    TableColumn("KIND", 23),
    TableColumn("RESOURCE", 17, weight=4),
    TableColumn("STATE", 15),
    TableColumn("ACCOUNT", 12, weight=1),
    TableColumn("HOW", 13),
    TableColumn("DATA", 13),
    TableColumn("NAMES IT", 14, weight=3),
)


class PlanSection(StrEnum):
    """The sections of the list, in their order; those of the moves are the groups of the plan."""

    OBSTACLES = "In the way"
    FAILED = "Failed"
    DEFAULTS = MoveGroup.DEFAULTS.value
    IN_PLACE = MoveGroup.IN_PLACE.value
    BY_COPY = MoveGroup.BY_COPY.value
    IMPOSSIBLE = MoveGroup.IMPOSSIBLE.value
    NOT_PLANNED = MoveGroup.NOT_PLANNED.value
    GRANTS = "Grants to create for the new key"
    ALIASES = "Aliases to repoint, last"
    CAMPAIGN = "Items of the campaign"
    LEFT = "Not part of the campaign"
    RUNS = "Done so far"
    GAPS = "Not checked"
    NOT_LOOKED_AT = "No scan looks at"
    NOTES = "To be known"
    PERMISSIONS = "Permissions that it needs"


ABOUT: Mapping[PlanSection, str] = {
    PlanSection.OBSTACLES: (
        "To be solved before anything moves. On a line, c copies what the new policy lacks."
    ),
    PlanSection.DEFAULTS: "Changed first, so that nothing new is made under the old key.",
    PlanSection.IN_PLACE: (
        "The resource stays, and is told to use the new key. What happens to its data differs."
    ),
    PlanSection.BY_COPY: "The resource keeps its key: a copy is made under the new one, and takes its place.",
    PlanSection.IMPOSSIBLE: "No call and no copy puts the resource under another key.",
    PlanSection.NOT_PLANNED: "How this kind gets under another key is not known here.",
    PlanSection.GRANTS: "Grants of others than services, which create their own for the new key.",
    PlanSection.ALIASES: "Programs that name the key by an alias use the new key from then on.",
    PlanSection.FAILED: "What could not be moved, and stays as it was; another run tries it again.",
    PlanSection.CAMPAIGN: "What is moved, and was: a scan does not find any longer what names the new key.",
    PlanSection.LEFT: "What was found when the campaign began, and is moved in another way.",
    PlanSection.RUNS: "The runs and the steps after them, as the campaign's journal tells them.",
    PlanSection.GAPS: "What may name the key and was not looked at, so that the plan is not whole.",
    PlanSection.NOT_LOOKED_AT: "What may use the key besides, and is found in another way.",
    PlanSection.NOTES: "What is to be known before the plan is carried out.",
    PlanSection.PERMISSIONS: "The IAM policy that whoever carries out the plan needs.",
}
HOW_CELLS: Mapping[How, tuple[str, str]] = {
    How.IN_PLACE: ("in place", "plain"),
    How.BY_COPY: ("by copy", "plain"),
    How.IMPOSSIBLE: ("✗ impossible", "danger"),
    How.NOT_PLANNED: ("? not planned", "warning"),
}
HOW_COLOURS: Mapping[How, str] = {How.IMPOSSIBLE: "$error", How.NOT_PLANNED: "$warning"}
_DATA_CELLS: Mapping[How, str] = {
    How.IN_PLACE: "moves",
    How.BY_COPY: "in the copy",
    How.IMPOSSIBLE: "stays",
    How.NOT_PLANNED: "not known",
}
_NEEDED = ("needs old key", "plain")

Subject = PlannedMove | CampaignItem | Obstacle | Grant | Alias | UseGap | str | None
"""What a row is about: of a section of sentences one of them, None for the heading of a section."""


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One line of the list. ``key`` names it, and is the same when the plan is made again."""

    key: str
    section: PlanSection
    subject: Subject

    @property
    def is_heading(self) -> bool:
        return self.subject is None


def items(plan: MovePlan | None, view: CampaignView | None = None) -> list[PlanItem]:
    """All lines of a plan and of a campaign but the headings, in order; what failed comes first."""
    subjects = [*_of_plan(plan)] if plan is not None else []
    if view is not None:
        subjects = _with_campaign(subjects, view, is_alone=plan is None)
    seen: Counter[str] = Counter()
    found = []
    for section, subject in subjects:
        name = _name(section, subject)
        seen[name] += 1
        found.append(PlanItem(f"{name}#{seen[name]}", section, subject))
    return found


def _of_plan(plan: MovePlan) -> Iterator[tuple[PlanSection, Subject]]:
    sections: list[tuple[PlanSection, Sequence[Subject]]] = [
        (PlanSection.OBSTACLES, plan.obstacles),
        *((PlanSection(group.value), plan.of_group(group)) for group in MoveGroup),
        (PlanSection.GRANTS, plan.grants),
        (PlanSection.ALIASES, plan.aliases),
        (PlanSection.GAPS, plan.gaps),
        (PlanSection.NOT_LOOKED_AT, NOT_LOOKED_AT),
        (PlanSection.NOTES, notes(plan)),
        (PlanSection.PERMISSIONS, [json.dumps(permissions(plan), indent=2)]),
    ]
    return ((section, subject) for section, subjects in sections for subject in subjects)


def _with_campaign(
    of_plan: Sequence[tuple[PlanSection, Subject]], view: CampaignView, *, is_alone: bool
) -> list[tuple[PlanSection, Subject]]:
    found = [*of_plan]
    found += [(PlanSection.CAMPAIGN, item) for item in view.without([subject for _, subject in of_plan])]
    found += [(PlanSection.LEFT, each) for each in view.campaign.head.left] if is_alone else []
    found += [(PlanSection.RUNS, each) for each in note_lines(view.campaign)]
    failed = [(PlanSection.FAILED if view.has_failed(each) else section, each) for section, each in found]
    order = [*PlanSection]
    return sorted(failed, key=lambda each: order.index(each[0]))


def _name(section: PlanSection, subject: Subject) -> str:
    """What a line is told by among the others: not its place, which changes with every resource."""
    if isinstance(subject, PlannedMove):
        use = subject.found.use
        parts = (subject.found.account, use.kind, use.resource, use.label, use.purpose, use.reference)
        return "move " + json.dumps(parts)
    if isinstance(subject, CampaignItem):
        return "item " + json.dumps(subject.identity)
    if isinstance(subject, Grant):
        return f"grant {subject.grant_id}"
    if isinstance(subject, Alias):
        return f"alias {subject.name}"
    return section.name if section is PlanSection.PERMISSIONS else f"{section.name} {subject}"


def with_headings(shown: Sequence[PlanItem]) -> list[PlanItem]:
    """The lines with a heading above those of each section."""
    found: list[PlanItem] = []
    for item in shown:
        if not found or found[-1].section is not item.section:
            found.append(PlanItem(item.section.name, item.section, None))
        found.append(item)
    return found


def matches(
    item: PlanItem, words: Sequence[str], accounts: Mapping[str, str], view: CampaignView | None = None
) -> bool:
    """Whether the text of a line contains each word."""
    cells = [
        cell if isinstance(cell, str) else cell[0] for cell in _cells(item, accounts, view, several=True)
    ]
    more = [item.section.value]
    if isinstance(item.subject, PlannedMove):
        more.append(item.subject.found.account)
    elif isinstance(item.subject, CampaignItem):
        more.append(item.subject.account)
    elif isinstance(item.subject, Grant):
        more.append(item.subject.grantee)
    text = "\n".join([*cells, *more]).lower()
    return all(word in text for word in words)


# The table


def columns(*, several: bool, has_campaign: bool = False) -> tuple[TableColumn, ...]:
    """The columns; of ``several`` accounts each resource names its own, with a campaign each has a state."""
    state = [_STATE] if has_campaign else []
    return (_KIND, _RESOURCE, *state, *([_ACCOUNT] if several else []), _HOW, _DATA, _USE)


def rows(
    shown: Sequence[PlanItem], accounts: Mapping[str, str], *, several: bool, view: CampaignView | None = None
) -> MadeRows:
    """The rows of lines and headings, with the states of the moment in which each is painted.

    ``accounts`` names accounts by their ids.
    """
    counts = Counter(item.section for item in shown if not item.is_heading)
    headings = {section: f"{section}  {count:,}" for section, count in counts.items()}
    headings[PlanSection.PERMISSIONS] = str(PlanSection.PERMISSIONS)

    def row(item: PlanItem) -> TableRow:
        if item.is_heading:
            return TableRow(item.key, ((headings[item.section], "accent"),))
        return TableRow(item.key, _cells(item, accounts, view, several=several))

    return MadeRows(shown, row, key=lambda item: item.key)


Cell = str | tuple[str, str]


def _cells(
    item: PlanItem, accounts: Mapping[str, str], view: CampaignView | None, *, several: bool
) -> tuple[Cell, ...]:
    """The cells of a line; sentences have one."""
    subject = item.subject
    if isinstance(subject, PlannedMove):
        use = subject.found.use
        account = subject.found.account
        cells: tuple[Cell, ...] = (
            use.kind,
            (use.resource or "–", "strong"),
            accounts.get(account, account),
            HOW_CELLS[subject.move.how],
            _data_cell(subject.move),
            (use_words(use), "quiet"),
        )
    elif isinstance(subject, CampaignItem):
        kind, name, how, named = item_cells(subject)
        account = accounts.get(subject.account, subject.account)
        data = _data_cell(subject.move) if subject.is_resource else ""
        cells = (kind, (name, "strong"), account, how, data, (named, "quiet"))
    elif isinstance(subject, Grant):
        who, operations = short_principal(subject.grantee), ", ".join(subject.operations)
        count = (counted(len(subject.operations), "operation"), "quiet")
        does = f"{subject.name}: {operations}" if subject.name else operations
        cells = ("Grant", (who, "strong"), "", "create again", count, (does, "quiet"))
    elif isinstance(subject, Alias):
        cells = ("Alias", (subject.name, "strong"), "", "repoint", "", "")
    else:
        return (_sentence_cell(item, accounts if several else {}),)
    state = (view.state_cell(subject),) if view is not None else ()
    return (*cells[:2], *state, *(cells[2:] if several else cells[3:]))


def _data_cell(move: Move) -> Cell:
    return _NEEDED if move.old_key_needed else (_DATA_CELLS[move.how], "quiet")


def _sentence_cell(item: PlanItem, accounts: Mapping[str, str]) -> Cell:
    subject = item.subject
    if isinstance(subject, Obstacle):
        return f"✗ {subject.sentence}", "danger"
    if isinstance(subject, UseGap):
        return f"? {_gap_words(subject, accounts)}", "warning"
    if item.section is PlanSection.PERMISSIONS:
        return "An IAM policy: enter shows it, c copies it", "plain"
    return f"· {subject}", "plain"


def _gap_words(gap: UseGap, accounts: Mapping[str, str]) -> str:
    """What was not checked, and why; of several accounts, in which."""
    if not gap.what:
        return gap.why
    place = f"{accounts.get(gap.account, gap.account)} · " if accounts else ""
    return f"{place}{gap.what}: {gap.why}"


def short_principal(principal: str) -> str:
    """The resource part of a principal's ARN; any other text unchanged."""
    try:
        return Arn.parse(principal).resource
    except ValueError:
        return principal
