"""Judge key policies in a pipeline: ``kms-tui policy check FILE… --account ID``.

Exit code 0: every policy is ok or only warned about; 1: at least one is refused; 2: bad usage, or a file that
cannot be read.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from kms_tui.kms.arn import Arn
from kms_tui.policy import CheckResult, Severity, Verdict, check
from kms_tui.ui.safe_text import visible

_ACCOUNT = re.compile(r"[0-9]{12}\Z")
_BOM = b"\xef\xbb\xbf"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    checking = actions.add_parser("check", help="judge policies: ok, warn or refuse")
    checking.add_argument("files", nargs="+", metavar="FILE", help="policy JSON; - is standard input")
    checking.add_argument("--account", required=True, type=_account, metavar="ID", help="the key's account")
    checking.add_argument("--partition", default="aws", metavar="P", help="default: aws")
    checking.add_argument("--caller", type=_arn, metavar="ARN", help="who would save it")
    checking.add_argument("--key-arn", type=_arn, metavar="ARN", help="the key it is for")
    checking.add_argument("-v", "--verbose", action="store_true", help="also what is only worth knowing")
    checking.add_argument("--json", action="store_true", help="one JSON object a line, for programs")


def _account(text: str) -> str:
    if not _ACCOUNT.match(text):
        raise argparse.ArgumentTypeError("an account id has 12 digits")
    return text


def _arn(text: str) -> str:
    try:
        Arn.parse(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ARN") from None
    return text


def run(args: argparse.Namespace) -> int:
    """Check each file; see the module for the exit codes."""
    refused = unreadable = False
    for name in args.files:
        try:
            content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except OSError as error:
            print(f"kms-tui policy check: {visible(name)}: {error.strerror}", file=sys.stderr)
            unreadable = True
            continue
        result = check(
            content.removeprefix(_BOM),
            account_id=args.account,
            partition=args.partition,
            caller_arn=args.caller,
            key_arn=args.key_arn,
        )
        refused |= result.verdict is Verdict.REFUSE
        if args.json:
            print(json.dumps({"file": name, **result.as_dict()}))
        else:
            print(_report(name, result, verbose=args.verbose))
    return 2 if unreadable else int(refused)


def _report(name: str, result: CheckResult, *, verbose: bool) -> str:
    """``file:line:column: severity: sentence [rule]`` for each finding, after the verdict."""
    shown = visible(name)
    lines = [f"{shown}: {result.verdict.value}"]
    for finding in result.findings:
        if finding.severity is Severity.INFO and not verbose:
            continue
        place = f"{shown}:{finding.line}:{finding.column}"
        lines.append(f"{place}: {finding.severity.value}: {visible(finding.sentence)} [{finding.rule}]")
    return "\n".join(lines)
