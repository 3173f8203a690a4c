"""May I use this key? Asked of KMS by dry runs; what is denied can be explained at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.dry_runs import DryRunAnswer, DryRunOutcome, dry_runs, operations_for
from kms_tui.kms.model import Key
from kms_tui.ui.actions.grant_actions import check_pairs, parse_pairs
from kms_tui.ui.base.safe_text import Content, column, safe
from kms_tui.ui.base.subject import Reason, Subject
from kms_tui.ui.dialogs.form import Form, TextField, Values
from kms_tui.ui.dialogs.questions import Choose
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.scratchpad.grant_tokens import held_words

_LOOKS: Mapping[DryRunOutcome, tuple[str, str]] = {
    DryRunOutcome.ALLOWED: ("✓ allowed", "$success"),
    DryRunOutcome.DENIED: ("✗ denied", "$error"),
    DryRunOutcome.FAILED: ("? not told", "$warning"),
}
_OPERATION_CELLS, _OUTCOME_CELLS = 37, 11


def cannot_try(subject: Subject) -> Reason:
    if subject.key is None:
        return "it is not described yet"
    return "" if operations_for(subject.key) else "no use of such a key can be tried with DryRun"


async def show_dry_runs(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Encrypt, Decrypt, Sign … with DryRun, under an encryption context; enter explains a denial."""
    (subject,) = subjects
    session, key = screen.session, subject.key
    if key is None or session is None:
        return
    kms = session.with_grant_tokens(screen.kms_for(subject))
    lead = [Content(f"{len(operations_for(key))} calls with DryRun, which do nothing and are recorded.")]
    if words := held_words(session):
        lead.append(Content(f"{words}; T on the scratchpad changes that."))
    answers: list[DryRunAnswer] = []
    form = Form(
        f"May I use {subject.name}?",
        [TextField("context", "With the encryption context: key=value, one a line", check=check_pairs)],
        lambda values: _ask(kms, key, values, answers),
        confirm="Try",
        lead=lead,
    )
    if await screen.ask(form) is None:
        return
    certain = frozenset(
        index for index, answer in enumerate(answers) if answer.outcome is not DryRunOutcome.DENIED
    )
    title = f"What you may do with {subject.name}"
    if len(certain) < len(answers):
        title += ": enter explains a denial"
    chosen = await screen.ask(Choose(title, [_line(answer) for answer in answers], disabled=certain))
    if chosen is not None:
        screen.host.open_screen("explain", answers[chosen].message)


def _ask(kms: Kms, key: Key, values: Values, answers: list[DryRunAnswer]) -> None:
    answers[:] = dry_runs(kms, key, parse_pairs(values["context"]))


def _line(answer: DryRunAnswer) -> Content:
    word, colour = _LOOKS[answer.outcome]
    line = safe(column(answer.operation, _OPERATION_CELLS)) + Content.styled(
        column(word, _OUTCOME_CELLS), colour
    )
    return line + safe(f" {answer.message}").stylize("$foreground-muted") if answer.message else line
