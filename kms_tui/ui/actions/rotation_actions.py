"""Rotation: automatic on, off and its period, and on demand."""

from __future__ import annotations

from collections.abc import Sequence

from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT, spec_title
from kms_tui.kms.model import KeyOrigin, KeyState
from kms_tui.ui.actions.batch import change_each, confirm_change
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.subject import Reason, Subject, arns, aws_managed, names
from kms_tui.ui.dialogs.form import Form, FormField
from kms_tui.ui.dialogs.questions import Confirm
from kms_tui.ui.mode_screen import ModeScreen

MIN_PERIOD_DAYS, DEFAULT_PERIOD_DAYS, MAX_PERIOD_DAYS = 90, 365, 2560


def cannot_rotate_automatically(subject: Subject) -> Reason:
    """Why EnableKeyRotation is not for this key (its documentation in the API reference)."""
    if subject.key is not None and subject.key.is_aws_managed:
        return "AWS rotates this key every year by itself"
    if reason := aws_managed(subject):
        return reason
    key = subject.key
    if key is None:
        return ""
    if key.spec != SYMMETRIC_DEFAULT:
        return f"{spec_title(key.spec)} keys cannot rotate: make a new key and repoint the alias"
    if key.origin == KeyOrigin.EXTERNAL:
        return "imported key material rotates on demand only, after new material was imported"
    if key.origin != KeyOrigin.AWS_KMS:
        return "keys in a custom key store cannot rotate"
    return "" if key.state == KeyState.ENABLED else "only an enabled key can rotate"


def cannot_rotate_now(subject: Subject) -> Reason:
    """Why RotateKeyOnDemand is not for this key."""
    if subject.key is not None and subject.key.origin == KeyOrigin.EXTERNAL:
        return "" if subject.key.state == KeyState.ENABLED else "only an enabled key can rotate"
    return cannot_rotate_automatically(subject)


def check_period(text: str) -> str:
    """What is wrong with a rotation period, or "" (EnableKeyRotation: RotationPeriodInDays)."""
    days = int(text) if text.strip().isascii() and text.strip().isdecimal() else 0
    if MIN_PERIOD_DAYS <= days <= MAX_PERIOD_DAYS:
        return ""
    return f"A rotation period is {MIN_PERIOD_DAYS} to {MAX_PERIOD_DAYS} days."


async def enable_rotation(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """EnableKeyRotation, also to change the period."""
    if len(subjects) > 1:
        await _enable_for_many(screen, subjects)
        return
    (subject,) = subjects
    kms = screen.kms_for(subject)
    status = await screen.attempt(lambda: kms.rotation_status(subject.key_id), doing="read the rotation")
    if status is None:
        return
    period = status.period_days or DEFAULT_PERIOD_DAYS
    values = await screen.ask(
        Form(
            f"Automatic rotation of {subject.name}",
            [FormField("period", "Every how many days", str(period), check=check_period)],
            lambda values: kms.enable_rotation(subject.key_id, int(values["period"])),
            confirm="Save" if status.enabled else "Turn on",
            about=subject.arn,
            lead=[
                Content(
                    "Each rotation adds new key material for encryption; what is encrypted under earlier "
                    "material can still be decrypted. The key id, ARN and aliases stay."
                )
            ],
            blame={"ValidationException": "period"},
        )
    )
    if values is not None:
        screen.changed(subjects, f"{subject.name} rotates every {values['period'].strip()} days.")


async def _enable_for_many(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    values = await screen.ask(
        Form(
            f"Automatic rotation of {names(subjects)}",
            [FormField("period", "Every how many days", str(DEFAULT_PERIOD_DAYS), check=check_period)],
            lambda values: None,
            confirm="Go on",
            about=arns(subjects),
            lead=[Content("Those that rotate already get this period as well.")],
        )
    )
    if values is None:
        return
    days = int(values["period"])
    chosen = await confirm_change(
        screen, subjects, f"Rotate every {days} days:", confirm="Turn on", refusal=cannot_rotate_automatically
    )
    await change_each(
        screen,
        chosen,
        lambda kms, subject: kms.enable_rotation(subject.key_id, days),
        doing="turn on the rotation of",
        done=f"rotates every {days} days",
    )


async def disable_rotation(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """DisableKeyRotation."""
    sentences = [Content("The present key material then stays in use until someone rotates it.")]
    chosen = await confirm_change(
        screen,
        subjects,
        "Turn off the automatic rotation of",
        sentences,
        confirm="Turn off",
        refusal=cannot_rotate_automatically,
    )
    await change_each(
        screen,
        chosen,
        lambda kms, subject: kms.disable_rotation(subject.key_id),
        doing="turn off the rotation of",
        done="no longer rotates by itself",
    )


async def rotate_now(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """RotateKeyOnDemand."""
    (subject,) = subjects
    kms = screen.kms_for(subject)
    rotations = await screen.attempt(lambda: kms.rotations(subject.key_id), doing="read the rotations")
    if rotations is None:
        return
    used = sum(rotation.kind == "ON_DEMAND" for rotation in rotations)
    sentences = [
        Content("New key material is made and used from then on; earlier ciphertext can still be decrypted."),
        Content(
            f"A key can be rotated on demand 25 times in its life: {25 - used} are left. "
            "Each of the first two rotations adds to its monthly price."
        ),
    ]
    if await screen.ask(Confirm(f"Rotate {subject.name} now?", sentences, confirm="Rotate")):
        await change_each(
            screen,
            subjects,
            lambda kms, each: kms.rotate_now(each.key_id),
            doing="rotate",
            done="is being rotated; the Rotation tab shows its key material",
        )
