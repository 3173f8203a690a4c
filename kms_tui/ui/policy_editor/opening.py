"""Opening the editor: the policy as it stands, who is calling, and the drafts that were left behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from kms_tui import policy
from kms_tui.backend.kms_facade import Kms
from kms_tui.drafts import Draft, SavedVersion
from kms_tui.kms.errors import KmsTuiError
from kms_tui.ui.background import off_loop
from kms_tui.ui.dialogs.choose import Choose
from kms_tui.ui.policy_editor.completion import Surroundings
from kms_tui.ui.policy_editor.keeper import DraftKeeper
from kms_tui.ui.policy_editor.saving import Target, is_same
from kms_tui.ui.safe_text import Content

if TYPE_CHECKING:
    from kms_tui.session import Session
    from kms_tui.ui.policy_editor.screen import PolicyEditor


@dataclass(frozen=True, slots=True)
class Opened:
    """What the editor needs to begin."""

    target: Target
    text: str
    drafts: SavedVersion[Draft]
    drafts_trouble: str
    around: Surroundings


async def open_policy(editor: PolicyEditor) -> None:
    """Read the policy, offer the drafts for it, and let the editing begin."""
    session, subject = editor.session, editor.subject
    assert session is not None
    kms = editor.kms_for(subject)
    try:
        opened = await off_loop(partial(_read, session, kms, subject.key_id, subject.arn, editor))
    except KmsTuiError as error:
        editor.show_error(f"The policy cannot be read, so it cannot be edited. {error} {error.next_step}")
        return
    editor.around = opened.around
    keeper = DraftKeeper(editor.files, subject.arn, session.now)
    for trouble in _troubles(opened):
        editor.kms_app.notify(trouble, title="Drafts", severity="warning", timeout=12)
    drafts = [draft for draft in opened.drafts.entries if draft.text != opened.text]
    if editor.begin_with is not None:
        editor.begin(opened.target, opened.text, editor.begin_with, keeper=keeper)
    elif drafts:
        editor.begin(opened.target, opened.text, opened.text, keeper=keeper)
        await _offer(editor, opened, drafts, keeper)
    else:
        editor.begin(opened.target, opened.text, opened.text, keeper=keeper)


def _read(session: Session, kms: Kms, key_id: str, arn: str, editor: PolicyEditor) -> Opened:
    target = Target(kms, key_id, arn, kms.caller().arn)
    text = target.read()
    drafts: SavedVersion[Draft] = SavedVersion()
    trouble = ""
    try:
        drafts = editor.files.drafts(arn)
    except KmsTuiError as error:
        trouble = str(error)
    return Opened(target, text, drafts, trouble, surroundings(session, target, text))


def surroundings(session: Session, target: Target, text: str) -> Surroundings:
    """What is known around a policy: nothing is read for it that nobody asked to see."""
    kms, seen = target.kms, session.seen_principals
    seen.update(principals_in(text), filter(None, [target.caller_arn]))
    return Surroundings(kms.account_id, kms.region, kms.partition, target.arn, tuple(sorted(seen)))


def principals_in(text: str) -> set[str]:
    """Everyone whom a policy names, as it writes them."""
    return {
        principal.text
        for statement in policy.parse(text).statements
        for principal in statement.principals
        if principal.text != "*"
    }


def _troubles(opened: Opened) -> Iterable[str]:
    if opened.drafts_trouble:
        yield opened.drafts_trouble
    for path in opened.drafts.unreadable:
        yield f"A draft cannot be read and is left as it is: {path}"


async def _offer(editor: PolicyEditor, opened: Opened, drafts: list[Draft], keeper: DraftKeeper) -> None:
    """Ask whether to go on with a draft; leaving the question open keeps all of them."""
    lines = [_describe(draft, opened) for draft in drafts]
    lines.append(Content("Start from the key's policy, and keep the drafts"))
    lines.append(Content.styled("Discard the drafts", "$error"))
    chosen = await editor.ask(Choose(f"{editor.subject.name} has a policy that was not saved", lines))
    if chosen is None or chosen == len(drafts):
        return
    if chosen < len(drafts):
        draft = drafts[chosen]
        editor.begin(opened.target, draft.base, draft.text, keeper=keeper)
        await editor.keep_now()
        drafts = [draft]
    for draft in drafts:
        discard = partial(editor.files.discard_draft, editor.subject.arn, draft.token)
        if not await editor.succeeds(discard, doing="remove the draft"):
            return


def _describe(draft: Draft, opened: Opened) -> Content:
    line = Content(f"Go on with the draft of {draft.time.astimezone():%Y-%m-%d %H:%M}")
    if not is_same(draft.base, opened.text):
        line += Content.styled("  the key has a newer policy", "$warning")
    return line
