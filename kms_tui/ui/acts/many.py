"""One change to one key or to many: who is asked what before, and how each went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from kms_tui.backend.kms_facade import Kms
from kms_tui.ui.acts.base import Reason, Subject
from kms_tui.ui.dialogs.batch import BatchConfirm, BatchRun, Progress
from kms_tui.ui.dialogs.confirm import Confirm
from kms_tui.ui.messages import KeysChanged
from kms_tui.ui.safe_text import Content

if TYPE_CHECKING:
    from kms_tui.ui.screens.base import ModeScreen


async def agree(
    screen: ModeScreen,
    subjects: Sequence[Subject],
    verb: str,
    sentences: Sequence[Content] = (),
    *,
    confirm: str,
    refusal: Callable[[Subject], Reason],
) -> Sequence[Subject]:
    """The keys that are to be changed; none where the person declined.

    One key is asked about only where there are ``sentences``. Many are always asked about: how many they are,
    how many of them the filter hides, each by its name, and which are left out because of ``refusal``.
    ``verb`` is followed by the key's name or the number of keys ("Disable").
    """
    if len(subjects) == 1:
        if not sentences:
            return subjects
        dialog = Confirm(f"{verb} {subjects[0].name}?", sentences, confirm=confirm)
        return subjects if await screen.ask(dialog) else ()
    chosen = sort_out(screen, subjects, refusal)
    left = chosen.left
    counts = Content.styled(chosen.counts, "bold")
    title = f"{verb} {len(left):,} key{'' if len(left) == 1 else 's'}?"
    agreed = await screen.ask(BatchConfirm(title, [counts, *sentences], chosen.notes, confirm=confirm))
    return left if agreed else ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """Of marked keys, those that an act is possible for, what is to be said of each, and how many."""

    left: tuple[Subject, ...]
    notes: tuple[tuple[Subject, str], ...]
    counts: str


def sort_out(screen: ModeScreen, subjects: Sequence[Subject], refusal: Callable[[Subject], Reason]) -> Chosen:
    """Leave out what ``refusal`` has a reason for, and note what the filter hides."""
    reasons = {subject.arn: refusal(subject) for subject in subjects}
    subjects = sorted(subjects, key=lambda subject: subject.name)
    left = tuple(subject for subject in subjects if not reasons[subject.arn])
    hidden = screen.hidden_by_filter()
    notes = [(subject, _note(reasons[subject.arn], subject.arn in hidden)) for subject in subjects]
    # What is special comes first, where it is seen without scrolling.
    notes.sort(key=lambda entry: not entry[1])
    return Chosen(left, tuple(notes), _counts(subjects, left, hidden))


def _counts(subjects: Sequence[Subject], left: Sequence[Subject], hidden: frozenset[str]) -> str:
    parts = [f"{len(subjects):,} keys are marked"]
    if out_of_sight := sum(subject.arn in hidden for subject in subjects):
        parts.append(f"{out_of_sight:,} of them hidden by the filter")
    if left_out := len(subjects) - len(left):
        parts.append(f"{left_out:,} left out")
    return ", ".join(parts) + "."


def _note(reason: Reason, hidden: bool) -> str:
    if reason:
        return f"left out: {reason}"
    return "hidden by the filter" if hidden else ""


async def change_each(
    screen: ModeScreen,
    subjects: Sequence[Subject],
    change: Callable[[Kms, Subject], object],
    *,
    doing: str,
    done: str | Callable[[Subject], str],
) -> None:
    """Make one mutating call for each key, and tell how each went.

    ``doing`` and a name say what could not be done ("disable"), a name and ``done`` what was ("disabled");
    ``done`` may depend on what the call answered.
    """
    if len(subjects) == 1:
        (subject,) = subjects
        kms = screen.kms_for(subject)
        if await screen.succeeds(partial(change, kms, subject), doing=f"{doing} {subject.name}"):
            words = done if isinstance(done, str) else done(subject)
            screen.changed([subject], f"{subject.name} {words}.")
        else:
            # A key that refused is not what it was taken for.
            screen.post_message(KeysChanged(subject.key_id))
    elif subjects:
        title = f"{doing[0].upper()}{doing[1:]} {len(subjects):,} keys"
        run = BatchRun(title, subjects, lambda subject: change(screen.kms_for(subject), subject))
        assert screen.session is not None
        with screen.session.history.together():
            await screen.ask(run)
        screen.kms_app.notify(
            f"{run.summary}.",
            title=title,
            severity="information" if run.counted(Progress.DONE) == len(run.items) else "warning",
        )
        if run.attempted:
            screen.post_message(KeysChanged(*sorted(run.attempted)))
