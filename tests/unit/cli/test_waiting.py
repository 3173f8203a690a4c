"""A command that waits for somebody else's program says so, and which it is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kms_tui.cli import connection
from kms_tui.cli.connection import open_backend
from kms_tui.session import BackendKind, Connection
from tests.endpoints.environment import use_config

SLOW = """import json, sys, time
while not open(sys.argv[1]).read():
    time.sleep(0.01)
print(json.dumps({"Version": 1, "AccessKeyId": "AKIAX", "SecretAccessKey": "s"}))
"""


class Told:
    """Standard error: the program goes on once something was written to it."""

    def __init__(self, release: Path) -> None:
        self.release = release
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text
        self.release.write_text("go on", encoding="utf-8")

    def flush(self) -> None:
        pass


@pytest.mark.parametrize("asks", [False, True])
def test_a_credential_process_that_takes_long_is_named(
    asks: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program, release = tmp_path / "okta.py", tmp_path / "release"
    program.write_text(SLOW, encoding="utf-8")
    release.write_text("go on" if asks else "", encoding="utf-8")
    process = f"{sys.executable} {program} {release} --secret s3cret"
    use_config(monkeypatch, tmp_path, f"[profile dev]\nregion = eu-west-1\ncredential_process = {process}\n")
    monkeypatch.setattr(connection, "OPENING_IS_LONG", 0.01)
    told = Told(release)
    monkeypatch.setattr(sys, "stderr", told)
    open_backend(Connection(BackendKind.AWS, profile="dev"), (lambda _question: None) if asks else None)
    if asks:
        assert told.text == "", "the console says it on the screen"
    else:
        assert "waiting for the credential_process" in told.text
        assert "config, line 3" in told.text
        assert "s3cret" not in told.text
