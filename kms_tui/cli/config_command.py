"""Show the path of the configuration file, and the effective settings."""

from __future__ import annotations

import argparse
from pathlib import Path

from kms_tui.cli.standard_streams import say
from kms_tui.config import default_path, load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--file", metavar="FILE", type=Path, help="another configuration file, to check it")


def run(args: argparse.Namespace) -> int:
    """Print the path and each setting; an error in the file goes to standard error, with exit code 1."""
    path = args.file or default_path()
    from kms_tui.ui.app_shell.palette import bindings

    table = bindings()
    config = load(path, lambda: table)
    say(f"# {path}" + ("" if path.exists() else " (not there; these are the defaults)"))
    say(f"theme = {config.theme}")
    say(f"filter = {config.filter or '(none)'}")
    say(f"columns = {', '.join(config.columns) or '(those that there is room for)'}")
    say(f"clipboard_seconds = {config.clipboard_seconds:g}")
    say(f"refresh_seconds = {config.refresh_seconds:g}")
    say(f"required_tags = {', '.join(config.required_tags) or '(none)'}")
    for name, profile in config.profiles.items():
        say(f"profiles.{name}.read_only = {str(profile.read_only).lower()}")
        say(f"profiles.{name}.protected = {', '.join(profile.protected) or '(none)'}")
    for name, price in config.prices.items():
        say(f"prices.{name} = {price}")
    for name, binding in table.items():
        changed = config.keys.get(name)
        key = f"{changed} (by default {binding.key})" if changed else binding.key
        say(f"keys.{name} = {key}".ljust(52) + f"# {binding.tooltip or binding.description}")
    return 0
