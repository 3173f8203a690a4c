"""Standard streams and argparse's parser: errors end in a sentence, untrusted text is made visible."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from kms_tui.atomic import file_errors
from kms_tui.visible import visible

_STREAMS = (("stdin", os.O_WRONLY, "r"), ("stdout", os.O_RDONLY, "w"), ("stderr", os.O_WRONLY, "w"))
"""Name, in the order of the descriptors -> how its stand-in is opened, and Python's mode for it.

Reading and writing fail on the stand-ins of the first two; output to a closed standard error is dropped.
"""


def stand_in_for_closed() -> None:
    """Open a stand-in for each closed standard stream (``>&-``): else a file opened later would take its
    place and get the output.
    """
    for number, (name, flags, mode) in enumerate(_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            descriptor = os.open(os.devnull, flags)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def spell_out_unwritable() -> None:
    """Have what the terminal's encoding lacks (✓ in Latin-1) written as an escape (``\\u2713``), not fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(*lines: str) -> None:
    """Print lines that may contain untrusted text: from a file, or from a damaged store."""
    for line in lines:
        print(visible(line))


READER_GONE = 128 + signal.SIGPIPE
"""The exit code when the reader closes the pipe (``| head -1``), as shells report SIGPIPE: not a failure."""


class ReaderGoneError(Exception):
    """The reader of standard output has gone."""


@contextlib.contextmanager
def written_out(*, whole: bool = True) -> Iterator[None]:
    """A block whose output is written when it ends; else FileError, as for a full disk.

    Without ``whole`` a reader may stop at any time: then ReaderGoneError.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:  # that of a file, and none of standard output
            raise
        # The interpreter flushes once more on its way out; that would fail again, and not as a sentence.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError) and not whole:
            raise ReaderGoneError from error
        with file_errors("Standard output", "written"):
            raise


class _HelpFormatter(argparse.HelpFormatter):
    """Wraps paragraphs, and keeps those with an indented line as they are: examples and tables."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = text.strip("\n").split("\n\n")
        return "\n\n".join(
            paragraph
            if "\n  " in paragraph
            else super(_HelpFormatter, self)._fill_text(paragraph, width, indent)
            for paragraph in paragraphs
        )


class Parser(argparse.ArgumentParser):
    """Errors quote the arguments made visible, and name what is alike. Subcommands get one of this class."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": _HelpFormatter, **options})

    also_known: Sequence[str] = ()
    """Words that may stand where an argument is not recognized: the commands of the program."""

    def error(self, message: str) -> NoReturn:
        """Print the error, which quotes the arguments, and where the usage is; exit with 2."""
        said = visible(message + self._hint(message))
        self.exit(2, f"{self.prog}: error: {said}\n{self.prog} --help shows the usage.\n")

    def _hint(self, message: str) -> str:
        """What was meant, perhaps: "; did you mean --format?", or ""."""
        unrecognized = re.search(r"unrecognized arguments: (\S+)", message)
        invalid = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message, re.DOTALL)
        if unrecognized and unrecognized[1] in self.also_known:
            return f"; a command comes first: {self.prog} {unrecognized[1]} …"
        if unrecognized:
            word, known = unrecognized[1].partition("=")[0], [*self._option_string_actions, *self.also_known]
        elif invalid:
            word, known = invalid[1], re.findall(r"[^\s,']+", invalid[2])
        else:
            return ""
        alike = get_close_matches(word, known, 1, cutoff=0.6)
        return f"; did you mean {alike[0]}?" if alike else ""
