"""The list of the move screen: a plan made by a scan, and a campaign, to read, filter, copy and write."""

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

from kms_tui.campaigns.campaign import Campaign, CampaignItem
from kms_tui.campaigns.campaign_formats import WRITERS as EVIDENCE_WRITERS
from kms_tui.campaigns.campaign_formats import counts_in_words
from kms_tui.key_moves.move_plan import MovePlan, PlannedMove
from kms_tui.key_moves.plan_formats import WRITERS
from kms_tui.key_moves.planning import MovePlanning, PlanningProgress
from kms_tui.kms.arn import key_account, key_id_of
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.model import Key
from kms_tui.session import Connection, Session
from kms_tui.ui.actions.export_actions import export
from kms_tui.ui.base.campaign_runs import files_of
from kms_tui.ui.base.clipboard import copy_text
from kms_tui.ui.base.command_lines import account_flags, connection_flags
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import subject_of
from kms_tui.ui.base.words import counted
from kms_tui.ui.dialogs.questions import Choose
from kms_tui.ui.dialogs.text_screen import TextScreen
from kms_tui.ui.screens import move_details, move_head, move_words
from kms_tui.ui.screens.campaign_words import CampaignView
from kms_tui.ui.screens.reading_screen import ReadingScreen
from kms_tui.ui.widgets.facts_table import FactsTable
from kms_tui.ui.widgets.line_table import LineTable
from kms_tui.ui.widgets.text_widgets import Input, Static

_EVIDENCE_FORMATS = {"md": "Markdown", "json": "JSON"}
_FORMATS = {"md": "Markdown", "json": "JSON", "sh": "Shell script"}


@dataclass(frozen=True, slots=True)
class MoveFound:
    """The key that is left, the plan if one was made, the newest campaign, and why that is not known."""

    old: Key
    plan: MovePlan | None
    campaign: Campaign | None = None
    trouble: KmsTuiError | None = None


@dataclass(frozen=True, slots=True)
class MoveReading:
    """Reads the campaign of a key, and plans before that where there is a ``planning``."""

    session: Session
    arn: str
    planning: MovePlanning | None

    def run(self) -> MoveFound:
        """It blocks; raises what planning and DescribeKey raise."""
        if self.session.has_several_accounts:
            self.session.open_all()
        if self.planning is not None:
            plan = self.planning.run()
            return self._with_campaign(plan.old, plan)
        return self._with_campaign(self.session.kms_for(self.arn).describe(self.arn), None)

    def _with_campaign(self, old: Key, plan: MovePlan | None) -> MoveFound:
        try:
            return MoveFound(old, plan, files_of(self.session).newest(self.arn))
        except KmsTuiError as error:
            return MoveFound(old, plan, trouble=error)

    def progress(self) -> PlanningProgress:
        return self.planning.progress() if self.planning is not None else PlanningProgress()

    def read_again(self) -> None: ...

    def wait_for_listing(self) -> None: ...

    def cancel(self) -> None:
        if self.planning is not None:
            self.planning.stop()


class PlanScreen(ReadingScreen[MoveReading, MoveFound]):
    """The list of a plan and of a campaign, to filter, read, copy and write.

    ``arn`` is that of the key which is left, ``to`` that of the other one: None for a new key. Where the
    campaign is ``resumed`` nothing is scanned before ``r``.
    """

    AUTO_FOCUS = ""
    HEAD = "#move-head"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="move.back", tooltip="Stop what goes on; then back to the list"),
        Binding(
            "q",
            "leave",
            "Leave",
            id="move.leave",
            tooltip="Back to the list; a campaign that is carried out goes on",
            show=False,
        ),
        Binding("slash", "filter", "Filter", id="move.filter", tooltip="Filter: by copy, a name, old key …"),
        Binding("enter,d", "open", "Open", id="move.open", tooltip="The whole of the line, as a text"),
        Binding("c", "copy", "Copy", id="move.copy", tooltip="Copy the commands, or the missing statement"),
        Binding(
            "C",
            "copy_command",
            "Command",
            id="move.command",
            tooltip="Copy the kms-tui plan-move command that makes the same plan",
        ),
        Binding(
            "w",
            "export",
            "Write",
            id="move.export",
            tooltip="Write the plan (Markdown, JSON, shell script) or the campaign's evidence",
        ),
        Binding("r", "refresh", "Rescan", id="move.refresh", tooltip="Scan and plan again"),
    ]

    DEFAULT_CSS = """
    PlanScreen {
        LineTable { min-height: 4; }
        #move-head { height: auto; max-height: 12; padding: 0 2 1 2; }
        #move-stages { height: auto; max-height: 5; padding: 0 2 1 2; }
        &.-narrow #move-head, &.-narrow #move-stages { padding: 0 2; }
        &.-empty #move-stages { display: none; }
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

    def __init__(self, arn: str, to: str | None, resumed: bool = False) -> None:
        super().__init__()
        self._arn = arn
        self._to = to
        self._resumed = resumed
        self._old: Key | None = None
        self._plan: MovePlan | None = None
        self._view: CampaignView | None = None
        self._items: list[move_words.PlanItem] = []
        """All lines of the plan and the campaign."""
        self._shown: dict[str, move_words.PlanItem] = {}
        """Those in the table, with headings, by the keys of their rows."""

    def compose_body(self) -> Iterable[Widget]:
        with Vertical(classes="table-body"):
            yield Static(id="move-head")
            yield Static(id="move-stages")
            yield Input(placeholder="/ to filter", id="table-filter")
            yield LineTable(move_words.columns(several=False), empty="Nothing matches.")
            with VerticalScroll(id="move-detail", can_focus=False):
                yield Static(id="move-what")
                yield Static(id="move-facts")

    # Reading

    def session_opened(self, session: Session) -> None:
        self._old = self._plan = self._view = None
        planning = None if self._resumed else MovePlanning(session, self._arn, self._to)
        self.begin_reading(MoveReading(session, self._arn, planning), again=True)

    def cost_of(self, reading: MoveReading) -> Content | None:
        """Nobody is asked: the scan was asked for, and its rate is polite."""
        return None

    def run_reading(self, reading: MoveReading) -> MoveFound:
        return reading.run()

    def show_found(self, found: MoveFound) -> None:
        self._old, self._plan = found.old, found.plan
        self.remove_class("-empty")
        self.show_all()
        table = self.query_one(LineTable)
        table.scroll_home(animate=False)
        if self._items:
            table.go_to(self._items[0].key)
        table.focus()

    def progress_of(self, reading: MoveReading) -> Content:
        accounts = len(self.session.accounts) if self.session is not None else 1
        return move_head.progress(reading.progress(), self.name_of(self._arn), accounts)

    def failure_words(self, error: KmsTuiError) -> Content:
        return move_head.failed(error, self.name_of(self._arn))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("export", "filter", "open", "copy"):
            return self._old is not None
        return super().check_action(action, parameters)

    # Showing

    def name_of(self, arn: str) -> str:
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

    def show_all(self) -> None:
        """Make the lines anew: those of the plan, with what the campaign has besides."""
        self._items = move_words.items(self._plan, self._view)
        has_campaign = self._view is not None
        self.query_one(LineTable).columns = move_words.columns(
            several=self._several, has_campaign=has_campaign
        )
        self.show_head()
        self._fill()

    @on(Resize)
    def _resized(self) -> None:
        self.show_head()

    def show_head(self) -> None:
        if self._old is None or self.has_class("-empty"):
            return
        campaign = self._view.campaign if self._view is not None else None
        made = campaign.head.new if campaign is not None else ""
        new = self._plan.new.arn if self._plan is not None and self._plan.new is not None else made
        names = {arn: self.name_of(arn) for arn in (self._arn, new) if arn}
        head = Content()
        if self._plan is not None:
            head = move_head.head(self._plan, names, self.size.width, made)
        elif campaign is not None and self.session is not None:
            head = move_head.campaign_head(campaign, names, self.size.width, self.session.now())
        self.query_one("#move-head", Static).update(head)

    @on(Input.Changed, "#table-filter")
    def _fill(self) -> None:
        field, accounts, view = self.query_one("#table-filter", Input), self._accounts, self._view
        words = field.value.lower().split()
        self.set_class(bool(words) or field.has_focus, "-filtering")
        matching = [item for item in self._items if move_words.matches(item, words, accounts, view)]
        lines = move_words.with_headings(matching)
        self._shown = {item.key: item for item in lines}
        rows = move_words.rows(lines, accounts, several=self._several, view=view)
        self.query_one(LineTable).show_rows(rows)
        kinds = PlannedMove if self._plan is not None else CampaignItem
        found, total = (
            sum(isinstance(item.subject, kinds) for item in some) for some in (matching, self._items)
        )
        of_all = f"{found:,} of " if found < total else ""
        noun = "resource" if self._plan is not None else "item"
        self.show_status(f"{of_all}{counted(total, noun)}" if self._old is not None else "")
        self.show_detail()

    @on(LineTable.Highlighted)
    def _highlighted(self) -> None:
        self.show_detail()

    def show_detail(self) -> None:
        item = self.current_item()
        what, told = self.query_one("#move-what", Static), self.query_one("#move-facts", Static)
        if item is None or self._old is None:
            what.update()
            told.update()
            return
        found = move_details.facts(item, self._plan, self._accounts, self._view)
        what.update(move_details.detail_head(item))
        self.query_one("#move-detail").scroll_home(animate=False)
        told.update(FactsTable((label, safe(text, newlines=True)) for label, text in found))

    def current_item(self) -> move_words.PlanItem | None:
        return self._shown.get(self.query_one(LineTable).current)

    # Actions

    @on(LineTable.Selected)
    def action_open(self) -> None:
        item = self.current_item()
        if item is not None and self._old is not None:
            text = move_details.whole_text(item, self._plan, self._accounts, self._view)
            self.app.push_screen(TextScreen(move_details.title(item), text))

    def action_copy(self) -> None:
        item, session = self.current_item(), self.session
        if item is None or session is None:
            return
        environment = self._environment(session, item)
        what, text = move_details.copied(item, self._plan, environment, self._view)
        if not text:
            self.host.notify("This line has no commands: enter shows what it says.", severity="warning")
            return
        copy_text(self.host, text)
        self.host.notify(f"{what} {'are' if what.endswith('s') else 'is'} copied.")

    def _environment(self, session: Session, item: move_words.PlanItem) -> Mapping[str, str]:
        """What leads ``aws`` where this session is."""
        subject = item.subject
        account = subject.found.account if isinstance(subject, PlannedMove) else key_account(self._arn)
        profile = session.account_with(account).profile or session.connection.profile
        found = {"AWS_PROFILE": profile, "AWS_ENDPOINT_URL": session.connection.endpoint_url}
        return {name: value for name, value in found.items() if value}

    def action_copy_command(self) -> None:
        copy_text(self.host, plan_command(self._arn, self._to, self.host.connection))
        self.host.notify("The command line is copied.")

    def action_export(self) -> None:
        self.start_action(self._export, description="write the plan")

    async def _export(self) -> None:
        """Write the plan, or the evidence of the campaign; ask which, where there are both."""
        plan, view = self._plan, self._view
        is_evidence = plan is None
        if plan is not None and view is not None:
            counts = counts_in_words(view.campaign)
            entries = [Content("The plan"), Content(f"The campaign's evidence: {counts}")]
            answer = await self.ask(Choose("Write what?", entries))
            if answer is None:
                return
            is_evidence = answer == 1
        if is_evidence and view is not None:
            formats = {
                end: (title, partial(EVIDENCE_WRITERS[end], view.campaign))
                for end, title in _EVIDENCE_FORMATS.items()
            }
            await export(self, "kms-tui-campaign", formats, title="Write the campaign's evidence")
        elif plan is not None:
            of_plan = {end: (title, partial(WRITERS[end], plan)) for end, title in _FORMATS.items()}
            await export(self, "kms-tui-move", of_plan, title="Write the plan")

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.query_one("#table-filter").focus()

    @on(Input.Submitted, "#table-filter")
    def _filter_left(self) -> None:
        self.query_one(LineTable).focus()
        self._fill()

    def action_refresh(self) -> None:
        if self.session is not None:
            self._resumed = False
            self.session_opened(self.session)

    def stop_background(self) -> bool:
        """End what goes on beside the scan; False where nothing does."""
        return False

    def action_back(self) -> None:
        field = self.query_one("#table-filter", Input)
        if self.stop_reading():
            return
        if field.has_focus:
            self._filter_left()
        elif self.stop_background():
            return
        elif field.value:
            field.value = ""
        else:
            self.app.pop_screen()

    def action_leave(self) -> None:
        self.app.pop_screen()


def plan_command(arn: str, to: str | None, connection: Connection) -> str:
    """The ``kms-tui plan-move`` line that makes the same plan."""
    flags = [*connection_flags(connection), *account_flags(connection)]
    return shlex.join(["kms-tui", "plan-move", arn, "--to", to or "new", *flags, "-o", "plan.md"])
