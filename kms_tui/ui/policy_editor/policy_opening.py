"""Opening the editor: read the key's policy, the caller and the drafts, and ask which draft to resume."""

from __future__ import annotations

from dataclasses import dataclass

from kms_tui.backend.kms_facade import Kms
from kms_tui.data_files import Draft, PolicyFiles
from kms_tui.kms.errors import KmsTuiError
from kms_tui.session import Session
from kms_tui.ui.base.policy_words import principals_in
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.dialogs.questions import Choose
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.policy_editor.policy_completion import PolicyContext
from kms_tui.ui.policy_editor.policy_edit import EditTarget, is_same


@dataclass(frozen=True, slots=True)
class OpenedPolicy:
    """A key's policy, the drafts that differ from it, and warnings about drafts that cannot be read."""

    target: EditTarget
    text: str
    drafts: tuple[Draft, ...]
    warnings: tuple[str, ...]
    context: PolicyContext


def open_policy(session: Session, kms: Kms, subject: Subject, files: PolicyFiles) -> OpenedPolicy:
    """Read the policy and the drafts for it; it blocks, and raises the errors of GetKeyPolicy."""
    target = EditTarget.of(kms, subject)
    text = target.read()
    drafts: tuple[Draft, ...] = ()
    warnings: tuple[str, ...]
    try:
        found = files.drafts(subject.arn)
    except KmsTuiError as error:
        warnings = (str(error),)
    else:
        drafts = tuple(draft for draft in found.entries if draft.text != text)
        warnings = tuple(f"A draft cannot be read and is left as it is: {path}" for path in found.unreadable)
    return OpenedPolicy(target, text, drafts, warnings, policy_context(session, target, text))


def policy_context(session: Session, target: EditTarget, text: str) -> PolicyContext:
    """The account, and everyone seen in this session, for completion to offer; it calls nothing."""
    kms, seen = target.kms, session.seen_principals
    seen.update(principals_in(text), filter(None, [target.caller_arn]))
    return PolicyContext(kms.account_id, kms.region, kms.partition, target.arn, tuple(sorted(seen)))


@dataclass(frozen=True, slots=True)
class DraftAnswer:
    """The draft to go on with, None to start from the key's policy, and the drafts to discard."""

    resumed: Draft | None = None
    discarded: tuple[Draft, ...] = ()


async def ask_about_drafts(screen: ModeScreen, name: str, opened: OpenedPolicy) -> DraftAnswer:
    """Ask whether to go on with a draft; leaving the question open keeps all of them."""
    drafts = opened.drafts
    lines = [_describe(draft, opened) for draft in drafts]
    lines.append(Content("Start from the key's policy, and keep the drafts"))
    lines.append(Content.styled("Discard the drafts", "$error"))
    chosen = await screen.ask(Choose(f"{name} has a policy that was not saved", lines))
    if chosen is None or chosen == len(drafts):
        return DraftAnswer()
    if chosen > len(drafts):
        return DraftAnswer(discarded=drafts)
    # Its text goes on as the draft of this edit.
    return DraftAnswer(drafts[chosen], (drafts[chosen],))


def _describe(draft: Draft, opened: OpenedPolicy) -> Content:
    line = Content(f"Go on with the draft of {draft.time.astimezone():%Y-%m-%d %H:%M}")
    if not is_same(draft.base, opened.text):
        line += Content.styled("  the key has a newer policy", "$warning")
    return line
