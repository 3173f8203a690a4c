"""Time as the store keeps it: whole milliseconds since 1970, in UTC, as KMS answers it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from kms_tui.backend.local.schema import VERIFY
from kms_tui.kms.errors import StoreError

Clock = Callable[[], datetime]
"""Gives the present moment as an aware datetime."""

DAY = 24 * 60 * 60 * 1000
MINUTE = 60 * 1000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def utc_now() -> datetime:
    return datetime.now(UTC)


def to_millis(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def to_datetime(millis: int) -> datetime:
    """The moment; StoreError where no calendar has it, as in a store that is damaged."""
    try:
        return _EPOCH + timedelta(milliseconds=millis)
    except OverflowError as error:
        raise StoreError(f"The local store is damaged: {millis} is no time.", next_step=VERIFY) from error
