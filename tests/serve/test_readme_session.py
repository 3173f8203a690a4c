"""The README's shell session, run as it stands with the stock AWS CLI."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.endpoints.aws_cli import warm_aws_cli
from tests.serve.process import environment

pytestmark = pytest.mark.slow

README = Path(__file__).parents[2] / "README.md"
_SESSION = re.compile(r"<!-- session -->\n```sh\n(.*?)```\n<!-- /session -->", re.DOTALL)


def session() -> str:
    found = _SESSION.findall(README.read_text(encoding="utf-8"))
    assert len(found) == 1
    return str(found[0])


def run(script: str, directory: Path) -> tuple[int, str, str]:
    """Exit code and outputs of bash, where any failing line ends it; our commands are first on the path."""
    path = os.pathsep.join([str(warm_aws_cli()), str(Path(sys.executable).parent), os.environ["PATH"]])
    with subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=directory,
        env={**environment(directory), "PATH": path, "AWS_EC2_METADATA_DISABLED": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate(timeout=60)
        finally:
            # A session that failed halfway has left its server running.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, output, errors


def test_the_session_of_the_readme_runs_as_it_stands(tmp_path: Path) -> None:
    code, output, errors = run(session(), tmp_path)
    assert (code, errors) == (0, "")
    plaintext, _, answers = output.partition("\n")
    assert plaintext == "order 4711: 3 lamps"
    decoder = json.JSONDecoder()
    data_key, end = decoder.raw_decode(answers)
    mac, _ = decoder.raw_decode(answers[end:].lstrip())
    assert data_key["KeyId"].startswith("arn:aws:kms:us-east-1:111122223333:key/")
    assert {"Plaintext", "CiphertextBlob", "KeyMaterialId"} <= data_key.keys()
    assert mac["MacAlgorithm"] == "HMAC_SHA_256"
    assert (tmp_path / "order.sealed").stat().st_size > 64


def test_the_session_names_every_command_that_it_promises() -> None:
    commands = set(re.findall(r"aws kms ([a-z-]+)", session()))
    assert commands >= {
        "create-key",
        "create-alias",
        "enable-key-rotation",
        "encrypt",
        "decrypt",
        "generate-data-key",
        "generate-mac",
    }
