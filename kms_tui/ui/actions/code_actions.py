"""Keys as infrastructure code: choose the format, read, copy and save what is written."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import ClassVar

from kms_tui.as_code.code import Code, write_files
from kms_tui.as_code.code_formats import CODE_FORMATS, CodeFormat
from kms_tui.as_code.key_definition import KeyReading, reason_left_out
from kms_tui.atomic import typed_path
from kms_tui.session import Connection
from kms_tui.ui.actions.export_actions import check_path
from kms_tui.ui.base.command_lines import connection_flags
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Reason, Subject, names
from kms_tui.ui.base.words import counted
from kms_tui.ui.dialogs.form import FlagField, Form, FormField, Values
from kms_tui.ui.dialogs.output_screen import Output, OutputScreen
from kms_tui.ui.dialogs.questions import Choose
from kms_tui.ui.mode_screen import ModeScreen

MOST = 200
"""Keys at once; some six calls each."""
_TITLE_CELLS = 20


def cannot_write(subject: Subject) -> Reason:
    """Why no code holds the key."""
    return "" if subject.key is None else reason_left_out(subject.key)


async def show_code(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Ask for the format, read the keys, and show their code; below it, which of them it does not hold.

    It changes nothing: keys of read-only accounts are written as all others.
    """
    session = screen.session
    assert session is not None
    if len(subjects) > MOST:
        screen.host.notify(
            f"{len(subjects):,} keys are marked; `kms-tui code --filter` writes more than {MOST}.",
            title="In code…",
            severity="warning",
        )
        return
    formats = list(CODE_FORMATS.items())
    lines = [
        safe(each.title.ljust(_TITLE_CELLS)) + Content.styled(each.words, "$foreground-muted")
        for _, each in formats
    ]
    chosen = await screen.ask(Choose(f"{names(subjects)} in code, as", lines))
    if chosen is None:
        return
    name, form = formats[chosen]
    arns = [subject.arn for subject in subjects]
    reading = KeyReading(arns, session.kms_for)
    if len(arns) > 1:
        screen.host.notify(f"Reading {counted(len(arns), 'key')}…", title="In code…")
    read = await screen.attempt(reading.read, doing="read the keys")
    if read is None:
        return
    code = form.write(read.definitions)
    missing = [*read.left_out, *read.unread]
    if not code.files:
        text = " ".join((*missing, *code.notes))
        screen.host.notify(text, title="Nothing to write", severity="warning")
        return
    command = code_command(arns, name, screen.host.connection)
    screen.app.push_screen(CodeScreen(form, code, missing, command, screen.host.connection))


def code_command(arns: Sequence[str], form: str, connection: Connection) -> str:
    """The ``kms-tui code`` line that writes the same files."""
    words = ["kms-tui", "code", *arns, "--format", form, "-o", "infrastructure"]
    return shlex.join([*words, *connection_flags(connection)])


class CodeScreen(OutputScreen):
    """The main file of the code, and below it what code does not hold; several files are saved together."""

    HELP: ClassVar[str] = (
        "c copies the code, w writes its files, x copies the kms-tui command that writes the same, esc "
        "closes this. What the code does not hold stands below it."
    )

    def __init__(
        self, form: CodeFormat, code: Code, missing: Sequence[str], command: str, connection: Connection
    ) -> None:
        main = next(iter(code.files))
        facts = [("Missing", sentence) for sentence in missing]
        facts += [("Note", sentence) for sentence in code.notes]
        facts += [("Files", ", ".join(code.files))] if len(code.files) > 1 else []
        title = f"{form.title}: {main}"
        if notes := len(missing) + len(code.notes):
            title += f" · {counted(notes, 'note')} below"
        super().__init__(Output(title, code.files[main].encode(), main, facts=facts), command, connection)
        self.code = code

    def save_form(self) -> Form:
        return super().save_form() if len(self.code.files) == 1 else FilesForm(self.code)


class FilesForm(Form):
    """The directory for the files of the code."""

    def __init__(self, code: Code) -> None:
        self.code = code
        fields = [
            FormField("path", "Directory", "infrastructure", check=check_path),
            FlagField("overwrite", "If files exist", hint="replace them", is_consent=True),
        ]
        title = f"Write {counted(len(code.files), 'file')}"
        super().__init__(title, fields, self._write, confirm="Write", blame={"FileError": "path"})

    def _write(self, values: Values) -> None:
        write_files(self.code, typed_path(values["path"]), overwrite=bool(values["overwrite"]))
