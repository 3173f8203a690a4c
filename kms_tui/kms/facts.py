"""A fact about a key is known, loading, denied, failed or not applicable, and never mistaken for another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from kms_tui.kms.errors import AnswerError, KmsTuiError, ServiceError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class Denied:
    """The caller may not read this fact."""

    error: ServiceError


@dataclass(frozen=True, slots=True)
class Failed:
    """Reading the fact failed for a reason other than permission."""

    error: KmsTuiError


class Absent(Enum):
    """The states without a value or an error."""

    LOADING = "loading"
    NOT_APPLICABLE = "not applicable"
    UNASKED = "unasked"


LOADING, NOT_APPLICABLE, UNASKED = Absent.LOADING, Absent.NOT_APPLICABLE, Absent.UNASKED

Fact = Known[T] | Denied | Failed | Absent


def unreadable(error: KmsTuiError) -> Denied | Failed:
    """The fact that stands for an error met while reading it."""
    if isinstance(error, ServiceError) and error.denied:
        return Denied(error)
    return Failed(error)


def read_fact(read: Callable[[], T]) -> Fact[T]:
    """What a blocking read knows, or why it does not."""
    try:
        return Known(read())
    except KmsTuiError as error:
        return unreadable(error)
    except Exception as error:
        return Failed(AnswerError.of(error))
