"""Saving, as the person meets it: refused, in conflict, reviewed, sent, and read again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kms_tui.backend.wrappers.policy_guard import PolicyRefusedError
from kms_tui.kms.errors import KmsTuiError
from kms_tui.ui.base.background import off_loop
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.dialogs.questions import Confirm
from kms_tui.ui.policy_editor.policy_edit import (
    BYPASS_PHRASE,
    CallerLosesError,
    ConflictError,
    SaveResult,
    caller_loses,
    check_before_saving,
    is_same,
    save,
)
from kms_tui.ui.policy_editor.policy_review import ConflictChoice, ConflictDialog, ReviewDialog, review

if TYPE_CHECKING:
    from kms_tui.ui.policy_editor.editor_screen import PolicyEditor


async def save_policy(editor: PolicyEditor) -> None:
    """Guard, review, confirm, PutKeyPolicy, read again; whatever stops it, the text stays."""
    target, text, base = editor.target, editor.text, editor.base
    assert target is not None
    if text == base:
        editor.host.notify("Nothing to save: the text is as on the key.")
        return
    try:
        result = await off_loop(partial(check_before_saving, target, text, base, editor.now()))
    except KmsTuiError as error:
        await _stopped(editor, error)
        return
    change = await off_loop(partial(review, target, base, text, result))
    if not await editor.ask(ReviewDialog(f"Save this policy to {editor.subject.name}?", change, save=True)):
        return
    if not await _protection_lifted(editor):
        return
    if not caller_loses(result):
        await _put(editor, text)
    elif await _ask_bypass(editor, "You yourself lose access by this policy, and KMS rejects such a save."):
        await _put(editor, text, BYPASS_PHRASE)


async def _protection_lifted(editor: PolicyEditor) -> bool:
    """Whether the configuration does not protect the key, or its name was typed."""
    subject, session = editor.subject, editor.session
    assert session is not None
    if not session.settings.protects(subject.key_id, *subject.aliases):
        return True
    sentences = [Content("The configuration protects this key: any change to it asks for its name.")]
    dialog = Confirm(
        f"Save the policy of {subject.name}?",
        sentences,
        confirm="Save policy",
        type_to_confirm=subject.confirm_names,
    )
    return await editor.ask(dialog) is True


async def _put(editor: PolicyEditor, text: str, phrase: str = "") -> None:
    target, session = editor.target, editor.session
    assert target is not None
    assert session is not None
    sending = partial(save, target, text, editor.base, editor.files, session.now, bypass_phrase=phrase)
    editor.is_saving = True
    try:
        saved = await off_loop(sending)
    except CallerLosesError as error:
        if not phrase and await _ask_bypass(editor, str(error)):
            await _put(editor, text, BYPASS_PHRASE)
        else:
            editor.show_error(f"Not saved: {error}")
    except KmsTuiError as error:
        await _stopped(editor, error)
    else:
        await _saved(editor, text, saved)
    finally:
        editor.is_saving = False


async def _ask_bypass(editor: PolicyEditor, reason: str) -> bool:
    sentences = [
        Content(reason),
        Content(
            "KMS can be told to leave its own check aside (BypassPolicyLockoutSafetyCheck). The account "
            "keeps control, but you may not be able to take this change back yourself."
        ),
    ]
    dialog = Confirm(
        "Save although you lose access?",
        sentences,
        confirm="Save without the check",
        danger=True,
        type_to_confirm=(BYPASS_PHRASE,),
    )
    return await editor.ask(dialog) is True


async def _stopped(editor: PolicyEditor, error: KmsTuiError) -> None:
    if isinstance(error, PolicyRefusedError):
        editor.show_refusal(error)
    elif isinstance(error, ConflictError):
        await _resolve(editor, error.theirs)
    else:
        editor.show_error(f"Not saved: {error} {error.next_step}")


async def _resolve(editor: PolicyEditor, theirs: str) -> None:
    """Show what changed on the key and what saving would now change; write nothing."""
    target = editor.target
    assert target is not None
    on_key = await off_loop(partial(review, target, editor.base, theirs))
    mine = await off_loop(partial(review, target, theirs, editor.text))
    choice = await editor.ask(ConflictDialog(editor.subject.name, on_key, mine))
    if choice is ConflictChoice.MINE:
        editor.base = theirs
        editor.show_error("The text is now compared with the newer policy. Save again to review it.")
    elif choice is ConflictChoice.THEIRS:
        await editor.set_aside()
        editor.base = theirs
        editor.area.replace_policy(theirs)
        editor.host.notify("The newer policy is in the editor; your text is kept as a draft.")
    editor.show_state()


async def _saved(editor: PolicyEditor, sent: str, saved: SaveResult) -> None:
    target = editor.target
    assert target is not None
    now = saved.reread if saved.reread is not None else sent
    change = await off_loop(partial(review, target, editor.base, now))
    editor.base = now
    if is_same(editor.text, now):
        editor.area.replace_policy(now)
        editor.text = now
    await editor.succeeds_keeping()
    editor.desk.changed([editor.subject], _report(editor.subject.name, sent, saved, change.summary()))
    editor.show_state()


def _report(name: str, sent: str, saved: SaveResult, summary: str) -> str:
    if saved.reread is None:
        return f"The policy of {name} is saved: {summary}. It could not be read again: {saved.trouble}"
    if is_same(saved.reread, sent):
        return f"The policy of {name} is saved, and reads so again: {summary}."
    return f"The policy of {name} was sent, but does not read as sent; it may take KMS a moment: {summary}."


async def show_changes(editor: PolicyEditor) -> None:
    """The review, without saving."""
    target = editor.target
    assert target is not None
    if editor.text == editor.base:
        editor.host.notify("Nothing has changed.")
        return
    change = await off_loop(partial(review, target, editor.base, editor.text, editor.result))
    await editor.ask(ReviewDialog(f"Changes to the policy of {editor.subject.name}", change, save=False))
