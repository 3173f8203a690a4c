"""The questions that the scratchpad asks in dialogs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kms_tui.atomic import PRIVATE, SHARED, atomic_file
from kms_tui.crypto_ops.inputs import InputError, from_json
from kms_tui.crypto_ops.operations import OPERATIONS, Name
from kms_tui.crypto_ops.results import Part
from kms_tui.kms.model import Key
from kms_tui.ui.dialogs.confirm import Confirm
from kms_tui.ui.dialogs.form import Field, FlagField, Form, TextField, Values
from kms_tui.ui.safe_text import Content, safe
from kms_tui.ui.scratchpad.context_rows import ContextRows
from kms_tui.ui.scratchpad.past import past_dialog
from kms_tui.ui.scratchpad.path_input import path_of
from kms_tui.ui.scratchpad.picker import KeyPicker, Picked

if TYPE_CHECKING:
    from kms_tui.ui.scratchpad.screen import ScratchpadScreen


async def pick_key(screen: ScratchpadScreen) -> None:
    """Choose the key to work with; all keys are offered, since the operation follows the key."""
    found = screen.setup.operation.key_found
    picked = await _pick(screen, "Key", may_be_found=found, offers=lambda _: True)
    if picked is not None:
        await screen.use_key(picked.key, picked.region)


async def pick_destination(screen: ScratchpadScreen) -> None:
    """Choose the key to re-encrypt to, in any region."""
    picked = await _pick(
        screen,
        "Key to move the ciphertext to",
        may_be_found=False,
        offers=OPERATIONS[Name.RE_ENCRYPT].suits,
    )
    if picked is not None:
        await screen.setup.choose_destination(picked.key)


async def _pick(
    screen: ScratchpadScreen,
    title: str,
    *,
    may_be_found: bool,
    offers: Callable[[Key], bool],
) -> Picked | None:
    session = screen.session
    if session is None:
        return None
    return await screen.ask(
        KeyPicker(
            title,
            session.kms,
            session.inventory,
            may_be_found=may_be_found,
            offers=offers,
        )
    )


async def ask_json(screen: ScratchpadScreen, rows: ContextRows) -> None:
    """Enter an encryption context as JSON."""

    def check(text: str) -> str:
        try:
            from_json(text)
        except InputError as error:
            return f"{error} {error.next_step}".rstrip()
        return ""

    field = TextField("json", "A JSON object of strings", hint='{"tenant": "42"}', check=check)
    values = await screen.ask(Form("Encryption context", [field], lambda _: None, confirm="Use it"))
    if values is not None:
        rows.set_pairs(from_json(values["json"]))


async def ask_past(screen: ScratchpadScreen) -> None:
    """Look at the session's operations, and set one up again."""
    entries = tuple(screen.history.entries)
    if not entries:
        screen.kms_app.notify("Nothing has been done here in this session.")
        return
    chosen = await screen.ask(past_dialog(entries, screen.name_of))
    if chosen is not None:
        await screen.setup.set_up(entries[chosen])


async def ask_overwrite(screen: ScratchpadScreen, path: str) -> bool:
    """Whether an existing file may be replaced."""
    sentences = [safe(f"{path} exists already."), Content("Replacing it cannot be undone.")]
    dialog = Confirm("Replace the file?", sentences, confirm="Replace", danger=True)
    return await screen.ask(dialog) is True


async def save_output(screen: ScratchpadScreen, part: Part) -> None:
    """Write an output's bytes to a file, for its owner alone where they are secret."""

    def save(values: Values) -> None:
        path = path_of(values["path"])
        mode = PRIVATE if part.secret else SHARED
        with atomic_file(path, overwrite=bool(values["overwrite"]), mode=mode) as file:
            file.write(part.value.reveal())

    fields = [
        Field("path", "File", check=lambda text: "" if text.strip() else "Name a file."),
        FlagField("overwrite", "If it exists", hint="replace it"),
    ]
    lead = [safe(f"{part.name}, {len(part):,} bytes, as they are and not as text.")]
    values = await screen.ask(Form("Save the output", fields, save, confirm="Save", lead=lead))
    if values is not None:
        screen.kms_app.notify(f"{len(part):,} bytes written to {values['path']}.")
