"""A secret copied through the terminal leaves its clipboard in time, and when the console is left."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Any

import pytest
from textual.pilot import Pilot

from kms_tui.kms.model import Secret
from kms_tui.ui.app import KmsApp
from kms_tui.ui.base.clipboard import copy_secret
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, settled
from tests.ui.marked import Written


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Written:
    monkeypatch.setenv("SSH_TTY", "/dev/pts/0")
    return Written(monkeypatch)


def copied(written: Written) -> list[str]:
    """What went to the terminal's clipboard (OSC 52), in its order."""
    return [base64.b64decode(each).decode() for each in re.findall("\x1b]52;c;([^\x07]*)\x07", written.text)]


def test_it_is_replaced_in_time_by_a_text_that_terminals_take(make_app: MakeApp, written: Written) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, KmsApp)
        assert copy_secret(app, Secret(b"s3cret"), "s3cret", seconds=0.01).through_terminal
        async with asyncio.timeout(10):
            while len(copied(written)) < 2:
                await pilot.pause(0.01)
        assert copied(written) == ["s3cret", " "], "tmux and others ignore an empty text"
        assert "s3cret" not in app.clipboard

    drive(make_app(), script)
    assert copied(written) == ["s3cret", " "], "once is enough"


def test_it_is_replaced_when_the_console_is_left(make_app: MakeApp, written: Written) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, KmsApp)
        copy_secret(app, Secret(b"s3cret"), "s3cret", seconds=1000)
        await settled(pilot)
        assert copied(written) == ["s3cret"]

    drive(make_app(), script)
    assert copied(written) == ["s3cret", " "]
