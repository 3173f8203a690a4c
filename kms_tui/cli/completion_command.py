"""Print a completion script for bash, zsh or fish, or the manual page: ``kms-tui completion SHELL``."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from kms_tui.cli.reading import write_out
from kms_tui.cli.standard_streams import Parser

_SHELLS = ("bash", "zsh", "fish")
_EPILOG = """\
examples:
  kms-tui completion bash > ~/.local/share/bash-completion/completions/kms-tui
  kms-tui completion zsh > "${fpath[1]}/_kms-tui"
  kms-tui completion fish > ~/.config/fish/completions/kms-tui.fish
  kms-tui completion man > ~/.local/share/man/man1/kms-tui.1"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("form", choices=(*_SHELLS, "man"), help="the shell, or man for the manual page")


def run(args: argparse.Namespace) -> int:
    """Print the script or the page."""
    parser = whole_parser()
    if args.form == "man":
        from argparse_manpage.manpage import Manpage

        write_out(str(Manpage(parser)))
    else:
        import shtab

        _complete_files(parser)
        write_out(shtab.complete(parser, args.form))
    return 0


def _complete_files(parser: argparse.ArgumentParser) -> None:
    """Have the shells offer files where an argument is a path."""
    import shtab

    for action in parser._actions:
        if action.type is Path or action.metavar in ("FILE", "IN"):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                _complete_files(each)


def whole_parser() -> argparse.ArgumentParser:
    """The console's parser with every command as a subparser, for what describes the whole program."""
    from kms_tui.cli import COMMANDS, console_command

    parser = Parser(
        prog="kms-tui", description="The terminal console in which people look after AWS KMS keys."
    )
    console_command.add_arguments(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, (module_name, text) in COMMANDS.items():
        module = importlib.import_module(module_name)
        module.add_arguments(commands.add_parser(name, help=text, description=module.__doc__))
    return parser
