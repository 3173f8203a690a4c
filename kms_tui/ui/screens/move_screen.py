"""Move off…: the plan to move everything off a key, made by a scan, to read, filter, copy and write."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.events import Resize
from textual.widget import Widget

from kms_tui.key_moves.move_plan import MovePlan, PlannedMove
from kms_tui.key_moves.plan_formats import WRITERS
from kms_tui.key_moves.planning import MovePlanning
from kms_tui.kms.arn import key_id_of
from kms_tui.kms.errors import KmsTuiError
from kms_tui.session import Connection, Session
from kms_tui.ui.actions.export_actions import export
from kms_tui.ui.base.clipboard import copy_text
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import subject_of
from kms_tui.ui.base.words import counted
from kms_tui.ui.dialogs.text_screen import TextScreen
from kms_tui.ui.screens import move_words
from kms_tui.ui.screens.reading_screen import ReadingScreen
from kms_tui.ui.signing.task_commands import account_flags, connection_flags
from kms_tui.ui.widgets.facts_table import FactsTable
from kms_tui.ui.widgets.line_table import LineTable
from kms_tui.ui.widgets.text_widgets import Input, Static

_FORMATS = {"md": "Markdown", "json": "JSON", "sh": "Shell script"}


@dataclass(frozen=True, slots=True)
class PlanReading:
    """A planning as a reading of the account; each one reads everything anew, and lists no keys."""

    planning: MovePlanning

    def read_again(self) -> None: ...

    def wait_for_listing(self) -> None: ...

    def cancel(self) -> None:
        self.planning.stop()


class MoveScreen(ReadingScreen[PlanReading, MovePlan]):
    """Opened with the ARN of the key that is left, and that of the other one: None for a new key."""

    HELP = (
        "How each resource that names the key gets under the other key: what stands in the way comes first, "
        "then the resources in a safe order, grants, aliases, and what was not checked. Nothing is changed "
        "here: c copies the commands of a line, w writes the whole plan, as a script too, and x copies the "
        "kms-tui command that makes the same plan. The scan asks slowly: the account's programs share its "
        "quotas."
    )
    AUTO_FOCUS = ""
    HEAD = "#move-head"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "Back", id="move.back", tooltip="Stop scanning; then back to the list"),
        Binding("slash", "filter", "Filter", id="move.filter", tooltip="Filter: by copy, a name, old key …"),
        Binding("enter,d", "open", "Open", id="move.open", tooltip="The whole of the line, as a text"),
        Binding("c", "copy", "Copy", id="move.copy", tooltip="Copy the commands, or the missing statement"),
        Binding(
            "x",
            "copy_command",
            "Command",
            id="move.command",
            tooltip="Copy the kms-tui plan-move command that makes the same plan",
        ),
        Binding("w", "export", "Write", id="move.export", tooltip="Write it: Markdown, JSON, shell script"),
        Binding("r", "refresh", "Rescan", id="move.refresh", tooltip="Scan and plan again"),
    ]

    DEFAULT_CSS = """
    MoveScreen {
        LineTable { min-height: 4; }
        #move-head { height: auto; max-height: 12; padding: 0 2 1 2; }
        #move-detail {
            height: 40%; border-top: hkey $border; padding: 0 2; scrollbar-size-vertical: 1;
        }
        #move-what, #move-facts { height: auto; }
        #move-what { text-wrap: nowrap; text-overflow: ellipsis; }
        &.-narrow #move-detail { height: 7; }
        &.-narrow #table-filter { display: none; }
        &.-narrow.-filtering #table-filter { display: block; }
        &.-empty LineTable, &.-empty #table-filter, &.-empty #move-detail { display: none; }
    }
    """

    def __init__(self, arn: str, to: str | None) -> None:
        super().__init__()
        self._arn = arn
        self._to = to
        self._plan: MovePlan | None = None
        self._items: list[move_words.PlanItem] = []
        """All lines of the plan."""
        self._shown: dict[str, move_words.PlanItem] = {}
        """Those in the table, with headings, by the keys of their rows."""

    def compose_body(self) -> Iterable[Widget]:
        with Vertical(classes="table-body"):
            yield Static(id="move-head")
            yield Input(placeholder="/ to filter", id="table-filter")
            yield LineTable(move_words.columns(several=False), empty="Nothing matches.")
            with VerticalScroll(id="move-detail", can_focus=False):
                yield Static(id="move-what")
                yield Static(id="move-facts")

    # Planning

    def session_opened(self, session: Session) -> None:
        self._plan = None
        planning = MovePlanning(session, self._arn, self._to)
        self.begin_reading(PlanReading(planning), again=True)

    def cost_of(self, reading: PlanReading) -> Content | None:
        """Nobody is asked: the scan was asked for, and its rate is polite."""
        return None

    def run_reading(self, reading: PlanReading) -> MovePlan:
        return reading.planning.run()

    def show_found(self, found: MovePlan) -> None:
        self._plan = found
        self._items = move_words.items(found)
        self.remove_class("-empty")
        self._show_head()
        self.query_one(LineTable).columns = move_words.columns(several=self._several)
        self._fill()
        table = self.query_one(LineTable)
        table.go_to(self._items[0].key)
        table.focus()

    def progress_of(self, reading: PlanReading) -> Content:
        accounts = len(self.session.accounts) if self.session is not None else 1
        return move_words.progress(reading.planning.progress(), self._name_of(self._arn), accounts)

    def failure_words(self, error: KmsTuiError) -> Content:
        return move_words.failed(error, self._name_of(self._arn))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("export", "filter", "open", "copy"):
            return self._plan is not None
        return super().check_action(action, parameters)

    # Showing

    def _name_of(self, arn: str) -> str:
        """The name that people use for a key."""
        row = self.session.inventory.row(arn) if self.session is not None else None
        return subject_of(row).name if row is not None else key_id_of(arn)

    @property
    def _several(self) -> bool:
        return self.session is not None and self.session.has_several_accounts

    @property
    def _accounts(self) -> Mapping[str, str]:
        """The names of accounts by their ids, where several are listed."""
        known = self.session.accounts if self.session is not None and self._several else ()
        return {each.id: each.name for each in known if each.name}

    @on(Resize)
    def _show_head(self) -> None:
        plan = self._plan
        if plan is not None and not self.has_class("-empty"):
            arns = [key.arn for key in (plan.old, plan.new) if key is not None]
            names = {arn: self._name_of(arn) for arn in arns}
            self.query_one("#move-head", Static).update(move_words.head(plan, names, self.size.width))

    @on(Input.Changed, "#table-filter")
    def _fill(self) -> None:
        plan = self._plan
        if plan is None:
            return
        field, accounts = self.query_one("#table-filter", Input), self._accounts
        words = field.value.lower().split()
        self.set_class(bool(words) or field.has_focus, "-filtering")
        matching = [item for item in self._items if move_words.matches(item, words, accounts)]
        lines = move_words.with_headings(matching)
        self._shown = {item.key: item for item in lines}
        self.query_one(LineTable).show_rows(move_words.rows(lines, accounts, several=self._several))
        found = sum(isinstance(item.subject, PlannedMove) for item in matching)
        of_all = f"{found:,} of " if found < len(plan.moves) else ""
        self.show_status(f"{of_all}{counted(len(plan.moves), 'resource')}")
        self._show_detail()

    @on(LineTable.Highlighted)
    def _show_detail(self) -> None:
        item, plan = self._current(), self._plan
        what, told = self.query_one("#move-what", Static), self.query_one("#move-facts", Static)
        if item is None or plan is None:
            what.update()
            told.update()
            return
        found = move_words.facts(item, plan, self._accounts)
        what.update(move_words.detail_head(item))
        self.query_one("#move-detail").scroll_home(animate=False)
        told.update(FactsTable((label, safe(text, newlines=True)) for label, text in found))

    def _current(self) -> move_words.PlanItem | None:
        return self._shown.get(self.query_one(LineTable).current)

    # Actions

    @on(LineTable.Selected)
    def action_open(self) -> None:
        item, plan = self._current(), self._plan
        if item is not None and plan is not None:
            text = move_words.whole_text(item, plan, self._accounts)
            self.app.push_screen(TextScreen(move_words.title(item), text))

    def action_copy(self) -> None:
        item, plan, session = self._current(), self._plan, self.session
        if item is None or plan is None or session is None:
            return
        what, text = move_words.copied(item, plan, self._environment(session, item, plan))
        if not text:
            self.host.notify("This line has no commands: enter shows what it says.", severity="warning")
            return
        copy_text(self.host, text)
        self.host.notify(f"{what} {'are' if what.endswith('s') else 'is'} copied.")

    def _environment(self, session: Session, item: move_words.PlanItem, plan: MovePlan) -> Mapping[str, str]:
        """What leads ``aws`` where this session is."""
        subject = item.subject
        account = subject.found.account if isinstance(subject, PlannedMove) else plan.old.account_id
        profile = session.account_with(account).profile or session.connection.profile
        found = {"AWS_PROFILE": profile, "AWS_ENDPOINT_URL": session.connection.endpoint_url}
        return {name: value for name, value in found.items() if value}

    def action_copy_command(self) -> None:
        copy_text(self.host, plan_command(self._arn, self._to, self.host.connection))
        self.host.notify("The command line is copied.")

    def action_export(self) -> None:
        plan = self._plan
        if plan is not None:
            formats = {end: (title, partial(WRITERS[end], plan)) for end, title in _FORMATS.items()}
            work = partial(export, self, "kms-tui-move", formats, title="Write the plan")
            self.start_action(work, description="write the plan")

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.query_one("#table-filter").focus()

    @on(Input.Submitted, "#table-filter")
    def _filter_left(self) -> None:
        self.query_one(LineTable).focus()
        self._fill()

    def action_refresh(self) -> None:
        if self.session is not None:
            self.session_opened(self.session)

    def action_back(self) -> None:
        field = self.query_one("#table-filter", Input)
        if self.stop_reading():
            return
        if field.has_focus:
            self._filter_left()
        elif field.value:
            field.value = ""
        else:
            self.app.pop_screen()


def plan_command(arn: str, to: str | None, connection: Connection) -> str:
    """The ``kms-tui plan-move`` line that makes the same plan."""
    flags = [*connection_flags(connection), *account_flags(connection)]
    return shlex.join(["kms-tui", "plan-move", arn, "--to", to or "new", *flags, "-o", "plan.md"])
