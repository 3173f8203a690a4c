"""The scratchpad, not waiting for anybody to stop typing, with a clipboard of its own."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyperclip
import pytest

from kms_tui.ui.scratchpad.scratchpad_screen import ScratchpadScreen


@pytest.fixture(autouse=True)
def _ciphertexts_are_looked_into_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScratchpadScreen, "KNOWN_AFTER", 0.0)


@dataclass
class Clipboard:
    """This machine's clipboard; without ``works`` there is none."""

    text: str = ""
    works: bool = True
    copied: list[str] = field(default_factory=list)

    def copy(self, text: str) -> None:
        self._check()
        self.text = text
        self.copied.append(text)

    def paste(self) -> str:
        self._check()
        return self.text

    def _check(self) -> None:
        if not self.works:
            raise pyperclip.PyperclipException("there is no clipboard here")


@pytest.fixture(autouse=True)
def clipboard(monkeypatch: pytest.MonkeyPatch) -> Clipboard:
    board = Clipboard()
    monkeypatch.setattr(pyperclip, "copy", board.copy)
    monkeypatch.setattr(pyperclip, "paste", board.paste)
    for name in ("SSH_CONNECTION", "SSH_TTY"):
        monkeypatch.delenv(name, raising=False)
    return board
