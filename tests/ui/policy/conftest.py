"""The policy workspace under test; drafts and replaced policies go to a folder of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from kms_tui import data_files
from kms_tui.data_files import PolicyFiles
from kms_tui.ui.policy_editor import editor_screen


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PolicyFiles:
    """Where this test's drafts and versions are."""
    root = tmp_path / "policies"
    monkeypatch.setattr(data_files, "policy_root", lambda: root)
    monkeypatch.setattr(data_files, "passing_root", lambda: root)
    return PolicyFiles(root)


@pytest.fixture(autouse=True)
def _typing_rests_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The editor looks and keeps soon after a change, so that tests need not wait for it."""
    monkeypatch.setattr(editor_screen, "JUDGE_SECONDS", 0.0)
    monkeypatch.setattr(editor_screen, "KEEP_SECONDS", 0.0)
