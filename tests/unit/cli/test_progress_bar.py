"""The bar on standard error: as wide as the terminal, in letters that it can show, and gone at the end."""

from __future__ import annotations

import io
import sys

import pytest

from kms_tui.cli import progress_bar
from kms_tui.cli.progress_bar import ProgressBar


class Terminal(io.TextIOWrapper):
    """Standard error as a terminal of an encoding."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, errors="strict", write_through=True)

    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)

    @property
    def drawn(self) -> list[str]:
        """What was drawn, one line over the other, without what was blanked."""
        return [line.rstrip() for line in self.text.split("\r") if line.strip()]


def _terminal(monkeypatch: pytest.MonkeyPatch, encoding: str = "utf-8") -> Terminal:
    """From now on; pytest puts its own standard error in place before each phase of a test."""
    made = Terminal(encoding)
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(progress_bar, "_SECONDS", 0.0)
    return made


def test_it_says_how_much_is_done_and_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _terminal(monkeypatch)
    bar = ProgressBar()
    bar.update(3, 12, "reading")
    bar.update(12, 12, "reading")
    bar.close()
    first, last = terminal.drawn
    assert first.startswith("reading:  25% ")
    assert "3 of 12" in first
    assert last.startswith("reading: 100% ")
    assert terminal.text.endswith("\r")


def test_without_a_total_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _terminal(monkeypatch)
    bar = ProgressBar()
    bar.update(40, words="listing the keys")
    bar.update(80, words="listing the keys")
    bar.close()
    assert terminal.drawn[0].startswith("listing the keys: 40 in ")


def test_bytes_have_their_units(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _terminal(monkeypatch)
    bar = ProgressBar(is_bytes=True)
    bar.update(1024 * 1024, 4 * 1024 * 1024)
    bar.close()
    assert "1.00MB of 4.00MB" in terminal.drawn[0]


def test_it_draws_what_the_encoding_has(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _terminal(monkeypatch, "ascii")
    bar = ProgressBar()
    bar.update(1, 2, "reading")
    bar.close()
    assert "####" in terminal.drawn[0]


def test_what_others_wrote_reaches_no_terminal_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _terminal(monkeypatch)
    bar = ProgressBar()
    bar.update(1, 2, "reading (\x1b]52;c;eA==\x07)")
    bar.close()
    assert "\x1b" not in terminal.drawn[0]
    assert "\x07" not in terminal.text


def test_it_draws_now_and_then_and_nothing_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = _terminal(monkeypatch)
    monkeypatch.setattr(progress_bar, "_SECONDS", 60.0)
    bar = ProgressBar()
    for done in range(50):
        bar.update(done, 50)
    assert len(terminal.drawn) == 1
    bar.close()
    monkeypatch.undo()
    quiet = ProgressBar()
    quiet.update(1, 2)
    quiet.close()
    assert capsys.readouterr().err == ""
