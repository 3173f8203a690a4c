"""``kms-tui serve`` as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kms_tui.serve.sigv4 import Credential

_EXPORT = re.compile(r"export (\w+)=(\S+)")
_EXPORTS = 6


@dataclass(frozen=True, slots=True)
class Served:
    """A server that listens: its first line, and the variables that it exports."""

    process: subprocess.Popen[str]
    first_line: str
    exports: Mapping[str, str]

    @property
    def url(self) -> str:
        return self.exports["AWS_ENDPOINT_URL_KMS"]

    @property
    def credential(self) -> Credential:
        return Credential(self.exports["AWS_ACCESS_KEY_ID"], self.exports["AWS_SECRET_ACCESS_KEY"])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Its exit code, and what it wrote on standard output and error since the exports."""
        self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=30)
        return self.process.returncode, output, errors


def environment(home: Path) -> dict[str, str]:
    """The test's environment with a home of its own, and no AWS or kms-tui settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "KMS_TUI_"))}
    return {**kept, "HOME": str(home), "XDG_DATA_HOME": str(home / "data")}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "kms_tui", "serve", *arguments]


def refused(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a server that is expected not to come up."""
    return subprocess.run(
        command(*arguments), env=environment(home), capture_output=True, text=True, timeout=60, check=False
    )


@contextmanager
def serving(home: Path, *arguments: str, exports: int = _EXPORTS, **variables: str) -> Iterator[Served]:
    """A server process with this many lines of exports; killed at the end if it was not stopped before."""
    process = subprocess.Popen(
        command(*arguments),
        env={**environment(home), **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        first_line = process.stdout.readline()
        lines = [process.stdout.readline() for _ in range(exports)]
        found = [_EXPORT.fullmatch(line.strip()) for line in lines]
        yield Served(process, first_line, {match[1]: match[2] for match in found if match})
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
