"""The session's operations, to look at and to set up again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kms_tui.crypto_ops.history import Entry
from kms_tui.kms.arn import key_id_of
from kms_tui.ui.dialogs.choose import Choose
from kms_tui.ui.safe_text import Content, column, fit


def past_dialog(entries: Sequence[Entry], name_of: Callable[[str], str]) -> Choose:
    """Asks for one of the entries; the answer is its index."""
    return Choose("Operations of this session", [_line(entry, name_of) for entry in entries])


def _line(entry: Entry, name_of: Callable[[str], str]) -> Content:
    name = name_of(entry.key_arn) if entry.key_arn else ""
    return (
        Content.styled(f"{entry.time.astimezone():%H:%M:%S}  ", "$foreground-muted")
        + Content(f"{column(entry.operation.title, 19)}  {column(name or key_id_of(entry.key_arn), 20)}  ")
        + Content.styled(fit(entry.outcome, 26), "" if entry.succeeded else "$error")
    )
