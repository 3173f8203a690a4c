"""Copying a key's names, and looking at what the API says of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kms_tui.kms.arn import ALIAS_PREFIX, alias_arn
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.clipboard import copy_text
from kms_tui.ui.dialogs.choose import Choose
from kms_tui.ui.safe_text import Content, safe

if TYPE_CHECKING:
    from kms_tui.ui.screens.base import ModeScreen


async def copy(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Offer the key's id, ARN and aliases, and copy the one chosen."""
    (subject,) = subjects
    session = screen.session
    assert session is not None
    kms = session.kms
    entries = [("Key id", subject.key_id), ("Key ARN", subject.arn)]
    for alias in subject.aliases:
        name = ALIAS_PREFIX + alias
        arn = alias_arn(kms.partition, subject.region, kms.account_id, name)
        entries += [("Alias", name), ("Alias ARN", arn)]
    lines = [Content.styled(label.ljust(11), "$foreground-muted") + safe(text) for label, text in entries]
    chosen = await screen.ask(Choose("Copy", lines))
    if chosen is not None:
        copy_name(screen, *entries[chosen])


def copy_name(screen: ModeScreen, label: str, text: str) -> None:
    """Copy a text that is no secret, and say where it went."""
    copied = copy_text(screen.kms_app, text)
    how = " through the terminal" if copied.through_terminal else ""
    screen.kms_app.notify(f"{label} copied{how}.")


async def raw_json(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Show DescribeKey's answer as JSON."""
    from kms_tui.ui.screens.text import TextScreen

    (subject,) = subjects
    session = screen.session
    assert session is not None
    kms = session.kms if subject.region == session.kms.region else session.kms.in_region(subject.region)
    answer = await screen.attempt(
        lambda: kms.call("DescribeKey", KeyId=subject.key_id), doing="describe the key"
    )
    if answer is not None:
        screen.app.push_screen(
            TextScreen(f"DescribeKey {subject.name}", json.dumps(answer, indent=2, default=str))
        )
