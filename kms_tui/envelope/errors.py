"""The errors of sealed files, one class and one sentence each.

EnvelopeError
├── NotAMessageError        not in the Encryption SDK's format
├── CutShortError           ends in the middle
├── UnreadableTextError     only the beginning is a sealed message as text
├── AlteredError            does not verify, or more follows its end
├── ContextMismatchError    another encryption context than expected
├── UncommittedError        made without key commitment, which was not allowed
├── PieceTooLargeError      needs too much memory at once
├── KeysRefusedError        none of its keys could be used, with the reason for each
├── OtherKeysError          not sealed under the expected key
└── CancelledByUserError    cancelled by the user
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kms_tui.kms.errors import KmsTuiError

NOTHING_RELEASED = "Nothing of it was written."


class EnvelopeError(KmsTuiError):
    """Base: a file could not be sealed or opened."""


class NotAMessageError(EnvelopeError):
    def __init__(self, reason: str) -> None:
        super().__init__(
            f"This is not a file in the AWS Encryption SDK's format: {reason}.",
            next_step="A ciphertext straight from Encrypt (up to 6,144 bytes) is opened with Decrypt.",
        )


class CutShortError(EnvelopeError):
    def __init__(self, size: int) -> None:
        super().__init__(
            f"The file ends in the middle, after {size:,} bytes: it was cut short or altered. "
            f"{NOTHING_RELEASED}",
            next_step="Fetch the file again, whole.",
        )


class UnreadableTextError(EnvelopeError):
    """``digits`` is the text's encoding: "base64" or "hex"."""

    def __init__(self, digits: str) -> None:
        super().__init__(
            f"The file begins as {digits} of a sealed message, but its rest is not {digits}: it was cut "
            f"short or altered. {NOTHING_RELEASED}",
            next_step="Fetch the file again, whole.",
        )


class AlteredError(EnvelopeError):
    """``what`` says which part did not verify."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The file was altered since it was sealed: {what}. {NOTHING_RELEASED}",
            next_step="Fetch the file again from where it was sealed.",
        )


class ContextMismatchError(EnvelopeError):
    """``names`` are the context's keys that are missing or have another value."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            f"The file's encryption context is not the one expected: {', '.join(names)} "
            f"{'differs' if len(names) == 1 else 'differ'}. No key was asked.",
            next_step="Leave the context out: it is read from the file and checked by KMS.",
        )
        self.names = tuple(names)


class UncommittedError(EnvelopeError):
    def __init__(self) -> None:
        super().__init__(
            "The file was sealed without key commitment, as Encryption SDKs before 2.0 did: whoever made it "
            "could have made it open differently under different keys.",
            next_step="Allow it if you trust where the file comes from.",
        )


class PieceTooLargeError(EnvelopeError):
    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The file is sealed in pieces of more than {limit >> 20:,} MiB, which memory must hold whole.",
            next_step="Open it with the AWS Encryption SDK's command line, on a machine with that memory.",
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one of a file's keys could not be used; ``key`` comes from the header, so it is untrusted text."""

    key: str
    error: KmsTuiError


class KeysRefusedError(EnvelopeError):
    """``refusals`` has an entry for each key tried; empty if the header names no KMS key."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        if not refusals:
            sentence = "The file was sealed under keys that are not in AWS KMS."
        else:
            reasons = " ".join(f"{refusal.key}: {str(refusal.error).rstrip('.')}." for refusal in refusals)
            count = "The key" if len(refusals) == 1 else f"None of the {len(refusals)} keys"
            verb = "could not be used" if len(refusals) == 1 else "could be used"
            sentence = f"{count} that the file was sealed under {verb}. {reasons}"
        steps = (refusal.error.next_step for refusal in refusals if refusal.error.next_step)
        super().__init__(sentence, next_step=next(steps, ""))
        self.refusals = tuple(refusals)


class OtherKeysError(EnvelopeError):
    """``key`` is the expected key, ``keys`` those of the header: all untrusted text."""

    def __init__(self, key: str, keys: Sequence[str]) -> None:
        named = f"It names {', '.join(keys)}." if keys else "It names no key of AWS KMS."
        super().__init__(
            f"The file was not sealed under {key}. {named} {NOTHING_RELEASED}",
            next_step="Leave the key out, or name one of these.",
        )


class CancelledByUserError(EnvelopeError):
    def __init__(self) -> None:
        super().__init__("Cancelled. Nothing was written.")
