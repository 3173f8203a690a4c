"""``SigningForm``: the fields of a task, and below them, live, what will be signed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget

from kms_tui.envelope.errors import CancelledByUserError
from kms_tui.kms.errors import KmsTuiError
from kms_tui.session import Connection
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.clipboard import copy_text
from kms_tui.ui.base.command_lines import shell_line
from kms_tui.ui.base.host import host_of
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.dialogs.form import Form, Values
from kms_tui.ui.dialogs.output_screen import Output
from kms_tui.ui.signing.signing_task import SigningTask
from kms_tui.ui.widgets.facts_table import facts_table
from kms_tui.ui.widgets.form_widgets import Checkbox, Select, SelectionList, TextArea
from kms_tui.ui.widgets.run_progress import RunProgress, RunProgressLine, progress_words
from kms_tui.ui.widgets.text_widgets import Input, Static

_PREVIEW_SECONDS = 0.15
"""After the last key; the preview may read files."""
_MOST_SAID = 400
"""Characters of an error."""


def _progress_words(done: int, total: int | None, seconds: float) -> str:
    """How much of a file is read; "" where none is read, and once the call is under way."""
    if not done or not total or done >= total:
        return ""
    return f"{100 * done // total} % · {progress_words(done, total, seconds)}"


class SigningForm(Form):
    """Asks for a task's fields, shows what will be signed, and signs; ``output`` is what was made."""

    HELP: ClassVar[str] = (
        "Beside or below the fields stands, as you type, what will be signed; nothing is before you confirm. "
        "f4 copies the command line that does the same."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f4",
            "copy_command",
            "Copy the command line",
            id="signing.command",
            tooltip="Copy the kms-tui command that does the same",
        )
    ]

    def __init__(self, task: SigningTask, subject: Subject, opened: Any, now: Callable[[], datetime]) -> None:
        self.signing_task, self.subject, self.opened = task, subject, opened
        self._now = now
        self.output: Output | None = None
        self._progress = RunProgress()
        self._progress_line = RunProgressLine(_progress_words)
        super().__init__(
            f"{task.title}: {subject.name}",
            task.fields(subject, opened),
            self._make,
            confirm=task.confirm,
            blame=task.blame,
            about=subject.arn,
        )

    def compose_confirmation(self) -> Iterable[Widget]:
        yield VerticalScroll(
            Static(Content(self.signing_task.preview_title), classes="field-label"),
            Static(id="preview"),
            id="signing-preview",
            can_focus=False,
        )
        yield self._progress_line

    def on_mount(self) -> None:
        super().on_mount()
        self.watch(self.query_one("#signing-preview"), "virtual_size", self.body_changed, init=False)
        self._show_preview()

    def body_changed(self) -> None:
        """Tab goes to the preview where it has more than fits."""
        preview = self.query_one("#signing-preview", VerticalScroll)
        preview.can_focus = preview.max_scroll_y > 0
        super().body_changed()

    def keys_line(self) -> Content:
        key = host_of(self).shown_key("signing.command", "f4")
        command = Content.styled(key, "$accent") + Content(" Copy the command line")
        return super().keys_line() + Content("   ") + command

    def _make(self, values: Values) -> None:
        progress = self._progress.reporter()
        self.output = self.signing_task.make(self.opened, values, self._now(), progress)

    async def _submit(self, values: Values) -> None:
        self._progress = RunProgress()
        self._progress_line.follow(self._progress)
        try:
            await super()._submit(values)
        finally:
            self._progress.stop.set()
            self._progress_line.done()

    def cancel(self) -> None:
        """Stop while a file is being read: nothing is sent until it is read."""
        if self.is_calling and self._progress.is_reading:
            self._progress.stop.set()
        else:
            super().cancel()

    @on(Input.Changed)
    @on(Select.Changed)
    @on(Checkbox.Changed)
    @on(SelectionList.SelectedChanged)
    @on(TextArea.Changed)
    def _changed(self) -> None:
        self._show_preview(_PREVIEW_SECONDS)

    def _show_preview(self, wait: float = 0) -> None:
        start(self, partial(self._preview, wait), group="preview", description="preview")

    async def _preview(self, wait: float) -> None:
        await asyncio.sleep(wait)
        values, shown = self.values(), self.query_one("#preview", Static)
        try:
            now = self._now()
            facts = await off_loop(lambda: self.signing_task.preview(self.opened, values, now))
        except KmsTuiError as error:
            shown.update(Content.styled("not yet: ", "$foreground-muted") + safe(_shortened(str(error))))
        else:
            shown.update(facts_table(facts))

    def _blame(self, error: KmsTuiError) -> None:
        if isinstance(error, CancelledByUserError):
            self.show_error("Stopped before anything was sent.")
            return
        name = getattr(error, "field", "")
        if not any(field.name == name for field in self.fields):
            super()._blame(error)
            return
        self.show_field_error(name, f"{_shortened(str(error))} {error.next_step}".strip())
        self.query_one(f"#{name}").focus()

    def action_copy_command(self) -> None:
        app = host_of(self)
        connection = app.session.connection_for(self.subject.arn) if app.session else app.connection
        line = command_line(self.signing_task, self.subject, self.values(), connection)
        if "\0" in line:
            app.notify("No command line can hold the character NUL.", severity="warning")
            return
        copy_text(app, line)
        app.notify("The command line is copied.")


def _shortened(sentence: str) -> str:
    """A sentence that may repeat what was pasted into the wrong field."""
    if len(sentence) <= _MOST_SAID:
        return sentence
    return f"{sentence[: _MOST_SAID // 2]} … {sentence[-_MOST_SAID // 2 :]}"


def command_line(task: SigningTask, subject: Subject, values: Values, connection: Connection) -> str:
    """The ``kms-tui`` command that does the same."""
    return shell_line(task.command(subject, values), task.piped(values), connection)
