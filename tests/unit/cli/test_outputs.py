"""``-o/--output``: one rule for every command, for standard output, devices, FIFOs, files and directories."""

from __future__ import annotations

import argparse
import importlib
import os
import stat
import sys
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from kms_tui.atomic import FileError
from kms_tui.backend.base import Backend
from kms_tui.cli import COMMANDS
from kms_tui.cli.file_streams import PIPE, is_stream, output_directory, output_file, output_name
from kms_tui.cli.standard_streams import Parser
from kms_tui.session import Connection
from tests.demo_copies import demo_copy
from tests.unit.cli.conftest import Run, Stream
from tests.unit.evidence.health.build import NOW

KEY, SIGNING = "alias/orders-db", "alias/login-tokens"
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEUHUAprvR7OA9bqb1yHuzZe4xVvJZg1LqIH4K5iFX9Z kim"
STATE = Path(__file__).parents[2] / "data" / "terraform" / "as-code.tfstate"
DEMO = ("--demo",)
_WITH_OUTPUT: dict[str, tuple[str, ...]] = {
    "algorithms": DEMO,
    "cert": ("csr", "--key", SIGNING, "--subject", "CN=x", *DEMO),
    "decrypt": ("sealed", *DEMO),
    "diff": ("facts.json", "facts.json"),
    "drift": ("--state", str(STATE), *DEMO),
    "encrypt": ("text", "--key", KEY, *DEMO),
    "list": DEMO,
    "plan-move": (KEY, "--to", "new", *DEMO),
    "public-key": ("--key", SIGNING, *DEMO),
    "report": DEMO,
    "sign": ("text", "--key", SIGNING, *DEMO),
    "snapshot": DEMO,
    "ssh-cert": ("id.pub", "--key", SIGNING, "--principal", "kim", *DEMO),
    "used-by": (KEY, *DEMO),
}
"""Command -> arguments with which it writes; of ``move`` and ``store seed`` only the flag is looked at."""
_READS = {"diff": ("snapshot", "facts.json"), "decrypt": ("encrypt", "sealed")}
"""Command -> what writes the file that it reads, and the file."""
_DIRECTORIES = ("code",)
"""Commands whose ``-o`` names a directory."""


def _output_flags(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from _output_flags(each)
        elif "--output" in action.option_strings:
            yield action


@cache
def _flags(command: str) -> list[argparse.Action]:
    parser = Parser()
    importlib.import_module(COMMANDS[command][0]).add_arguments(parser)
    return list(_output_flags(parser))


def test_every_command_takes_the_flag_by_the_one_rule() -> None:
    commands = {name for name in COMMANDS if _flags(name)} - {*_DIRECTORIES}
    assert commands == {*_WITH_OUTPUT, "move", "store"}
    for name in commands:
        assert {flag.type for flag in _flags(name)} == {output_name}, name
        assert {flag.default for flag in _flags(name)} <= {PIPE, None}, name
    for name in _DIRECTORIES:
        assert {flag.type for flag in _flags(name)} == {output_directory}, name


@pytest.fixture
def demo(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command on the demo, in a folder with what the commands of the table read."""

    def open_backend(connection: Connection, prompt: object = None) -> Backend:
        return demo_copy(NOW)

    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_backend)
    (tmp_path / "text").write_text("text")
    (tmp_path / "id.pub").write_text(SSH_KEY)
    return run


@pytest.mark.parametrize("command", sorted(_WITH_OUTPUT))
def test_standard_output_and_a_fifo_get_the_same_kind_of_result(
    demo: Run, command: str, tmp_path: Path
) -> None:
    if command in _READS:
        maker, made = _READS[command]
        demo(maker, *_WITH_OUTPUT[maker], "-o", made)
    arguments = (command, *_WITH_OUTPUT[command])
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    said: list[bytes] = []
    reader = threading.Thread(target=lambda: said.append(fifo.read_bytes()), daemon=True)
    reader.start()
    through = demo(*arguments, "-o", "fifo")
    reader.join(timeout=10)
    direct = demo(*arguments, "-o", "-")
    assert (through.code, len(said)) == (direct.code, 1)
    assert said[0][:1] == direct.out[:1]
    assert direct.out
    assert stat.S_ISFIFO(fifo.stat().st_mode)


@pytest.mark.parametrize("command", sorted({*_WITH_OUTPUT, "move"}))
def test_a_directory_is_bad_usage_before_anything_is_read(demo: Run, command: str, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    ended = demo(command, *_WITH_OUTPUT.get(command, (KEY, "--status", *DEMO)), "-o", "there")
    assert (ended.code, ended.out) == (2, b"")
    assert "'there' is a directory: name a file in it" in ended.err


@pytest.mark.parametrize("name", ["text/new", "text/new/er"])
@pytest.mark.parametrize("command", ["code", "list"])
def test_a_place_below_a_file_is_bad_usage_before_anything_is_read(
    demo: Run, command: str, name: str
) -> None:
    ended = demo(command, *DEMO, "-o", name)
    assert (ended.code, ended.out) == (2, b"")
    assert f"{name!r} cannot be made: 'text' is a file, not a directory" in ended.err


def test_a_file_that_only_its_owner_reads_stays_so(demo: Run, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.touch(0o600)
    assert demo("list", *DEMO, "-o", "keys").code == 0
    assert path.stat().st_size
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_code_is_not_written_into_a_file(demo: Run, tmp_path: Path) -> None:
    ended = demo("code", "--all", *DEMO, "-o", "text")
    assert (ended.code, ended.out) == (2, b"")
    assert "'text' is a file: name a directory, or - for standard output" in ended.err
    assert (tmp_path / "text").read_text() == "text"
    assert "the name is empty: name a directory" in demo("code", "--all", *DEMO, "-o", "").err
    assert demo("code", KEY, *DEMO, "-o", "/dev/stdout").out == demo("code", KEY, *DEMO).out


def test_a_name_that_ends_as_a_directory_does_and_an_empty_one_are_bad_usage() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="'new/' is a directory: name a file in it"):
        output_name("new/")
    with pytest.raises(argparse.ArgumentTypeError, match="the name is empty"):
        output_name("")


@pytest.mark.parametrize(
    "arguments",
    [
        ("encrypt", *_WITH_OUTPUT["encrypt"]),
        ("decrypt", *_WITH_OUTPUT["decrypt"], "--show"),
        ("sign", *_WITH_OUTPUT["sign"]),
        ("cert", *_WITH_OUTPUT["cert"], "--format", "der"),
        ("public-key", *_WITH_OUTPUT["public-key"], "--format", "der"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_terminal_by_its_own_name_gets_no_bytes(demo: Run, arguments: tuple[str, ...]) -> None:
    reader, terminal = os.openpty()
    try:
        ended = demo(*arguments, "-o", os.ttyname(terminal))
        os.set_blocking(reader, False)
        with pytest.raises(BlockingIOError):
            os.read(reader, 1)
    finally:
        os.close(reader)
        os.close(terminal)
    assert (ended.code, ended.out) == (2, b"")
    assert "terminal: name a file with -o" in ended.err


def test_the_code_of_a_key_goes_to_standard_output(demo: Run) -> None:
    ended = demo("code", KEY, "--demo", "-o", "-")
    assert ended.code == 0
    assert b'resource "aws_kms_key"' in ended.out
    assert demo("code", KEY, "--demo", "-o", "-", "--overwrite").code == 2


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "-"])
def test_standard_output_has_several_names(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out = Stream(terminal=False)
    monkeypatch.setattr(sys, "stdout", out)
    with output_file(output_name(name), overwrite=False) as file:
        file.write(b"all")
    assert out.written() == b"all"


def test_a_device_is_written_to_and_stays() -> None:
    with output_file(os.devnull, overwrite=False) as file:
        file.write(b"gone")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_an_open_file_is_gone_on_with(tmp_path: Path) -> None:
    with (tmp_path / "log").open("ab") as log:
        log.write(b"before ")
        log.flush()
        inode = os.fstat(log.fileno()).st_ino
        with output_file(f"/dev/fd/{log.fileno()}", overwrite=False) as file:
            file.write(b"after")
    assert (tmp_path / "log").read_bytes() == b"before after"
    assert (tmp_path / "log").stat().st_ino == inode


def test_a_device_that_is_full_is_told() -> None:
    with pytest.raises(FileError, match="/dev/full could not be written: No space"):  # noqa: SIM117
        with output_file("/dev/full", overwrite=False) as file:
            file.write(b"all")


def test_what_is_a_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    Path("link").symlink_to("fifo")
    Path("file").touch()
    names = (PIPE, "/dev/stderr", os.devnull, "fifo", "link", "file", "missing", "./-", "/dev/shm/x", "\0")
    assert [name for name in names if is_stream(name)] == [PIPE, "/dev/stderr", os.devnull, "fifo", "link"]
