"""Lines that are there only while they have something to say."""

from __future__ import annotations

from kms_tui.ui.base.safe_text import safe
from kms_tui.ui.widgets.plain import Static


class Line(Static):
    """One untrusted sentence, hidden while it is empty."""

    def on_mount(self) -> None:
        self.display = bool(self.content)

    def say(self, sentence: str) -> None:
        self.update(safe(sentence))
        self.display = bool(sentence)


class ProblemLine(Line):
    """What is wrong with the field above; ``soft`` while that may still be being typed."""

    def __init__(self) -> None:
        super().__init__(classes="problem")

    def say(self, sentence: str, *, soft: bool = False) -> None:
        super().say(sentence)
        self.set_class(soft, "-soft")
