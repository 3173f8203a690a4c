"""Dates, durations, facts and refused uses in words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from kms_tui.counts import counted as counted  # one of the words of screens
from kms_tui.evidence.refused_uses import Refusals
from kms_tui.inventory.cells import length_between
from kms_tui.kms.facts import LOADING, NOT_APPLICABLE, Denied, Fact, Failed, Known, unreadable
from kms_tui.session import Session
from kms_tui.ui.base.safe_text import Content, safe

T = TypeVar("T")
_CALLERS = 4
"""Callers of refused uses that are named; the others are counted."""

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
    """The day (with ``time`` also the minute) and how far off it is ("2024-03-02, 2 y 8 mo ago")."""
    span = span_words(length_between(moment, now))
    day = f"{moment.astimezone():%Y-%m-%d %H:%M}" if time else date_words(moment)
    return f"{day}, " + (f"in {span}" if moment > now else f"{span} ago")


def fact_content(fact: Fact[T], show: Callable[[T], Content], *, absent: str = "–") -> Content:
    """A fact for the screen: each state looks different, and has a word or glyph of its own."""
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


def moment_words(moment: datetime, now: datetime) -> str:
    """The time of day, with the day where it is not today's, in the reader's own time zone."""
    moment, now = moment.astimezone(), now.astimezone()
    return moment.strftime("%H:%M" if moment.date() == now.date() else "%m-%d %H:%M")


def refused_uses_content(refusals: Refusals, now: datetime, *, is_live: bool) -> Content:
    """Who was refused and how often, since when, and how late or incomplete that may be."""
    if refusals.error is not None:
        error = fact_content(unreadable(refusals.error), lambda _: Content())
        return Content.styled("Refused uses  ", "$warning") + error
    since = moment_words(refusals.since, now)
    when = f"since it was disabled, {since}" if refusals.since_known else f"since {since}, as far as was read"
    if refusals.checked is None:
        return Content.styled(f"Watching for refused uses {when}…", "$foreground-muted")
    least = "at least " if refusals.at_least else ""
    late = "" if is_live else "; CloudTrail is up to 15 minutes late"
    if not refusals.count:
        return Content.styled(f"No use refused {when}{late}.", "$foreground-muted")
    uses = "use" if refusals.count == 1 else "uses"
    head = Content.styled(f"{least}{refusals.count:,} {uses} refused".capitalize(), "$error bold")
    named = ", ".join(f"{who} {count:,}" for who, count in refusals.callers[:_CALLERS])
    more = len(refusals.callers) - _CALLERS
    who = safe(f": {named}{f' and {more} more' if more > 0 else ''}")
    return head + who + Content.styled(f"  {when}{late}", "$foreground-muted")


def refused_uses_of(session: Session, arn: str) -> Content | None:
    """What is known of a key's refused uses; None where it is not watched."""
    refusal_monitor = session.account_of(arn).refusal_monitor
    refusals = refusal_monitor.of(arn) if refusal_monitor is not None else None
    if refusal_monitor is None or refusals is None:
        return None
    return refused_uses_content(refusals, session.now(), is_live=refusal_monitor.trail.is_live)
