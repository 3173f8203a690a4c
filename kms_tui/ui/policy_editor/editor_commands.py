"""What the editor's keys do, saving apart. A command gives the text that the editor is to show, if any."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from textual.app import App, SuspendNotSupported

from kms_tui.atomic import typed_path
from kms_tui.kms.errors import KmsTuiError
from kms_tui.policy import pasted_text, snippets
from kms_tui.policy.json_reader import ScanError
from kms_tui.ui.base.background import off_loop
from kms_tui.ui.base.host import lent_terminal
from kms_tui.ui.base.policy_words import formatted
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.dialogs.form import FlagField, Form, FormField, Values
from kms_tui.ui.dialogs.questions import Choose, Confirm
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.policy_editor.outline import with_statement
from kms_tui.ui.policy_editor.policy_area import PolicyArea
from kms_tui.ui.policy_editor.policy_completion import PolicyContext
from kms_tui.ui.policy_editor.policy_edit import PolicyEdit
from kms_tui.ui.policy_editor.policy_history import HistoryDialog, read_versions
from kms_tui.ui.policy_editor.text_files import OutsideEdit, editor_command, read_policy, write_policy


class NotDoneError(KmsTuiError):
    """A command was not carried out; the sentence is shown above the text."""


def lay_out(area: PolicyArea) -> str:
    """The text formatted; a policy is taken out of the command output or template around it.

    Where the text is not JSON, the cursor goes to the error, and NotDoneError is raised.
    """
    text = area.policy_text
    paste = pasted_text.recognize(text)
    try:
        return formatted(paste.policy if paste and paste.policy else text)
    except ScanError as error:
        area.move_cursor(area.location_of(error.span.start), center=True)
        raise NotDoneError(f"Not formatted: {error}") from error


async def insert_snippet(screen: ModeScreen, area: PolicyArea, context: PolicyContext) -> str | None:
    """Choose a statement from the menu, and insert it after the one at the cursor."""
    menu = snippets.menu(context.account_id, context.partition)
    width = max(len(snippet.title) for snippet in menu) + 2
    lines = [
        Content(snippet.title.ljust(width)) + Content.styled(snippet.description, "$foreground-muted")
        for snippet in menu
    ]
    chosen = await screen.ask(Choose("Insert a statement", lines))
    if chosen is None:
        return None
    offset = area.offset_of(area.cursor_location)
    text = with_statement(area.policy_text, offset, menu[chosen].statement)
    if text is None:
        raise NotDoneError("There is no list of statements to insert one into.")
    return text


async def load_file(screen: ModeScreen) -> str | None:
    """The text of a file; undo brings the former one back."""
    texts: list[str] = []
    values = await screen.ask(
        Form(
            "Load a policy from a file",
            [FormField("path", "File", check=_named)],
            lambda values: texts.append(read_policy(_path(values))),
            confirm="Load",
        )
    )
    if values is None:
        return None
    screen.host.notify(f"{values['path']} is in the editor; nothing is saved yet.")
    return texts[-1]


async def write_file(screen: ModeScreen, name: str, text: str) -> None:
    """Write the text to a file as it is; ``name`` is the key's."""
    values = await screen.ask(
        Form(
            "Write the policy to a file",
            [
                FormField("path", "File", f"{name.replace('/', '-')}.json", check=_named),
                FlagField("overwrite", "", hint="Replace a file of that name", is_consent=True),
            ],
            lambda values: write_policy(_path(values), text, overwrite=bool(values["overwrite"])),
            confirm="Write",
        )
    )
    if values is not None:
        screen.host.notify(f"The text is written to {values['path']}; the key's policy is as it was.")


def _named(text: str) -> str:
    return "" if text.strip() else "Name a file."


def _path(values: Values) -> Path:
    return typed_path(values["path"])


def edit_outside(app: App[None], text: str) -> str | None:
    """Edit the text in VISUAL or EDITOR; None where it comes back unchanged."""
    try:
        edited = run_outside(app, text)
    except SuspendNotSupported as error:
        raise NotDoneError("This terminal cannot be handed to another program.") from error
    return edited if edited != text else None


def run_outside(app: App[None], text: str) -> str:
    """Suspend the console, run the program on the text, and return the text that it left."""
    with lent_terminal(app):
        return OutsideEdit(text).run(editor_command())


async def write_draft(edit: PolicyEdit) -> None:
    """Write the draft, or remove it where the text is as its base; raises FileError."""
    text = edit.text
    await off_loop(edit.draft.writing(text, edit.base))
    edit.drafted = text


async def confirm_discard(screen: ModeScreen, edit: PolicyEdit) -> bool:
    """Ask whether to go back to the key's policy and remove the draft."""
    if not edit.is_changed:
        screen.host.notify("Nothing to discard: the text is as on the key.")
        return False
    sentences = [Content("The text becomes the key's policy again, and the draft of your changes goes.")]
    dialog = Confirm("Discard your changes?", sentences, confirm="Discard", danger=True)
    return await screen.ask(dialog) is True


async def may_leave(screen: ModeScreen, name: str, edit: PolicyEdit) -> bool:
    """Keep unsaved changes as a draft, and notify; where that fails, ask whether to lose them."""
    try:
        await write_draft(edit)
    except KmsTuiError as error:
        sentences = [Content(f"The draft cannot be kept: {error}")]
        dialog = Confirm("Leave and lose your changes?", sentences, confirm="Leave", danger=True)
        if not await screen.ask(dialog):
            return False
        edit.drafted = edit.text
    else:
        if edit.is_changed:
            screen.host.notify(
                f"Nothing was saved: your changes to the policy of {name} are kept as a draft."
            )
    return True


async def choose_version(screen: ModeScreen, name: str, edit: PolicyEdit) -> str | None:
    """An earlier policy of the key; it becomes the text, unsaved."""
    reading = partial(read_versions, edit.target, edit.draft.files, edit.base)
    versions = await screen.attempt(reading, doing="read the earlier policies")
    if versions is None:
        return None
    version = await screen.ask(HistoryDialog(edit.target, name, versions, edit.base))
    if version is None:
        return None
    screen.host.notify("The earlier policy is in the editor; it is not saved yet.")
    return version.text
