"""argparse's parser, whose complaints reach the terminal as text and nothing else."""

from __future__ import annotations

import argparse
from typing import NoReturn

from kms_tui.visible import visible


class Parser(argparse.ArgumentParser):
    """Subcommands get a parser of this class too."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, which quotes the arguments, and end with 2."""
        super().error(visible(message))
