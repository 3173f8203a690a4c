"""Where the result of a file goes."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.scratchpad.lines import ProblemLine
from kms_tui.ui.scratchpad.path_input import PathInput
from kms_tui.ui.widgets.plain import Static

SEALED_SUFFIX, OPENED_SUFFIX = ".encrypted", ".decrypted"
"""As aws-encryption-cli names its files."""


class TargetLine(Vertical):
    """The name of a file to write; it suggests one until somebody else has."""

    def __init__(self) -> None:
        super().__init__(id="target-line")
        self.path_input = PathInput("target", "empty: shown here, if it is small")
        self.problem = ProblemLine()
        self._suggested = ""

    def compose(self) -> ComposeResult:
        with Horizontal(classes="row"):
            yield Static(Content("Save as"), classes="label")
            yield self.path_input
        yield self.problem

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
