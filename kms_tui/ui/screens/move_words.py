"""The words of the move screen: a plan as rows in sections, the whole of a row, and what is copied of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kms_tui.evidence.key_uses import UseGap
from kms_tui.evidence.scan_shortfalls import use_words
from kms_tui.evidence.scanners import NOT_LOOKED_AT
from kms_tui.key_moves.destination import Obstacle
from kms_tui.key_moves.move import How, Move
from kms_tui.key_moves.move_plan import MoveGroup, MovePlan, PlannedMove
from kms_tui.key_moves.move_script import alias_command, copy_variable, grant_command
from kms_tui.key_moves.pasted_commands import for_shell, move_commands
from kms_tui.key_moves.permissions import permissions
from kms_tui.key_moves.plan_formats import notes
from kms_tui.key_moves.planning import PlanningProgress
from kms_tui.kms.arn import Arn
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.model import Alias, Grant
from kms_tui.ui.base.safe_text import Content, safe, visible
from kms_tui.ui.base.words import counted
from kms_tui.ui.widgets.line_table import TableColumn, TableRow

_KIND, _RESOURCE, _ACCOUNT, _HOW, _DATA, _USE = (
    TableColumn("KIND", 23),
    TableColumn("RESOURCE", 17, weight=4),
    TableColumn("ACCOUNT", 12, weight=1),
    TableColumn("HOW", 13),
    TableColumn("DATA", 13),
    TableColumn("NAMES IT", 14, weight=3),
)
_BAR_CELLS = 40
_WIDE = 110
"""In a narrower terminal the head names keys without their ids."""


class Section(StrEnum):
    """The sections of the list, in their order; those of the moves are the groups of the plan."""

    OBSTACLES = "In the way"
    DEFAULTS = MoveGroup.DEFAULTS.value
    IN_PLACE = MoveGroup.IN_PLACE.value
    BY_COPY = MoveGroup.BY_COPY.value
    IMPOSSIBLE = MoveGroup.IMPOSSIBLE.value
    NOT_PLANNED = MoveGroup.NOT_PLANNED.value
    GRANTS = "Grants to create for the new key"
    ALIASES = "Aliases to repoint, last"
    GAPS = "Not checked"
    NOT_LOOKED_AT = "No scan looks at"
    NOTES = "To be known"
    PERMISSIONS = "Permissions that it needs"


_ABOUT: Mapping[Section, str] = {
    Section.OBSTACLES: "To be solved before anything moves. On a line, c copies what the new policy lacks.",
    Section.DEFAULTS: "Changed first, so that nothing new is made under the old key.",
    Section.IN_PLACE: "The resource stays, and is told to use the new key. What happens to its data differs.",
    Section.BY_COPY: "The resource keeps its key: a copy is made under the new one, and takes its place.",
    Section.IMPOSSIBLE: "No call and no copy puts the resource under another key.",
    Section.NOT_PLANNED: "How this kind gets under another key is not known here.",
    Section.GRANTS: "Grants of others than services, which create their own for the new key.",
    Section.ALIASES: "Programs that name the key by an alias encrypt with the new key from then on.",
    Section.GAPS: "What may name the key and was not looked at, so that the plan is not whole.",
    Section.NOT_LOOKED_AT: "What may use the key besides, and is found in another way.",
    Section.NOTES: "What is to be known before the plan is carried out.",
    Section.PERMISSIONS: "The IAM policy that whoever carries out the plan needs.",
}
_HOW_CELLS: Mapping[How, tuple[str, str]] = {
    How.IN_PLACE: ("in place", "plain"),
    How.BY_COPY: ("by copy", "plain"),
    How.IMPOSSIBLE: ("✗ impossible", "danger"),
    How.NOT_PLANNED: ("? not planned", "warning"),
}
_HOW_COLOURS: Mapping[How, str] = {How.IMPOSSIBLE: "$error", How.NOT_PLANNED: "$warning"}
_DATA_CELLS: Mapping[How, str] = {
    How.IN_PLACE: "moves",
    How.BY_COPY: "in the copy",
    How.IMPOSSIBLE: "stays",
    How.NOT_PLANNED: "not known",
}
_NEEDED = ("needs old key", "plain")

Subject = PlannedMove | Obstacle | Grant | Alias | UseGap | str | None
"""What a row is about: of a section of sentences one of them, None for the heading of a section."""


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One line of the list. ``key`` names it, and is the same when the plan is made again."""

    key: str
    section: Section
    subject: Subject

    @property
    def is_heading(self) -> bool:
        return self.subject is None


def items(plan: MovePlan) -> list[PlanItem]:
    """All lines of a plan but the headings, in order."""
    subjects: list[tuple[Section, Sequence[Subject]]] = [
        (Section.OBSTACLES, plan.obstacles),
        *((Section(group.value), plan.of_group(group)) for group in MoveGroup),
        (Section.GRANTS, plan.grants),
        (Section.ALIASES, plan.aliases),
        (Section.GAPS, plan.gaps),
        (Section.NOT_LOOKED_AT, NOT_LOOKED_AT),
        (Section.NOTES, notes(plan)),
        (Section.PERMISSIONS, [json.dumps(permissions(plan), indent=2)]),
    ]
    seen: Counter[str] = Counter()
    found = []
    for section, of_section in subjects:
        for subject in of_section:
            name = _name(section, subject)
            seen[name] += 1
            found.append(PlanItem(f"{name}#{seen[name]}", section, subject))
    return found


def _name(section: Section, subject: Subject) -> str:
    """What a line is told by among the others: not its place, which changes with every resource."""
    if isinstance(subject, PlannedMove):
        use = subject.found.use
        parts = (subject.found.account, use.kind, use.resource, use.label, use.purpose, use.reference)
        return "move " + json.dumps(parts)
    if isinstance(subject, Grant):
        return f"grant {subject.grant_id}"
    if isinstance(subject, Alias):
        return f"alias {subject.name}"
    return section.name if section is Section.PERMISSIONS else f"{section.name} {subject}"


def with_headings(shown: Sequence[PlanItem]) -> list[PlanItem]:
    """The lines with a heading above those of each section."""
    found: list[PlanItem] = []
    for item in shown:
        if not found or found[-1].section is not item.section:
            found.append(PlanItem(item.section.name, item.section, None))
        found.append(item)
    return found


def matches(item: PlanItem, words: Sequence[str], accounts: Mapping[str, str]) -> bool:
    """Whether the text of a line contains each word."""
    cells = [cell if isinstance(cell, str) else cell[0] for cell in _cells(item, accounts, several=True)]
    more = [item.section.value]
    if isinstance(item.subject, PlannedMove):
        more.append(item.subject.found.account)
    elif isinstance(item.subject, Grant):
        more.append(item.subject.grantee)
    text = "\n".join([*cells, *more]).lower()
    return all(word in text for word in words)


# The table


def columns(*, several: bool) -> tuple[TableColumn, ...]:
    """The columns; of ``several`` accounts each resource names its own."""
    return (_KIND, _RESOURCE, *([_ACCOUNT] if several else []), _HOW, _DATA, _USE)


def rows(shown: Sequence[PlanItem], accounts: Mapping[str, str], *, several: bool) -> list[TableRow]:
    """The rows of lines and headings; ``accounts`` names accounts by their ids."""
    counts = Counter(item.section for item in shown if not item.is_heading)
    headings = {section: f"{section}  {count:,}" for section, count in counts.items()}
    headings[Section.PERMISSIONS] = str(Section.PERMISSIONS)
    return [
        TableRow(item.key, ((headings[item.section], "accent"),))
        if item.is_heading
        else TableRow(item.key, _cells(item, accounts, several=several))
        for item in shown
    ]


Cell = str | tuple[str, str]


def _cells(item: PlanItem, accounts: Mapping[str, str], *, several: bool) -> tuple[Cell, ...]:
    """The cells of a line; sentences have one."""
    subject = item.subject
    if isinstance(subject, PlannedMove):
        use = subject.found.use
        account = subject.found.account
        cells: tuple[Cell, ...] = (
            use.kind,
            (use.resource or "–", "strong"),
            accounts.get(account, account),
            _HOW_CELLS[subject.move.how],
            _data_cell(subject.move),
            (use_words(use), "quiet"),
        )
    elif isinstance(subject, Grant):
        who, operations = _short(subject.grantee), ", ".join(subject.operations)
        count = (counted(len(subject.operations), "operation"), "quiet")
        does = f"{subject.name}: {operations}" if subject.name else operations
        cells = ("Grant", (who, "strong"), "", "create again", count, (does, "quiet"))
    elif isinstance(subject, Alias):
        cells = ("Alias", (subject.name, "strong"), "", "repoint", "", "")
    else:
        return (_sentence_cell(item, accounts if several else {}),)
    return cells if several else (*cells[:2], *cells[3:])


def _data_cell(move: Move) -> Cell:
    return _NEEDED if move.old_key_needed else (_DATA_CELLS[move.how], "quiet")


def _sentence_cell(item: PlanItem, accounts: Mapping[str, str]) -> Cell:
    subject = item.subject
    if isinstance(subject, Obstacle):
        return f"✗ {subject.sentence}", "danger"
    if isinstance(subject, UseGap):
        return f"? {_gap_words(subject, accounts)}", "warning"
    if item.section is Section.PERMISSIONS:
        return "An IAM policy: enter shows it, c copies it", "plain"
    return f"· {subject}", "plain"


def _gap_words(gap: UseGap, accounts: Mapping[str, str]) -> str:
    """What was not checked, and why; of several accounts, in which."""
    if not gap.what:
        return gap.why
    place = f"{accounts.get(gap.account, gap.account)} · " if accounts else ""
    return f"{place}{gap.what}: {gap.why}"


def _short(principal: str) -> str:
    """The resource part of a principal's ARN; any other text unchanged."""
    try:
        return Arn.parse(principal).resource
    except ValueError:
        return principal


# The whole of a line


def title(item: PlanItem) -> str:
    """What a line is about, in few words. Untrusted."""
    subject = item.subject
    if isinstance(subject, PlannedMove):
        return f"{subject.move.kind}: {subject.found.use.resource}"
    if isinstance(subject, Grant):
        return f"Grant for {_short(subject.grantee)}"
    return subject.name if isinstance(subject, Alias) else str(item.section)


Facts = list[tuple[str, str]]


def facts(item: PlanItem, plan: MovePlan, accounts: Mapping[str, str]) -> Facts:
    """(label, text) of all that there is to know of a line, made visible; a text may have lines."""
    subject = item.subject
    if isinstance(subject, PlannedMove):
        found = _move_facts(subject, plan, accounts)
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
        found = [("Alias", subject.name), ("Then", _ABOUT[Section.ALIASES])]
        found.append(("Command", "" if _is_elsewhere(plan) else alias_command(subject)))
        found.append(("By hand", _ELSEWHERE if _is_elsewhere(plan) else ""))
    elif isinstance(subject, UseGap):
        account = accounts.get(subject.account, subject.account)
        found = [("Not checked", subject.what or "the account"), ("Account", account), ("Why", subject.why)]
    elif subject is None:
        found = [("", _ABOUT[item.section])]
    else:
        found = [("", subject)]
    return [(label, visible(text, newlines=label in _BLOCKS)) for label, text in found if text]


_BLOCKS = ("", "Missing", "Command", "Commands")
"""The labels of texts with lines of their own; a line end in any other comes from a name."""
_ELSEWHERE = "An alias names a key of its own account: make aliases in the new key's account."


def _is_elsewhere(plan: MovePlan) -> bool:
    return plan.new is not None and plan.new.account_id != plan.old.account_id


def _statement(obstacle: Obstacle) -> str:
    return json.dumps(obstacle.statement, indent=2)


def _move_facts(each: PlannedMove, plan: MovePlan, accounts: Mapping[str, str]) -> Facts:
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


def _reference(reference: str, plan: MovePlan) -> str:
    """How the resource names the key, where ``use_words`` does not say it."""
    if "alias/" in reference:
        return ""
    return "by its ARN" if reference == plan.old.arn else f"by {reference}"


def detail_head(item: PlanItem) -> Content:
    """The first line of the details: what, how, and the keys for the whole of it."""
    head = safe(title(item)).stylize("bold")
    if isinstance(item.subject, PlannedMove):
        how = item.subject.move.how
        head += Content("  ") + Content.styled(_HOW_CELLS[how][0], _HOW_COLOURS.get(how, "$accent"))
    return head


def whole_text(item: PlanItem, plan: MovePlan, accounts: Mapping[str, str]) -> str:
    """All of a line as plain text, for the text screen."""
    parts = []
    for label, text in facts(item, plan, accounts):
        begin = f"{label}\n" if label in _BLOCKS else f"{label}: "
        parts.append(f"{begin}{text}" if label else text)
    return "\n\n".join(parts)


def copied(item: PlanItem, plan: MovePlan, environment: Mapping[str, str]) -> tuple[str, str]:
    """(what it is, text) of what is copied of a line: commands where it has some.

    ``environment`` is what leads ``aws`` to the account and endpoint of the line.
    """
    subject, account, lines = item.subject, plan.old.account_id, list[str]()
    if isinstance(subject, PlannedMove):
        account, lines = subject.found.account, [*move_commands(subject)]
    elif isinstance(subject, Grant):
        lines = [grant_command(subject)]
    elif isinstance(subject, Alias) and not _is_elsewhere(plan):
        lines = [alias_command(subject)]
    if lines:
        return _plural_commands(len(lines)), for_shell(plan, title(item), account, lines, environment)
    if isinstance(subject, Obstacle) and subject.statement is not None:
        return "The missing statement", _statement(subject)
    if item.section is Section.PERMISSIONS and isinstance(subject, str):
        return "The IAM policy", subject
    return "", ""


def _plural_commands(count: int) -> str:
    return "The command" if count == 1 else f"The {count:,} commands"


# Above the table


def head(plan: MovePlan, names: Mapping[str, str], width: int) -> Content:
    """From which key to which, how many moves of each kind, and what the plan lacks.

    ``names`` are the names that people use, by key ARN.
    """
    lines = [_from_to(plan, names, width), _counts(plan)]
    warnings = [*_warnings(plan)]
    if warnings:
        lines.append(Content(" · ").join(warnings))
    return Content("\n").join(lines)


def _from_to(plan: MovePlan, names: Mapping[str, str], width: int) -> Content:
    line = _key_words(plan.old.arn, plan.old.key_id, names, width) + Content("  →  ")
    if plan.new is None:
        return line + Content.styled("a new key made like it", "bold")
    line += _key_words(plan.new.arn, plan.new.key_id, names, width)
    if _is_elsewhere(plan):
        line += Content.styled(f" of account {plan.new.account_id}", "$foreground-muted")
    return line


def _key_words(arn: str, key_id: str, names: Mapping[str, str], width: int) -> Content:
    name = names.get(arn, key_id)
    words = safe(name).stylize("bold")
    if name != key_id and width >= _WIDE:
        words += safe(f" {key_id}").stylize("$foreground-muted")
    return words


def _counts(plan: MovePlan) -> Content:
    counts = Counter(each.move.how for each in plan.moves)
    if not counts:
        return Content("Nothing that was checked names this key.")
    parts = [
        Content.styled(f"{counts[how]:,} {how}", _HOW_COLOURS.get(how, "")) for how in How if counts[how]
    ]
    verb = "names" if len(plan.moves) == 1 else "name"
    told = Content(f"{counted(len(plan.moves), 'resource')} {verb} it: ")
    return told + Content(" · ").join(parts)


def _warnings(plan: MovePlan) -> Iterator[Content]:
    if count := len(plan.obstacles):
        yield Content.styled(f"✗ {counted(count, 'thing')} in the way, first", "$error")
    if count := len(plan.gaps):
        yield Content.styled(f"? not whole: {count:,} not checked", "$warning")


def progress(stage: PlanningProgress, name: str, accounts: int) -> Content:
    """What is being scanned, how far that is, and how to stop it. The name is untrusted."""
    lines = [safe(f"Planning to move everything off {name}").stylize("bold"), Content()]
    if stage.total:
        filled = _BAR_CELLS * stage.done // stage.total
        bar = Content.styled("━" * filled, "$accent") + Content.styled(
            "━" * (_BAR_CELLS - filled), "$foreground-muted 30%"
        )
        of_accounts = f" of {accounts:,} accounts" if accounts > 1 else ""
        lines.append(bar + Content(f"  {stage.done:,} of {stage.total:,} kinds{of_accounts}"))
        lines.append(safe(f"Now: {stage.current}" if stage.current else "Scanning…"))
    else:
        lines.append(Content("Looking at both keys…"))
    hint = "It only reads. esc stops it."
    return Content("\n").join([*lines, Content(), Content.styled(hint, "$foreground-muted")])


def failed(error: KmsTuiError, name: str) -> Content:
    """Why there is no plan, and what to do next. The name is untrusted."""
    head_line = safe(f"There is no plan to move everything off {name}.").stylize("bold")
    lines = [head_line, Content(), safe(str(error)).stylize("$warning")]
    if error.next_step:
        lines.append(safe(error.next_step))
    return Content("\n").join([*lines, Content(), Content.styled(_AGAIN, "$foreground-muted")])


_AGAIN = "r plans again, esc goes back."
