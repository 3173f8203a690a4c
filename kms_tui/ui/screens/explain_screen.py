"""``ExplainScreen``: paste an error message, see why it was denied, and what helps."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.events import Paste
from textual.widget import Widget

from kms_tui.denials.event_message import read_paste
from kms_tui.denials.explanation import Explanation, ProvedFix, explanation_lines
from kms_tui.denials.fixes import FixKind, FixPart
from kms_tui.denials.judging import Inquiry, LayerSource, judge
from kms_tui.kms.arn import Arn, key_id_of
from kms_tui.kms.errors import KmsTuiError
from kms_tui.policy.denial_case import DenialCase
from kms_tui.policy.layers import NamedPolicy
from kms_tui.session import Session
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.clipboard import copy_text
from kms_tui.ui.base.host import KeysChanged
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.dialogs.questions import Choose, Confirm
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.screens.explain_dialogs import ask_files, ask_request, save_case
from kms_tui.ui.screens.explain_words import cause_content, details_content, fix_line, stack_table
from kms_tui.ui.widgets.form_widgets import TextArea
from kms_tui.ui.widgets.text_widgets import Static

_REST_SECONDS = 0.15
_BEFORE_READING = 0.35
"""How long typing rests before AWS is asked for the layers."""
_EMPTY = (
    "Paste an AccessDenied message, an event of CloudTrail, or the output of a program that has one. "
    "Line breaks, colours and what is around it do not matter."
)


class ExplainScreen(ModeScreen):
    """Explains the pasted text, or a question that another screen asks."""

    HELP = (
        "Paste what a program printed: the message is read as it is, and nothing is sent. When it "
        "names a denied "
        "KMS request, the layers of policies behind it are read from AWS (IAM, Organizations, EC2, KMS; only "
        "reading calls) and judged together. What may not be read is not known, and the answer says so. What "
        "helps was tried in an offline KMS before it is offered; nothing is changed until you save it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "Back", id="explain.back", tooltip="Leave the text; then back"),
        Binding("f2", "add", "Add…", id="explain.add", tooltip="Give what the message does not say"),
        Binding(
            "ctrl+o", "files", "Files…", id="explain.files", tooltip="Load policies of layers from files"
        ),
        Binding("e", "fix", "Fix…", id="explain.fix", tooltip="Open what helps as a change, to review"),
        Binding("c", "copy", "Copy", id="explain.copy", tooltip="Copy the explanation as text"),
        Binding(
            "w", "save", "Save case…", id="explain.save", tooltip="Write the denial with its layers to a file"
        ),
        Binding("r", "again", "Read again", id="explain.again", tooltip="Read the layers again"),
        Binding(
            "f1",
            "app.help",
            "Help",
            id="explain.help",
            tooltip="Explain this screen and its keys",
            show=False,
        ),
    ]
    BEFORE_SESSION: ClassVar[frozenset[str]] = frozenset({"back", "add", "files", "copy", "save", "again"})
    DEFAULT_CSS = """
    ExplainScreen {
        #explain { height: 1fr; padding: 1 1 0 2; }
        #explain-text { height: 6; background: $surface; }
        #explain-answer { height: 1fr; margin: 1 0 0 0; scrollbar-size-vertical: 1; }
        #explain-answer Static { height: auto; }
        #explain-stack { margin: 1 0 0 0; }
        &.-narrow {
            #explain { padding: 0 1 0 2; }
            #explain-text { height: 4; }
        }
    }
    """

    def __init__(self, text: str = "", inquiry: Inquiry | None = None) -> None:
        super().__init__()
        self._text = text
        self._inquiry = inquiry or Inquiry()
        self._asks = inquiry is not None
        """Whether there is a question without a text: another screen's, or one typed here."""
        self._explanation: Explanation | None = None
        self._turn = 0
        """Counts what was asked; an older reading stops between two calls."""

        self._was_pasted = False
        """Whether the text came in one piece: then the answer gets the focus, and its keys are at hand."""

    def compose_body(self) -> Iterable[Widget]:
        with Vertical(id="explain"):
            yield TextArea(self._text, id="explain-text", compact=True, tab_behavior="focus", soft_wrap=True)
            with VerticalScroll(id="explain-answer", can_focus=True):
                yield Static(id="explain-cause")
                yield Static(id="explain-stack")
                yield Static(id="explain-details")

    def on_mount(self) -> None:
        super().on_mount()
        area = self.query_one("#explain-text", TextArea)
        area.display = not self._asks
        self.query_one("#explain-answer" if self._text or self._asks else "#explain-text").focus()
        self._soon()

    def on_unmount(self) -> None:
        self._turn += 1

    def session_opened(self, session: Session) -> None:
        self._soon()

    # Explaining

    def on_paste(self, event: Paste) -> None:
        """A paste that is not put into a text is the next message as a whole."""
        self._was_pasted = True
        area = self.query_one("#explain-text", TextArea)
        if not area.has_focus or area.text.split() == event.text.split():
            self._take(event.text)

    def _take(self, text: str) -> None:
        """Explain another text; what was given for the one before is not about it."""
        area = self.query_one("#explain-text", TextArea)
        area.display = True
        self._asks = False
        self._inquiry = Inquiry(files=self._inquiry.files)
        if area.text == text:
            self._soon()
        else:
            area.text = text

    @on(TextArea.Changed, "#explain-text")
    @on(KeysChanged)
    def _soon(self) -> None:
        self._turn += 1
        start(self, partial(self._explain, self._turn), group="explain", description="explain a denial")

    async def _explain(self, turn: int) -> None:
        text = self.query_one("#explain-text", TextArea).text
        if not (text.strip() or self._asks):
            self._show_text(Content.styled(_EMPTY, "$foreground-muted"))
            return
        inquiry = self._inquiry
        if text.strip():
            await asyncio.sleep(_REST_SECONDS)
            message = await off_loop(lambda: read_paste(text))
            inquiry = replace(inquiry, message=message)
            self._show(Explanation(message))
            if self._was_pasted:
                self._was_pasted = False
                self.query_one("#explain-answer").focus()
            if not (message.is_denial or message.encoded):
                return
        source = await off_loop(partial(self._source, inquiry))
        if source is None and not inquiry.has_layers:
            return

        def keep_going() -> bool:
            return self._turn == turn

        try:
            self.show_status("reading the layers…")
            await asyncio.sleep(_BEFORE_READING)
            self._show(await off_loop(lambda: judge(inquiry, source, keep_going=keep_going)))
        except KmsTuiError as error:
            self._show_text(safe(error.with_next_step).stylize("$error"))
        finally:
            if self.is_mounted:
                self.show_status("")

    def _source(self, inquiry: Inquiry) -> LayerSource | None:
        """The account of who was denied, where it is listed, else the current one."""
        if self.session is None:
            return None
        principal = inquiry.message.principal if inquiry.message is not None else ""
        account = self.session.account_of(inquiry.asked.principal or principal or "")
        with suppress(KmsTuiError):
            return LayerSource(account.kms(), account.services())
        return LayerSource(self.session.kms, self.session.services)

    def _show_text(self, content: Content) -> None:
        self._explanation = None
        self.query_one("#explain-cause", Static).update(content)
        for name in ("#explain-stack", "#explain-details"):
            self.query_one(name, Static).update()
        self.refresh_bindings()

    def _show(self, explanation: Explanation) -> None:
        self._explanation = explanation
        self.query_one("#explain-cause", Static).update(cause_content(explanation))
        self.query_one("#explain-stack", Static).update(stack_table(explanation))
        self.query_one("#explain-details", Static).update(details_content(explanation))
        self.refresh_bindings()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        found = self._explanation
        if action == "fix" and not (found is not None and self._changes(found)):
            return False
        if action == "save" and (found is None or found.request is None):
            return False
        if action == "copy" and found is None:
            return False
        return super().check_action(action, parameters)

    def action_back(self) -> None:
        """Leave the text, whose keys type; then the screen."""
        if self.focused is not None and self.focused.id == "explain-text" and self._explanation is not None:
            self.query_one("#explain-answer").focus()
        else:
            self.dismiss()

    def action_again(self) -> None:
        self._soon()

    def action_copy(self) -> None:
        if self._explanation is not None:
            copy_text(self.host, "\n".join(explanation_lines(self._explanation)))
            self.host.notify("The explanation is copied.")

    def action_add(self) -> None:
        start(self, self._add, group="dialog", description="add to a request")

    async def _add(self) -> None:
        message = self.query_one("#explain-text", TextArea).text
        asked = await ask_request(self, self._inquiry.asked, message)
        if asked is not None:
            self._inquiry = replace(self._inquiry, asked=asked)
            self._asks = True
            self._soon()

    def action_files(self) -> None:
        start(self, self._files, group="dialog", description="load layers from files")

    async def _files(self) -> None:
        files = await ask_files(self, self._inquiry.files)
        if files is not None:
            self._inquiry = replace(self._inquiry, files=files)
            self._soon()

    def action_save(self) -> None:
        found = self._explanation
        if found is not None and found.request is not None and found.layers is not None:
            case = DenialCase(found.request, found.layers)
            start(self, partial(save_case, self, case), group="dialog", description="save a case")

    # What helps

    @staticmethod
    def _changes(explanation: Explanation) -> list[tuple[ProvedFix, FixPart]]:
        return [(each, part) for each in explanation.fixes if each.fix.is_change for part in each.fix.parts]

    def action_fix(self) -> None:
        if self._explanation is not None:
            self.start_action(partial(self._fix, self._explanation), description="open a fix")

    async def _fix(self, explanation: Explanation) -> None:
        changes = self._changes(explanation)
        chosen = await self.ask(Choose("What helps", [fix_line(each) for each, _ in changes]))
        if chosen is None or explanation.request is None:
            return
        part, arn = changes[chosen][1], explanation.request.key_arn
        match part.kind:
            case FixKind.KEY_POLICY:
                await self._edit_policy(explanation, arn, part.policy)
            case FixKind.GRANT if self.session is not None and self.session.read_only:
                copy_text(self.host, part.text)
                self.host.notify("This session is read-only: the grant is copied, and not created.")
            case FixKind.GRANT:
                await self._create_grant(arn, part)
            case _:
                copy_text(self.host, part.text)
                self.host.notify("The statement is copied: hand it to who manages the caller's IAM policies.")

    async def _edit_policy(self, explanation: Explanation, arn: str, policy: str) -> None:
        """Open the policy with the fix, unless the key has another policy than was judged."""
        from kms_tui.ui.policy_editor.editor_screen import PolicyEditor

        subject = await self._subject(arn)
        if subject is None:
            return
        kms = self.kms_for(subject)
        text = await self.attempt(lambda: kms.key_policy(arn), doing="read the key policy")
        judged = explanation.layers.key_policy if explanation.layers is not None else None
        is_other = isinstance(judged, NamedPolicy) and judged.document.text != text
        if text is not None and is_other and self._inquiry.key_policy is None:
            self.host.notify("The key policy was changed meanwhile: it is read and judged again.")
            self._soon()
        elif text is not None:
            self.app.push_screen(PolicyEditor(self, subject, begin_with=policy))

    async def _create_grant(self, arn: str, part: FixPart) -> None:
        subject = await self._subject(arn)
        if subject is None or not await self.confirm_protected("Create a grant", [subject]):
            return
        kms = self.kms_for(subject)
        lines = [safe(f"On {subject.name}, this grant is created:"), safe(part.text, newlines=True)]
        if not await self.ask(Confirm("Create this grant?", lines, confirm="Create")):
            return
        members = {name: value for name, value in part.grant.items() if name != "KeyId"}
        if await self.succeeds(partial(kms.create_grant, arn, **members), doing="create the grant"):
            self.changed([subject], "The grant is created; it is in force within five minutes.")

    async def _subject(self, arn: str) -> Subject | None:
        """The key as the rest of the console knows it."""
        session = self.session
        if session is None:
            return None
        region = Arn.parse(arn).region
        bare = Subject(key_id_of(arn), arn, region, (), None)
        kms = self.kms_for(bare)
        key = await self.attempt(lambda: kms.describe(arn), doing="describe the key")
        if key is None:
            return None
        aliases = await self.attempt(lambda: kms.aliases(arn), doing="list the key's aliases")
        names = tuple(alias.short_name for alias in aliases or ())
        return replace(bare, aliases=names, key=key)
