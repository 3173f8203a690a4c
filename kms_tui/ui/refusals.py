"""What is known of the refused uses of a disabled key, in words."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from kms_tui.kms.facts import unreadable
from kms_tui.ui.safe_text import Content, safe
from kms_tui.ui.words import fact_content

if TYPE_CHECKING:
    from kms_tui.evidence.refused_uses import Refusals
    from kms_tui.session import Session

_CALLERS = 4
"""Callers that are named; the others are counted."""


def moment_words(moment: datetime, now: datetime) -> str:
    """The time of day, with the day where it is not today's, in the reader's own time zone."""
    moment, now = moment.astimezone(), now.astimezone()
    return moment.strftime("%H:%M" if moment.date() == now.date() else "%m-%d %H:%M")


def refusals_of(session: Session, arn: str) -> Content | None:
    """What is known of a key's refused uses; None where it is not watched."""
    watching = session.watching
    refusals = watching.of(arn) if watching is not None else None
    if watching is None or refusals is None:
        return None
    return refusals_content(refusals, session.now(), is_live=watching.trail.is_live)


def refusals_content(refusals: Refusals, now: datetime, *, is_live: bool) -> Content:
    """Who was refused and how often, since when, and how far that can be relied on."""
    if refusals.trouble is not None:
        trouble = fact_content(unreadable(refusals.trouble), lambda _: Content())
        return Content.styled("Refused uses  ", "$warning") + trouble
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
