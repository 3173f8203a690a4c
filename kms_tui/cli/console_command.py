"""The console itself: what ``kms-tui`` does when no command is named."""

from __future__ import annotations

import argparse
import gc
import sys
import threading
import time
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path

from kms_tui import __version__
from kms_tui.cli.connection import add_account_flags, add_connection_flags, add_writes_flag, connection_from
from kms_tui.config import Config, default_path, load
from kms_tui.session import BackendKind, Connection, Prompt, Session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_connection_flags(parser)
    add_account_flags(parser)
    add_writes_flag(parser)
    parser.add_argument(
        "--screenshot",
        metavar="FILE.svg",
        type=Path,
        help="draw the first screen into a file, without a terminal",
    )
    parser.add_argument(
        "--no-aggregator",
        action="store_true",
        help="with --accounts: list every account by KMS, not by AWS Config",
    )
    parser.add_argument("--version", action="version", version=f"kms-tui {__version__}")
    parser.set_defaults(connection_from=partial(connection_from, parser))


_LAST_WAIT = 0.3
"""Seconds for which threads may go on once the console has left the screen."""
_THRESHOLDS = (50_000, 20, 20)
"""gc thresholds: the number of new objects that starts the next collection."""


def run(args: argparse.Namespace) -> int:
    """Open the console; exit code 2 without a terminal."""
    connection: Connection = replace(args.connection_from(args), by_config=not args.no_aggregator)
    if args.screenshot is None and not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("kms-tui is a console and needs a terminal; --screenshot FILE.svg needs none.", file=sys.stderr)
        return 2
    # Imports alone set off hundreds of collections, a tenth of the CPU time to the first rows.
    gc.disable()
    gc.set_threshold(*_THRESHOLDS)
    from kms_tui.ui.app import KmsApp

    config = load(default_path(), _binding_ids)
    opener = partial(open_connection, config)
    if args.screenshot is not None:
        from kms_tui.ui.screenshot import draw

        # Without a terminal no one can answer a prompt: it is declined.
        app = KmsApp(lambda chosen, _prompt: opener(chosen, lambda _question: None), connection, config)
        draw(app, args.screenshot)
    else:
        from kms_tui.ui.app_shell.encoding_fallback import fit_encoding

        fit_encoding(sys.stderr)  # where Textual writes to
        app = KmsApp(opener, connection, config, welcome=connection.kind is BackendKind.DEMO)
        app.run()
        let_threads_end()
        # The interpreter's collections at exit would take 0.15 s, and more in a large account.
        gc.freeze()
    return app.return_code or 0


def let_threads_end(seconds: float = _LAST_WAIT) -> None:
    """Wait for the threads that work: one that is at it while the interpreter ends can crash it.

    One that waits for an answer of AWS does nothing that could, and is left behind.
    """
    ends = time.monotonic() + seconds
    for thread in threading.enumerate():
        if thread.daemon:
            thread.join(max(0.0, ends - time.monotonic()))


def _binding_ids() -> Collection[str]:
    from kms_tui.ui.app_shell.palette import bindings

    return bindings()


def open_connection(config: Config, connection: Connection, prompt: Prompt) -> Session:
    """The console's opener: the connection's backend, wrapped into a session."""
    from kms_tui.cli.connection import notice_of, open_backend
    from kms_tui.session import open_accounts, open_session

    try:
        if connection.accounts is not None:
            from kms_tui.cli.account_opening import chosen_accounts

            chosen = chosen_accounts(connection, connection.accounts, config, prompt)
            return open_accounts(
                connection,
                chosen.sources,
                required_tags=config.required_tags,
                config_services=chosen.home if connection.by_config else None,
            )
        backend = open_backend(connection, prompt)
        return open_session(
            connection,
            backend,
            config.profile(connection.title),
            settings_by_id=config.accounts,
            notice=notice_of(backend),
            required_tags=config.required_tags,
        )
    finally:
        if not gc.isenabled():
            # Imported objects stay: a collection that walks them would delay the first rows by 0.1 s.
            gc.freeze()
            gc.enable()
