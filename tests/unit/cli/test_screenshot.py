"""A picture of the first screen without a terminal: nobody is there to answer, and nothing waits for them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROLE = """\
[profile base]
aws_access_key_id = AKIABASE
aws_secret_access_key = s
[profile admin]
region = eu-west-1
role_arn = arn:aws:iam::111122223333:role/Admin
source_profile = base
mfa_serial = arn:aws:iam::111122223333:mfa/ada
[profile broken]
region = eu-west-1
credential_process = /nope/okta
"""


def draw(tmp_path: Path, profile: str) -> str:
    """What the picture says of a connection that cannot be opened."""
    (tmp_path / "config").write_text(ROLE, encoding="utf-8")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environ |= {"HOME": str(tmp_path), "AWS_CONFIG_FILE": str(tmp_path / "config")}
    environ |= {"AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}
    picture = tmp_path / "picture.svg"
    command = [sys.executable, "-m", "kms_tui", "--profile", profile, "--screenshot", str(picture)]
    ended = subprocess.run(
        command,
        env=environ,
        cwd=Path(__file__).parents[3],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return picture.read_text(encoding="utf-8").replace("&#160;", " ")


def test_an_mfa_code_is_declined(tmp_path: Path) -> None:
    assert "No MFA code was given." in draw(tmp_path, "admin")


def test_a_credential_process_that_is_missing_is_told(tmp_path: Path) -> None:
    assert "/nope/okta could not be started" in draw(tmp_path, "broken")


def test_a_picture_that_cannot_be_written_leaves_the_former_one(tmp_path: Path) -> None:
    picture = tmp_path / "picture.svg"
    picture.write_text("former")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); "
    program = f"{limit}import sys; from kms_tui.cli import main; sys.exit(main())"
    ended = subprocess.run(
        [sys.executable, "-B", "-c", program, "--demo", "--screenshot", str(picture)],
        env={**os.environ, "HOME": str(tmp_path)},
        cwd=Path(__file__).parents[3],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert f"kms-tui: {picture} could not be written: File too large." in ended.stderr
    assert "Traceback" not in ended.stderr
    assert picture.read_text() == "former"
