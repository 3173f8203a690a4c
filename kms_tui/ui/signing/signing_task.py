"""``SigningTask``: one thing that a key can sign, or a question about its public key, as the forms see it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kms_tui.backend.kms_facade import Kms
from kms_tui.envelope.streams import Progress
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.model import Key, KeyUsage
from kms_tui.signing.signing_key import SigningKey, open_signing_key
from kms_tui.ui.base.subject import Reason, Subject
from kms_tui.ui.dialogs.form import FormField, Values
from kms_tui.ui.dialogs.output_screen import Output
from kms_tui.ui.widgets.facts_table import Facts


@dataclass(frozen=True, slots=True)
class SigningTask:
    """One entry of the menu "Sign…". ``opened`` is what ``open`` gave: a signing key, say.

    All functions but ``fields`` and ``command`` block; they raise KmsTuiError. An error with a ``field`` is
    shown beside the field of that name.
    """

    id: str
    title: str
    words: str
    confirm: str
    open: Callable[[Kms, Subject], Any]
    """What the task needs of the key: GetPublicKey."""
    fields: Callable[[Subject, Any], Sequence[FormField]]
    preview: Callable[[Any, Values, datetime], Facts]
    """What will be signed, with the present time; no call of KMS."""
    make: Callable[[Any, Values, datetime, Progress], Output]
    """It says how much of a file it has read, and stops when asked to, before anything is sent."""
    command: Callable[[Subject, Values], Sequence[str]]
    """The arguments of the command line that does the same, but for those of the connection."""
    refuses: Callable[[Key], Reason]
    piped: Callable[[Values], str] = lambda _: ""
    """What that command reads from standard input."""
    preview_title: str = "What will be signed"
    blame: Mapping[str, str] = field(default_factory=dict)
    """As of ``Form``: for errors without a field."""


def open_key(kms: Kms, subject: Subject) -> SigningKey:
    """The signing key; one call of GetPublicKey."""
    return open_signing_key(kms, subject.arn)


def refuses_unless_it_signs(key: Key) -> Reason:
    """Why a key signs nothing here, without a call, or ""."""
    if key.usage != KeyUsage.SIGN_VERIFY:
        return f"its usage is {key.usage}, not SIGN_VERIFY"
    return "" if key.enabled else f"its state is {key.state}"


class TaskFieldError(KmsTuiError):
    """What is wrong with one field of a task."""

    def __init__(self, field: str, sentence: str, *, next_step: str = "") -> None:
        super().__init__(sentence, next_step=next_step)
        self.field = field


@contextlib.contextmanager
def blamed_on(name: str) -> Iterator[None]:
    """Errors of a block that name no field are about this one."""
    try:
        yield
    except KmsTuiError as error:
        if hasattr(error, "field"):
            raise
        raise TaskFieldError(name, str(error), next_step=error.next_step) from error
