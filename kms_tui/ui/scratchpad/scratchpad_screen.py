"""``ScratchpadScreen``: every cryptographic operation by hand, on text and files."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical, VerticalScroll
from textual.widget import Widget

from kms_tui.atomic import AlreadyThereError
from kms_tui.crypto_ops.check import ExplainedError, check, check_for_command, explain
from kms_tui.crypto_ops.history import OperationHistory
from kms_tui.crypto_ops.inputs import Entered, InputError
from kms_tui.crypto_ops.request import ChosenKey, OperationRequest
from kms_tui.crypto_ops.results import Result
from kms_tui.crypto_ops.run import run
from kms_tui.crypto_ops.scratchpad_operations import OPERATIONS, Role, next_for, offered
from kms_tui.crypto_ops.sealing import ciphertext_facts
from kms_tui.envelope.errors import CancelledByUserError
from kms_tui.formats import Format, encode
from kms_tui.kms.arn import key_id_of
from kms_tui.kms.errors import KmsTuiError
from kms_tui.session import Session
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.subject import Subject, cannot_sign
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.scratchpad.context_rows import ContextRows
from kms_tui.ui.scratchpad.operation_settings import OperationList
from kms_tui.ui.scratchpad.output_pane import OutputPane
from kms_tui.ui.scratchpad.pane_fields import KeyField
from kms_tui.ui.scratchpad.scratchpad_dialogs import (
    ask_json,
    ask_overwrite,
    choose_from_history,
    copy_menu,
    pick_destination,
    pick_key,
    save_output,
)
from kms_tui.ui.scratchpad.setup_pane import SetupPane
from kms_tui.ui.widgets.run_progress import RunProgress, RunProgressLine
from kms_tui.ui.widgets.text_widgets import Button

_STYLE_SHEET = Path(__file__).with_name("scratchpad.tcss")
_LAST_SECONDS = 1.0
"""How long quitting waits for an operation to stop; it stops between two pieces of a file."""


class ScratchpadScreen(ModeScreen):
    """Operations on the left, input and output beside them, or below each other."""

    KNOWN_AFTER = 0.3
    """Seconds after the last keystroke until a ciphertext is parsed."""
    HELP = (
        "Every cryptographic operation by hand. The list offers what the chosen key can do; Enter goes on to "
        "the input, Esc comes back. Text, base64 and hex are detected; the list beside the input overrides "
        "that. Input too long for KMS, files of any size included, is encrypted in the AWS Encryption SDK's "
        "message format. Secrets are dots until you ask for them, and dots again when you leave."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, action, title, id=f"scratchpad.{action}", tooltip=tooltip, show=show)
        for key, action, title, tooltip, show in (
            ("ctrl+r,f5", "run", "Run", "Do what is set up here", True),
            ("k,f4", "key", "Key", "Choose the key", True),
            ("v,f2", "reveal", "Show", "Show the secret, or hide it", True),
            ("n,ctrl+n", "next", "Use next", "Make the output the next input", True),
            ("c", "copy", "Copy…", "Copy the output, or the command for it", True),
            ("s,ctrl+s", "save", "Save", "Write the output to a file", False),
            ("h,f8", "history", "History", "What was done here; set it up again", True),
            ("f,ctrl+o", "file", "File", "Take the input from a file", False),
            ("x", "context", "Context", "Add to the encryption context", False),
            ("C", "sign_menu", "Sign…", "Certificates, tokens, files and SSH with the chosen key", False),
            ("T", "grant_tokens", "Grant tokens…", "Send grant tokens with what is done here", False),
            ("z", "clear", "Clear", "Forget all inputs and the output", False),
            ("escape", "back", "Back", "Cancel, or back to the list", False),
        )
    ]

    def __init__(self) -> None:
        super().__init__()
        # As CSS_PATH, it would have all other style sheets read again.
        self.app.stylesheet.read(_STYLE_SHEET)
        self.history = OperationHistory()
        self.operations = OperationList()
        self.setup = SetupPane()
        self.output = OutputPane()
        self._run_button = Button(Content("Run"), id="run", variant="primary", tooltip=Content("ctrl+r"))
        self._progress_line = RunProgressLine()
        self._work = Container(id="work")
        self._in = VerticalScroll(id="in", can_focus=False)
        self._run_progress: RunProgress | None = None
        self._destination: ChosenKey | None = None
        """The key that the output was re-encrypted to, where it was."""

    def compose_body(self) -> Iterable[Widget]:
        with Horizontal(id="scratchpad"):
            yield self.operations
            with self._work:
                with self._in:
                    yield self.setup
                    with Horizontal(id="run-line"):
                        yield self._run_button
                    yield self._progress_line
                with Vertical(id="out"):
                    yield self.output

    # The session

    def session_opened(self, session: Session) -> None:
        self.history = OperationHistory()
        self.setup.last_context = self.history.last_context
        self.output.clear()
        start(self, self._start_over, group="setup", description="set the scratchpad up")

    async def _start_over(self) -> None:
        assert self.session is not None
        await self.setup.start_over(self.session.kms.region)
        self.operations.focus()

    def on_screen_suspend(self) -> None:
        """Hide secrets whenever another screen comes on top."""
        self.output.hide()
        self.setup.hide_secrets()

    async def use_key(self, key: ChosenKey | None, region: str = "") -> None:
        """Work with this key, or with none in this Region; offer the operations of the key."""
        self.setup.working_region = key.region if key else region or self.setup.home
        suits = key is None or key.key is None or self.setup.operation.suits(key.key)
        await self.setup.choose_key(key, None if suits else offered(key.key if key else None)[0])

    def name_of(self, arn: str) -> str:
        """A key's first alias, or its id where the inventory knows none."""
        key_id = key_id_of(arn)
        rows = self.session.inventory.rows_of(key_id) if self.session is not None else []
        return next((row.aliases[0] for row in rows if row.aliases), key_id)

    # Messages of the panes

    @on(SetupPane.Changed)
    def _setup_changed(self) -> None:
        setup = self.setup
        self.operations.show(offered(setup.key.key if setup.key else None), setup.operation)
        self._run_button.label = Content(setup.operation.title)
        main = setup.main
        if main is not None and main.role is Role.CIPHERTEXT:
            start(self, self._look_into, group="known", description="parse a ciphertext")

    @on(OperationList.Chosen)
    async def _operation_chosen(self, event: OperationList.Chosen) -> None:
        if event.operation is not self.setup.operation:
            self._go_on()
            await self.setup.choose_operation(event.operation)

    @on(OperationList.Entered)
    def _operation_entered(self) -> None:
        setup = self.setup
        self._go_on()
        if setup.operation.needs_key and setup.key is None:
            self.action_key()
        elif setup.main is not None:
            setup.main.focus_input()
        else:
            self._run_button.focus()

    def _go_on(self) -> None:
        """Leave the last output for the next operation, and scroll to the top."""
        self.output.leave()
        self._work.scroll_home(animate=False)
        self._in.scroll_home(animate=False)

    @on(KeyField.Asked)
    def _key_asked(self, event: KeyField.Asked) -> None:
        self._begin(self._pick_key if event.field is self.setup.key_field else self._pick_destination)

    async def _pick_key(self) -> None:
        picked = await pick_key(self, may_be_found=self.setup.operation.key_found)
        if picked is not None:
            await self.use_key(picked.key, picked.region)

    async def _pick_destination(self) -> None:
        picked = await pick_destination(self)
        if picked is not None:
            await self.setup.choose_destination(picked.key)

    @on(ContextRows.JsonAsked)
    def _json_asked(self, event: ContextRows.JsonAsked) -> None:
        self._begin(partial(ask_json, self, event.rows))

    @on(ContextRows.LastUsedAsked)
    def _last_used_asked(self, event: ContextRows.LastUsedAsked) -> None:
        setup = self.setup
        key = setup.key if event.rows is setup.context else setup.destination_key
        if key is not None:
            event.rows.set_pairs(self.history.last_context(key.arn))

    def _begin(self, ask: Callable[[], Awaitable[None]]) -> None:
        start(self, ask, group="ask", description="open a dialog")

    async def _look_into(self) -> None:
        """Show what a ciphertext reveals without being decrypted, once typing rests."""
        pane = self.setup.main
        assert pane is not None
        await asyncio.sleep(self.KNOWN_AFTER)
        try:
            given = pane.given
        except InputError:
            return
        if not isinstance(given, Entered):
            return
        facts = await self.attempt(lambda: ciphertext_facts(given), doing="look at the ciphertext")
        pane.show_known(
            (fact.label, self.name_of(fact.text) if fact.label == "Key" else fact.text)
            for fact in facts or ()
        )

    # Running

    @on(Button.Pressed, "#run")
    def _run_pressed(self) -> None:
        if self._run_progress is None:
            self.action_run()
        else:
            self._run_progress.stop.set()

    def action_run(self) -> None:
        if self.session is None or self._run_progress is not None:
            return
        self.setup.clear_errors()
        self.output.problem.say("")
        try:
            request = self.setup.request()
            check(request)
        except InputError as error:
            self._show_problem(ExplainedError(error.field, str(error), error.next_step))
            return
        start(self, partial(self._run, request), group="run", description="run an operation")

    async def _run(self, request: OperationRequest) -> None:
        session = self.session
        result = await self._make(request)
        if result is not None and session is not None and session is self.session:
            self.history.succeeded(request, result, session.now())
            self._destination = request.destination.key if request.destination else None
            await self.output.show(result, request.operation.title, self._facts(request, result))
            self.operations.focus()
            self.output.focus_output()

    async def _make(self, request: OperationRequest) -> Result | None:
        """The result; None where an error has been shown instead."""
        session = self.session
        assert session is not None
        key = self.setup.key
        account = session.account_of(key.arn) if key is not None else session.current
        kms = session.with_grant_tokens(account.kms())
        progress = self._run_progress = RunProgress()
        self._progress_line.follow(progress)
        self._run_button.label = "Cancel"
        try:
            return await off_loop(progress.ending(lambda: run(request, kms, progress.reporter())))
        except asyncio.CancelledError:  # the program quits: wait until the half-written file is removed
            progress.stop.set()
            progress.ended.wait(_LAST_SECONDS)
            raise
        except AlreadyThereError as error:
            refused = error
        except CancelledByUserError as error:
            self.output.clear()
            self.output.problem.say(str(error))
            self.host.notify(str(error))
            return None
        except KmsTuiError as error:
            problem = explain(error, request)
            self.history.failed(request, problem.sentence, session.now())
            self._show_problem(problem)
            return None
        finally:
            self._run_progress = None
            self._progress_line.done()
            self._run_button.label = Content(self.setup.operation.title)
        if await ask_overwrite(self, str(request.target)):
            return await self._make(replace(request, overwrite=True))
        self._show_problem(explain(refused, request))
        return None

    def _show_problem(self, problem: ExplainedError) -> None:
        # The result of an earlier run, "verified" above all, does not hold for this input.
        self.output.clear()
        if not self.setup.show_error(problem.field, problem.text):
            self.output.problem.say(problem.text)

    def _facts(self, request: OperationRequest, result: Result) -> tuple[tuple[str, str], ...]:
        """The key first, by name, then what the answer said and the sizes."""
        facts: list[tuple[str, str]] = []
        if result.key_arn:
            found = " (found from the ciphertext)" if request.key is None else ""
            facts.append(("Key", f"{self.name_of(result.key_arn)}{found}"))
        if request.given is not None and result.parts:
            facts.append(("Sizes", f"{request.given.size:,} bytes in, {result.size:,} bytes out"))
        facts += [(fact.label, fact.text) for fact in result.facts]
        if result.key_arn:
            facts.append(("Key ARN", result.key_arn))
        return tuple(facts)

    def request_for_command(self) -> OperationRequest | None:
        """The operation as it is set up, for a command; None where it has a problem, which is shown."""
        try:
            request = self.setup.request()
            check_for_command(request)
        except InputError as error:
            self._show_problem(ExplainedError(error.field, str(error), error.next_step))
            return None
        return request

    # The other keys

    def action_key(self) -> None:
        self._begin(self._pick_key)

    def action_grant_tokens(self) -> None:
        from kms_tui.ui.scratchpad.grant_tokens import ask_grant_tokens

        self._begin(partial(ask_grant_tokens, self))

    def action_sign_menu(self) -> None:
        self._begin(self._sign_menu)

    async def _sign_menu(self) -> None:
        from kms_tui.ui.signing.signing_menu import open_menu  # takes 0.2 s

        key = self.setup.key
        if key is None:
            self.host.notify("Choose a key first: it signs.")
            return
        subject = Subject(key.key_id, key.arn, key.region, (key.name,), key.key)
        reason = cannot_sign(subject)
        if reason:
            self.host.notify(f"{key.name} signs nothing here: {reason}.")
        else:
            await open_menu(self, [subject])

    def action_reveal(self) -> None:
        if self.output.is_masked:
            self.output.reveal()
        else:
            self.output.hide()

    async def action_next(self) -> None:
        """Hand the output that is shown to the operation that takes it."""
        part = self.output.part
        following = next_for(part.name) if part is not None else None
        if part is None or following is None:
            self.host.notify("There is no output that another operation takes.")
            return
        origin, moved = self.output.title, self._destination
        self._go_on()
        if moved is not None:
            await self.use_key(moved)
        await self.setup.choose_operation(OPERATIONS[following.operation])
        pane = await self.setup.input_pane(following.role)
        if part.secret:
            pane.hold(part.value, origin)
        elif part.form is Format.TEXT:
            pane.set_text(part.value.reveal().decode())
        else:
            pane.set_text(encode(part.value.reveal(), Format.BASE64), Format.BASE64)
        pane.focus_input()

    def action_copy(self) -> None:
        self._begin(partial(copy_menu, self, self.output.part, self.output.form, self.request_for_command))

    def action_save(self) -> None:
        part = self.output.part
        if part is not None:
            self._begin(partial(save_output, self, part))

    def action_history(self) -> None:
        self._begin(self._set_up_again)

    async def _set_up_again(self) -> None:
        entry = await choose_from_history(self, tuple(self.history.entries), self.name_of)
        if entry is not None:
            await self.setup.set_up(entry)

    def action_file(self) -> None:
        if self.setup.main is not None:
            self.setup.main.set_file(self.setup.main.path.value)
            self.setup.main.focus_input()

    def action_context(self) -> None:
        if self.setup.context.display:
            self.setup.context.add()

    def action_clear(self) -> None:
        self.setup.clear()
        self.output.clear()

    def action_back(self) -> None:
        if self._run_progress is not None:
            self._run_progress.stop.set()
        else:
            self.operations.focus()
