"""The dialogs of the scratchpad: which key, the context as JSON, the history, what to copy, where to save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kms_tui.atomic import PRIVATE, SHARED, atomic_file, typed_path
from kms_tui.crypto_ops.commands import CommandConnection, input_note, python_code, shell_line
from kms_tui.crypto_ops.history import HistoryEntry
from kms_tui.crypto_ops.inputs import InputError, context_from_json
from kms_tui.crypto_ops.request import OperationRequest
from kms_tui.crypto_ops.results import Part
from kms_tui.crypto_ops.scratchpad_operations import OPERATIONS, OperationName
from kms_tui.formats import Format, encode, is_text
from kms_tui.kms.arn import key_id_of
from kms_tui.kms.model import Key
from kms_tui.ui.base.clipboard import copy_secret, copy_text
from kms_tui.ui.base.safe_text import Content, column, fit, safe
from kms_tui.ui.dialogs.form import FlagField, Form, FormField, TextField, Values
from kms_tui.ui.dialogs.questions import Choose, Confirm
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.scratchpad.context_rows import ContextRows
from kms_tui.ui.scratchpad.key_picker import KeyPicker, Picked

_FORMS = (Format.TEXT, Format.BASE64, Format.BASE64URL, Format.HEX)


async def pick_key(screen: ModeScreen, *, may_be_found: bool) -> Picked | None:
    """Choose the key to work with; all keys are offered, since the operation follows the key."""
    return await _pick(screen, "Key", may_be_found=may_be_found, offers=lambda _: True)


async def pick_destination(screen: ModeScreen) -> Picked | None:
    """Choose the key to re-encrypt to, in any Region."""
    offers = OPERATIONS[OperationName.RE_ENCRYPT].suits
    return await _pick(screen, "Key to move the ciphertext to", may_be_found=False, offers=offers)


async def _pick(
    screen: ModeScreen, title: str, *, may_be_found: bool, offers: Callable[[Key], bool]
) -> Picked | None:
    session = screen.session
    if session is None:
        return None
    picker = KeyPicker(title, session, may_be_found=may_be_found, offers=offers)
    return await screen.ask(picker)


async def ask_json(screen: ModeScreen, rows: ContextRows) -> None:
    """Enter an encryption context as JSON."""

    def check(text: str) -> str:
        try:
            context_from_json(text)
        except InputError as error:
            return error.with_next_step
        return ""

    field = TextField("json", "A JSON object of strings", hint='{"tenant": "42"}', check=check)
    values = await screen.ask(Form("Encryption context", [field], lambda _: None, confirm="Use it"))
    if values is not None:
        rows.set_pairs(context_from_json(values["json"]))


async def choose_from_history(
    screen: ModeScreen, entries: Sequence[HistoryEntry], name_of: Callable[[str], str]
) -> HistoryEntry | None:
    """Look at the session's operations; the chosen one is to be set up again."""
    if not entries:
        screen.host.notify("Nothing has been done here in this session.")
        return None
    lines = [_history_line(entry, name_of) for entry in entries]
    chosen = await screen.ask(Choose("Operations of this session", lines))
    return entries[chosen] if chosen is not None else None


def _history_line(entry: HistoryEntry, name_of: Callable[[str], str]) -> Content:
    name = name_of(entry.key_arn) if entry.key_arn else ""
    return (
        Content.styled(f"{entry.time.astimezone():%H:%M:%S}  ", "$foreground-muted")
        + Content(f"{column(entry.operation.title, 19)}  {column(name or key_id_of(entry.key_arn), 20)}  ")
        + Content.styled(fit(entry.outcome, 26), "" if entry.succeeded else "$error")
    )


async def ask_overwrite(screen: ModeScreen, path: str) -> bool:
    """Whether an existing file may be replaced."""
    sentences = [safe(f"{path} exists already."), Content("Replacing it cannot be undone.")]
    dialog = Confirm("Replace the file?", sentences, confirm="Replace", danger=True)
    return await screen.ask(dialog) is True


async def save_output(screen: ModeScreen, part: Part) -> None:
    """Write an output's bytes to a file, for its owner alone where they are secret."""

    def save(values: Values) -> None:
        path = typed_path(values["path"])
        mode = PRIVATE if part.secret else SHARED
        with atomic_file(path, overwrite=bool(values["overwrite"]), mode=mode) as file:
            file.write(part.value.reveal())

    fields = [
        FormField("path", "File", check=lambda text: "" if text.strip() else "Name a file."),
        FlagField("overwrite", "If it exists", hint="replace it", is_consent=True),
    ]
    lead = [safe(f"{part.name}, {len(part):,} bytes, as they are and not as text.")]
    values = await screen.ask(Form("Save the output", fields, save, confirm="Save", lead=lead))
    if values is not None:
        screen.host.notify(f"{len(part):,} bytes written to {values['path']}.")


@dataclass(frozen=True, slots=True)
class _Copy:
    """One entry of the menu: an output in a form, or else a command."""

    title: str
    note: str
    form: Format | None = None
    write: Callable[[OperationRequest, CommandConnection], str] | None = None


_COMMANDS = (
    _Copy("As an aws kms command", "reads its input from a file named INPUT", write=shell_line),
    _Copy("As Python with boto3", "reads its input from a file named INPUT", write=python_code),
)


async def copy_menu(
    screen: ModeScreen, part: Part | None, form: Format, ready: Callable[[], OperationRequest | None]
) -> None:
    """Ask what to copy, and copy it.

    ``form`` is the one that the output is shown in. ``ready`` gives the operation as it is set up, for a
    command; None where something is missing, which it shows.
    """
    entries = [*_of_output(screen, part, form), *_COMMANDS]
    lines = [
        Content(entry.title.ljust(26)) + Content.styled(entry.note, "$foreground-muted") for entry in entries
    ]
    chosen = await screen.ask(Choose("Copy", lines))
    if chosen is None:
        return
    entry = entries[chosen]
    if entry.form is not None and part is not None:
        _copy_part(screen, part, entry.form)
    elif entry.write is not None:
        request = ready()
        if request is not None:
            await _copy_command(screen, request, entry.write)


def _of_output(screen: ModeScreen, part: Part | None, shown: Format) -> list[_Copy]:
    if part is None:
        return []
    forms = [form for form in _FORMS if form is not Format.TEXT or is_text(part.value.reveal())]
    forms.sort(key=lambda form: form is not shown)
    seconds = screen.host.config.clipboard_seconds
    note = f"cleared from the clipboard after {seconds:g} s" if part.secret else ""
    return [_Copy(f"{part.name} as {form.value}", note, form=form) for form in forms]


def _copy_part(screen: ModeScreen, part: Part, form: Format) -> None:
    """Copy an output; a secret one does not stay on the clipboard."""
    app, text = screen.host, encode(part.value.reveal(), form)
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


async def _copy_command(
    screen: ModeScreen, request: OperationRequest, write: Callable[[OperationRequest, CommandConnection], str]
) -> None:
    session = screen.session
    if session is None:
        return
    key = request.key.arn if request.key is not None else ""
    connection = session.connection_for(key)
    where = CommandConnection(connection.profile or "", connection.endpoint_url or "")
    text = await screen.attempt(lambda: write(request, where), doing="write the command")
    if text is not None:
        copied = copy_text(screen.host, text)
        how = " through the terminal" if copied.through_terminal else ""
        note = input_note(request) or "It reads its input from a file named INPUT."
        screen.host.notify(f"Command copied{how}. {note}" if request.role else f"Command copied{how}.")
