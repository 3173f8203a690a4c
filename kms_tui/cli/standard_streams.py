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
"""Name, in the order of the descriptors, how its stand-in is opened, and how Python uses it.

Reading and writing fail on the stand-ins of the first two; what goes to a closed standard error is dropped.
"""


def stand_in_for_closed() -> None:
    """Put a stand-in where a standard stream was closed (``>&-``): else a file that is opened later would
    be in its place, and take what is printed.
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
    """Print lines that may quote what is not to be trusted: a file, a store that was tampered with."""
    for line in lines:
        print(visible(line))


READER_GONE = 128 + signal.SIGPIPE
"""The exit code of a command whose reader had enough of it (``| head -1``), as a shell has it for the signal
SIGPIPE: no failure, and nothing to say.
"""


class ReaderGoneError(Exception):
    """Nobody reads standard output any more."""


@contextlib.contextmanager
def written_out(*, whole: bool = True) -> Iterator[None]:
    """A block whose prints are out when it ends; FileError where they cannot be, as on a full disk.

    Without ``whole`` a reader may stop when it likes: then ReaderGoneError.
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
    """Subcommands get a parser of this class too."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, which quotes the arguments, and end with 2."""
        super().error(visible(message))
