"""Dates, durations and facts in people's words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from kms_tui.kms.facts import LOADING, NOT_APPLICABLE, Denied, Fact, Failed, Known
from kms_tui.ui.base.safe_text import Content, safe

T = TypeVar("T")

USAGE_WORDS = {
    "ENCRYPT_DECRYPT": "encrypt and decrypt",
    "SIGN_VERIFY": "sign and verify",
    "GENERATE_VERIFY_MAC": "generate and verify MACs",
    "KEY_AGREEMENT": "key agreement",
    "ENCAPSULATE_DECAPSULATE": "encapsulate and decapsulate",
}
ORIGIN_WORDS = {
    "AWS_KMS": "KMS made the key material",
    "EXTERNAL": "imported key material",
    "AWS_CLOUDHSM": "in a CloudHSM key store",
    "EXTERNAL_KEY_STORE": "in an external key store",
}
STATE_WORDS = {
    "Creating": "creating",
    "Enabled": "enabled",
    "Disabled": "disabled",
    "PendingDeletion": "pending deletion",
    "PendingImport": "awaiting key material",
    "PendingReplicaDeletion": "waiting for its replicas to be deleted",
    "Unavailable": "unavailable: its key store is offline",
    "Updating": "updating",
}


def counted(number: int, noun: str) -> str:
    """ "1 key", "1,200 keys"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def date_words(moment: datetime) -> str:
    """The day, in the reader's own time zone."""
    return moment.astimezone().strftime("%Y-%m-%d")


def span_words(span: timedelta) -> str:
    """A length of time in its two largest units ("2 y 8 mo", "3 d", "5 min")."""
    seconds = int(abs(span.total_seconds()))
    days = seconds // 86400
    if days >= 365:
        years, months = days // 365, days % 365 * 12 // 365
        return f"{years} y {months} mo" if months else f"{years} y"
    if days > 60:
        return f"{days * 12 // 365} mo"
    if days >= 1:
        return f"{days} d"
    if seconds >= 3600:
        return f"{seconds // 3600} h"
    return f"{max(seconds // 60, 1)} min"


def when_words(moment: datetime, now: datetime, *, time: bool = False) -> str:
    """The day, with ``time`` the minute, and how far off it is ("2024-03-02, 2 y 8 mo ago")."""
    span = span_words(moment - now)
    day = f"{moment.astimezone():%Y-%m-%d %H:%M}" if time else date_words(moment)
    return f"{day}, " + (f"in {span}" if moment > now else f"{span} ago")


def fact_content(fact: Fact[T], show: Callable[[T], Content], *, absent: str = "–") -> Content:
    """A fact for the screen: each of its states looks different, and none without a word or glyph."""
    if isinstance(fact, Known):
        return show(fact.value)
    if isinstance(fact, Denied):
        return Content.styled(f"denied: you may not call {fact.error.operation}", "$warning")
    if isinstance(fact, Failed):
        return Content.styled("not known: ", "$error") + safe(str(fact.error))
    if fact is LOADING:
        return Content.styled("reading…", "$foreground-muted")
    if fact is NOT_APPLICABLE:
        return Content.styled(absent, "$foreground-muted")
    return Content.styled("not read yet", "$foreground-muted")
