"""The console as a process in a pseudo-terminal of its own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

LIMIT = 30.0
"""Seconds within which whatever is waited for has come, on a machine with nothing to spare."""


class Terminal:
    """Runs ``kms-tui`` with some arguments; ``painted`` is all that it wrote so far."""

    def __init__(self, *arguments: str, home: Path, size: tuple[int, int] = (160, 48)) -> None:
        self._ours, self._theirs = pty.openpty()
        columns, lines = size
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.before = termios.tcgetattr(self._theirs)
        self.painted = b""
        homes = {f"XDG_{kind}_HOME": str(home / kind) for kind in ("CONFIG", "DATA", "STATE")}
        # Tests that run side by side have these set, and they would count for more than the terminal's own.
        inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kms_tui", *arguments],
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            env={**inherited, **homes, "TERM": "xterm-256color", "SSH_TTY": "/dev/pts/0"},
            start_new_session=True,
            preexec_fn=self._control,
        )

    def _control(self) -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    @property
    def attributes(self) -> list[Any]:
        """The terminal's modes now: echo, line editing, signals."""
        return termios.tcgetattr(self._theirs)

    def press(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def read(self, seconds: float) -> bytes:
        """What it writes within so many seconds."""
        found, until = b"", time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([self._ours], [], [], left)[0]:
                with contextlib.suppress(OSError):
                    found += os.read(self._ours, 65536)
        self.painted += found
        return found

    def until(self, condition: Callable[[], bool]) -> None:
        """Read until a condition holds."""
        ends = time.monotonic() + LIMIT
        while not condition():
            assert time.monotonic() < ends, self.painted[-2000:]
            self.read(0.05)

    def shows(self, text: str) -> None:
        """Read until some text was written since the last call."""
        start = len(self.painted)
        self.until(lambda: text.encode() in self.painted[start:])

    def ended(self) -> int:
        """Read until it has ended; its exit code."""
        self.until(lambda: self.process.poll() is not None)
        self.read(0.1)
        return int(self.process.returncode)

    def hang_up(self) -> None:
        """Close the terminal, as the window of one is closed."""
        os.close(self._theirs)
        os.close(self._ours)
        self._ours = self._theirs = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.wait(LIMIT)
        if self._ours >= 0:
            self.hang_up()
