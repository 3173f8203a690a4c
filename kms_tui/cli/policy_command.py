"""Judge key policies in a pipeline: ``kms-tui policy check FILE… --account ID``.

``kms-tui policy rules`` lists what is looked for, ``kms-tui policy extract FILE`` takes the policy out of
what people paste.

Exit code 0: every policy is ok or only warned about; 1: at least one is refused; 2: bad usage, or a file that
cannot be read or holds no policy.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from kms_tui.cli.file_streams import require_one_standard_input
from kms_tui.cli.region_flags import region_name
from kms_tui.formats import encoding_of
from kms_tui.kms.arn import PARTITIONS, Arn, is_account_id, partition_of
from kms_tui.policy import CheckResult, Severity, Verdict, pasted_text
from kms_tui.policy.guard import check
from kms_tui.policy.rule_guide import RULES, text_of
from kms_tui.visible import visible

_FORMATS = ("text", "jsonl", "sarif")
FAILURE = 2
"""The exit code for errors; 1 means a refused policy."""
_EPILOG = """\
examples:
  kms-tui policy check policy.json --account 111122223333
  kms-tui policy check *.json --account 111122223333 --caller arn:aws:iam::111122223333:role/Deploy --json
  kms-tui policy check policies/*.json --account 111122223333 --format sarif > policies.sarif
  aws kms get-key-policy --key-id ID --policy-name default | kms-tui policy extract -
  kms-tui policy rules public"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    checking = actions.add_parser("check", help="judge policies: ok, warn or refuse")
    checking.add_argument("files", nargs="+", metavar="FILE", help="policy JSON; - is standard input")
    checking.add_argument("--account", required=True, type=_account, metavar="ID", help="the key's account")
    checking.add_argument("--region", type=region_name, metavar="R", help="the key's Region")
    checking.add_argument(
        "--partition", type=_partition, metavar="P", help="default: that of the Region or the key, else aws"
    )
    checking.add_argument("--caller", type=_arn, metavar="ARN", help="who would save it")
    checking.add_argument("--key-arn", type=_key_arn, metavar="ARN", help="the key it is for")
    checking.add_argument("-v", "--verbose", action="store_true", help="also what is only worth knowing")
    form = checking.add_mutually_exclusive_group()
    form.add_argument(
        "--format",
        choices=_FORMATS,
        default="text",
        help="default: text; jsonl is one JSON object a file, sarif is for code scanning",
    )
    form.add_argument(
        "--json", dest="format", action="store_const", const="jsonl", help="the same as --format jsonl"
    )
    checking.set_defaults(usage_error=checking.error)
    listing = actions.add_parser("rules", help="list the rules: what each says, why, and an example")
    listing.add_argument("rules", nargs="*", metavar="RULE", help="only these; the word in [brackets]")
    listing.add_argument("--json", action="store_true", help="one JSON object a line, for programs")
    listing.set_defaults(usage_error=listing.error)
    extracting = actions.add_parser("extract", help="print the policy that is inside what was pasted")
    extracting.add_argument("file", metavar="FILE", help="- is standard input")


def _account(text: str) -> str:
    if not is_account_id(text):
        raise argparse.ArgumentTypeError("an account id has 12 digits")
    return text


def _partition(text: str) -> str:
    if text not in PARTITIONS:
        raise argparse.ArgumentTypeError(f"there is no partition {text!r}; there are {', '.join(PARTITIONS)}")
    return text


def _arn(text: str) -> str:
    try:
        Arn.parse(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ARN") from None
    return text


def _key_arn(text: str) -> str:
    arn = Arn.parse(_arn(text))
    if arn.service != "kms" or not arn.resource.startswith("key/"):
        raise argparse.ArgumentTypeError(f"{text!r} is not the ARN of a KMS key, …:key/ID")
    return text


def run(args: argparse.Namespace) -> int:
    return _ACTIONS[args.action](args)


def _check(args: argparse.Namespace) -> int:
    """Check each file; see the module for exit codes."""
    require_one_standard_input(args, *args.files)
    partition = _agreed_partition(args)
    judged: list[tuple[str, CheckResult]] = []
    unreadable: list[str] = []
    for name in args.files:
        try:
            content = _content(name)
        except _UnreadableError as error:
            unreadable.append(str(error))
            print(f"kms-tui policy: {visible(str(error))}", file=sys.stderr)
            continue
        result = check(
            content,
            account_id=args.account,
            partition=partition,
            caller_arn=args.caller,
            key_arn=args.key_arn,
        )
        judged.append((name, result))
        if args.format == "jsonl":
            print(json.dumps({"file": name, **result.as_dict()}))
        elif args.format == "text":
            print(_report(name, result, verbose=args.verbose))
    if args.format == "sarif":
        # The other formats need neither, and start in two thirds of the time.
        from kms_tui.cli.policy_sarif import policy_sarif
        from kms_tui.cli.reading import write_out

        write_out(policy_sarif(judged, unreadable, verbose=args.verbose))
    if unreadable:
        return FAILURE
    return int(any(result.verdict is Verdict.REFUSE for _, result in judged))


def _agreed_partition(args: argparse.Namespace) -> str:
    """The partition of all arguments; contradicting ones are bad usage."""
    found: dict[str, str] = {}
    if args.partition:
        found["--partition"] = args.partition
    if args.region:
        found["--region"] = partition_of(args.region)
    if args.caller:
        found["--caller"] = Arn.parse(args.caller).partition
    if args.key_arn:
        arn = Arn.parse(args.key_arn)
        if arn.account != args.account:
            args.usage_error(f"--key-arn is of account {arn.account}: give that one as --account")
        if args.region and arn.region != args.region:
            args.usage_error(f"--key-arn is of Region {arn.region}, not of {args.region}: leave --region out")
        found["--key-arn"] = arn.partition
        found["the Region of --key-arn"] = partition_of(arn.region)
    if len(set(found.values())) > 1:
        told = ", ".join(f"{name} is of {partition or 'no partition'}" for name, partition in found.items())
        args.usage_error(f"a key has one partition, and these differ: {told}")
    return next(iter(found.values()), "aws")


def _rules(args: argparse.Namespace) -> int:
    """List the rules, or the named ones."""
    unknown = [name for name in args.rules if name not in RULES]
    if unknown:
        args.usage_error(f"there is no rule {visible(unknown[0])!r}: kms-tui policy rules lists them all")
    for name in args.rules or RULES:
        rule = RULES[name]
        print(json.dumps(rule.as_dict()) if args.json else visible(text_of(rule), newlines=True) + "\n")
    return 0


def _extract(args: argparse.Namespace) -> int:
    """Print the policy in a pasted text, or say what the text is instead."""
    content = _read(args.file)
    if content is None:
        return FAILURE
    text = content.decode(encoding_of(content), "replace")
    paste = pasted_text.recognize(text)
    if paste is not None:
        policy, fault = paste.policy, visible(paste.sentence)
    else:
        policy, fault = text if pasted_text.is_policy(text) else None, "there is no policy in it"
    if policy is None:
        print(f"kms-tui policy extract: {visible(args.file)}: {fault}", file=sys.stderr)
        return FAILURE
    print(visible(policy, newlines=True))
    return 0


_MOST_BYTES = 64 << 20
"""Of what is read: pasted texts may hold much beside a policy, and a device has no end."""


class _UnreadableError(Exception):
    """Why a file cannot be read, in a sentence that names it; untrusted."""


def _read(name: str) -> bytes | None:
    """A file's bytes; None, with an error message, if it cannot be read."""
    try:
        return _content(name)
    except _UnreadableError as error:
        print(f"kms-tui policy: {visible(str(error))}", file=sys.stderr)
        return None


def _content(name: str) -> bytes:
    """A file's bytes. Raises _UnreadableError."""
    try:
        if name == "-":
            content = sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise _UnreadableError(f"{name}: {error.strerror}") from error
    if len(content) > _MOST_BYTES:
        raise _UnreadableError(f"{name}: it is larger than any policy")
    return content


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


_ACTIONS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "check": _check,
    "rules": _rules,
    "extract": _extract,
}
