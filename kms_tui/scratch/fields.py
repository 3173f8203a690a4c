"""The places where something can be wrong, and the errors that name them."""

from __future__ import annotations

from enum import Enum, auto

from kms_tui.kms.errors import KmsTuiError


class Field(Enum):
    """Where on the scratchpad an error belongs."""

    KEY = auto()
    INPUT = auto()
    SECOND = auto()
    """The signature or MAC to verify."""
    SETTINGS = auto()
    CONTEXT = auto()
    DESTINATION = auto()
    DESTINATION_CONTEXT = auto()
    TARGET = auto()
    """The file that the result is written to."""
    RESULT = auto()
    """No field's fault: shown where the result would stand."""


class InputError(KmsTuiError):
    """What was entered cannot be used; ``field`` says where, the sentence why. Nothing was sent."""

    def __init__(self, field: Field, sentence: str, *, next_step: str = "") -> None:
        super().__init__(sentence, next_step=next_step)
        self.field = field
