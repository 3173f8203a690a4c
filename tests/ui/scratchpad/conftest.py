"""The scratchpad, not waiting for anybody to stop typing."""

from __future__ import annotations

import pytest

from kms_tui.ui.scratchpad.screen import ScratchpadScreen


@pytest.fixture(autouse=True)
def _ciphertexts_are_looked_into_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScratchpadScreen, "KNOWN_AFTER", 0.0)
