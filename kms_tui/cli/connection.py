"""The flags that choose a KMS, shared by every command, and the one place that opens it."""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kms_tui.cli.region_flags import region_name, region_names
from kms_tui.kms.errors import CredentialsError, KmsTuiError, StoreError
from kms_tui.session import BackendKind, Connection, Prompt
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.accounts.account_choice import AccountChoice
    from kms_tui.backend.base import Backend
    from kms_tui.denials.layer_files import LayerFiles
    from kms_tui.policy.layers import Layers

NEEDS_CALLER = "--iam-policy, --scp, --vpce and the like go with --as"
AS_HELP = "call as this principal; a layer of policies without a file is what `store policies` holds"
OPENING_IS_LONG = 3.0
"""Seconds after which a command says why opening takes long."""


_POLICY_FLAGS = (
    ("--iam-policy", "identity", "that principal's IAM policies"),
    ("--boundary", "boundary", "its permissions boundary"),
    ("--session-policy", "session", "the policies passed when its session began"),
    ("--scp", "scps", "the SCPs of one level; once for each level, from the root down"),
    ("--rcp", "rcps", "the RCPs of one level; once for each level, from the root down"),
    ("--endpoint-policy", "endpoint", "the policy of that VPC endpoint"),
)
"""Flag, field of LayerFiles, help."""


def add_caller_flags(group: argparse._ActionsContainer) -> None:
    """Add the flags for the principal of ``--as``: its VPC endpoint, and its policies, each several times."""
    for flag, name, words in _POLICY_FLAGS:
        group.add_argument(
            flag, dest=f"caller_{name}", metavar="FILE", type=Path, action="append", help=words
        )
    group.add_argument(
        "--vpce", dest="caller_vpce", metavar="ID", default="", help="the VPC endpoint that it comes through"
    )


def caller_files(args: argparse.Namespace) -> LayerFiles | None:
    """The files of ``add_caller_flags``; None where none is given, or the command has no such flags."""
    names = [name for _, name, _ in _POLICY_FLAGS]
    given: dict[str, Any] = {name: tuple(getattr(args, f"caller_{name}", None) or ()) for name in names}
    if not any(given.values()):
        return None
    from kms_tui.denials.layer_files import LayerFiles  # imports policies, which the first text does without

    return LayerFiles(**given)


def limits_of(files: LayerFiles | None) -> Layers:
    """The layers of the principal of ``--as``: those in the files, the others unread. Raises KmsTuiError."""
    from kms_tui.policy.layers import UNREAD

    if files is None:
        return UNREAD
    from kms_tui.denials.layer_files import with_files  # the first rows do without

    return with_files(UNREAD, files)


def add_connection_flags(parser: argparse.ArgumentParser, *, caller_policies: bool = True) -> None:
    """Add the flags; without ``caller_policies`` the command has flags of these names of its own."""
    aws = parser.add_argument_group("AWS, or any endpoint")
    aws.add_argument("--profile", metavar="P", help="a profile of the AWS configuration")
    aws.add_argument("--region", type=region_name, metavar="R", help="region (default: the profile's)")
    aws.add_argument("--endpoint-url", metavar="URL", help="another KMS endpoint")
    offline = parser.add_argument_group("offline")
    offline.add_argument("--demo", action="store_true", help="a believable account, in memory")
    offline.add_argument("--local", action="store_true", help="the local store at its default path")
    offline.add_argument("--store", metavar="PATH", type=Path, help="a local store at another path")
    offline.add_argument("--as", dest="caller_arn", metavar="ARN", help=AS_HELP)
    if caller_policies:
        add_caller_flags(offline)
    parser.add_argument("--read-only", action="store_true", help="no call that changes anything is sent")


def add_writes_flag(parser: argparse.ArgumentParser) -> None:
    """Add the flag that allows writes to other services than KMS."""
    parser.add_argument(
        "--allow-service-writes",
        action="store_true",
        help="a move to another key may write to other services: SSM, Secrets Manager, S3, SQS, SNS …",
    )


def add_account_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that choose several accounts, and several Regions."""
    several = parser.add_argument_group("several at once")
    several.add_argument("--regions", type=region_names, default=(), metavar="R,R", help="several regions")
    several.add_argument(
        "--accounts",
        metavar="A",
        help="several accounts: profiles (prod,dev), organization, or file://PATH; a store's by their ids",
    )
    several.add_argument(
        "--role", metavar="NAME", default="", help="the role to assume in each account of a list"
    )


def _account_choice(parser: argparse.ArgumentParser, args: argparse.Namespace) -> AccountChoice | None:
    """What ``--accounts`` says; ends with a usage error where it says what cannot be."""
    text: str | None = getattr(args, "accounts", None)
    role: str = getattr(args, "role", "")
    if text is None:
        if role:
            parser.error("--role goes with --accounts")
        return None
    from kms_tui.accounts.account_choice import parse_accounts

    try:
        choice = parse_accounts(text, role)
    except ValueError as error:
        parser.error(f"--accounts: {error}")
    offline = args.demo or args.local or args.store
    if args.caller_arn:
        parser.error("--as is one principal: leave out --accounts")
    if args.demo and not choice.organization:
        parser.error("the demo's accounts are those of its organization: --accounts organization")
    if choice.profiles and args.profile:
        parser.error("--profile or the profiles of --accounts, not both")
    if role and (offline or choice.profiles):
        parser.error("--role is assumed in the accounts of an organization or a file on AWS")
    if choice.organization and not role and not offline:
        parser.error("--accounts organization needs --role, the role to assume in each account")
    return choice


def connection_from(parser: argparse.ArgumentParser, args: argparse.Namespace) -> Connection:
    """The flags as a Connection; flags that contradict each other end in the parser's usage error."""
    on_aws = args.profile or args.endpoint_url
    offline = args.demo or args.local or args.store
    if args.demo and (args.local or args.store):
        parser.error("--demo is an account of its own: leave out --local and --store")
    if on_aws and offline:
        parser.error("--profile and --endpoint-url are for AWS: leave out --demo, --local and --store")
    files = caller_files(args)
    endpoint: str = getattr(args, "caller_vpce", "")
    if (args.caller_arn or files or endpoint) and not offline:
        parser.error("--as and its policies go with --demo, --local or --store")
    if (files or endpoint) and not args.caller_arn:
        parser.error(NEEDS_CALLER)
    accounts = _account_choice(parser, args)
    regions: tuple[str, ...] = getattr(args, "regions", ())
    if args.region and regions:
        parser.error("--region or --regions, not both")
    kind = None
    if args.demo:
        kind = BackendKind.DEMO
    elif offline:
        kind = BackendKind.LOCAL
    elif on_aws or args.region or regions or accounts is not None:
        kind = BackendKind.AWS
    return Connection(
        kind=kind,
        profile=args.profile,
        region=regions[0] if regions else args.region,
        regions=regions,
        endpoint_url=args.endpoint_url,
        store=args.store,
        caller_arn=args.caller_arn,
        layer_files=files,
        caller_endpoint=endpoint,
        read_only=args.read_only,
        allow_service_writes=getattr(args, "allow_service_writes", False),
        accounts=accounts,
    )


def open_backend(connection: Connection, prompt: Prompt | None = None) -> Backend:
    """Open the chosen backend, unwrapped; slow, since it imports boto3 and calls STS. Raises KmsTuiError.

    ``prompt`` asks for an MFA code or a store's passphrase, if one is needed.
    """
    if connection.kind is BackendKind.DEMO:
        from kms_tui.demo import demo_backend

        return demo_backend(
            region=connection.region,
            caller_arn=connection.caller_arn,
            limits=limits_of(connection.layer_files),
            endpoint=connection.caller_endpoint,
        )
    if connection.kind is BackendKind.LOCAL:
        from kms_tui.backend.local import open_default

        return open_default(
            connection.store,
            region=connection.region,
            caller_arn=connection.caller_arn,
            limits=limits_of(connection.layer_files),
            endpoint=connection.caller_endpoint,
            unlock=partial(_passphrase, prompt),
        )
    from kms_tui.backend.aws import connect

    # The console shows this itself; a command would wait in silence.
    with contextlib.nullcontext() if prompt else _saying_what_it_waits_for(connection.profile):
        return connect(
            profile=connection.profile,
            region=connection.region,
            endpoint_url=connection.endpoint_url,
            mfa_prompt=partial(_mfa_code, prompt) if prompt else None,
        )


@contextlib.contextmanager
def _saying_what_it_waits_for(profile: str | None) -> Iterator[None]:
    def say() -> None:
        from kms_tui.backend.aws.credential_sources import waits_for

        with contextlib.suppress(KmsTuiError):  # opening reads the same file, and reports the error
            print(visible(f"kms-tui: waiting for {waits_for(profile)}; Ctrl+C stops"), file=sys.stderr)

    timer = threading.Timer(OPENING_IS_LONG, say)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _passphrase(prompt: Prompt | None, new: bool) -> str | None:
    """A store's passphrase, from the environment or the user; for a new store, None means a key file."""
    from kms_tui.backend.local.default_store import from_environment

    passphrase = from_environment(new)
    if passphrase or prompt is None:
        return passphrase
    if not new:
        return _given(prompt, "Passphrase of the store.") or None
    first = _given(
        prompt, "Passphrase for the new store. Left empty, a key file beside the store protects it instead."
    )
    # Typing is not echoed, and a mistyped passphrase would lock the store.
    if first and _given(prompt, "The same passphrase once more.") != first:
        raise StoreError(
            "The two passphrases differ, so no store was made.", next_step="Open it again to give them."
        )
    return first or None


def _given(prompt: Prompt, question: str) -> str:
    answer = prompt(question)
    if answer is None:
        raise StoreError("The store was not opened.", next_step="Open it again to give its passphrase.")
    return answer


def _mfa_code(prompt: Prompt, question: str) -> str:
    answer = prompt(question)
    if answer is None:
        raise CredentialsError("No MFA code was given.", next_step="Open the profile again to give one.")
    return answer


def notice_of(backend: Backend) -> str:
    """A notice to show all the time: that the store is unprotected, or ""."""
    protection = getattr(getattr(backend, "store", None), "protection", None)
    return "UNPROTECTED STORE" if protection == "key file" else ""
