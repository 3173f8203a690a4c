"""What commands that read a whole account share: flags, a read-only session, progress on a terminal."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple, TypeVar

from kms_tui.cli.connection import add_account_flags, add_connection_flags, connection_from
from kms_tui.cli.file_streams import PIPE, add_output_flag, output_file, writing_output
from kms_tui.cli.progress_bar import ProgressBar
from kms_tui.config import Config
from kms_tui.session import BackendKind, Connection, Session
from kms_tui.visible import visible

_DRAW = 0.2
"""Seconds between two updates of the progress line."""

T = TypeVar("T")


def add_reading_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of ``open_for_reading``."""
    add_connection_flags(parser)
    add_account_flags(parser)
    parser.set_defaults(connection_from=partial(connection_from, parser), usage_error=parser.error)


def open_for_reading(args: argparse.Namespace) -> Session:
    """A read-only session on the chosen KMS; slow. Raises KmsTuiError; ends with a usage error."""
    from kms_tui.cli.key_access import open_chosen
    from kms_tui.inventory import Pace

    connection: Connection = args.connection_from(args)
    offline = connection.kind in (BackendKind.DEMO, BackendKind.LOCAL)
    pace = Pace(demand=10_000, usage=10_000, read_unasked=0) if offline else Pace(read_unasked=0)
    # These commands only read; a read-only session makes sure of it, whatever the configuration allows.
    return open_chosen(replace(connection, read_only=True), Config(), pace=pace)


class Step(NamedTuple):
    """How far work is: in words, and ``done`` of ``total`` (0: nobody knows)."""

    words: str
    done: int
    total: int = 0


def followed(work: Callable[[], T], progress: Callable[[], Step], *, name: str) -> T:
    """Run ``work`` on a daemon thread, so that Ctrl+C works at once, and draw its progress on a terminal."""
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    bar = ProgressBar()
    try:
        while thread.is_alive():
            thread.join(_DRAW)
            if thread.is_alive():
                step = progress()
                bar.update(step.done, step.total, step.words)
    finally:
        bar.close()
    if failure:
        raise failure[0]
    return outcome[0]


def add_text_output_flag(parser: argparse.ArgumentParser) -> None:
    """Add ``-o/--output`` of a command that writes a text, for ``write_result``."""
    add_output_flag(parser, "write it to a file, which is replaced; - is standard output", metavar="FILE")


def write_out(text: str) -> None:
    """Write a whole text to standard output; FileError for a full disk."""
    with writing_output() as out:
        out.write(text.encode())


def write_result(text: str, output: str, summary: str = "") -> None:
    """Write a whole text to what ``-o`` names: a file is replaced, and its summary is said. FileError."""
    with output_file(output, overwrite=True) as file:
        file.write(text.encode())
    if summary and output != PIPE:
        print(visible(summary))
