"""Stock tools that judge what is signed here: openssl and ssh-keygen, where they are installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

NEEDS_OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
NEEDS_SSH = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
NEEDS_GIT = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def judged(folder: Path, *command: str, given: bytes = b"") -> tuple[int, str]:
    """A tool's exit code and all that it says, run in a folder."""
    done = subprocess.run(command, cwd=folder, input=given, capture_output=True, timeout=30, check=False)
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")
