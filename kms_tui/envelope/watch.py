"""What an onlooker sees of a sealing or an opening, and how they stop it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from kms_tui.envelope.errors import CancelledByUserError


class StepKind(Enum):
    """The steps of envelope encryption, in words for people."""

    DATA_KEY_ASKED = "Asked KMS for a new data key under {detail}"
    DATA_KEY_COPIED = "Had the data key encrypted under {detail} as well"
    HEADER_STORED = "Stored the encrypted data key and the encryption context in the header: {detail}"
    SEALED = "Sealed with the data key, here: {detail}"
    HEADER_READ = "Read the header: {detail}"
    DATA_KEY_DECRYPTED = "Had KMS decrypt the data key under {detail}"
    VERIFIED = "Opened and verified to the last byte: {detail}"
    KEY_FORGOTTEN = "Forgot the data key"


@dataclass(frozen=True, slots=True)
class Step:
    """One step done; ``detail`` may come from the file, so it is untrusted text."""

    kind: StepKind
    detail: str = ""

    @property
    def sentence(self) -> str:
        return f"{self.kind.value.format(detail=self.detail)}."


def _ignore_progress(done: int, total: int | None) -> None:
    pass


def _ignore_step(step: Step) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Watch:
    """Callbacks, all called on the working thread, often: at least once a frame.

    ``progress`` gets the bytes of the source done and their total (None where nobody knows: a pipe);
    ``cancelled`` says whether to stop before the next frame.
    """

    progress: Callable[[int, int | None], None] = _ignore_progress
    cancelled: Callable[[], bool] = lambda: False
    step: Callable[[Step], None] = _ignore_step

    def tick(self, done: int, total: int | None) -> None:
        """Report progress; raises CancelledByUserError where the person has had enough."""
        if self.cancelled():
            raise CancelledByUserError
        self.progress(done, total)


UNWATCHED = Watch()
