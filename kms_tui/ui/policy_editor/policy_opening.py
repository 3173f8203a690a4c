"""Opening the editor: the policy as it stands, who is calling, and the drafts that were left behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from kms_tui.backend.kms_facade import Kms
from kms_tui.drafts import Draft, SavedVersion
from kms_tui.kms.errors import KmsTuiError
from kms_tui.ui.base.background import off_loop
from kms_tui.ui.base.policy_words import principals_in
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.dialogs.questions import Choose
from kms_tui.ui.policy_editor.policy_completion import PolicyContext
from kms_tui.ui.policy_editor.policy_edit import DraftWriter, EditTarget, is_same

if TYPE_CHECKING:
    from kms_tui.session import Session
    from kms_tui.ui.policy_editor.editor_screen import PolicyEditor


@dataclass(frozen=True, slots=True)
class OpenedPolicy:
    """What the editor needs to begin."""

    target: EditTarget
    text: str
    drafts: SavedVersion[Draft]
    drafts_trouble: str
    around: PolicyContext


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
    keeper = DraftWriter(editor.files, subject.arn, session.now)
    for trouble in _troubles(opened):
        editor.host.notify(trouble, title="Drafts", severity="warning", timeout=12)
    drafts = [draft for draft in opened.drafts.entries if draft.text != opened.text]
    if editor.begin_with is not None:
        editor.begin(opened.target, opened.text, editor.begin_with, keeper=keeper)
    elif drafts:
        editor.begin(opened.target, opened.text, opened.text, keeper=keeper)
        await _offer(editor, opened, drafts, keeper)
    else:
        editor.begin(opened.target, opened.text, opened.text, keeper=keeper)


def _read(session: Session, kms: Kms, key_id: str, arn: str, editor: PolicyEditor) -> OpenedPolicy:
    target = EditTarget(kms, key_id, arn, kms.caller().arn)
    text = target.read()
    drafts: SavedVersion[Draft] = SavedVersion()
    trouble = ""
    try:
        drafts = editor.files.drafts(arn)
    except KmsTuiError as error:
        trouble = str(error)
    return OpenedPolicy(target, text, drafts, trouble, policy_context(session, target, text))


def policy_context(session: Session, target: EditTarget, text: str) -> PolicyContext:
    """What is known around a policy: nothing is read for it that nobody asked to see."""
    kms, seen = target.kms, session.seen_principals
    seen.update(principals_in(text), filter(None, [target.caller_arn]))
    return PolicyContext(kms.account_id, kms.region, kms.partition, target.arn, tuple(sorted(seen)))


def _troubles(opened: OpenedPolicy) -> Iterable[str]:
    if opened.drafts_trouble:
        yield opened.drafts_trouble
    for path in opened.drafts.unreadable:
        yield f"A draft cannot be read and is left as it is: {path}"


async def _offer(
    editor: PolicyEditor, opened: OpenedPolicy, drafts: list[Draft], keeper: DraftWriter
) -> None:
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


def _describe(draft: Draft, opened: OpenedPolicy) -> Content:
    line = Content(f"Go on with the draft of {draft.time.astimezone():%Y-%m-%d %H:%M}")
    if not is_same(draft.base, opened.text):
        line += Content.styled("  the key has a newer policy", "$warning")
    return line
