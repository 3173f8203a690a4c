"""``PolicyEditor``: the screen with the policy's text, the guard's verdict on it, and the commands."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget

from kms_tui.backend.wrappers.policy_guard import PolicyRefusedError
from kms_tui.kms.errors import KmsTuiError
from kms_tui.policy import CheckResult, Severity
from kms_tui.policy.access import AccessFacts
from kms_tui.policy.document import QUOTA_BYTES
from kms_tui.session import Session
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.policy_words import verdict_words
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.dialogs.text_screen import TextScreen
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.policy_editor import editor_commands
from kms_tui.ui.policy_editor.completion_list import CompletionList
from kms_tui.ui.policy_editor.findings_list import FindingsList
from kms_tui.ui.policy_editor.policy_area import PolicyArea
from kms_tui.ui.policy_editor.policy_completion import PolicyContext
from kms_tui.ui.policy_editor.policy_edit import DraftWriter, PolicyEdit
from kms_tui.ui.policy_editor.policy_opening import ask_about_drafts, open_policy
from kms_tui.ui.policy_editor.save_command import save_policy, show_changes
from kms_tui.ui.policy_editor.simulate_screen import SimulateScreen
from kms_tui.ui.widgets.access_matrix import AccessMatrix
from kms_tui.ui.widgets.form_widgets import TextArea
from kms_tui.ui.widgets.text_widgets import Static

EDITOR_BINDINGS: list[BindingType] = [
    Binding(key, action, title, id=f"policy.{name}", tooltip=tooltip, show=show)
    for key, action, title, name, tooltip, show in (
        ("ctrl+s", "save", "Save…", "save", "Show what changes, then PutKeyPolicy", True),
        ("ctrl+l", "layout", "Format", "format", "Lay the JSON out, changing white space", True),
        ("ctrl+t", "snippet", "Insert…", "snippet", "Insert a statement from the menu", True),
        ("ctrl+g", "findings", "Findings", "findings", "Go to the findings, or back to the text", True),
        ("f8", "next_finding", "Next finding", "next-finding", "Jump to the next finding", False),
        ("ctrl+space,ctrl+at", "complete", "Complete", "complete", "Offer what may be written here", False),
        ("f3", "changes", "Changes", "changes", "What changes, before saving", True),
        ("f5", "history", "History", "history", "Earlier policies of this key", False),
        ("f9", "simulate", "Simulate", "simulate", "Ask what this text would allow", False),
        ("ctrl+o", "load_file", "Open file…", "open", "Load a policy file", False),
        ("f2", "write_file", "Write file…", "write", "Write the text to a file", False),
        ("f4", "external", "$EDITOR", "external", "Edit the text in your own editor", False),
        ("ctrl+r", "discard", "Discard…", "discard", "Throw the changes and their draft away", False),
        ("f1", "app.help", "Help", "help", "Explain this screen and its keys", True),
        ("escape,q", "back", "Back", "back", "Leave; changes are kept as a draft", True),
    )
]

JUDGE_SECONDS = 0.15
"""How long typing rests before the guard judges the text."""
KEEP_SECONDS = 0.4
"""How long typing rests before the draft is written."""
_ROOM_FOR_BOTH = 110
"""From this width on, findings and access stand beside the text; elsewhere the text has the width."""
_SIZE = "size"
"""The finding that the state line shows at all times, so the list leaves it out."""

Command = Callable[[PolicyEdit], Awaitable[str | None]]
"""Awaited in a worker, once the policy has been read; the text to show then, or None to leave it."""


class PolicyEditor(ModeScreen):
    """Edits the policy of one key; ``opener`` is the screen that hears of a save.

    ``begin_with`` is a text to start from instead of the key's policy: an earlier version.
    """

    HELP = (
        "The key policy as JSON. The guard checks it as you type: what it refuses cannot be saved, because "
        "nobody could manage the key afterwards. Saving first shows what changes, in effect and statement "
        "by statement. What you type is kept as a draft until you save or discard it."
    )
    BINDINGS = EDITOR_BINDINGS
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_ROOM_FOR_BOTH, "-wide")]
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
        #policy-side {
            width: 40%; min-width: 46; max-width: 58; height: 1fr; background: $surface; padding: 0 1;
        }
        #policy-side DataTable { background: $surface; & > .datatable--header { background: $surface; } }
        FindingsList { width: 1fr; height: auto; max-height: 50%; }
        FindingsList.-none { display: none; }
        &.-narrow {
            #policy-body { layout: vertical; margin: 0; }
            #policy-head { margin: 0; }
            #policy-side { width: 1fr; max-width: 100%; height: auto; max-height: 6; padding: 0; }
            #policy-access-title, AccessMatrix { display: none; }
            FindingsList { margin: 0; max-height: 6; }
            FindingsList.-told { display: none; }
        }
    }
    """

    def __init__(self, opener: ModeScreen, subject: Subject, *, begin_with: str | None = None) -> None:
        super().__init__()
        self.opener = opener
        self.subject = subject
        self.acting_on = (subject,)
        self.begin_with = begin_with
        self.edit: PolicyEdit | None = None
        """None until the policy has been read."""
        self.context = PolicyContext("", "")
        self._opened_on: Session | None = None

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
            with VerticalScroll(id="policy-side", can_focus=False):
                yield FindingsList()
                yield Static(
                    Content("Who may do what, by this text"), id="policy-access-title", classes="section"
                )
                yield AccessMatrix()
        yield CompletionList(area)

    @property
    def area(self) -> PolicyArea:
        return self.query_one(PolicyArea)

    @property
    def popup(self) -> CompletionList:
        return self.query_one(CompletionList)

    # Opening

    def session_opened(self, session: Session) -> None:
        if self._opened_on is not None:
            self.show_state()
        else:
            self._opened_on = session
            name = safe(self.subject.title).stylize("bold")
            self.query_one("#policy-name", Static).update(
                name + Content.styled("  key policy", "$foreground-muted")
            )
            self.area.disabled = True
            start(self, partial(self._open, session), group="open", description="read the policy")

    async def _open(self, session: Session) -> None:
        """Read the policy, offer the drafts for it, and let the editing begin."""
        subject, files = self.subject, session.policy_files
        try:
            opened = await off_loop(partial(open_policy, session, self.kms_for(subject), subject, files))
        except KmsTuiError as error:
            self.show_error(f"The policy cannot be read, so it cannot be edited. {error.with_next_step}")
            return
        self.context = opened.context
        for warning in opened.warnings:
            self.host.notify(warning, title="Drafts", severity="warning", timeout=12)
        draft = DraftWriter(files, subject.arn, session.now)
        text = opened.text if self.begin_with is None else self.begin_with
        self._begin(PolicyEdit(opened.target, opened.text, text, draft))
        if self.begin_with is not None or not opened.drafts:
            return
        answer = await ask_about_drafts(self, subject.name, opened)
        if answer.resumed is not None:
            edit = PolicyEdit(opened.target, answer.resumed.base, answer.resumed.text, draft)
            self._begin(edit)
            if not await self._keep(edit):
                return
        for each in answer.discarded:
            discard = partial(files.discard_draft, subject.arn, each.token)
            if not await self.succeeds(discard, doing="remove the draft"):
                return

    @property
    def is_of_the_session(self) -> bool:
        """Whether the session that the policy was read in is still the one that is open."""
        return self._opened_on is self.session

    def _begin(self, edit: PolicyEdit) -> None:
        self.edit = edit
        self.area.load_policy(edit.text)
        self.area.disabled = False
        self.area.focus()
        self._judge_soon(edit)

    # Typing

    @on(TextArea.Changed, "#policy-area")
    def _changed(self) -> None:
        edit = self.edit
        if edit is None:
            return
        self.popup.typed(self.context)
        edit.text = self.area.policy_text
        self.show_error("")
        self._judge_soon(edit)
        start(self, partial(self._keep_soon, edit), group="draft", description="keep the draft")
        self.show_state()

    def on_resize(self) -> None:
        """There may be room now for who may do what, which is worked out only where it is shown."""
        if self.edit is not None:
            self._judge_soon(self.edit)

    def _judge_soon(self, edit: PolicyEdit) -> None:
        start(self, partial(self._judge, edit, edit.text), group="judge", description="judge the policy")

    async def _judge(self, edit: PolicyEdit, text: str) -> None:
        await asyncio.sleep(JUDGE_SECONDS)
        assert self._opened_on is not None
        now = self._opened_on.now().timestamp()
        verdict = await off_loop(lambda: edit.target.judge(text, now))
        if text != edit.text:
            return
        self.show_verdict(verdict)
        if self.query_one(AccessMatrix).styles.display != "none":
            access = await off_loop(lambda: edit.target.access(text))
            if text == edit.text:
                self.show_access(access)

    def show_access(self, access: AccessFacts | None) -> None:
        """Show who may do what by the text; nothing of a text that is no policy."""
        self.query_one("#policy-access-title", Static).visible = access is not None
        matrix = self.query_one(AccessMatrix)
        matrix.visible = access is not None
        if access is not None:
            matrix.present(access)

    def show_verdict(self, verdict: CheckResult) -> None:
        """Show the guard's verdict: as a sentence, beside the lines, and in the list of findings."""
        if self.edit is not None:
            self.edit.verdict = verdict
        self.query_one("#policy-verdict", Static).update(verdict_words(verdict))
        shown = [finding for finding in verdict.findings if finding.rule != _SIZE]
        self.area.mark(shown)
        findings = self.query_one(FindingsList)
        findings.show(shown)
        is_told = len(shown) == 1 and shown[0].severity is Severity.REFUSE
        findings.set_class(not shown or is_told, "-told")  # the verdict says the same
        findings.set_class(not shown, "-none")
        self.show_state()

    async def _keep_soon(self, edit: PolicyEdit) -> None:
        await asyncio.sleep(KEEP_SECONDS)
        await self._keep(edit)

    async def _keep(self, edit: PolicyEdit) -> bool:
        """Write the draft, or remove it; False where that failed, which is shown."""
        try:
            await editor_commands.write_draft(edit)
        except KmsTuiError as error:
            self.show_error(f"The draft is not kept: {error}")
            return False
        self.show_state()
        return True

    def on_unmount(self) -> None:
        """The program ends with the editor open: what was typed last is still written to the draft."""
        edit = self.edit
        if edit is not None and edit.text != edit.drafted:
            with contextlib.suppress(KmsTuiError):  # that drafts cannot be kept has been shown
                edit.draft.writing(edit.text, edit.base)()

    def show_state(self) -> None:
        """Show the size, unsaved changes and the draft in words."""
        self._show_note()
        parts: list[Content] = []
        edit = self.edit
        if edit is not None and edit.is_changed:
            written = edit.draft.written_at
            parts.append(
                Content(f"draft kept {written.astimezone():%H:%M:%S}" if written else "changed, not yet kept")
            )
        else:
            parts.append(Content("as on the key"))
        if edit is not None and edit.verdict is not None:
            parts.append(Content(f"{edit.verdict.size:,} of {QUOTA_BYTES:,} B"))
        self.query_one("#policy-state", Static).update(Content.styled(" · ", "$foreground-muted").join(parts))

    def _show_note(self) -> None:
        """Say why the text can be drafted but not saved, where it cannot."""
        note = ""
        if self.session is not None and self.session.account_of(self.subject.arn).read_only:
            what = "account" if self.session.has_several_accounts else "session"
            note = f"This {what} is read-only: you can draft, but saving is not offered."
        elif not self.is_of_the_session:
            note = "Another session is open: this text is a draft only; leave, and open it again there."
        line = self.query_one("#policy-note", Static)
        line.update(Content(note))
        line.set_class(bool(note), "-shown")

    def show_error(self, sentence: str) -> None:
        """Show an error above the text, until the text changes."""
        line = self.query_one("#policy-error", Static)
        line.update(safe(sentence))
        line.set_class(bool(sentence), "-shown")

    def show_refusal(self, error: PolicyRefusedError) -> None:
        """Show that the guard refuses, and why, and put the cursor where."""
        finding = error.finding
        self.show_verdict(error.result)
        place = f"line {finding.line}"
        if finding.statement is not None:
            place = f"{finding.sid or f'statement {finding.statement + 1}'}, {place}"
        self.show_error(f"Not saved, because of {place}.")
        self.area.go_to(finding.line, finding.column)
        self.area.focus()

    # Completion

    @on(TextArea.SelectionChanged, "#policy-area")
    def _moved(self) -> None:
        self.popup.follow(self.context)

    @on(PolicyArea.PopupKey)
    def _popup_key(self, event: PolicyArea.PopupKey) -> None:
        self.popup.take_key(event.key)

    # Commands

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "undo":
            return False  # ctrl+z undoes changes of the text here, not of the session
        if (
            action == "save"
            and self.session is not None
            and (self.session.account_of(self.subject.arn).read_only or not self.is_of_the_session)
        ):
            return False
        return super().check_action(action, parameters)

    @on(AccessMatrix.Explained)
    def _explained(self, event: AccessMatrix.Explained) -> None:
        self.app.push_screen(TextScreen(event.title, event.text))

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
        self.popup.ask(self.context)

    def action_layout(self) -> None:
        try:
            text = editor_commands.lay_out(self.area)
        except editor_commands.NotDoneError as error:
            self.show_error(str(error))
        else:
            if text != self.area.policy_text:
                self.area.replace_policy(text)

    def _run(self, command: Command, description: str) -> None:
        if self.edit is not None and self._may_begin():
            work = partial(self._perform, command, self.edit)
            start(self, work, group="command", description=description)

    async def _perform(self, command: Command, edit: PolicyEdit) -> None:
        """Await a command, and show the text that it gives or the error that it raises."""
        try:
            text = await command(edit)
        except PolicyRefusedError as error:
            self.show_refusal(error)
        except KmsTuiError as error:
            self.show_error(error.with_next_step)
        else:
            if text is not None:
                self.area.replace_policy(text)
        self.show_state()

    def _may_begin(self) -> bool:
        """Whether a command may start: not while a save waits for its answer, which would be dropped."""
        is_saving = self.edit is not None and self.edit.is_saving
        if is_saving:
            self.host.notify("The policy is being saved: wait for the answer.", severity="warning")
        return not is_saving

    def action_save(self) -> None:
        self._run(self._save, "save the policy")

    async def _save(self, edit: PolicyEdit) -> None:
        assert self._opened_on is not None
        outcome = await save_policy(self, self._opened_on, self.subject, edit)
        if outcome.text is not None:
            edit.text = outcome.text
            self.area.replace_policy(outcome.text)
        if outcome.report:
            await self._keep(edit)
            self.opener.changed([self.subject], outcome.report)

    def action_changes(self) -> None:
        self._run(self._show_changes, "show the changes")

    async def _show_changes(self, edit: PolicyEdit) -> None:
        assert self._opened_on is not None
        await show_changes(self, self._opened_on, self.subject, edit)

    def action_snippet(self) -> None:
        self._run(self._insert_snippet, "insert a statement")

    async def _insert_snippet(self, _: PolicyEdit) -> None:
        text = await editor_commands.insert_snippet(self, self.area, self.context)
        if text is not None:
            self.area.replace_policy(text)
            self.area.action_statement(1)

    def action_load_file(self) -> None:
        self._run(lambda _: editor_commands.load_file(self), "load a file")

    def action_write_file(self) -> None:
        self._run(lambda edit: editor_commands.write_file(self, self.subject.name, edit.text), "write a file")

    def action_external(self) -> None:
        self._run(self._edit_outside, "edit in another program")

    async def _edit_outside(self, edit: PolicyEdit) -> str | None:
        return editor_commands.edit_outside(self.app, edit.text)

    def action_discard(self) -> None:
        self._run(self._discard, "discard the changes")

    async def _discard(self, edit: PolicyEdit) -> None:
        if await editor_commands.confirm_discard(self, edit):
            edit.text = edit.base
            self.area.replace_policy(edit.text)
            await self._keep(edit)

    def action_history(self) -> None:
        self._run(partial(editor_commands.choose_version, self, self.subject.name), "show the history")

    def action_simulate(self) -> None:
        self._run(self._simulate, "simulate requests")

    async def _simulate(self, edit: PolicyEdit) -> None:
        self.app.push_screen(SimulateScreen(self.subject, edit.text, self.context))

    def action_back(self) -> None:
        if self.query_one(FindingsList).has_focus and not self.area.disabled:
            self.area.focus()
        elif self._may_begin():
            start(self, self._leave, group="command", description="leave the editor")

    async def _leave(self) -> None:
        """Close the editor; unsaved changes stay as a draft, of which it notifies."""
        if self.edit is None or await editor_commands.may_leave(self, self.subject.name, self.edit):
            self.app.pop_screen()
