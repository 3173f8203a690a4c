"""Standard streams and argparse's parser: errors end in a sentence, untrusted text is made visible."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from typing import NoReturn

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


class Parser(argparse.ArgumentParser):
    """Subcommands get a parser of this class, too."""

    def error(self, message: str) -> NoReturn:
        """Print the error, which quotes the arguments, and exit with 2."""
        super().error(visible(message))
