from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from kms_tui.cli import main
from kms_tui.session import Connection
from tests.demo_copies import demo_of_now
from tests.unit.envelope.fake_kms import FakeKms


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: bytes
    err: str


Run = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _copies_of_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kms_tui.demo.demo_backend", demo_of_now)


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> FakeKms:
    fake = FakeKms()

    def open_backend(connection: Connection) -> FakeKms:
        return fake.in_region(connection.region) if connection.region else fake

    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_backend)
    return fake


@pytest.fixture
def run(kms: FakeKms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command in an empty directory, where its configuration is looked for, ``config.toml``.

    ``terminal`` names the streams that are a terminal.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kms_tui.config.default_path", lambda: tmp_path / "config.toml")

    def run_command(*arguments: str, stdin: bytes = b"", terminal: tuple[str, ...] = ()) -> Ended:
        out, err = Stream(terminal="stdout" in terminal), Stream(terminal="stderr" in terminal)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", StandardInput(stdin, terminal="stdin" in terminal))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            try:
                code = main(arguments)
            except SystemExit as ended:
                code = int(ended.code or 0)
        return Ended(code, out.written(), err.written().decode())

    return run_command


class StandardInput(io.TextIOWrapper):
    """Standard input, that says whether it is a terminal."""

    def __init__(self, content: bytes, *, terminal: bool) -> None:
        self._terminal = terminal
        super().__init__(io.BytesIO(content))

    def isatty(self) -> bool:
        return self._terminal


class Stream(io.TextIOWrapper):
    """Standard output or error, that says whether it is a terminal."""

    def __init__(self, *, terminal: bool) -> None:
        self._bytes = io.BytesIO()
        self._terminal = terminal
        super().__init__(self._bytes, encoding="utf-8", newline="")

    def isatty(self) -> bool:
        return self._terminal

    def written(self) -> bytes:
        self.flush()
        return self._bytes.getvalue()
