"""What every command has in common: its complaints, and standard streams that are closed or full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kms_tui.backend.local import open_store
from kms_tui.cli.connection import open_backend
from tests.unit.cli.conftest import Run
from tests.unit.cli.test_stopping import LIMIT, PROGRAM, ROOT
from tests.unit.envelope.fake_kms import KEY

pytestmark = pytest.mark.slow

_HOSTILE = "\x1b]0;owned\x07\u202e\x9b2J"
_MAIN = "import sys; from kms_tui.cli import main; sys.exit(main())"
"""The program as it is; that of ``test_stopping`` has a KMS of the tests."""


@pytest.mark.parametrize(
    "arguments",
    [
        (_HOSTILE,),
        ("--profile", "x", _HOSTILE),
        ("store", _HOSTILE),
        ("store", "info", _HOSTILE),
        ("encrypt", "x", "--key", "k", _HOSTILE),
        ("encrypt", "x", "--key", "k", "--context", _HOSTILE),
        ("decrypt", "x", f"--{_HOSTILE}"),
        ("report", "--format", _HOSTILE),
        ("report", "--unused", _HOSTILE),
        ("report", "--regions", f"{_HOSTILE},,"),
        ("policy", "check", "x", "--account", _HOSTILE),
        ("policy", _HOSTILE),
        ("serve", "--port", _HOSTILE),
        ("serve", "--as", _HOSTILE),
        ("config", _HOSTILE),
    ],
)
def test_no_argument_reaches_the_terminal_as_anything_but_text(run: Run, arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert ended.code == 2
    assert "--help shows the usage" in ended.err
    assert all(line.isprintable() for line in ended.err.split("\n"))


def test_a_setting_reaches_the_terminal_as_text(run: Run, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        'filter = "a\\u001b]0;x"\n[profiles."b\\u009b"]\nread_only = true\n'
    )
    ended = run("config", "--file", "config.toml")
    assert ended.code == 0
    assert all(line.isprintable() for line in ended.out.decode().split("\n"))


def test_ctrl_c_ends_a_command_without_a_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kms_tui.cli.config_command.load", interrupt)
    ended = run("config")
    assert (ended.code, ended.out, ended.err) == (130, b"", "Stopped.\n")


def test_ctrl_c_while_a_command_is_imported_leaves_no_traceback(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kms_tui.cli.importlib.import_module", interrupt)
    ended = run("config")
    assert (ended.code, ended.out, ended.err) == (130, b"", "Stopped.\n")


def test_an_error_of_a_file_is_not_blamed_on_standard_output(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "somewhere")

    monkeypatch.setattr("kms_tui.cli.config_command.load", fail)
    with pytest.raises(FileNotFoundError):
        run("config")


def _closed(
    redirection: str, *arguments: str, cwd: Path, program: str = PROGRAM
) -> subprocess.CompletedProcess[bytes]:
    """A command with a standard stream closed, as a shell does it."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-c", program, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(cwd)},
        input=b"x",
        capture_output=True,
        timeout=LIMIT,
        check=False,
    )


@pytest.mark.parametrize(
    ("redirection", "arguments", "code", "sentence"),
    [
        (
            ">&-",
            ("encrypt", "-", "--key", KEY),
            1,
            "Standard output could not be written: Bad file descriptor.",
        ),
        ("<&-", ("encrypt", "-", "--key", KEY), 1, "Standard input could not be read: Bad file descriptor."),
        ("<&-", ("decrypt", "-"), 1, "Standard input could not be read: Bad file descriptor."),
        (">&-", ("config",), 1, "Standard output could not be written: Bad file descriptor."),
        (">/dev/full", ("config",), 1, "Standard output could not be written: No space left on device."),
    ],
)
def test_a_closed_or_full_stream_is_a_sentence(
    tmp_path: Path, redirection: str, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    ended = _closed(redirection, *arguments, cwd=tmp_path)
    assert ended.returncode == code
    assert ended.stderr.decode().splitlines()[0] == f"kms-tui {arguments[0]}: {sentence}"
    assert ended.stdout == b""


def test_a_report_that_nobody_gets_is_no_finding(tmp_path: Path) -> None:
    ended = _closed(">&-", "report", "--demo", cwd=tmp_path, program=_MAIN)
    assert (ended.returncode, ended.stderr.count(b"\n")) == (2, 1)
    assert b"Standard output could not be written" in ended.stderr


@pytest.mark.parametrize("redirection", [">&-", ">/dev/full"])
def test_a_backup_is_told_of_where_standard_output_is_not_to_be_had(tmp_path: Path, redirection: str) -> None:
    store = str(tmp_path / "store.db")
    open_store(store).close()
    ended = _closed(redirection, "store", "backup", "copy.db", "--store", store, cwd=tmp_path, program=_MAIN)
    told = ended.stderr.decode()
    assert ended.returncode == 1
    assert "The copy was made all the same." in told
    assert f"{store} was copied to copy.db. Its key file is copy.db.key" in told
    open_store(tmp_path / "copy.db").close()


@pytest.mark.parametrize("redirection", [">&-", ">/dev/full"])
def test_a_server_whose_port_nobody_can_know_ends(tmp_path: Path, redirection: str) -> None:
    ended = _closed(redirection, "serve", "--ephemeral", cwd=tmp_path, program=_MAIN)
    assert ended.returncode == 1
    assert ended.stderr.startswith(b"kms-tui serve: Standard output could not be written: ")
    assert b"Traceback" not in ended.stderr


def test_what_is_said_on_a_closed_standard_error_goes_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"secret")
    sealed = _closed("2>&-", "encrypt", "plain", "--key", KEY, "-v", cwd=tmp_path)
    assert sealed.returncode == 0
    (tmp_path / "sealed").write_bytes(sealed.stdout)
    opened = _closed("2>&-", "decrypt", "sealed", "-v", cwd=tmp_path)
    assert (opened.returncode, opened.stdout) == (0, b"secret")


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--store"),
        ("store", "info", "--store"),
        ("config", "--file"),
        ("usage", "--events"),
        ("replay", "--key", "k", "--disable", "--demo", "--policy-before"),
    ],
)
def test_a_name_that_the_system_refuses_is_a_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_backend)
    ended = run(*arguments, "x" * 3000)
    assert ended.code in (1, 2)
    assert ended.err.endswith("File name too long.\n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_an_encoding_lacks_is_spelt_out(tmp_path: Path, encoding: str) -> None:
    message = "User: x is not authorized to perform: kms:Decrypt on resource: \u2713"
    for arguments in (("explain", message), ("config",), ("list", "--demo", "--sort", "\u2713")):
        ended = subprocess.run(
            [sys.executable, "-m", "kms_tui", *arguments],
            capture_output=True,
            timeout=LIMIT,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding, "HOME": str(tmp_path)},
        )
        assert b"Traceback" not in ended.stderr
        assert ended.returncode in (0, 2)
        (ended.stdout + ended.stderr).decode(encoding)
