"""Those who say whether a certificate is good: openssl, and the files that it needs."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")


def openssl_knows_ml_dsa() -> bool:
    """Whether it is OpenSSL 3.5 or newer."""
    if OPENSSL is None:
        return False
    told = subprocess.run([OPENSSL, "version"], capture_output=True, text=True, check=True).stdout
    name, version = told.split()[:2]
    major, minor = (int(part) for part in version.split(".")[:2])
    return name == "OpenSSL" and (major, minor) >= (3, 5)


def openssl_agrees(line: str, folder: Path) -> None:
    """Run a line that is shown to people, as their shell does; it has to succeed and to say so."""
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=False, timeout=20
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, f"{line}\n{said}"
    words = {"req": "verify OK", "verify": ": OK", "crl": "verify OK", "x509": "Certificate:"}
    assert words[shlex.split(line)[1]] in said, f"{line}\n{said}"
    assert "verify failure" not in said.lower()
