"""What other programs do to the console's process, and what becomes of the terminal."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.endpoints.environment import use_config
from tests.ui.terminal import LIMIT, Terminal

LEFT = (b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?2004l", b"\x1b[?25h")
"""Alternate screen, mouse and bracketed paste off, the cursor shown."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, None])
def test_a_signal_that_ends_it_leaves_the_terminal_as_q_does(
    tmp_path: Path, number: signal.Signals | None
) -> None:
    with Terminal("--demo", home=tmp_path) as terminal:
        terminal.shows("orders-db")
        if number is None:
            terminal.press(b"q")
        else:
            terminal.process.send_signal(number)
        assert terminal.ended() == 0
        assert [code for code in LEFT if code not in terminal.painted] == []
        assert terminal.attributes == terminal.before
        assert b"Traceback" not in terminal.painted


def test_ctrl_c_stops_the_command_that_has_the_terminal_and_not_the_console(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_config(monkeypatch, tmp_path, "[profile dev]\nsso_session = x\nregion = eu-west-1\n[sso-session x]\n")
    (tmp_path / "bin" / "aws").write_text("#!/bin/sh\necho it waits\nexec sleep 60\n", encoding="utf-8")
    with Terminal("--profile", "dev", home=tmp_path) as terminal:
        terminal.shows("L signs in")
        terminal.press(b"L")
        terminal.shows("it waits")
        terminal.press(b"\x03")
        terminal.shows("was stopped")
        terminal.press(b"q")
        assert terminal.ended() == 0


def test_closing_the_terminal_ends_it(tmp_path: Path) -> None:
    with Terminal("--demo", home=tmp_path) as terminal:
        terminal.shows("orders-db")
        terminal.hang_up()
        terminal.process.wait(LIMIT)


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
def test_after_a_stop_everything_is_painted_and_keys_work(tmp_path: Path, number: signal.Signals) -> None:
    with Terminal("--demo", home=tmp_path) as terminal:
        terminal.shows("orders-db")
        terminal.process.send_signal(number)
        stat = Path(f"/proc/{terminal.process.pid}/stat")
        terminal.until(lambda: stat.read_text(encoding="ascii").rpartition(")")[2].split()[0] == "T")
        if number is signal.SIGTSTP:
            assert terminal.attributes == terminal.before
        stopped = len(terminal.painted)
        terminal.process.send_signal(signal.SIGCONT)
        # What was written before the stop may come late, and has no alternate screen in it.
        terminal.until(lambda: b"payments-signing" in terminal.painted[stopped:].partition(b"\x1b[?1049h")[2])
        terminal.press(b"q")
        assert terminal.ended() == 0
        assert terminal.attributes == terminal.before
