"""Shared by the commands on files: files and pipes, progress, and an end that leaves no traces."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, BinaryIO

from kms_tui.atomic import SHARED, atomic_file, file_errors
from kms_tui.cli.connection import add_connection_flags, connection_from
from kms_tui.cli.progress_bar import ProgressBar
from kms_tui.cli.standard_streams import written_out
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.backend.kms_facade import Kms
    from kms_tui.envelope.streams import Progress, ProgressStep, Readable

PIPE = "-"
_OF_STANDARD_OUTPUT = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
_OPEN_FILES = ("/dev/stderr", "/dev/fd/", "/proc/")
"""How names of files begin that are open already: regular ones too, which the shell has opened."""
_EXIT_CODES = "exit codes: 0 done; 1 failed, nothing written; 2 bad usage; 130 stopped with Ctrl+C"
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_UNITS = ("KiB", "MiB", "GiB", "TiB")


def add_stream_arguments(parser: argparse.ArgumentParser, examples: str) -> None:
    """FILE, -o, --context, --overwrite, -v and the connection's flags; ``examples`` are lines of the help."""
    parser.epilog = f"examples:\n{examples}\n\n{_EXIT_CODES}"
    parser.add_argument("file", metavar="FILE", help="what to read; - is standard input")
    add_output_flag(parser, "where to write (default: -, standard output)")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if it exists")
    parser.add_argument(
        "--context",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        type=pair,
        help="a pair of the encryption context; may be given again. It stands in CloudTrail in the clear",
    )
    parser.add_argument(
        "--format", choices=("json",), help="with -o OUT: say what was done, as an object on standard output"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="tell each step of envelope encryption")
    add_connection_flags(parser)
    parser.set_defaults(connection_from=partial(connection_from, parser), usage_error=parser.error)


def add_output_flag(
    parser: argparse._ActionsContainer, words: str, *, default: str | None = PIPE, metavar: str = "OUT"
) -> None:
    """Add ``-o/--output``, one rule for all commands: see ``output_file``; ``words`` are its help."""
    parser.add_argument("-o", "--output", type=output_name, metavar=metavar, default=default, help=words)


def output_name(text: str) -> str:
    """What ``-o`` names, "-" for standard output by any name.

    ArgumentTypeError for a directory, for what cannot be in one, and for "".
    """
    if text in _OF_STANDARD_OUTPUT:
        return PIPE
    if not text:
        raise argparse.ArgumentTypeError("the name is empty: name a file, or - for standard output")
    if text.endswith("/") or os.path.isdir(text):
        raise argparse.ArgumentTypeError(f"{text!r} is a directory: name a file in it")
    _require_directories_above(text)
    return text


def output_directory(text: str) -> str:
    """What ``-o`` names where that is a directory, which need not be there; ArgumentTypeError for a file."""
    if text in (PIPE, *_OF_STANDARD_OUTPUT):
        return PIPE
    if not text:
        raise argparse.ArgumentTypeError("the name is empty: name a directory, or - for standard output")
    if os.path.exists(text) and not os.path.isdir(text):
        raise argparse.ArgumentTypeError(f"{text!r} is a file: name a directory, or - for standard output")
    _require_directories_above(text)
    return text


def _require_directories_above(text: str) -> None:
    above = next(filter(os.path.exists, Path(text).parents), None)
    if above is not None and not os.path.isdir(above):
        raise argparse.ArgumentTypeError(
            f"{text!r} cannot be made: {str(above)!r} is a file, not a directory"
        )


def is_stream(name: str) -> bool:
    """Whether an output is written to, not replaced: standard output, an open file, a device, a FIFO."""
    if name == PIPE or os.path.abspath(name).startswith(_OPEN_FILES):
        return True
    with contextlib.suppress(OSError, ValueError):
        return not stat.S_ISREG(os.stat(name).st_mode)
    return False


def is_terminal(name: str) -> bool:
    """Whether what is written to an output is seen on a terminal: standard output, /dev/tty, /dev/stderr …"""
    if name == PIPE:
        return sys.stdout.isatty()
    with contextlib.suppress(OSError, ValueError):
        if stat.S_ISCHR(os.stat(name).st_mode):
            descriptor = os.open(name, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                return os.isatty(descriptor)
            finally:
                os.close(descriptor)
    return False


def context_of(args: argparse.Namespace) -> dict[str, str]:
    """The --context pairs; a name given twice is bad usage."""
    context = dict(args.context)
    if len(context) < len(args.context):
        args.usage_error("--context: a name was given twice")
    return context


def require_one_standard_input(args: argparse.Namespace, *names: str | Path | None) -> None:
    """Bad usage where "-" names more than one of a command's inputs."""
    if [str(name) for name in names].count(PIPE) > 1:
        args.usage_error("standard input can be read once only: give the other as a file")


def require_output(args: argparse.Namespace) -> None:
    """Bad usage where the object of --format json would be in the way of the result."""
    if args.format is not None and args.output == PIPE:
        args.usage_error("--format json writes to standard output: name a file for the result with -o")


def say_done(
    args: argparse.Namespace,
    *,
    keys: Sequence[str],
    context: Mapping[str, str],
    algorithm: str,
    sizes: tuple[int, int],
) -> None:
    """The object of --format json. ``keys`` are ARNs: the one that opened it, or all that can.

    ``algorithm`` is KMS's, or the suite of the Encryption SDK; ``sizes`` are bytes of plaintext and of
    ciphertext.
    """
    if args.format is None:
        return
    done = {
        "output": args.output,
        "keys": list(keys),
        "encryption_context": dict(context),
        "algorithm": algorithm,
        "plaintext_bytes": sizes[0],
        "ciphertext_bytes": sizes[1],
    }
    with written_out():
        print(json.dumps(done, indent=2))


def open_kms(args: argparse.Namespace) -> Kms:
    """The KMS of the flags, wrapped as for a session. Raises KmsTuiError."""
    from kms_tui.cli.connection import open_backend
    from kms_tui.session import open_session

    connection = args.connection_from(args)
    return open_session(connection, open_backend(connection)).kms


@contextlib.contextmanager
def reading(name: str) -> Iterator[tuple[Readable, int | None]]:
    """A file or standard input, and its size if it has one. Failing reads raise FileError."""
    from kms_tui.envelope.files import open_source
    from kms_tui.envelope.streams import Source

    if name == PIPE:
        yield Source(sys.stdin.buffer, "Standard input"), None
    else:
        with open_source(Path(name)) as opened:
            yield opened


def read_start(name: str, most: int) -> bytes:
    """The first ``most`` + 1 bytes of a file or of standard input: one more than whoever reads them takes.

    Raises FileError.
    """
    if name == PIPE:
        with file_errors("Standard input", "read"):
            return sys.stdin.buffer.read(most + 1)
    with file_errors(name, "read"), Path(name).open("rb") as file:
        return file.read(most + 1)


@contextlib.contextmanager
def output_file(name: str, *, overwrite: bool, mode: int = SHARED) -> Iterator[BinaryIO]:
    """Where a result goes: standard output, an open file, a device or FIFO, or else a file that appears
    whole, and that everybody may read unless ``mode`` says else.

    A FIFO waits for its reader. Raises FileError, AlreadyThereError before the block.
    """
    if name == PIPE:
        with writing_output() as output:
            yield output
    elif is_stream(name):
        # Appending: what stands in a file that the shell opened stays.
        with file_errors(name, "written"), open(os.open(name, os.O_WRONLY | os.O_APPEND), "wb") as stream:
            yield stream
    else:
        with atomic_file(Path(name), overwrite=overwrite, mode=mode) as file:
            yield file


@contextlib.contextmanager
def writing_output() -> Iterator[BinaryIO]:
    """Standard output. A closed pipe or a full disk is a FileError."""
    with written_out():
        yield sys.stdout.buffer


class _Stopped(KeyboardInterrupt):
    def __init__(self, number: int) -> None:
        self.code = 128 + number


def stoppable(work: Callable[[], int]) -> int:
    """Run a command that cleans up on Ctrl+C, SIGTERM and SIGHUP; then exit with 128 + signal."""
    numbers = [n for n in _STOPPING if signal.getsignal(n) is not signal.SIG_IGN]  # nohup ignores one

    def stop(number: int, frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)  # nothing may stop the clean-up
        raise _Stopped(number)

    before = [signal.signal(number, stop) for number in numbers]
    try:
        return work()
    except _Stopped as stopped:
        print("Stopped. No unfinished file was left behind.", file=sys.stderr)
        return stopped.code
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextlib.contextmanager
def watched(
    verb: str, *, verbose: bool, monotonic: Callable[[], float] = time.monotonic
) -> Iterator[Progress]:
    """A bar, if standard error is a terminal, and the steps, if asked for; both on standard error."""
    from kms_tui.envelope.streams import NO_PROGRESS, Progress

    bar, started, so_far = ProgressBar(is_bytes=True), monotonic(), 0

    def draw(done: int, total: int | None) -> None:
        nonlocal so_far
        so_far = done
        bar.update(done, total)

    def tell(step: ProgressStep) -> None:
        bar.clear()
        print(visible(step.sentence), file=sys.stderr)

    try:
        yield Progress(progress=draw, step=tell if verbose else NO_PROGRESS.step)
    finally:
        bar.close()
    if sys.stderr.isatty():
        print(f"{verb} {size(so_far)} in {monotonic() - started:.1f} s.", file=sys.stderr)


def size(count: int) -> str:
    """A number of bytes for people, in units of 1024."""
    if count < 1024:
        return f"{count} bytes"
    power = min((count.bit_length() - 1) // 10, len(_UNITS))
    return f"{count / 1024**power:.1f} {_UNITS[power - 1]}"


def pair(text: str) -> tuple[str, str]:
    """NAME=VALUE as a name and a value; ArgumentTypeError for any other text."""
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return name, value
