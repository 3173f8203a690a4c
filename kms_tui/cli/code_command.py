"""Write keys as Terraform, CloudFormation or CDK code that takes them over as they are.

The first plan, or import, changes nothing: keys, policies, aliases, grants, rotation and tags are written as
KMS answers them. AWS managed keys and keys scheduled for deletion are left out, which is said.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kms_tui.cli.file_streams import PIPE, output_directory
from kms_tui.cli.reading import Step, add_reading_flags, followed, open_for_reading, write_out
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.as_code.code import Code
    from kms_tui.as_code.key_definition import ReadKeys
    from kms_tui.session import Session

FAILURE = 2
"""The exit code without whole code."""
_FORMATS = ("terraform", "cloudformation", "cdk")
_EPILOG = """\
examples:
  kms-tui code alias/orders > orders.tf                    then: terraform plan
  kms-tui code --filter 'name:payments state:enabled' -o infrastructure
  kms-tui code --all --regions eu-west-1,us-east-1 --profile prod > kms_keys.tf
  kms-tui code alias/orders --format cloudformation -o stack
  kms-tui code --demo --all --format cdk

exit codes: 0 the code is whole; 2 bad usage, or something could not be read, which is said; 130 stopped with
Ctrl+C. It calls DescribeKey, GetKeyPolicy, ListResourceTags, ListAliases, ListGrants and GetKeyRotationStatus
for each key; ListKeys, and what a filter asks about, for --filter and --all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("keys", nargs="*", metavar="KEY", help="key id, ARN or alias")
    parser.add_argument("--filter", metavar="TEXT", help="the keys that match, as in `kms-tui list`")
    parser.add_argument("--all", action="store_true", help="all keys of the account")
    parser.add_argument("--format", choices=_FORMATS, default="terraform", help="default: terraform")
    parser.add_argument(
        "--policy-documents",
        action="store_true",
        help="Terraform: policies as aws_iam_policy_document, not as jsonencode",
    )
    parser.add_argument(
        "--provider-version",
        type=_version,
        metavar="X.Y",
        help="Terraform: leave out the keys that this version of the AWS provider refuses",
    )
    parser.add_argument("--no-grants", action="store_true", help="leave grants out: services make their own")
    parser.add_argument(
        "-o",
        "--output",
        type=output_directory,
        metavar="DIR",
        default=PIPE,
        help="write the files into a directory, which is made; - is standard output",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files of DIR that exist")
    add_reading_flags(parser)


def _version(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,4})\.([0-9]{1,4})(?:\.[0-9]{1,4})?", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a version such as 5.100")
    return int(found[1]), int(found[2])


def run(args: argparse.Namespace) -> int:
    """Write the code; see ``--help`` for the exit codes."""
    chosen = [bool(args.keys), args.filter is not None, args.all]
    if sum(chosen) != 1:
        args.usage_error("name keys, or give one of --filter and --all")
    if args.overwrite and args.output == PIPE:
        args.usage_error("--overwrite is for files in a directory: name one with -o")
    if args.format != "terraform":
        for flag, given in (
            ("--policy-documents", args.policy_documents),
            ("--provider-version", args.provider_version is not None),
        ):
            if given:
                args.usage_error(f"{flag} is for --format terraform")
    from kms_tui.cli.filtered_keys import check_filter

    check_filter(args.filter or "", args.usage_error)
    session = open_for_reading(args)
    try:
        read, problems = _read(session, args)
    except KeyboardInterrupt:
        print("Stopped. No code was written.", file=sys.stderr)
        return 130
    finally:
        session.close()
    code = _code(read, args)
    _say((*read.left_out, *code.notes))
    problems += read.unread
    if read.definitions and code.files:
        _write(code, args)
    else:
        problems.append("No key is left to write.")
    _say(problems)
    return FAILURE if problems else 0


def _read(session: Session, args: argparse.Namespace) -> tuple[ReadKeys, list[str]]:
    from kms_tui.as_code.key_definition import KeyReading
    from kms_tui.cli.filtered_keys import FilteredKeys

    references, problems = args.keys, []
    if not references:
        filtered = FilteredKeys(session, args.filter or "")
        references = [row.arn for row in filtered.read("kms-tui code")]
        problems = list(filtered.problems())
    reading = KeyReading(references, session.kms_for, grants=not args.no_grants)
    total = len(reading.references)
    read = followed(reading.read, lambda: Step("reading", reading.done, total), name="kms-tui code")
    return read, problems


def _code(read: ReadKeys, args: argparse.Namespace) -> Code:
    from kms_tui.as_code.code_formats import CODE_FORMATS
    from kms_tui.as_code.terraform import terraform

    if args.format == "terraform":
        return terraform(
            read.definitions, policy_documents=args.policy_documents, provider_version=args.provider_version
        )
    return CODE_FORMATS[args.format].write(read.definitions)


def _say(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        print(visible(sentence), file=sys.stderr)


def _write(code: Code, args: argparse.Namespace) -> None:
    main, *others = code.files
    if args.output == PIPE:
        write_out(code.files[main])
        if others:
            print(f"There is more: -o DIR also writes {', '.join(others)}.", file=sys.stderr)
        return
    from kms_tui.as_code.code import write_files

    paths = write_files(code, Path(args.output), overwrite=args.overwrite)
    print(visible(f"Wrote {', '.join(map(str, paths))}."))
