"""Validities of certificates: read from fields, and written for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kms_tui.signing.certificates.field_errors import CertificateField, FieldError
from kms_tui.signing.times import length_words, parse_moment, utc_text
from kms_tui.visible import visible

_FIRST = datetime(1950, 1, 1, tzinfo=UTC)
"""Earlier times have no form in a certificate (RFC 5280, 4.1.2.5)."""
_LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_MOST_DAYS = 4_000_000
"""Enough for any end after the year 9999."""


def read_time(field: CertificateField, text: str) -> datetime | None:
    """A day (its first moment) or an ISO 8601 time, in UTC if it does not say; None for "". FieldError."""
    text = text.strip()
    if not text:
        return None
    moment = parse_moment(text)
    if moment is None:
        raise FieldError(
            field,
            f"“{visible(text[:60])}” is no time.",
            next_step="Write 2027-01-31 or 2027-01-31T12:00:00Z.",
        )
    if moment < _FIRST:
        raise FieldError(field, f"{utc_text(moment)} is before 1950, which no certificate can say.")
    return moment.replace(microsecond=0)


def read_days(text: str) -> int | None:
    """A number of days from 1 on; None for "". FieldError."""
    text = text.strip()
    if not text:
        return None
    digits = text if text.isascii() and text.isdigit() else ""
    if not digits.lstrip("0"):
        raise FieldError(CertificateField.DAYS, f"“{visible(text[:60])}” is no number of days from 1 on.")
    return min(int(digits[:20]), _MOST_DAYS)


def days_after(begins: datetime, days: int) -> datetime:
    """The end of a validity; FieldError where that is after the year 9999."""
    try:
        return begins + timedelta(days=days)
    except OverflowError:
        raise FieldError(
            CertificateField.DAYS, f"It would end after {utc_text(_LAST)}, the last time there is."
        ) from None


def days_words(length: timedelta) -> str:
    """The length of a validity: "3,650 days", below two days "36 h"."""
    days = length.days
    return f"{days:,} days" if days >= 2 else length_words(length)


def validity_words(begins: datetime, ends: datetime, now: datetime) -> str:
    """ "89 d left", "expired 3 d ago", "begins in 2 d"."""
    if now > ends:
        return f"expired {length_words(now - ends)} ago"
    if now < begins:
        return f"begins in {length_words(begins - now)}"
    return f"{length_words(ends - now)} left"
