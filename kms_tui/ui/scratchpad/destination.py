"""Where Re-encrypt moves a ciphertext to."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from kms_tui.crypto_ops.inputs import InputField
from kms_tui.crypto_ops.request import ChosenKey
from kms_tui.ui.scratchpad.context_rows import ContextRows
from kms_tui.ui.scratchpad.fields import KeyField


class DestinationPane(Vertical):
    """A key of any region and, where it is symmetric, an encryption context."""

    def __init__(self) -> None:
        super().__init__(id="destination")
        self.key: ChosenKey | None = None
        self.key_field = KeyField("destination-key", "To key")
        self.context = ContextRows("destination-context", "To context", InputField.DESTINATION_CONTEXT)

    def compose(self) -> ComposeResult:
        yield self.key_field
        yield self.context

    def show(self, *, home: str, takes_context: bool) -> None:
        self.key_field.show(self.key, home=home, absent="none yet: Enter chooses one")
        self.context.display = self.key is not None and takes_context
