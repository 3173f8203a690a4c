"""The commands of ``kms-tui store policies``, which put, list and remove a store's account policies."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kms_tui.atomic import file_errors
from kms_tui.cli.file_streams import require_one_standard_input
from kms_tui.cli.standard_streams import say

if TYPE_CHECKING:
    from kms_tui.backend.local.account_policies.account_file import NamedFile
    from kms_tui.backend.local.account_policies.account_rows import AccountRow
    from kms_tui.backend.local.store.sqlite_store import Store

Open = Callable[[argparse.Namespace], "Store"]

_SET = """\
Files are JSON: what these commands print, or the same written by hand. Several files are one account
together; they replace all that the store holds of it, or nothing where anything is wrong.

  aws iam get-account-authorization-details     users, groups, roles and policies
  aws ec2 describe-vpc-endpoints                the policies of VPC endpoints
  aws organizations describe-organization       the organization; Targets says what is attached where

Targets are the root, the organizational units and the accounts, each with what is attached to it. Where its
policies only deny, it has AWS's FullAWSAccess or RCPFullAWSAccess too; a kind that no target has is off.

  {"Organization": {"MasterAccountId": "999988887777"},
   "Targets": [{"Id": "r-ab12", "ServiceControlPolicies": [{"Name": "OnlyHere", "Content": {POLICY}}]},
               {"Id": "111122223333", "ParentId": "r-ab12", "ResourceControlPolicies": []}]}

examples:
  aws iam get-account-authorization-details | kms-tui store policies set - organization.json
  kms-tui list --local --as arn:aws:iam::111122223333:role/app"""
_ABOUT = (
    "What the store holds of an account's IAM, organization and VPC endpoints. With --as, a layer of "
    "policies without a file is what is held here of that principal. One of which nothing is held has no IAM "
    "policies, and nothing limits it. Without --as the administrator calls, whom no policy refuses."
)


def add_commands(
    parser: argparse.ArgumentParser, which: argparse.ArgumentParser, open_store: Open, exit_codes: str
) -> None:
    """Add ``set``, ``list`` and ``clear``; ``which`` has the flags that choose a store."""
    parser.description = _ABOUT
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(
        name: str, run: Callable[[argparse.Namespace, Store], int], text: str, about: str = ""
    ) -> argparse.ArgumentParser:
        epilog = f"{about}\n\n{exit_codes}" if about else exit_codes
        added = commands.add_parser(name, help=text, description=text, parents=[which], epilog=epilog)

        def opened(args: argparse.Namespace) -> int:
            require_one_standard_input(args, *args.__dict__.get("files", ()))
            with open_store(args) as store:
                return run(args, store)

        added.set_defaults(command=opened, usage_error=added.error)
        return added

    put = command("set", _set, "put what files hold in the place of all account policies", _SET)
    put.add_argument("files", metavar="FILE", nargs="+", type=Path, help="JSON; - is standard input")
    listed = command("list", _list, "what is held")
    listed.add_argument(
        "--format",
        choices=("table", "json"),
        default="table",
        help="json: a file that `set` takes (default: table)",
    )
    command("clear", _clear, "hold no account policies any more")


def _set(args: argparse.Namespace, store: Store) -> int:
    from kms_tui.backend.local.account_policies.account_file import read_account
    from kms_tui.backend.local.store.stored_account import account_counts, replace_account

    rows = read_account([_file(path) for path in args.files])
    before = account_counts(store)
    replace_account(store, rows)
    said = f"{store.path} holds {account_counts_in_words(account_counts(store))} now."
    say(f"{said} They replace {account_counts_in_words(before)}." if before else said)
    return 0


def _file(path: Path) -> NamedFile:
    from kms_tui.backend.local.account_policies.account_json import MAX_BYTES, json_of

    if str(path) == "-":
        with file_errors("Standard input", "read"):
            return json_of("Standard input", sys.stdin.buffer.read(MAX_BYTES + 1))
    with file_errors(path, "read"), path.open("rb") as file:
        return json_of(str(path), file.read(MAX_BYTES + 1))


def account_counts_in_words(counts: Mapping[str, int]) -> str:
    """The kinds of rows in words: "2 roles, 1 policy"; "no account policies" where there are none."""
    words = [
        f"{count:,} {kind if count == 1 else f'{kind[:-1]}ies' if kind.endswith('y') else f'{kind}s'}"
        for kind, count in counts.items()
    ]
    return ", ".join(words) or "no account policies"


def _list(args: argparse.Namespace, store: Store) -> int:
    from kms_tui.backend.local.account_policies.account_rows import file_of
    from kms_tui.backend.local.store.stored_account import account_rows

    rows = account_rows(store)
    if args.format == "json":
        print(json.dumps(file_of(rows), indent=2))
        return 0
    if not rows:
        say(f"{store.path} holds no account policies.")
        return 0
    lines = [
        (str(row.kind), str(row.content.get("Arn") or row.name or row.content["Id"]), row) for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in (0, 1)]
    say(
        *(
            f"{kind:<{widths[0]}}  {name:<{widths[1]}}  {'; '.join(_holds(row))}".rstrip()
            for kind, name, row in lines
        )
    )
    return 0


def _holds(row: AccountRow) -> Iterator[str]:
    """What a row holds, in words."""
    from kms_tui.backend.local.account_policies.account_rows import CONTROL_POLICIES, IDENTITIES

    content = row.content
    names = IDENTITIES.get(row.kind)
    if names is not None:
        policies = [each["PolicyName"] for each in content["AttachedManagedPolicies"]]
        policies += [f"{each['PolicyName']} (inline)" for each in content[names.inline]]
        yield f"policies {', '.join(policies)}" if policies else "no policies"
    if content.get("GroupList"):
        yield f"groups {', '.join(content['GroupList'])}"
    if "PermissionsBoundary" in content:
        yield f"boundary {content['PermissionsBoundary']['PermissionsBoundaryArn']}"
    if "ParentId" in content:
        yield f"below {content['ParentId']}"
    for layer, control in CONTROL_POLICIES.items():
        if control.member in content:
            yield f"{layer.upper()}s {', '.join(each['Name'] for each in content[control.member])}"
    if "MasterAccountId" in content:
        yield f"management account {content['MasterAccountId']}"


def _clear(args: argparse.Namespace, store: Store) -> int:
    from kms_tui.backend.local.store.stored_account import account_counts, replace_account

    before = account_counts(store)
    if before:
        replace_account(store, [])
    say(
        f"{store.path} held {account_counts_in_words(before)}; it holds none now."
        if before
        else f"{store.path} holds none."
    )
    return 0
