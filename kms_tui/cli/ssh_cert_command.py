"""Sign a user's or a host's public key into an OpenSSH certificate, with a key in KMS as the authority.

It is made as ssh-keygen -s makes it; the certificate authority's private key stays in KMS. sshd trusts the
authority by TrustedUserCAKeys, ssh by a @cert-authority line; "kms-tui public-key --format ssh" writes its
public key.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kms_tui.cli.connection import add_connection_flags, connection_from
from kms_tui.cli.file_streams import PIPE, add_output_flag, open_kms, output_file, read_start, stoppable
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.signing.ssh.ssh_certificates import SshCertificateFields

_EXIT_CODES = "exit codes: 0 done; 1 failed, nothing signed or written; 2 bad usage"
_EXAMPLES = """\
examples:
  kms-tui ssh-cert ann.pub --key alias/ssh-ca --principal ann --valid-for 8h
  kms-tui ssh-cert ssh_host_ed25519_key.pub --key alias/ssh-ca --host --principal db1.example.com"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = f"{_EXAMPLES}\n\n{_EXIT_CODES}"
    parser.add_argument(
        "file", metavar="FILE.pub", help="the public key of the user or the host; - is standard input"
    )
    parser.add_argument("--key", metavar="KEY", required=True, help="the authority: key id, ARN or alias")
    parser.add_argument("--host", action="store_true", help="for a host (default: for a user)")
    parser.add_argument(
        "--principal",
        metavar="NAME",
        action="append",
        default=[],
        help="a user or host name; may be given again",
    )
    parser.add_argument("--any-principal", action="store_true", help="good for every name")
    parser.add_argument("--id", metavar="TEXT", help="what logs call it (default: the first principal)")
    parser.add_argument("--serial", metavar="N", default="", help="default: random")
    parser.add_argument(
        "--valid-for", metavar="SPAN", default="8h", help="30m, 8h, 52w, 1d12h, or forever (default: 8h)"
    )
    parser.add_argument(
        "--valid-from", metavar="TIME", default="", help="2026-11-30, or with T09:00 (default: a minute ago)"
    )
    parser.add_argument(
        "-O",
        dest="options",
        metavar="OPTION",
        action="append",
        default=[],
        help="as of ssh-keygen: clear, no-pty, force-command=…, source-address=…, verify-required",
    )
    add_output_flag(parser, "default: FILE-cert.pub; - is standard output", default=None)
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if it exists")
    add_connection_flags(parser)
    parser.set_defaults(connection_from=partial(connection_from, parser), usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    """0; else KmsTuiError or 130. Nothing is signed where the certificate could not be written."""
    return stoppable(lambda: _issue(args))


def _issue(args: argparse.Namespace) -> int:
    from kms_tui.signing.signing_key import open_signing_key
    from kms_tui.signing.ssh.ssh_certificates import check_fields, preview, sign_certificate

    now = datetime.now(UTC)
    fields = _fields(args, now)
    check_fields(fields, now)
    beside = PIPE if args.file == PIPE else f"{args.file.removesuffix('.pub')}-cert.pub"
    target_name = args.output or beside
    with output_file(target_name, overwrite=args.overwrite) as target:
        key = open_signing_key(open_kms(args), args.key)
        target.write(f"{sign_certificate(key, fields, now)}\n".encode())
    for name, value in preview(key, fields):
        print(visible(f"{name + ':':<18}{value}"), file=sys.stderr)
    if target_name != PIPE:
        print(visible(f"Written to {target_name}."), file=sys.stderr)
    return 0


def _fields(args: argparse.Namespace, now: datetime) -> SshCertificateFields:
    from kms_tui.signing.ssh.ssh_certificates import Holder, SshCertificateFields, read_serial, read_validity
    from kms_tui.signing.ssh.ssh_keys import MOST_LINE

    line = read_start(args.file, MOST_LINE).decode("utf-8", "replace")
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
