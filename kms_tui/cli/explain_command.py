"""Explain why a KMS request was denied: ``kms-tui explain MESSAGE``, or ``-`` for standard input.

Reading a message makes no call. With a connection (``--profile``, ``--region``, ``--demo``, ``--local``),
files of policies, or ``--principal``, ``--action`` and ``--key``, every layer of policies is judged.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kms_tui.atomic import atomic_file, file_errors
from kms_tui.cli.connection import add_connection_flags, connection_from
from kms_tui.cli.standard_streams import say
from kms_tui.formats import encoding_of
from kms_tui.kms.arn import key_region
from kms_tui.kms.errors import KmsTuiError
from kms_tui.session import BackendKind, Connection
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.denials.asked_request import AskedRequest
    from kms_tui.denials.explanation import Explanation
    from kms_tui.denials.judging import Inquiry, LayerSource
    from kms_tui.denials.layer_files import LayerFiles
    from kms_tui.denials.message import ErrorMessage

FAILURE = 2
"""The exit code for bad usage, and for a text that is no denial."""
_DENIED = 1
_HINT = (
    "Only the message was read. With --profile P, or another connection, every layer of policies is judged, "
    "and what helps is tried."
)
_EPILOG = """\
examples:
  kms-tui explain "$(cat error.txt)"                            reads the message alone, without a call
  kms-tui explain - --profile prod < error.txt                  judges every layer, and says what helps
  kms-tui explain --principal arn:aws:iam::111122223333:role/app --action kms:Decrypt \\
      --key alias/orders-db --context table=orders --via s3 --profile prod
  kms-tui explain - --save denial.json --profile prod < error.txt
  kms-tui explain --case denial.json --format json

exit codes: 0 explained; 1 with --fail-on denied, where it is not known to be allowed; 2 bad usage, a file
that cannot be read, or a text that is no error of AWS

With a connection it calls, where permitted, GetKeyPolicy, ListGrants and DescribeKey, IAM's Get and List
calls for the caller's policies, Organizations' for SCPs and RCPs, EC2's DescribeVpcEndpoints with --vpce,
and STS's DecodeAuthorizationMessage; what it may not read is not known, and the answer says so."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument(
        "message", nargs="?", metavar="MESSAGE", help="an error message or event; - is standard input"
    )
    asked = parser.add_argument_group("a request, or what the message does not say")
    asked.add_argument("--principal", metavar="ARN", default="", help="who calls")
    asked.add_argument("--action", metavar="A", default="", help="kms:Decrypt, say")
    asked.add_argument(
        "--key", metavar="KEY", default="", help="a key's ARN; with a connection an id or alias"
    )
    asked.add_argument(
        "--context", metavar="K=V", action="append", type=_pair, help="a pair of the encryption context"
    )
    asked.add_argument(
        "--condition",
        metavar="KEY=VALUE",
        action="append",
        type=_condition,
        default=[],
        help="another condition key, such as aws:SourceIp=203.0.113.7; may repeat",
    )
    asked.add_argument(
        "--via", metavar="SERVICE", default="", help="the service that calls for it, such as s3"
    )
    asked.add_argument("--vpce", metavar="ID", default="", help="the VPC endpoint that it comes through")
    asked.add_argument("--complete", action="store_true", help="every other condition key is absent")
    files = parser.add_argument_group(
        "layers from files (a policy as JSON, or a list of policies) instead of what would be read"
    )
    _add_files(files, "--iam-policy", "identity", "the caller's IAM policies")
    _add_files(files, "--boundary", "boundary", "the caller's permissions boundary")
    _add_files(files, "--session-policy", "session", "policies passed when the session began")
    files.add_argument("--no-session-policy", action="store_true", help="no policy was passed to the session")
    _add_files(files, "--scp", "scps", "the SCPs of one level; once for each level, from the root down")
    _add_files(files, "--rcp", "rcps", "the RCPs of one level; once for each level, from the root down")
    _add_files(files, "--endpoint-policy", "endpoint", "the policy of the VPC endpoint")
    cases = parser.add_argument_group("a denial with all its layers as one JSON file")
    cases.add_argument(
        "--case", metavar="FILE", type=Path, help="explain this one (- is standard input); makes no call"
    )
    cases.add_argument("--save", metavar="FILE", type=Path, help="write this one; replaces the file")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    parser.add_argument("--fail-on", choices=("denied",), help="exit with 1 unless it is allowed")
    parser.add_argument("--offline", action="store_true", help="make no call")
    add_connection_flags(parser, caller_policies=False)
    parser.set_defaults(connection_from=partial(connection_from, parser), usage_error=parser.error)


def _add_files(group: argparse._ArgumentGroup, flag: str, name: str, help_text: str) -> None:
    group.add_argument(
        flag, dest=f"layer_{name}", metavar="FILE", type=Path, action="append", default=[], help=help_text
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _condition(text: str) -> tuple[str, str]:
    name, value = _pair(text)
    if ":" not in name:
        raise argparse.ArgumentTypeError(f"{name!r} is no condition key: write aws:SourceIp=203.0.113.7, say")
    return name, value


def run(args: argparse.Namespace) -> int:
    """Explain and print; see ``--help`` for the exit codes."""
    from kms_tui.denials.explanation import explanation_lines
    from kms_tui.denials.message_kinds import MessageKind

    explanation = _explanation(args)
    if args.save is not None:
        _save(args.save, explanation)
    if args.format == "json":
        print(json.dumps(explanation.as_dict(), indent=2))
    else:
        say(*explanation_lines(explanation))
        if explanation.judged is None and explanation.is_denied and args.connection_from(args).kind is None:
            say(_HINT)
    message = explanation.message
    if message is not None and message.kind is MessageKind.NOTHING and explanation.judged is None:
        if args.format == "json":
            print(visible(f"kms-tui explain: {explanation.cause}"), file=sys.stderr)
        return FAILURE
    judged = explanation.judged
    allowed = judged.is_allowed if judged is not None else not explanation.is_denied
    return _DENIED if args.fail_on and not allowed else 0


def _explanation(args: argparse.Namespace) -> Explanation:
    if args.context is not None and len(dict(args.context)) < len(args.context):
        args.usage_error("--context: a name was given twice")
    if args.case is not None:
        given = [
            getattr(args, name)
            for name in ("principal", "action", "key", "context", "condition", "via", "vpce")
        ]
        if args.message is not None or args.complete or any(given):
            args.usage_error("--case is a whole request: leave the message and what is asked of it out")
        return _of_case(args)
    if args.message is None and not (args.principal or args.action or args.key):
        args.usage_error("give a message, - for standard input, --case, or --principal, --action and --key")
    message = None
    if args.message is not None:
        from kms_tui.denials.event_message import read_paste

        message = read_paste(_text(args.message))
    elif not (args.principal and args.action):
        args.usage_error("a question takes --principal, --action and --key")
    return _of_request(args, message)


def _text(given: str) -> str:
    if given != "-":
        return given
    from kms_tui.denials.pasted_message import MAX_MESSAGE

    with file_errors("Standard input", "read"):
        content = sys.stdin.buffer.read(4 * MAX_MESSAGE + 4)  # so many characters, and one more to tell of
    return content.decode(encoding_of(content), "replace")


def _of_case(args: argparse.Namespace) -> Explanation:
    from kms_tui.denials.explanation import explained
    from kms_tui.denials.layer_files import with_files
    from kms_tui.policy.denial_case import MAX_BYTES, CaseError, read_case

    if str(args.case) == "-":
        with file_errors("Standard input", "read"):
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
    else:
        with file_errors(args.case, "read"), Path(args.case).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    try:
        case = read_case(content)
    except CaseError as error:
        raise KmsTuiError(f"{args.case}: {error}") from error
    return explained(case.request, with_files(case.layers, _files(args)))


def _files(args: argparse.Namespace) -> LayerFiles:
    from kms_tui.denials.layer_files import LayerFiles

    return LayerFiles(
        identity=args.layer_identity,
        boundary=args.layer_boundary,
        session=args.layer_session,
        scps=args.layer_scps,
        rcps=args.layer_rcps,
        endpoint=args.layer_endpoint,
        no_session_policy=args.no_session_policy,
    )


def _of_request(args: argparse.Namespace, message: ErrorMessage | None) -> Explanation:
    """Explain a message or a question, with the layers where there is a connection or a file."""
    from kms_tui.denials.explanation import Explanation
    from kms_tui.denials.judging import Inquiry, judge
    from kms_tui.denials.message_kinds import MessageKind

    connection: Connection = args.connection_from(args)
    inquiry = Inquiry(message, _asked(args), _files(args))
    reads = connection.kind is not None or (message is None and not inquiry.has_layers)
    if message is not None and message.kind in (MessageKind.OTHER_SERVICE, MessageKind.NOTHING):
        return Explanation(message)
    source, notes = _opened(args, connection, inquiry) if reads and not args.offline else (None, ())
    return judge(inquiry, source, notes)


def _asked(args: argparse.Namespace) -> AskedRequest:
    from kms_tui.denials.asked_request import AskedRequest

    conditions: dict[str, list[str]] = {}
    for name, value in args.condition:
        conditions.setdefault(name, []).append(value)
    return AskedRequest(
        args.principal,
        args.action,
        args.key,
        dict(args.context) if args.context is not None else None,
        args.via,
        args.vpce,
        {name: values[0] if len(values) == 1 else tuple(values) for name, values in conditions.items()},
        args.complete,
    )


def _opened(
    args: argparse.Namespace, connection: Connection, inquiry: Inquiry
) -> tuple[LayerSource | None, tuple[str, ...]]:
    """The connection, or why there is none where something can be said without."""
    from kms_tui.backend.base import KnowsServices
    from kms_tui.backend.kms_facade import Kms
    from kms_tui.cli.key_access import opened
    from kms_tui.denials.judging import LayerSource

    message = inquiry.message
    if connection.kind in (None, BackendKind.AWS) and connection.region is None:
        connection = _in_region_of(connection, args.key or (message.resource if message else "") or "")
    try:
        backend = opened(connection)  # nothing that is called here changes anything
    except KmsTuiError as error:
        if message is None and not inquiry.has_layers:
            raise
        return None, (f"Nothing was read from AWS: {error.with_next_step}",)
    return LayerSource(Kms(backend), backend.services if isinstance(backend, KnowsServices) else None), ()


def _in_region_of(connection: Connection, key: str) -> Connection:
    """The connection in the Region of the key's ARN, if there is one."""
    return replace(connection, region=key_region(key) or None)


def _save(path: Path, explanation: Explanation) -> None:
    from kms_tui.policy.denial_case import DenialCase, write_case

    if explanation.request is None or explanation.layers is None:
        raise KmsTuiError(
            "There are no layers to save: only the message was read.",
            next_step="Add a connection, such as --profile, or files with --iam-policy and the like.",
        )
    text = write_case(DenialCase(explanation.request, explanation.layers))
    with atomic_file(path, overwrite=True) as file:
        file.write(f"{text}\n".encode())
