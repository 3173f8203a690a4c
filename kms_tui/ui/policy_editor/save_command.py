"""The save command: check, review, confirm, PutKeyPolicy, read again; or refused, or in conflict."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from kms_tui.backend.wrappers.policy_guard import PolicyRefusedError
from kms_tui.evidence import access_analyzer
from kms_tui.kms.errors import KmsTuiError
from kms_tui.session import Session
from kms_tui.ui.base.background import off_loop
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.dialogs.affected_requests import AffectedRequests, affected_requests, policy_change
from kms_tui.ui.dialogs.questions import Confirm
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.policy_editor.editor_commands import NotDoneError, write_draft
from kms_tui.ui.policy_editor.policy_edit import (
    BYPASS_PHRASE,
    CallerLosesError,
    CheckedPolicy,
    ConflictError,
    PolicyEdit,
    SaveResult,
    is_same,
)
from kms_tui.ui.policy_editor.policy_review import (
    ConflictChoice,
    ConflictDialog,
    Review,
    ReviewDialog,
    review,
)
from kms_tui.ui.policy_editor.second_opinion import SecondOpinion


@dataclass(frozen=True, slots=True)
class SaveOutcome:
    """``text`` is what the editor is to show instead of its own; ``report`` says what was saved."""

    text: str | None = None
    report: str = ""


async def save_policy(
    screen: ModeScreen, session: Session, subject: Subject, edit: PolicyEdit
) -> SaveOutcome:
    """Check, review, confirm, PutKeyPolicy, read again.

    Raises PolicyRefusedError, and NotDoneError with the sentence to show; the text stays whatever happens.
    """
    if not edit.is_changed:
        screen.host.notify("Nothing to save: the text is as on the key.")
        return SaveOutcome()
    checked = await off_loop(partial(edit.check, session.now().timestamp()))
    change = await off_loop(partial(review, edit.target, checked.base, checked.text, checked.verdict))
    title = f"Save this policy to {subject.name}?"
    if not await screen.ask(_review_dialog(title, session, subject, edit, change, save=True)):
        return SaveOutcome()
    if not await screen.confirm_protected("Save the policy", [subject]):
        return SaveOutcome()
    phrase = ""
    if checked.caller_loses:
        reason = "You yourself lose access by this policy, and KMS rejects such a save."
        if not await _ask_bypass(screen, reason):
            return SaveOutcome()
        phrase = BYPASS_PHRASE
    return await _put(screen, session, subject, edit, checked, phrase)


def _review_dialog(
    title: str, session: Session, subject: Subject, edit: PolicyEdit, change: Review, *, save: bool
) -> ReviewDialog:
    """The review, with whom the change affects and, on request, Access Analyzer's opinion."""
    affected: list[AffectedRequests] = []
    if not change.is_white_space and change.new.is_valid:
        replayed = policy_change(change.old.text, change.new.text)
        affected = affected_requests(session, edit.target.kms, [subject], replayed)
    opinion = _opinion(session, change)
    return ReviewDialog(title, change, save=save, affected=affected, second_opinion=opinion)


def _opinion(session: Session, change: Review) -> SecondOpinion | None:
    """Access Analyzer's opinion of a change; None where it cannot be asked."""
    services = session.services
    if services is None or not services.offers(access_analyzer.SERVICE) or change.is_white_space:
        return None
    return SecondOpinion(services, change.old.text, change.new.text, change.result, change.effects)


async def _put(
    screen: ModeScreen,
    session: Session,
    subject: Subject,
    edit: PolicyEdit,
    checked: CheckedPolicy,
    phrase: str,
) -> SaveOutcome:
    edit.is_saving = True
    try:
        result = await off_loop(partial(edit.save, checked, session.now, bypass_phrase=phrase))
    except CallerLosesError as error:
        if phrase or not await _ask_bypass(screen, str(error)):
            raise NotDoneError(f"Not saved: {error}") from error
        return await _put(screen, session, subject, edit, checked, BYPASS_PHRASE)
    except ConflictError as error:
        return await _resolve(screen, subject.name, edit, error.theirs)
    except PolicyRefusedError:
        raise
    except KmsTuiError as error:
        raise NotDoneError(f"Not saved: {error}", next_step=error.next_step) from error
    finally:
        edit.is_saving = False
    change = await off_loop(partial(review, edit.target, edit.base, result.on_key))
    edit.base = result.on_key
    text = edit.base if is_same(edit.text, edit.base) else None
    return SaveOutcome(text, _report(subject.name, result, change.summary()))


async def _ask_bypass(screen: ModeScreen, reason: str) -> bool:
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
    return await screen.ask(dialog) is True


async def _resolve(screen: ModeScreen, name: str, edit: PolicyEdit, theirs: str) -> SaveOutcome:
    """Ask which policy to go on with, showing what changed on the key and what saving would now change."""
    on_key = await off_loop(partial(review, edit.target, edit.base, theirs))
    mine = await off_loop(partial(review, edit.target, theirs, edit.text))
    choice = await screen.ask(ConflictDialog(name, on_key, mine))
    if choice is ConflictChoice.MINE:
        edit.base = theirs
        raise NotDoneError("The text is now compared with the newer policy. Save again to review it.")
    if choice is None:
        return SaveOutcome()
    try:
        await write_draft(edit)
    except KmsTuiError as error:
        raise NotDoneError(f"The draft is not kept: {error}") from error
    edit.draft, edit.base = edit.draft.another(), theirs
    screen.host.notify("The newer policy is in the editor; your text is kept as a draft.")
    return SaveOutcome(theirs)


def _report(name: str, result: SaveResult, summary: str) -> str:
    if result.reread is None:
        return f"The policy of {name} is saved: {summary}. It could not be read again: {result.error}"
    if is_same(result.reread, result.sent):
        return f"The policy of {name} is saved, and was read back: {summary}."
    return f"The policy of {name} was sent, but does not read as sent; it may take KMS a moment: {summary}."


async def show_changes(screen: ModeScreen, session: Session, subject: Subject, edit: PolicyEdit) -> None:
    """The review, without saving."""
    if not edit.is_changed:
        screen.host.notify("Nothing has changed.")
        return
    change = await off_loop(partial(review, edit.target, edit.base, edit.text, edit.verdict))
    title = f"Changes to the policy of {subject.name}"
    await screen.ask(_review_dialog(title, session, subject, edit, change, save=False))
