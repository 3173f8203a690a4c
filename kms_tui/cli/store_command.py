"""Look after the local store: what is in it, its passphrase, backups, account policies; whether it is sound.

KMS_TUI_PASSPHRASE holds the store's passphrase, or it is asked for. The store may be in use meanwhile.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kms_tui.atomic import FileError
from kms_tui.cli import store_policies, store_seed
from kms_tui.cli.file_streams import size
from kms_tui.cli.standard_streams import say, written_out
from kms_tui.counts import counted, counted_as
from kms_tui.kms.errors import KmsTuiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kms_tui.backend.local.store.sqlite_store import Store
    from kms_tui.backend.local.store.store_maintenance import StoreInfo

NEW_PASSPHRASE_VARIABLE = "KMS_TUI_NEW_PASSPHRASE"
_EXIT_CODES = "exit codes: 0 done; 1 failed, or verify found something wrong; 2 bad usage"
_EXAMPLES = """\
examples:
  kms-tui store info
  kms-tui store backup ~/kms-2026-11-29.db
  kms-tui store verify --store ~/kms-2026-11-29.db
  kms-tui store policies set iam.json organization.json
  kms-tui store seed --export -o seed.yaml"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = f"{_EXAMPLES}\n\n{_EXIT_CODES}"
    which = argparse.ArgumentParser(add_help=False)
    group = which.add_mutually_exclusive_group()
    group.add_argument("--local", action="store_true", help="the local store at its default path (default)")
    group.add_argument("--store", metavar="PATH", type=Path, help="a local store at another path")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run_it: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text, parents=[which], epilog=_EXIT_CODES)
        added.set_defaults(command=run_it)
        return added

    info = command("info", _info, "what is in the store, and what guards it")
    passwd = command(
        "passwd",
        _passwd,
        f"give the store another passphrase: {NEW_PASSPHRASE_VARIABLE}, or one that is asked for",
    )
    passwd.add_argument(
        "--key-file",
        action="store_true",
        help="take the passphrase away: a key file beside the store guards it",
    )
    backup = command("backup", _backup, "copy the store, and its key file if it has one, to a new file")
    backup.add_argument("path", metavar="PATH", type=Path, help="where to; it must not exist")
    verify = command("verify", _verify, "unwrap every key material and check every row")
    policies = commands.add_parser(
        "policies", help="the policies of principals, organization and VPC endpoints that the store holds"
    )
    store_policies.add_commands(policies, which, _open, _EXIT_CODES)
    store_seed.add_command(command, _open, _passphrase)
    for told in (info, verify):
        told.add_argument("--format", choices=("table", "json"), default="table", help="default: table")


def run(args: argparse.Namespace) -> int:
    """0, or 1 if verify finds a fault; KmsTuiError if the store cannot be used."""
    command: Callable[[argparse.Namespace], int] = args.command
    return command(args)


def _open(args: argparse.Namespace) -> Store:
    from kms_tui.backend.local.default_store import default_path
    from kms_tui.backend.local.store.store_opening import open_existing

    return open_existing(args.store or default_path(), _passphrase)


def _passphrase(_new: bool) -> str | None:
    from kms_tui.backend.local.default_store import PASSPHRASE_VARIABLE

    return os.environ.get(PASSPHRASE_VARIABLE) or _asked("Passphrase of the store: ")


def at_terminal() -> bool:
    """Whether a user can be asked."""
    return sys.stdin.isatty()


def _asked(prompt: str) -> str | None:
    """The user's input, if there is a terminal."""
    if not at_terminal():
        return None
    try:
        return getpass.getpass(prompt) or None
    except EOFError:
        return None


def _info(args: argparse.Namespace) -> int:
    from kms_tui.backend.local.store.call_records import MAX_EVENTS
    from kms_tui.backend.local.store.store_maintenance import store_info

    with _open(args) as store:
        found = store_info(store)
    if args.format == "json":
        print(json.dumps(_as_object(found), indent=2))
        return 0
    oldest = f", the oldest of {found.oldest_event:%Y-%m-%d %H:%M} UTC" if found.oldest_event else ""
    lines = [
        ("Store", str(found.path)),
        ("Size", size(found.size)),
        ("Schema", f"version {found.version}"),
        ("Guarded by", f"a {found.protection}"),
        ("Keys", f"{sum(found.states.values()):,}"),
        *((f"  {state}", f"{count:,}") for state, count in found.states.items()),
        *((f"  {account} {region}", f"{count:,}") for (account, region), count in found.places.items()),
        *(
            [("Fixed key material", f"in {found.fixed:,} of the keys: whoever has the seed has these")]
            * (found.fixed > 0)
        ),
        ("Account policies", store_policies.account_counts_in_words(found.account_policies)),
        ("Calls recorded", f"{found.events:,} (the newest {MAX_EVENTS:,} are kept){oldest}"),
    ]
    width = max(len(name) for name, _ in lines)
    say(*(f"{name:<{width}}  {value}" for name, value in lines))
    return 0


def _as_object(found: StoreInfo) -> dict[str, object]:
    return {
        "path": str(found.path),
        "bytes": found.size,
        "schema": found.version,
        "guarded_by": str(found.protection),
        "keys": sum(found.states.values()),
        "keys_by_state": dict(found.states),
        "keys_by_place": [
            {"account": account, "region": region, "keys": count}
            for (account, region), count in found.places.items()
        ],
        "keys_with_fixed_material": found.fixed,
        "account_policies": dict(found.account_policies),
        "events": found.events,
        "oldest_event": found.oldest_event.isoformat() if found.oldest_event else None,
    }


def _passwd(args: argparse.Namespace) -> int:
    from kms_tui.backend.local.store.store_maintenance import change_protection

    with _open(args) as store:
        former = change_protection(store, None if args.key_file else _new_passphrase())
        say(f"{store.path} is guarded by a {store.protection} now.")
        if former is not None:
            say(f"Its former key file {former} could not be removed: it opens older copies. Remove it.")
        if args.key_file:
            say("Whoever can read both files can use its keys.")
    return 0


def _new_passphrase() -> str:
    given = os.environ.get(NEW_PASSPHRASE_VARIABLE)
    if given:
        return given
    first = _asked("New passphrase: ")
    if first is None:
        raise KmsTuiError(
            "No new passphrase was given; nothing was changed.",
            next_step=f"Type one at a terminal, or set {NEW_PASSPHRASE_VARIABLE}.",
        )
    if _asked("Once more: ") != first:
        raise KmsTuiError("The two passphrases differ; nothing was changed.")
    return first


def _backup(args: argparse.Namespace) -> int:
    from kms_tui.backend.local.store.root_key import Protection, key_file_of
    from kms_tui.backend.local.store.store_maintenance import back_up

    with _open(args) as store:
        protection = back_up(store, args.path)
        lines = [f"{store.path} was copied to {args.path}."]
        if protection is Protection.KEY_FILE:
            lines.append(f"Its key file is {key_file_of(args.path)}: without it the copy cannot be opened.")
        try:
            with written_out():
                say(*lines)
        except FileError as error:
            raise FileError(f"{error} The copy was made all the same.", next_step=" ".join(lines)) from error
    return 0


def _verify(args: argparse.Namespace) -> int:
    from kms_tui.backend.local.store.schema import KEEP
    from kms_tui.backend.local.store.store_verification import find_problems

    as_json = args.format == "json"
    with _open(args) as store:
        found = []
        for problem in find_problems(store):
            found.append({"subject": problem.subject, "problem": problem.sentence})
            if not as_json:
                say(f"{problem.subject}: {problem.sentence}")
        keys, materials = (
            (store.one(f"SELECT count(*) FROM {table}") or (0,))[0] for table in ("keys", "materials")
        )
        if as_json:
            sound = {"path": str(store.path), "sound": not found, "keys": keys, "materials": materials}
            print(json.dumps({**sound, "problems": found}, indent=2))
            return 1 if found else 0
        if found:
            wrong = counted_as(len(found), "thing is", "things are")
            raise KmsTuiError(f"{wrong} wrong with {store.path}.", next_step=KEEP)
        say(f"{store.path} is sound: {counted(keys, 'key')} and {counted(materials, 'key material')}.")
    return 0
