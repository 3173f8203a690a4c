"""What the editor's keys do, saving apart."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from kms_tui.atomic import typed_path
from kms_tui.kms.errors import KmsTuiError
from kms_tui.policy import pasted_text, snippets
from kms_tui.policy.json_reader import ScanError
from kms_tui.ui.base.policy_words import formatted
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.dialogs.form import FlagField, Form, FormField, Values
from kms_tui.ui.dialogs.questions import Choose, Confirm
from kms_tui.ui.policy_editor.outline import with_statement
from kms_tui.ui.policy_editor.text_files import OutsideEdit, editor_command, read_policy, write_policy

if TYPE_CHECKING:
    from kms_tui.ui.policy_editor.editor_screen import PolicyEditor

Command = Callable[["PolicyEditor"], Coroutine[Any, Any, None]]
"""Awaited in a worker of the editor, once the policy has been read."""


def lay_out(editor: PolicyEditor) -> None:
    """Format, and take a policy out of what it was pasted in; where the text is no JSON, say where it goes
    wrong and change nothing.
    """
    text = editor.area.policy_text
    paste = pasted_text.recognised(text)
    try:
        laid_out = formatted(paste.policy if paste and paste.policy else text)
    except ScanError as error:
        editor.show_error(f"Not formatted: {error}")
        editor.area.move_cursor(editor.area.location_of(error.span.start), center=True)
        return
    if laid_out != text:
        editor.area.replace_policy(laid_out)


async def insert_snippet(editor: PolicyEditor) -> None:
    """Choose a statement, and put it behind the one at the cursor."""
    menu = snippets.menu(editor.around.account_id, editor.around.partition)
    width = max(len(snippet.title) for snippet in menu) + 2
    lines = [
        Content(snippet.title.ljust(width)) + Content.styled(snippet.description, "$foreground-muted")
        for snippet in menu
    ]
    chosen = await editor.ask(Choose("Insert a statement", lines))
    if chosen is None:
        return
    area = editor.area
    offset = area.offset_of(area.cursor_location)
    text = with_statement(area.policy_text, offset, menu[chosen].statement)
    if text is None:
        editor.show_error("There is no list of statements to insert one into.")
        return
    area.replace_policy(text)
    area.action_statement(1)


async def load_file(editor: PolicyEditor) -> None:
    """Replace the text by that of a file; undo brings the former one back."""
    texts: list[str] = []
    values = await editor.ask(
        Form(
            "Load a policy from a file",
            [FormField("path", "File", check=_named)],
            lambda values: texts.append(read_policy(_path(values))),
            confirm="Load",
        )
    )
    if values is not None:
        editor.area.replace_policy(texts[-1])
        editor.host.notify(f"{values['path']} is in the editor; nothing is saved yet.")


async def write_file(editor: PolicyEditor) -> None:
    """Write the text to a file, as it stands."""
    text = editor.text
    values = await editor.ask(
        Form(
            "Write the policy to a file",
            [
                FormField("path", "File", f"{editor.subject.name.replace('/', '-')}.json", check=_named),
                FlagField("overwrite", "", hint="Replace a file of that name"),
            ],
            lambda values: write_policy(_path(values), text, overwrite=bool(values["overwrite"])),
            confirm="Write",
        )
    )
    if values is not None:
        editor.host.notify(f"The text is written to {values['path']}; the key's policy is as it was.")


def _named(text: str) -> str:
    return "" if text.strip() else "Name a file."


def _path(values: Values) -> Path:
    return typed_path(values["path"])


async def edit_outside(editor: PolicyEditor) -> None:
    """Hand the terminal to VISUAL or EDITOR, and take what it left as a change of the text."""
    try:
        text = run_outside(editor, editor.text)
    except SuspendNotSupported:
        editor.show_error("This terminal cannot be handed to another program.")
        return
    except KmsTuiError as error:
        editor.show_error(f"{error} {error.next_step}")
        return
    if text != editor.text:
        editor.area.replace_policy(text)


def run_outside(editor: PolicyEditor, text: str) -> str:
    """The text after another program has had the terminal; the console stands still meanwhile."""
    with editor.app.suspend():
        return OutsideEdit(text).run(editor_command())


async def discard(editor: PolicyEditor) -> None:
    """Back to the key's policy, and the draft removed."""
    if not editor.is_dirty:
        editor.host.notify("Nothing to discard: the text is as on the key.")
        return
    sentences = [Content("The text becomes the key's policy again, and the draft of your changes goes.")]
    if await editor.ask(Confirm("Discard your changes?", sentences, confirm="Discard", danger=True)):
        editor.area.replace_policy(editor.base)
        editor.text = editor.base
        await editor.succeeds_keeping()


async def leave(editor: PolicyEditor) -> None:
    """Close the editor; unsaved changes stay as a draft, which is said."""
    try:
        await editor.keep_now()
    except KmsTuiError as error:
        sentences = [Content(f"The draft cannot be kept: {error}")]
        dialog = Confirm("Leave and lose your changes?", sentences, confirm="Leave", danger=True)
        if not await editor.ask(dialog):
            return
        editor.forget()
    else:
        if editor.is_dirty:
            editor.host.notify(
                f"Nothing was saved: your changes to the policy of {editor.subject.name} are kept as a draft."
            )
    editor.app.pop_screen()


async def show_history(editor: PolicyEditor) -> None:
    """Earlier policies of the key; the chosen one becomes the text, unsaved."""
    from kms_tui.ui.policy_editor.policy_history import HistoryDialog, read_versions

    target = editor.target
    assert target is not None
    reading = partial(read_versions, target, editor.files, editor.base)
    versions = await editor.attempt(reading, doing="read the earlier policies")
    if versions is None:
        return
    version = await editor.ask(HistoryDialog(target, editor.subject.name, versions, editor.base))
    if version is not None:
        editor.area.replace_policy(version.text)
        editor.host.notify("The earlier policy is in the editor; saving it asks the guard as ever.")


async def simulate(editor: PolicyEditor) -> None:
    """Ask what the text as typed would allow."""
    from kms_tui.ui.policy_editor.simulate_screen import SimulateScreen

    editor.app.push_screen(SimulateScreen(editor.subject, editor.text, editor.around))
