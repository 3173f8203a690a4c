"""The copy menu: the output in any form, and the operation as a command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kms_tui.crypto_ops.commands import Where, input_note, python_code, shell_line
from kms_tui.crypto_ops.request import OperationRequest
from kms_tui.crypto_ops.results import Part
from kms_tui.formats import Format, encode, is_text
from kms_tui.ui.clipboard import copy_secret, copy_text
from kms_tui.ui.dialogs.choose import Choose
from kms_tui.ui.safe_text import Content

if TYPE_CHECKING:
    from kms_tui.ui.scratchpad.screen import ScratchpadScreen

_FORMS = (Format.TEXT, Format.BASE64, Format.BASE64URL, Format.HEX)


@dataclass(frozen=True, slots=True)
class _Copy:
    """One entry of the menu: an output in a form, or else a command."""

    title: str
    note: str
    form: Format | None = None
    write: Callable[[OperationRequest, Where], str] | None = None


_COMMANDS = (
    _Copy("As an aws kms command", "reads its input from a file named INPUT", write=shell_line),
    _Copy("As Python with boto3", "reads its input from a file named INPUT", write=python_code),
)


async def copy_menu(screen: ScratchpadScreen) -> None:
    """Ask what to copy, and copy it."""
    part = screen.output.part
    entries = [*_of_output(screen, part), *_COMMANDS]
    lines = [
        Content(entry.title.ljust(26)) + Content.styled(entry.note, "$foreground-muted") for entry in entries
    ]
    chosen = await screen.ask(Choose("Copy", lines))
    if chosen is None:
        return
    entry = entries[chosen]
    if entry.form is not None and part is not None:
        copy_part(screen, part, entry.form)
    elif entry.write is not None:
        await _copy_command(screen, entry.write)


def _of_output(screen: ScratchpadScreen, part: Part | None) -> list[_Copy]:
    if part is None:
        return []
    forms = [form for form in _FORMS if form is not Format.TEXT or is_text(part.value.reveal())]
    forms.sort(key=lambda form: form is not screen.output.form)
    seconds = screen.kms_app.config.clipboard_seconds
    note = f"cleared from the clipboard after {seconds:g} s" if part.secret else ""
    return [_Copy(f"{part.name} as {form.value}", note, form=form) for form in forms]


def copy_part(screen: ScratchpadScreen, part: Part, form: Format) -> None:
    """Copy an output; a secret one does not stay on the clipboard."""
    app, text = screen.kms_app, encode(part.value.reveal(), form)
    if not part.secret:
        copied = copy_text(app, text)
        app.notify(f"{part.name} copied{' through the terminal' if copied.through_terminal else ''}.")
        return
    seconds = app.config.clipboard_seconds
    if copy_secret(app, part.value, text, seconds=seconds).through_terminal:
        app.notify(
            f"{part.name} copied through the terminal. That clipboard cannot be read back, "
            f"so it is emptied in {seconds:g} s, whatever it holds by then.",
            severity="warning",
        )
    else:
        app.notify(f"{part.name} copied. In {seconds:g} s it is cleared, if it is still there.")


async def _copy_command(screen: ScratchpadScreen, write: Callable[[OperationRequest, Where], str]) -> None:
    request = screen.request_for_command()
    session = screen.session
    if request is None or session is None:
        return
    where = Where(session.connection.profile or "", session.connection.endpoint_url or "")
    text = await screen.attempt(lambda: write(request, where), doing="write the command")
    if text is not None:
        copied = copy_text(screen.kms_app, text)
        how = " through the terminal" if copied.through_terminal else ""
        note = input_note(request) or "It reads its input from a file named INPUT."
        screen.kms_app.notify(f"Command copied{how}. {note}" if request.role else f"Command copied{how}.")
