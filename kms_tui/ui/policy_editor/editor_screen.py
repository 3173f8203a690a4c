"""The policy editor: the text, what the guard says of it, and the commands."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from functools import partial

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from kms_tui.backend.wrappers.policy_guard import PolicyRefusedError
from kms_tui.drafts import policy_files
from kms_tui.kms.errors import KmsTuiError
from kms_tui.policy import CheckResult, Severity
from kms_tui.policy.document import QUOTA_BYTES
from kms_tui.session import Session
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.policy_words import verdict_words
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.policy_editor import editor_commands, policy_opening, save_command
from kms_tui.ui.policy_editor.completion_list import CompletionList
from kms_tui.ui.policy_editor.findings_list import FindingsList
from kms_tui.ui.policy_editor.policy_area import PolicyArea
from kms_tui.ui.policy_editor.policy_completion import PolicyContext
from kms_tui.ui.policy_editor.policy_edit import DraftWriter, EditTarget
from kms_tui.ui.widgets.form_widgets import TextArea
from kms_tui.ui.widgets.text_widgets import Static

EDITOR_BINDINGS: list[BindingType] = [
    Binding("ctrl+s", "save", "Save…", id="policy.save", tooltip="Show what changes, then PutKeyPolicy"),
    Binding(
        "ctrl+l", "layout", "Format", id="policy.format", tooltip="Lay the JSON out, changing white space"
    ),
    Binding("ctrl+t", "snippet", "Insert…", id="policy.snippet", tooltip="Insert a statement from the menu"),
    Binding(
        "ctrl+g",
        "findings",
        "Findings",
        id="policy.findings",
        tooltip="Go to the findings, or back to the text",
    ),
    Binding(
        "f8",
        "next_finding",
        "Next finding",
        id="policy.next-finding",
        tooltip="Jump to the next finding",
        show=False,
    ),
    Binding(
        "ctrl+space,ctrl+at",
        "complete",
        "Complete",
        id="policy.complete",
        tooltip="Offer what may be written here",
        show=False,
    ),
    Binding("f3", "changes", "Changes", id="policy.changes", tooltip="What changes, before saving"),
    Binding(
        "f5",
        "history",
        "History",
        id="policy.history",
        tooltip="Earlier policies of this key",
        show=False,
    ),
    Binding(
        "f9",
        "simulate",
        "Simulate",
        id="policy.simulate",
        tooltip="Ask what this text would allow whom",
        show=False,
    ),
    Binding("ctrl+o", "load_file", "Open file…", id="policy.open", tooltip="Load a policy file", show=False),
    Binding(
        "f2",
        "write_file",
        "Write file…",
        id="policy.write",
        tooltip="Write the text to a file",
        show=False,
    ),
    Binding(
        "f4",
        "external",
        "$EDITOR",
        id="policy.external",
        tooltip="Edit the text in your own editor",
        show=False,
    ),
    Binding(
        "ctrl+r",
        "discard",
        "Discard…",
        id="policy.discard",
        tooltip="Throw the changes and their draft away",
        show=False,
    ),
    Binding("f1", "app.help", "Help", id="policy.help", tooltip="Explain this screen and its keys"),
    Binding("escape", "back", "Back", id="policy.back", tooltip="Leave; changes are kept as a draft"),
]


JUDGE_SECONDS = 0.15
"""How long typing rests before the guard looks at the text."""
_SIZE = "size"
"""The finding that the state line shows all the time."""
KEEP_SECONDS = 0.4
"""How long typing rests before the draft is written."""


class PolicyEditor(ModeScreen):
    """Edits the policy of one key; ``desk`` is the screen that is told of a change.

    ``begin_with`` is a text to start from instead of the key's policy: an earlier version.
    """

    HELP = (
        "The key policy as JSON. The guard looks at it as you type: what it refuses cannot be saved by any "
        "way, because nobody could manage the key afterwards. Saving first shows what changes, statement by "
        "statement and in effect. What you type is kept as a draft until you save or discard it."
    )
    BINDINGS = EDITOR_BINDINGS
    DEFAULT_CSS = """
    PolicyEditor {
        #policy-head { height: 1; padding: 0 1 0 2; margin: 1 0 0 0; }
        #policy-name { width: 1fr; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        #policy-state { width: auto; height: 1; color: $text-muted; }
        #policy-verdict { height: auto; max-height: 3; padding: 0 1 0 2; }
        #policy-error {
            display: none; height: auto; max-height: 4; padding: 0 1 0 2; margin: 0 0 0 0; color: $error;
        }
        #policy-note { display: none; height: auto; padding: 0 1 0 2; color: $warning; }
        #policy-error.-shown, #policy-note.-shown { display: block; }
        #policy-body { height: 1fr; margin: 1 0 0 0; }
        FindingsList { width: 46; height: 1fr; }
        &.-narrow {
            #policy-body { layout: vertical; margin: 0; }
            #policy-head { margin: 0; }
            FindingsList { width: 1fr; height: auto; max-height: 6; }
            FindingsList.-told { display: none; }
        }
    }
    """

    def __init__(self, desk: ModeScreen, subject: Subject, *, begin_with: str | None = None) -> None:
        super().__init__()
        self.desk = desk
        self.subject = subject
        self.begin_with = begin_with
        self.files = policy_files()
        self.is_saving = False
        self.target: EditTarget | None = None
        """What is saved to, once the policy has been read."""
        self.base = ""
        """The key's policy that the text was begun from."""
        self.text = ""
        self.result: CheckResult | None = None
        self.keeper: DraftWriter | None = None
        self.around = PolicyContext("", "")
        self._opened_on: Session | None = None
        self._kept = ""

    def compose_body(self) -> Iterable[Widget]:
        area = PolicyArea(id="policy-area")
        with Horizontal(id="policy-head"):
            yield Static(id="policy-name")
            yield Static(Content("reading…"), id="policy-state")
        yield Static(id="policy-verdict")
        yield Static(id="policy-note")
        yield Static(id="policy-error")
        with Horizontal(id="policy-body"):
            yield area
            yield FindingsList()
        yield CompletionList(area)

    @property
    def area(self) -> PolicyArea:
        return self.query_one(PolicyArea)

    @property
    def popup(self) -> CompletionList:
        return self.query_one(CompletionList)

    @property
    def is_dirty(self) -> bool:
        return self.text != self.base

    # Opening

    def session_opened(self, session: Session) -> None:
        if self._opened_on is not None:
            self.show_state()
        else:
            self._opened_on = session
            name = safe(self.subject.name).stylize("bold")
            self.query_one("#policy-name", Static).update(
                name + Content.styled("  key policy", "$foreground-muted")
            )
            self.area.disabled = True
            start(
                self, partial(policy_opening.open_policy, self), group="open", description="read the policy"
            )

    @property
    def is_of_the_session(self) -> bool:
        """Whether the session that the policy was read in is still the one that is open."""
        return self._opened_on is self.session

    def begin(self, target: EditTarget, base: str, text: str, *, keeper: DraftWriter) -> None:
        """Edit ``text`` as a change of ``base``."""
        self.target, self.base, self.keeper = target, base, keeper
        self._kept = self.text = text
        self.area.load_policy(text)
        self.area.disabled = False
        self.area.focus()
        self._judge_soon()

    # What is typed

    @on(TextArea.Changed, "#policy-area")
    def _changed(self) -> None:
        if self.target is None:
            return
        self.popup.typed(self.around)
        self.text = self.area.policy_text
        self.show_error("")
        self._judge_soon()
        self.keep_soon()
        self.show_state()

    def _judge_soon(self) -> None:
        start(self, partial(self._judge, self.text), group="judge", description="judge the policy")

    async def _judge(self, text: str) -> None:
        await asyncio.sleep(JUDGE_SECONDS)
        target, now = self.target, self.now()
        assert target is not None
        result = await off_loop(lambda: target.judge(text, now))
        if text == self.text:
            self.show_result(result)

    def now(self) -> float:
        assert self._opened_on is not None
        return self._opened_on.now().timestamp()

    def show_result(self, result: CheckResult) -> None:
        self.result = result
        self.query_one("#policy-verdict", Static).update(verdict_words(result))
        shown = [finding for finding in result.findings if finding.rule != _SIZE]
        self.area.mark(shown)
        findings = self.query_one(FindingsList)
        findings.show(shown)
        told = len(shown) == 1 and shown[0].severity is Severity.REFUSE
        findings.set_class(not shown or told, "-told")  # the verdict says it all
        self.show_state()

    def keep_soon(self) -> None:
        start(self, self._keep, group="draft", description="keep the draft")

    async def _keep(self) -> None:
        await asyncio.sleep(KEEP_SECONDS)
        await self.succeeds_keeping()

    async def keep_now(self) -> None:
        """Write the draft, or remove it where nothing differs; raises FileError."""
        keeper = self.keeper
        if keeper is None:
            return
        text, base, turn = self.text, self.base, keeper.turn()
        await off_loop(lambda: keeper.keep(text, base, turn))
        self._kept = text
        self.show_state()

    async def succeeds_keeping(self) -> bool:
        """Keep the draft; False where it could not be, which is said."""
        try:
            await self.keep_now()
        except KmsTuiError as error:
            self.show_error(f"The draft is not kept: {error}")
            return False
        return True

    async def set_aside(self) -> None:
        """Leave the text on disk as a draft of its own, and go on with another one."""
        if self.keeper is not None and await self.succeeds_keeping():
            self.keeper = self.keeper.another()

    def forget(self) -> None:
        """Give the text up."""
        self.keeper = None

    def on_unmount(self) -> None:
        """The program ends with the editor open: what was typed last is not lost with it."""
        if self.keeper is not None and self.text != self._kept:
            with contextlib.suppress(KmsTuiError):  # the person has been told that drafts cannot be kept
                self.keeper.keep(self.text, self.base, self.keeper.turn())

    def show_state(self) -> None:
        """Size, unsaved changes and the draft, in words."""
        self._show_note()
        parts: list[Content] = []
        if self.is_dirty:
            kept = self.keeper.kept_at if self.keeper is not None else None
            parts.append(
                Content(f"draft kept {kept.astimezone():%H:%M:%S}" if kept else "changed, not yet kept")
            )
        else:
            parts.append(Content("as on the key"))
        if self.result is not None:
            parts.append(Content(f"{self.result.size:,} of {QUOTA_BYTES:,} B"))
        self.query_one("#policy-state", Static).update(Content.styled(" · ", "$foreground-muted").join(parts))

    def _show_note(self) -> None:
        """Why the text can be drafted but not saved, where that is so."""
        note = ""
        if self.session is not None and self.session.read_only:
            note = "This session is read-only: you can draft, but saving is not offered."
        elif not self.is_of_the_session:
            note = "Another session is open: this text is a draft only; leave, and open it again there."
        line = self.query_one("#policy-note", Static)
        line.update(Content(note))
        line.set_class(bool(note), "-shown")

    def show_error(self, sentence: str) -> None:
        """Say what went wrong, above the text; it goes when the text changes."""
        line = self.query_one("#policy-error", Static)
        line.update(safe(sentence))
        line.set_class(bool(sentence), "-shown")

    def show_refusal(self, error: PolicyRefusedError) -> None:
        """Say that the guard refuses, in the line of its verdict why, and go to the place."""
        finding = error.finding
        self.show_result(error.result)
        place = f"line {finding.line}"
        if finding.statement is not None:
            place = f"{finding.sid or f'statement {finding.statement + 1}'}, {place}"
        self.show_error(f"Not saved, because of {place}.")
        self.area.go_to(finding.line, finding.column)
        self.area.focus()

    # Completion

    @on(TextArea.SelectionChanged, "#policy-area")
    def _moved(self) -> None:
        self.popup.follow(self.around)

    @on(PolicyArea.PopupKey)
    def _popup_key(self, event: PolicyArea.PopupKey) -> None:
        self.popup.take_key(event.key)

    # Commands

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "undo":
            return False  # of the session's last change: in an editor ctrl+z is about its text
        if (
            action == "save"
            and self.session is not None
            and (self.session.read_only or not self.is_of_the_session)
        ):
            return False
        return super().check_action(action, parameters)

    @on(FindingsList.Chosen)
    def _finding_chosen(self, event: FindingsList.Chosen) -> None:
        self.area.go_to(event.finding.line, event.finding.column)
        self.area.focus()

    def action_findings(self) -> None:
        findings = self.query_one(FindingsList)
        if findings.has_focus:
            self.area.focus()
        elif findings.display and findings.findings:
            findings.focus()
        else:
            self.action_next_finding()

    def action_next_finding(self) -> None:
        findings = self.query_one(FindingsList).findings
        if not findings:
            return
        here = self.area.cursor_location
        ahead = [each for each in findings if self.area.place_of(each.line, each.column) > here]
        finding = (ahead or findings)[0]
        self.area.go_to(finding.line, finding.column)
        self.area.focus()

    def action_complete(self) -> None:
        self.popup.ask(self.around)

    def action_layout(self) -> None:
        editor_commands.lay_out(self)

    def _run(self, command: editor_commands.Command, description: str) -> None:
        if self.target is not None and self._may_begin():
            start(self, partial(command, self), group="command", description=description)

    def _may_begin(self) -> bool:
        """Not while a save waits for its answer, which another command would drop."""
        if self.is_saving:
            self.host.notify("The policy is being saved: wait for the answer.", severity="warning")
        return not self.is_saving

    def action_save(self) -> None:
        self._run(save_command.save_policy, "save the policy")

    def action_changes(self) -> None:
        self._run(save_command.show_changes, "show the changes")

    def action_snippet(self) -> None:
        self._run(editor_commands.insert_snippet, "insert a statement")

    def action_load_file(self) -> None:
        self._run(editor_commands.load_file, "load a file")

    def action_write_file(self) -> None:
        self._run(editor_commands.write_file, "write a file")

    def action_external(self) -> None:
        self._run(editor_commands.edit_outside, "edit in another program")

    def action_discard(self) -> None:
        self._run(editor_commands.discard, "discard the changes")

    def action_history(self) -> None:
        self._run(editor_commands.show_history, "show the history")

    def action_simulate(self) -> None:
        self._run(editor_commands.simulate, "simulate requests")

    def action_back(self) -> None:
        if self.query_one(FindingsList).has_focus and not self.area.disabled:
            self.area.focus()
        elif self._may_begin():
            start(self, partial(editor_commands.leave, self), group="command", description="leave the editor")
