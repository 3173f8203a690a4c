"""Who spends the account's KMS requests: ``kms-tui usage``, by caller, operation and encryption context.

Calls a day against the Region's request quotas; S3 without bucket keys and callers without post-quantum key
exchange are pointed out.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from kms_tui.cli.connection import add_connection_flags, connection_from
from kms_tui.cli.history_options import (
    add_history_flags,
    agreed,
    followed,
    services_of,
    source_from,
    whole_number,
)
from kms_tui.cli.key_access import is_key_arn, opened, reading_kms
from kms_tui.kms.arn import Arn
from kms_tui.session import BackendKind, Connection

if TYPE_CHECKING:
    from kms_tui.backend.base import Backend

FAILURE = 2
"""The exit code without an answer."""
_EPILOG = """\
examples:
  kms-tui usage --profile prod --days 7
  kms-tui usage --key alias/orders --events AWSLogs/ --format md
  kms-tui usage --demo --format json | jq .

exit codes: 0 done; 2 bad usage, or what is needed cannot be read; 130 stopped with Ctrl+C, what was read
is counted. With --events no connection is opened, unless --key needs one."""
_FORMATS = ("table", "json", "md")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("--key", metavar="K", help="only requests on this key: its id, alias or ARN")
    parser.add_argument("--top", type=whole_number, default=30, metavar="N", help="rows shown (default: 30)")
    parser.add_argument("--format", choices=_FORMATS, default="table", help="default: table")
    add_history_flags(parser)
    add_connection_flags(parser)
    parser.set_defaults(connection_from=partial(connection_from, parser), usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    """Count; see ``--help`` for the exit codes."""
    from kms_tui.cli.file_streams import writing_output
    from kms_tui.evidence.request_history.history_source import HistoryQuery
    from kms_tui.evidence.request_history.recorded_request import RequestDetail
    from kms_tui.evidence.request_usage import request_usage
    from kms_tui.evidence.usage_formats import WRITERS

    # The calls that this command itself makes are not counted.
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1)
    connection: Connection = args.connection_from(args)
    files_alone = args.events is not None and connection.kind is None
    backend = None if files_alone and (args.key is None or is_key_arn(args.key)) else opened(connection)
    key_arn = _key_arn(args.key, backend)
    region = Arn.parse(key_arn).region if key_arn else backend.region if backend is not None else ""
    live = connection.kind in (BackendKind.DEMO, BackendKind.LOCAL)
    source = source_from(args, services_of(backend), region, live=live)
    query = HistoryQuery(now - timedelta(days=args.days), now, key_arn, frozenset({RequestDetail.TLS}))
    if not agreed(args, source, query):
        return FAILURE
    outcome = followed(source, query, args.minutes)
    with writing_output() as out:
        out.write(WRITERS[args.format](request_usage(outcome.history, region), args.top).encode())
    return outcome.exit_code


def _key_arn(key: str | None, backend: Backend | None) -> str:
    if key is None or backend is None:
        return key or ""
    return reading_kms(backend).describe(key).arn
