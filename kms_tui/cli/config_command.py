"""Show the settings in effect as a configuration file: valid TOML, defaults included."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kms_tui.atomic import file_errors
from kms_tui.cli.standard_streams import say
from kms_tui.config import Config, default_path, load
from kms_tui.kms.errors import ConfigurationError


class _Default(NamedTuple):
    """A key binding without a configuration."""

    key: str
    help: str


_EPILOG = """\
examples:
  kms-tui config > ~/.config/kms-tui/config.toml
  kms-tui config --file team.toml --format json | jq .keys

exit codes: 0 the settings are shown; 1 the file has a mistake, or --file names none; 2 bad usage"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("--file", metavar="FILE", type=Path, help="another configuration file, to check it")
    parser.add_argument("--format", choices=("toml", "json"), default="toml", help="default: toml")


def run(args: argparse.Namespace) -> int:
    """Print each setting; an error in the file goes to standard error, with exit code 1."""
    path = args.file or default_path()
    with file_errors(path, "read"):
        is_there = path.exists()
    if args.file and not is_there:
        raise ConfigurationError(f"There is no file {path}.")
    from kms_tui.ui.app_shell.palette import bindings

    table = {name: _Default(each.key, each.tooltip or each.description) for name, each in bindings().items()}
    config = load(path, lambda: table)
    if args.format == "json":
        settings = {**_settings(config), "keys": {name: _key(config, table, name) for name in table}}
        print(json.dumps({"path": str(path), "exists": is_there, **settings}, indent=2))
    else:
        say(f"# {path}" + ("" if is_there else " (not there; these are the defaults)"))
        say(*_toml(config, table))
    return 0


def _settings(config: Config) -> dict[str, Any]:
    """The settings but the key bindings, in the members and types of the file."""
    return {
        "theme": config.theme,
        "filter": config.filter,
        "columns": list(config.columns),
        "clipboard_seconds": config.clipboard_seconds,
        "refresh_seconds": config.refresh_seconds,
        "required_tags": list(config.required_tags),
        **{
            table: {
                name: {
                    "read_only": each.read_only,
                    "protected": list(each.protected),
                    "allow_service_writes": each.allow_service_writes,
                }
                for name, each in settings.items()
            }
            for table, settings in (("profiles", config.profiles), ("accounts", config.accounts))
        },
        "prices": dict(config.prices),
    }


_NOTES = {"columns": "those that there is room for", "refresh_seconds": "never by itself; 10 to 86,400"}
"""Setting -> the meaning of its empty value."""


def _toml(config: Config, table: Mapping[str, _Default]) -> Iterator[str]:
    """The lines of a file that sets all of this; a comment for what the file cannot set."""
    import tomli_w

    settings = _settings(config)
    tables = {name: settings.pop(name) for name in ("profiles", "accounts", "prices")}
    for name, value in settings.items():
        line = tomli_w.dumps({name: value}, multiline_strings=False).strip().replace("\n", " ")
        note = _NOTES.get(name, "") if not value else ""
        unset = "# " if name == "refresh_seconds" and not value else ""
        yield f"{unset}{line}" + (f"  # {note}" if note else "")
    for name, value in tables.items():
        if value:
            yield ""
            yield from tomli_w.dumps({name: value}).splitlines()
    yield ""
    yield "[keys]  # those behind a # are the defaults"
    for name, binding in table.items():
        line = tomli_w.dumps({name: _key(config, table, name)}).strip()
        changed = name in config.keys
        note = f"by default {binding.key}: " if changed else ""
        yield (f"{'' if changed else '# '}{line}".ljust(52) + f"# {note}{binding.help}")


def _key(config: Config, table: Mapping[str, _Default], name: str) -> str:
    return config.keys.get(name, table[name].key)
