"""Serve the offline KMS to any AWS client: KMS over AWS JSON 1.1, and STS for sessions of roles.

The first line that it prints is its URL, once it answers there; the export lines that a shell needs follow.
Ctrl+C or SIGTERM stops it, with exit code 0.
"""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kms_tui.cli.access_key_flags import FILE_HELP, access_keys_from, add_access_key_flags, credential_from
from kms_tui.cli.connection import AS_HELP, NEEDS_CALLER, add_caller_flags, caller_files, limits_of
from kms_tui.cli.standard_streams import ReaderGoneError, written_out
from kms_tui.kms.arn import Arn
from kms_tui.kms.errors import KmsTuiError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kms_tui.backend.base import Backend
    from kms_tui.serve import Credential

_ACCOUNT_DIGITS = 12
_EPILOG = """\
examples:
  kms-tui serve --ephemeral --port 4599                 prints its URL, and the exports that a shell needs
  kms-tui serve --local --as arn:aws:iam::111122223333:role/app --iam-policy app.json

{file_help}

exit codes: 0 stopped by a signal; 1 the store or the port cannot be used; 2 bad usage"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG.format(file_help=FILE_HELP)
    which = parser.add_argument_group("what is served").add_mutually_exclusive_group()
    which.add_argument("--local", action="store_true", help="the local store at its default path (default)")
    which.add_argument("--store", metavar="PATH", type=Path, help="a local store at another path")
    which.add_argument("--demo", action="store_true", help="the demo account, in memory")
    which.add_argument("--ephemeral", action="store_true", help="an empty account in memory, gone at the end")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=0, help="port (default: 0, any free one)")
    parser.add_argument("--account-id", metavar="ID", type=_account, help="12 digits (default: the store's)")
    parser.add_argument("--region", metavar="R", help="region of unsigned requests and of the export lines")
    parser.add_argument(
        "--as", dest="caller_arn", metavar="ARN", type=_principal, help=f"all clients {AS_HELP}"
    )
    add_caller_flags(parser)
    add_access_key_flags(parser)
    parser.add_argument(
        "--auth",
        choices=("sigv4", "any"),
        default="sigv4",
        help="sigv4 checks every signature and its age; any checks neither (default: %(default)s)",
    )
    parser.add_argument(
        "--allow-network",
        action="store_true",
        help="with --auth any: listen beyond this machine all the same, so that whoever reaches the port "
        "may use every key",
    )
    parser.add_argument("--verbose", action="store_true", help="one line a request, on standard error")
    parser.set_defaults(refuse=parser.error)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal; exit code 1 if the store or port cannot be used, 2 for contradicting flags."""
    if (caller_files(args) or args.caller_vpce) and not args.caller_arn:
        args.refuse(NEEDS_CALLER)
    if args.demo and args.account_id:
        args.refuse("--demo is an account of its own: leave out --account-id")
    logging.basicConfig(
        level=logging.INFO if args.verbose else logging.ERROR, format="%(message)s", stream=sys.stderr
    )
    with _opened(args) as (backend, credential):
        _serve(args, backend, credential)
    return 0


def _serve(args: argparse.Namespace, backend: Backend, credential: Credential) -> None:
    from kms_tui.serve import access_keys_for, admission, listen, serve, unsigned_for
    from kms_tui.serve.admission import UnsignedFrom

    credential = credential_from(args) or credential
    fixed = access_keys_from(args, backend.account_id, backend.partition, credential)
    access_keys = access_keys_for(backend, fixed)
    unsigned = UnsignedFrom.ANYWHERE if args.trust_web_identity else unsigned_for(backend)
    listener = listen(args.host, args.port)
    checked = args.auth == "sigv4"
    if not (checked or listener.is_loopback or args.allow_network):
        listener.socket.close()
        raise KmsTuiError(
            f"With --auth any, whoever reaches {args.host} could use every key.",
            next_step="Leave out --auth any, listen on 127.0.0.1, or say --allow-network.",
        )
    admit = admission(credential if checked else None, listener, access_keys=access_keys, unsigned=unsigned)
    exports = {
        "AWS_ENDPOINT_URL_KMS": listener.url,
        "AWS_ENDPOINT_URL_STS": listener.url,
        "AWS_ACCESS_KEY_ID": credential.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credential.secret_access_key,
        "AWS_REGION": backend.region,
        "AWS_DEFAULT_REGION": backend.region,
    }
    serve(backend, admit, listener, partial(_announce, listener.url, exports, checked))


@contextmanager
def _opened(args: argparse.Namespace) -> Iterator[tuple[Backend, Credential]]:
    """The backend to serve and the credential to sign with; a store is closed at the end."""
    from kms_tui.serve import credential_of, random_credential

    caller: dict[str, Any] = {
        "caller_arn": args.caller_arn,
        "limits": limits_of(caller_files(args)),
        "endpoint": args.caller_vpce,
    }
    if args.demo:
        from kms_tui.demo import demo_backend

        demo = demo_backend(region=args.region, **caller)
        yield demo, random_credential()
        return
    from kms_tui.backend.local import open_default, open_ephemeral

    opener = open_ephemeral if args.ephemeral else partial(open_default, args.store)
    backend = opener(region=args.region, account_id=args.account_id, **caller)
    with backend.store:
        yield backend, credential_of(backend.store)


def _announce(url: str, exports: dict[str, str], checked: bool) -> None:
    """Print the URL, then how to use it. A reader may close the pipe after the first line: the server goes
    on.

    FileError if the first line cannot be written, since no one would know the port.
    """
    with written_out():
        print(f"listening on {url}")
    with suppress(ReaderGoneError), written_out(whole=False):
        print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in exports.items()))
    if not checked:
        print("--auth any: neither signatures nor their age are checked.", file=sys.stderr, flush=True)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"no port: {text!r}")
    return int(text)


def _account(text: str) -> str:
    if not (len(text) == _ACCOUNT_DIGITS and text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"an account id has {_ACCOUNT_DIGITS} digits")
    return text


def _principal(text: str) -> str:
    try:
        return str(Arn.parse(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
