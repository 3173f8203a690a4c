"""``kms-tui store seed``: put a seed into a store, check one, write a store as one; ``--seed`` of
``serve``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kms_tui.atomic import PRIVATE, SHARED, file_errors
from kms_tui.cli.file_streams import PIPE, add_output_flag, output_file
from kms_tui.cli.standard_streams import say
from kms_tui.cli.store_policies import Open, account_counts_in_words
from kms_tui.counts import counted
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.backend.local.store.root_key import Unlock
    from kms_tui.seed.seed_model import Seed

AddCommand = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]
_ABOUT = """\
A seed is YAML, JSON or TOML: keys with their ids, specs, aliases, tags, policies, grants, states and
rotations, principals, account policies. All of it is made, or nothing. A seed.yaml of local-kms is read as it
is.

  account: "111122223333"
  region: eu-west-1
  keys:
    - id: 1234abcd-12ab-34cd-56ef-1234567890ab
      aliases: [orders]
      tags: {team: payments}
      rotation: {period: 90}

examples:
  kms-tui store seed keys.yaml --store test.db
  kms-tui store seed --check keys.yaml
  kms-tui store seed --export -o keys.yaml
  kms-tui serve --seed keys.yaml"""


def add_command(command: AddCommand, open_store: Open, unlock: Unlock) -> None:
    """Add ``seed`` by the function that adds a command of ``store``; ``unlock`` asks for a passphrase."""
    parser = command(
        "seed", lambda args: _run(args, open_store, unlock), "fill the store from a file, or write one"
    )
    parser.epilog = f"{_ABOUT}\n\n{parser.epilog}"
    parser.add_argument("file", metavar="FILE", nargs="?", type=Path, help="the seed; - is standard input")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--check", action="store_true", help="say what is wrong with the seed, and change nothing"
    )
    instead.add_argument("--export", action="store_true", help="write the store as a seed")
    instead.add_argument("--schema", action="store_true", help="print the JSON schema of seeds")
    add_fixed_flag(parser)
    add_output_flag(parser, "with --export: a file to write")
    parser.add_argument("--overwrite", action="store_true", help="with --export: replace OUT if it exists")
    parser.add_argument(
        "--format", choices=("yaml", "json"), default="yaml", help="of --export (default: yaml)"
    )
    parser.add_argument(
        "--with-material",
        action="store_true",
        help="with --export: write the key material too, so that whoever has the file has the keys",
    )
    parser.set_defaults(refuse=parser.error)


def add_fixed_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allow-fixed-material",
        action="store_true",
        help="take fixed key material of a seed into a store that is kept: whoever has the seed has the keys",
    )


def _run(args: argparse.Namespace, open_store: Open, unlock: Unlock) -> int:
    if bool(args.file) == bool(args.export or args.schema):
        args.refuse("FILE, --export or --schema: one of them")
    if not args.export and (args.output != PIPE or args.with_material or args.overwrite):
        args.refuse("-o, --overwrite and --with-material go with --export")
    if args.schema:
        return _print_schema()
    if args.export:
        return _export(args, open_store)
    return _check(args) if args.check else _apply(args, unlock)


def _print_schema() -> int:
    from kms_tui.seed.seed_shape import schema_text

    sys.stdout.write(schema_text())
    return 0


def read_seed_file(path: Path, account: str = "", region: str = "") -> Seed:
    """The seed in a file, or on standard input for ``-``; its notes go to standard error. Raises
    KmsTuiError.

    ``account`` and ``region`` are those of a seed that names none.
    """
    from kms_tui.seed.seed_reading import read_seed, seed_of
    from kms_tui.seed.seed_text import MAX_BYTES, read_bytes

    if str(path) == PIPE:
        with file_errors("Standard input", "read"):
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        seed = seed_of(read_bytes(content, "standard input", Path()), account, region)
    else:
        seed = read_seed(path, account=account, region=region)
    for note in seed.notes:
        print(visible(note), file=sys.stderr)
    return seed


def _check(args: argparse.Namespace) -> int:
    from kms_tui.backend.local import open_store
    from kms_tui.seed.seed_application import check_seed

    seed = read_seed_file(args.file)
    with open_store() as store:
        check_seed(seed, store)
    say(f"{seed.name} is sound: {_counted(seed)}.")
    return 0


def _apply(args: argparse.Namespace, unlock: Unlock) -> int:
    from kms_tui.backend.local import open_store
    from kms_tui.backend.local.default_store import default_path, from_environment
    from kms_tui.backend.local.store.store_file import store_exists
    from kms_tui.seed.seed_application import apply_seed, check_seed, require_no_fixed

    path = Path(os.path.expanduser(args.store or default_path()))
    seed = read_seed_file(args.file)
    if not args.allow_fixed_material:
        require_no_fixed(seed, path)
    if not store_exists(path):
        with open_store() as store:
            check_seed(seed, store)  # before a store is made
    with open_store(path, unlock=lambda new: from_environment(new) if new else unlock(new)) as store:
        apply_seed(seed, store, allow_fixed=args.allow_fixed_material)
        say(f"{seed.name} was put into {store.path}: {_counted(seed)}.")
    if seed.access_keys:
        say("No store keeps access keys: kms-tui serve --seed takes those of the seed.")
    return 0


def _counted(seed: Seed) -> str:
    words = counted(len(seed.keys), "key")
    if seed.fixed:
        words += f" ({len(seed.fixed):,} with fixed key material)"
    if seed.account_rows:
        words += f", {account_counts_in_words(Counter(str(row.kind) for row in seed.account_rows))}"
    if seed.access_keys:
        words += f", {counted(len(seed.access_keys), 'access key')}"
    return words


def _export(args: argparse.Namespace, open_store: Open) -> int:
    from kms_tui.seed.seed_export import export_seed, seed_json, seed_yaml

    with open_store(args) as store:
        exported = export_seed(store, with_material=args.with_material)
    for sentence in exported.left_out:
        print(visible(sentence), file=sys.stderr)
    mode = PRIVATE if args.with_material else SHARED
    text = (seed_json if args.format == "json" else seed_yaml)(exported.members)
    with output_file(args.output, overwrite=args.overwrite, mode=mode) as output:
        output.write(text.encode())
    if args.output != PIPE:
        say(f"{args.output} holds {counted(len(exported.members['keys']), 'key')}.")
    return 0
