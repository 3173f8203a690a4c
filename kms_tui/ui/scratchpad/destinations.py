"""Where a result goes: the key that Re-encrypt moves a ciphertext to, or the file that is written."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from kms_tui.crypto_ops.inputs import InputField
from kms_tui.crypto_ops.request import ChosenKey
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.scratchpad.context_rows import ContextRows
from kms_tui.ui.scratchpad.pane_fields import KeyField, PathInput, ProblemLine
from kms_tui.ui.widgets.text_widgets import Static


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


SEALED_SUFFIX, OPENED_SUFFIX = ".encrypted", ".decrypted"
"""As aws-encryption-cli names its files."""


class TargetLine(Vertical):
    """The name of a file to write; it is suggested until the person types another."""

    def __init__(self) -> None:
        super().__init__(id="target-line")
        self.path_input = PathInput("target", "empty: shown here, if it is small")
        self.problem = ProblemLine(self)
        self._suggested = ""

    def compose(self) -> ComposeResult:
        with Horizontal(classes="row"):
            yield Static(Content("Save as"), classes="label")
            yield self.path_input

    @property
    def path(self) -> Path | None:
        return self.path_input.path

    def suggest(self, source: Path | None, *, sealing: bool) -> None:
        """Name the result of a file after it."""
        if self.path_input.value == self._suggested:
            self._suggested = self.path_input.value = suggestion(source, sealing=sealing) if source else ""


def suggestion(source: Path, *, sealing: bool) -> str:
    """The name of the sealed or opened file; opening takes the suffix away that sealing adds."""
    if sealing:
        return f"{source}{SEALED_SUFFIX}"
    opened = source.with_suffix("") if source.suffix == SEALED_SUFFIX else source
    return f"{opened}{OPENED_SUFFIX}"
