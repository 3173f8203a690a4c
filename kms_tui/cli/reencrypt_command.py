"""Move the ciphertexts in files to another KMS key: Encryption SDK messages, sops files, plain ciphertexts.

A message of the AWS Encryption SDK is sealed anew, under a new data key: its format has no safe way to
replace a wrapped data key. Of a sops file the wrapped data key alone changes. A plain ciphertext (bytes,
base64, hex, or the JSON of aws kms) goes through ReEncrypt, so that its plaintext never leaves KMS; between
Regions, or between accounts with credentials of their own, it is decrypted there and encrypted here, and
passes through memory. Each file is replaced whole or not at all, and keeps its mode; a run that was stopped
goes on where it was when it is run again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from kms_tui.atomic import typed_path
from kms_tui.cli.connection import add_account_flags, add_connection_flags, connection_from
from kms_tui.cli.file_streams import context_of, pair, size, stoppable
from kms_tui.cli.progress_bar import ProgressBar
from kms_tui.cli.standard_streams import say, written_out
from kms_tui.kms.arn import key_region
from kms_tui.kms.errors import ConfigurationError, KmsTuiError, ReadOnlyError
from kms_tui.session import BackendKind, Connection, Session

if TYPE_CHECKING:
    from kms_tui.backend.kms_facade import Kms
    from kms_tui.reencryption.file_task import FileOutcome, MoveOptions
    from kms_tui.reencryption.file_tree import FoundFile

FAILURE = 2
"""The exit code where nothing could begin, or not all files could be looked at."""
_EPILOG = """\
examples:
  kms-tui reencrypt dump.sql.sealed --to alias/orders-2027
  kms-tui reencrypt -r secrets/ --from alias/orders --to alias/orders-2027 --dry-run
  kms-tui reencrypt token.b64 --to alias/orders-2027 --context table=orders
  kms-tui reencrypt -r conf/ --to arn:aws:kms:us-east-1:444455556666:key/ID --out-dir moved/

exit codes: 0 all moved, or nothing to move; 1 some could not be moved, and are as they were; 2 bad usage, or
not all could be looked at; 130 stopped with Ctrl+C

needs: kms:DescribeKey of the new key; for plain ciphertexts and sops files kms:ReEncryptFrom of the old and
kms:ReEncryptTo of the new key; for messages kms:Decrypt of the old and kms:GenerateDataKey of the new key,
and kms:Encrypt of their other keys; to read back kms:Decrypt of the new key

In a folder, symbolic links and the folders of version control are left out, and a plain ciphertext is known
by the bytes that those of AWS have begun with for years; a file that is named is given to KMS in any case."""
_SOPS_TYPES = {"YAML": "yaml", "JSON": "json", "INI": "ini", "dotenv": "dotenv"}
_SOPS_SECONDS = 60
_LONGEST_NAME = 200
"""Characters of a key's name in a file that are printed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("files", metavar="FILE", nargs="+", type=typed_path, help="files, or folders with -r")
    parser.add_argument("--to", metavar="KEY", required=True, help="the new key: its id, ARN or alias")
    parser.add_argument(
        "--from",
        dest="source",
        metavar="KEY",
        help="move only what is under this key; needed for files under several keys, and for plain "
        "ciphertexts of another Region (as an ARN)",
    )
    parser.add_argument("-r", "--recursive", action="store_true", help="folders, with all files below them")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done; KMS tries each call")
    parser.add_argument(
        "--out-dir", metavar="DIR", type=typed_path, help="write the results there, and leave the files"
    )
    parser.add_argument("--overwrite", action="store_true", help="with --out-dir: replace what is there")
    for name, words in (
        ("--context", "a pair of the encryption context of plain ciphertexts; may be given again"),
        ("--to-context", "the same for their new ciphertexts (default: --context)"),
    ):
        parser.add_argument(name, metavar="KEY=VALUE", action="append", default=[], type=pair, help=words)
    parser.add_argument(
        "--allow-uncommitted",
        action="store_true",
        help="messages of Encryption SDKs before 2.0, which lack key commitment, and then get it",
    )
    parser.add_argument(
        "--no-read-back",
        action="store_true",
        help="put what was moved in place unopened: opening it first needs kms:Decrypt on the new key",
    )
    parser.add_argument(
        "--check-with-sops", action="store_true", help="have the sops on PATH open each moved sops file too"
    )
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    add_connection_flags(parser)
    add_account_flags(parser)
    parser.set_defaults(connection_from=partial(connection_from, parser), usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    """Move; see ``--help`` for the exit codes."""
    context = context_of(args)
    new_context = dict(args.to_context) or context
    if len(dict(args.to_context)) < len(args.to_context):
        args.usage_error("--to-context: a name was given twice")
    folders = [path for path in args.files if path.is_dir()]
    if folders and not args.recursive:
        args.usage_error(f"{folders[0]} is a folder: add -r for all files below it")
    if args.overwrite and args.out_dir is None:
        args.usage_error("--overwrite goes with --out-dir")
    connection: Connection = args.connection_from(args)
    if connection.read_only and not args.dry_run:
        args.usage_error("--read-only: only --dry-run changes nothing")
    check_sops = _sops_check(args, connection) if args.check_with_sops else None
    return stoppable(lambda: _reencrypt(args, connection, context, new_context, check_sops))


def _reencrypt(
    args: argparse.Namespace,
    connection: Connection,
    context: dict[str, str],
    new_context: dict[str, str],
    check_sops: Callable[[bytes, str], None] | None,
) -> int:
    from kms_tui.cli.key_access import open_chosen
    from kms_tui.config import default_path, load
    from kms_tui.reencryption.file_task import MoveOptions
    from kms_tui.reencryption.file_tree import files_of
    from kms_tui.reencryption.key_move import prepared_move

    session = open_chosen(connection, load(default_path()))
    if session.has_several_accounts:
        session.open_all()  # a profile's account is found by its id only then
    move = prepared_move(_kms_for(session), args.to, args.source)
    account = session.account_of(move.destination.arn)
    if account.read_only and not args.dry_run:
        raise ReadOnlyError("The move", account.title)
    options = MoveOptions(
        move,
        context,
        new_context,
        dry_run=args.dry_run,
        out_folder=args.out_dir,
        overwrite=args.overwrite,
        allow_uncommitted=args.allow_uncommitted,
        read_back=not args.no_read_back,
        check_sops=check_sops,
    )
    outcomes: list[FileOutcome] = []
    files = list(files_of(args.files, left_out=args.out_dir))
    try:
        _move_all(files, options, outcomes)
    finally:
        # Also where the run was stopped, or KMS cannot be reached any more: some may be moved.
        with written_out(whole=False):
            _print(args, options, outcomes, len(files) - len(outcomes))
    return _exit_code(outcomes)


def _move_all(files: Sequence[FoundFile], options: MoveOptions, outcomes: list[FileOutcome]) -> None:
    from kms_tui.envelope.streams import Progress
    from kms_tui.reencryption.file_moves import move_file

    bar = ProgressBar()
    try:
        for file in files:
            name = str(file.path)
            bar.update(len(outcomes), len(files), name)

            def draw(done: int, total: int | None, name: str = name) -> None:
                bar.update(len(outcomes), len(files), f"{size(done)} of {name}")

            outcomes.append(move_file(file, replace(options, progress=Progress(progress=draw))))
    finally:
        bar.close()


def _kms_for(session: Session) -> Callable[[str], Kms]:
    return lambda reference: session.kms_for(reference) if key_region(reference) else session.kms


def _exit_code(outcomes: Sequence[FileOutcome]) -> int:
    from kms_tui.reencryption.file_task import Status

    found = {outcome.status for outcome in outcomes}
    return FAILURE if Status.UNREADABLE in found else int(Status.FAILED in found)


def _print(
    args: argparse.Namespace, options: MoveOptions, outcomes: Sequence[FileOutcome], left: int
) -> None:
    from kms_tui.reencryption.file_task import Status

    counts = Counter(str(outcome.status) for outcome in outcomes)
    told = [outcome for outcome in outcomes if outcome.status is not Status.NO_CIPHERTEXT]
    if args.format == "json":
        document = {
            "to": options.move.destination.arn,
            "from": options.move.source,
            "dry_run": options.dry_run,
            "counts": dict(counts),
            "not_looked_at": left + counts[Status.UNREADABLE],
            "files": [_json_of(outcome) for outcome in told],
        }
        print(json.dumps(document, indent=2))
        return
    width = max((len(outcome.status) for outcome in told), default=0)
    for outcome in told:
        form = f"{outcome.form}: " if outcome.form else ""
        words = f"{form}{_words_of(outcome, options.move.source)}".rstrip(" :")
        say(f"{outcome.status:<{width}}  {outcome.path}  {words}".rstrip())
    no_ciphertext = counts.pop(Status.NO_CIPHERTEXT, 0)
    parts = [f"{count:,} {status}" for status, count in counts.items()]
    parts += [f"{no_ciphertext:,} without a ciphertext"] if no_ciphertext else []
    parts += [f"{left:,} not looked at"] if left else []
    print(f"Files: {', '.join(parts) or 'none'}.")


def _words_of(outcome: FileOutcome, source: str | None) -> str:
    """The old keys, unless they are the one that was named; what was done, and what to do next."""
    from kms_tui.reencryption.file_task import Status

    shown = () if outcome.keys == (source,) or outcome.status is Status.ALREADY else outcome.keys
    verb = "was under" if outcome.status is Status.MOVED else "under"
    names = ", ".join(name[:_LONGEST_NAME] for name in shown)
    words = [f"{verb} {names}"] if shown else []
    words += [part for part in (outcome.sentence, outcome.next_step) if part]
    return " ".join(word if word.endswith((".", ":")) else f"{word}." for word in words)


def _json_of(outcome: FileOutcome) -> dict[str, object]:
    return {
        "path": os.fsencode(outcome.path).decode(errors="backslashreplace"),
        "status": str(outcome.status),
        "form": outcome.form,
        "keys": list(outcome.keys),
        "sentence": outcome.sentence,
        "next_step": outcome.next_step,
    }


def _sops_check(args: argparse.Namespace, connection: Connection) -> Callable[[bytes, str], None]:
    """Has the program sops open a file, with the credentials of the connection."""
    program = shutil.which("sops")
    if connection.kind in (BackendKind.DEMO, BackendKind.LOCAL):
        args.usage_error("--check-with-sops: sops asks AWS, and cannot open what the offline KMS encrypted")
    if program is None:
        raise ConfigurationError("There is no sops on PATH.", next_step="Install it, or leave out the check.")
    given = {"AWS_PROFILE": connection.profile, "AWS_ENDPOINT_URL_KMS": connection.endpoint_url}
    environment = {**os.environ, **{name: value for name, value in given.items() if value}}

    def check(content: bytes, form: str) -> None:
        kind = _SOPS_TYPES[form]
        command = [program, "--decrypt", "--input-type", kind, "--output-type", kind, "/dev/stdin"]
        try:
            done = subprocess.run(
                command,
                input=content,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                timeout=_SOPS_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise KmsTuiError(f"sops could not be run: {type(error).__name__}.") from error
        if done.returncode:
            raise KmsTuiError(
                f"sops does not open the moved file (exit code {done.returncode}), so it was not changed.",
                next_step="sops decrypt FILE says why it does not open the old one, if so.",
            )

    return check
