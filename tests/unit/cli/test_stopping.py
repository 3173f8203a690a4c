"""Commands in a process of their own, stopped or cut off from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.envelope.fake_kms import KEY

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from kms_tui.cli import connection, main
from tests.unit.envelope.fake_kms import FakeKms, KEY
connection.open_backend = lambda chosen: FakeKms(keys={KEY: b"k" * 32})
sys.exit(main())
"""
LIMIT = 30.0
MEGABYTES = b"x" * (3 << 20)


def start(*arguments: str, cwd: Path, stdout: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.PIPE,
    )


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    process = start("encrypt", "-", "--key", KEY, cwd=tmp_path_factory.mktemp("sealed"))
    return process.communicate(MEGABYTES, LIMIT)[0]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
@pytest.mark.parametrize("command", ["encrypt", "decrypt"])
def test_a_stopped_command_leaves_nothing(
    tmp_path: Path, sealed: bytes, command: str, number: int, code: int
) -> None:
    content, key = (MEGABYTES, ["--key", KEY]) if command == "encrypt" else (sealed[:-1000], [])
    process = start(command, "-", "-o", "out", *key, cwd=tmp_path)
    assert process.stdin is not None
    process.stdin.write(content)
    process.stdin.flush()
    wait_until(lambda: any(entry.stat().st_size > 1 << 20 for entry in tmp_path.iterdir()))
    process.send_signal(number)
    _, errors = process.communicate(timeout=LIMIT)
    assert (process.returncode, errors) == (code, b"Stopped. No unfinished file was left behind.\n")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_goes_away_is_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    process = start("encrypt", "-", "--key", KEY, cwd=tmp_path, stdout=writing)
    os.close(writing)
    os.close(reading)
    _, errors = process.communicate(MEGABYTES, LIMIT)
    assert (process.returncode, errors) == (
        1,
        b"kms-tui encrypt: Standard output could not be written: Broken pipe.\n",
    )


@pytest.mark.parametrize("arguments", [("policy", "rules"), ("policy", "rules", "--json"), ("config",)])
def test_a_reader_that_has_enough_is_no_failure(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    process = start(*arguments, cwd=tmp_path, stdout=writing)
    os.close(writing)
    os.close(reading)
    _, errors = process.communicate(timeout=LIMIT)
    assert (process.returncode, errors) == (128 + signal.SIGPIPE, b"")


def test_a_full_disk_behind_standard_output_is_a_sentence(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        process = start("encrypt", "-", "--key", KEY, cwd=tmp_path, stdout=full.fileno())
    _, errors = process.communicate(b"x", LIMIT)
    assert process.returncode == 1
    assert errors.startswith(
        b"kms-tui encrypt: Standard output could not be written: No space left on device."
    )
    assert b"Traceback" not in errors
