"""What to know of a key before it is deleted; each fact is asked for by itself, when the question is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.cost import MonthlyCost, Prices, monthly_cost
from kms_tui.evidence.scans import Scan, Scans
from kms_tui.kms.facts import Fact, Known
from kms_tui.kms.model import Alias, Grant, Key, KeyLastUsage
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.details.tab import read_fact
from kms_tui.ui.safe_text import Content, safe
from kms_tui.ui.scan_words import EARLIER_DATA, NOT_AVAILABLE, scanning_words, used_by_answer
from kms_tui.ui.words import date_words, fact_content, when_words

T = TypeVar("T")
_RECENT = timedelta(days=90)
"""Use within this time is shown as a warning."""


@dataclass(frozen=True, slots=True)
class Check(Generic[T]):
    """One fact: ``read`` blocks and may raise KmsTuiError, ``show`` says what it means at a time."""

    label: str
    read: Callable[[Kms, Subject], T]
    show: Callable[[T, datetime], Content]

    def ask(self, kms: Kms, subject: Subject, now: datetime) -> Content:
        """Read the fact and say it, or why it is not known."""
        fact: Fact[T] = read_fact(lambda: self.read(kms, subject))
        return fact_content(fact, lambda value: self.show(value, now))


def _usage(usage: KeyLastUsage, now: datetime) -> Content:
    """Silence before the tracking began means nothing, so it never reads "never"."""
    if usage.time is not None:
        text = f"{when_words(usage.time, now)}, by {usage.operation}"
        return safe(text).stylize("$warning" if now - usage.time < _RECENT else "")
    if usage.tracking_start is None:
        return Content.styled("unknown", "$warning")
    since = date_words(usage.tracking_start)
    return Content(f"not since {since}, when tracking began; unknown before")


def _aliases(aliases: list[Alias], _: datetime) -> Content:
    if not aliases:
        return Content("none")
    return safe(", ".join(alias.short_name for alias in aliases)) + Content(" (deleted with it)")


def _grants(grants: list[Grant], _: datetime) -> Content:
    if not grants:
        return Content("none")
    grantees = sorted({grant.grantee.rpartition(":")[2] for grant in grants})
    return safe(f"{len(grants)}, for {', '.join(grantees)}").stylize("$warning")


def _multi_region(key: Key, _: datetime) -> Content:
    multi = key.multi_region
    if multi is None:
        return Content("not a multi-Region key")
    if not multi.is_primary:
        return Content(f"this is one; the primary in {multi.primary_arn.split(':')[3]} and its material stay")
    if not multi.replica_arns:
        return Content("none")
    regions = ", ".join(arn.split(":")[3] for arn in multi.replica_arns)
    return Content.styled(f"in {regions}: the waiting period begins when they are deleted", "$warning")


def _cost(kms: Kms, subject: Subject, prices: Prices) -> MonthlyCost:
    key = kms.describe(subject.key_id)
    if not key.may_have_rotated:
        return monthly_cost(key, 0, prices)
    rotations = read_fact(lambda: kms.rotations(subject.key_id))
    return monthly_cost(key, len(rotations.value) if isinstance(rotations, Known) else None, prices)


CHECKS = (
    Check("Last used", lambda kms, subject: kms.last_usage(subject.key_id), _usage),
    Check("Aliases", lambda kms, subject: kms.aliases(subject.key_id), _aliases),
    Check("Grants", lambda kms, subject: kms.grants(subject.key_id), _grants),
    Check("Replicas", lambda kms, subject: kms.describe(subject.key_id), _multi_region),
)


def saving(prices: Prices) -> Check[MonthlyCost]:
    """What the deletion saves, by a price table."""
    return Check(
        "Saves",
        lambda kms, subject: _cost(kms, subject, prices),
        lambda cost, _: Content(f"{cost} a month, from the day that it is scheduled"),
    )


USED_BY = "Used by"
_WIDTH = 54
"""Cells that the dialog has beside the labels at 80 columns."""


def used_by(scans: Scans, subject: Subject, now: datetime) -> Content:
    """What a scan of the region found of the key, or that there is none; and what no scan can see."""
    return _scanned(scans, subject, now) + Content.styled(f"\n{EARLIER_DATA}", "$foreground-muted")


def _scanned(scans: Scans, subject: Subject, now: datetime) -> Content:
    if not scans.is_offered:
        return Content(NOT_AVAILABLE)
    if scans.is_running(subject.region):
        return Content.styled(scanning_words(scans, subject.region), "$accent")
    result = scans.result(subject.region)
    if isinstance(result, Scan):
        return used_by_answer(result, subject.key_id, now, width=_WIDTH)
    if result is not None:
        return Content.styled("not known: ", "$error") + safe(str(result))
    return Content.styled("not known: no scan was made in this sitting", "$warning")
