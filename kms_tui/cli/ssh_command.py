"""Keys in KMS for OpenSSH: the line of a public key, and user and host certificates that a key signs.

A certificate is made as ssh-keygen -s makes it; the certificate authority's private key stays in KMS.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kms_tui.cli.connection import add_connection_flags, connection_from
from kms_tui.cli.file_streams import PIPE, open_kms
from kms_tui.cli.standard_streams import written_out
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.signing.ssh.ssh_certificates import SshCertificateFields

_EXIT_CODES = "exit codes: 0 done; 1 failed, nothing signed or written; 2 bad usage"
_EXAMPLES = """\
examples:
  kms-tui ssh public-key --key alias/ann -o ann.pub
  kms-tui ssh certificate ann.pub --key alias/ssh-ca --principal ann --valid-for 8h
  kms-tui ssh certificate ssh_host_ed25519_key.pub --key alias/ssh-ca --host --principal db1.example.com"""
_MOST_LINE = 1 << 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = f"{_EXAMPLES}\n\n{_EXIT_CODES}"
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run_it: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text, epilog=_EXIT_CODES)
        added.add_argument("--key", metavar="KEY", required=True, help="key id, ARN or alias")
        added.set_defaults(
            command=run_it, connection_from=partial(connection_from, added), usage_error=added.error
        )
        return added

    public = command("public-key", _public_key, "print the key as a line of authorized_keys")
    public.add_argument(
        "--comment", metavar="TEXT", help="default: the key's ARN, by which ssh-sign finds it"
    )
    public.add_argument("-o", "--output", metavar="FILE", default=PIPE, help="default: -, standard output")

    certificate = command("certificate", _certificate, "sign a public key of a user or a host")
    certificate.add_argument("file", metavar="FILE.pub", help="the public key of the user or the host")
    certificate.add_argument("--host", action="store_true", help="for a host (default: for a user)")
    certificate.add_argument(
        "--principal",
        metavar="NAME",
        action="append",
        default=[],
        help="a user or host name; may be given again",
    )
    certificate.add_argument("--any-principal", action="store_true", help="good for every name")
    certificate.add_argument("--id", metavar="TEXT", help="what logs call it (default: the first principal)")
    certificate.add_argument("--serial", metavar="N", default="", help="default: random")
    certificate.add_argument(
        "--valid-for", metavar="SPAN", default="8h", help="30m, 8h, 52w, 1d12h, or forever (default: 8h)"
    )
    certificate.add_argument(
        "--valid-from", metavar="TIME", default="", help="2026-11-30, or with T09:00 (default: a minute ago)"
    )
    certificate.add_argument(
        "-O",
        dest="options",
        metavar="OPTION",
        action="append",
        default=[],
        help="as of ssh-keygen: clear, no-pty, force-command=…, source-address=…, verify-required",
    )
    certificate.add_argument(
        "-o", "--output", metavar="FILE", help="default: FILE-cert.pub; - is standard output"
    )
    for added in (public, certificate):
        added.add_argument("--overwrite", action="store_true", help="replace a file that exists")
        add_connection_flags(added)


def run(args: argparse.Namespace) -> int:
    """0, or KmsTuiError."""
    command: Callable[[argparse.Namespace], int] = args.command
    return command(args)


def _public_key(args: argparse.Namespace) -> int:
    from kms_tui.signing.signing_key import open_signing_key
    from kms_tui.signing.ssh.ssh_keys import public_line

    line = public_line(open_signing_key(open_kms(args), args.key), args.comment)
    _write(f"{line}\n", args.output, overwrite=args.overwrite)
    return 0


def _certificate(args: argparse.Namespace) -> int:
    from kms_tui.signing.signing_key import open_signing_key
    from kms_tui.signing.ssh.ssh_certificates import check_fields, preview, sign_certificate

    now = datetime.now(UTC)
    fields = _fields(args, now)
    check_fields(fields, now)
    key = open_signing_key(open_kms(args), args.key)
    line = sign_certificate(key, fields, now)
    for name, value in preview(key, fields):
        print(visible(f"{name + ':':<18}{value}"), file=sys.stderr)
    target = args.output or f"{args.file.removesuffix('.pub')}-cert.pub"
    _write(f"{line}\n", target, overwrite=args.overwrite)
    return 0


def _fields(args: argparse.Namespace, now: datetime) -> SshCertificateFields:
    from kms_tui.atomic import file_errors
    from kms_tui.signing.ssh.ssh_certificates import Holder, SshCertificateFields, read_serial, read_validity

    with file_errors(args.file, "read"), Path(args.file).open("rb") as file:
        line = file.read(_MOST_LINE).decode("utf-8", "replace")
    valid_after, valid_before = read_validity(args.valid_from, args.valid_for, now)
    return SshCertificateFields(
        public_key=line.strip(),
        holder=Holder.HOST if args.host else Holder.USER,
        identity=args.id or (args.principal[0] if args.principal else Path(args.file).name),
        principals=tuple(args.principal),
        valid_after=valid_after,
        valid_before=valid_before,
        any_principal=args.any_principal,
        options=tuple(args.options),
        serial=read_serial(args.serial),
    )


def _write(text: str, target: str, *, overwrite: bool) -> None:
    from kms_tui.atomic import SHARED, atomic_file

    if target == PIPE:
        with written_out():
            print(text, end="")
        return
    with atomic_file(Path(target), overwrite=overwrite, mode=SHARED) as file:
        file.write(text.encode())
    print(visible(f"Written to {target}."), file=sys.stderr)
