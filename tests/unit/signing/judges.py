"""Stock tools that judge what is signed here: openssl, ssh-keygen and git, where they are installed."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

NOW = datetime.now(UTC).replace(microsecond=0)
"""The moment of everything that a test makes: openssl judges by the clock."""

NEEDS_OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
NEEDS_SSH = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
NEEDS_GIT = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def judged(folder: Path, *command: str, given: bytes = b"") -> tuple[int, str]:
    """A tool's exit code and all that it says, run in a folder."""
    done = subprocess.run(command, cwd=folder, input=given, capture_output=True, timeout=30, check=False)
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


def openssl_knows_ml_dsa() -> bool:
    """Whether it is OpenSSL 3.5 or newer."""
    if shutil.which("openssl") is None:
        return False
    name, version = judged(Path(), "openssl", "version")[1].split()[:2]
    major, minor = (int(part) for part in version.split(".")[:2])
    return name == "OpenSSL" and (major, minor) >= (3, 5)


def openssl_agrees(line: str, folder: Path) -> None:
    """Run a line that is shown to people, as their shell does; it has to succeed and to say so."""
    code, said = judged(folder, "bash", "-c", line)
    assert code == 0, f"{line}\n{said}"
    words = {"req": "verify OK", "verify": ": OK", "crl": "verify OK", "x509": "Certificate:"}
    assert words[shlex.split(line)[1]] in said, f"{line}\n{said}"
    assert "verify failure" not in said.lower()
