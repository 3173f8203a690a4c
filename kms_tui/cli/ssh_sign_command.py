"""Sign as ssh-keygen -Y sign does, with a key in KMS: git makes signed commits with a key that never leaves.

The public key in -f names the KMS key by its comment, as "kms-tui public-key --format ssh" writes it. What
else git asks of the program (verify, find-principals, check-novalidate) is handed to ssh-keygen.

examples:
  kms-tui public-key --key alias/ann --format ssh -o ~/.ssh/ann.pub
  git config gpg.format ssh
  git config gpg.ssh.program kms-tui-ssh-sign
  git config user.signingKey ~/.ssh/ann.pub
"""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from kms_tui.cli.connection import add_connection_flags, connection_from
from kms_tui.cli.file_streams import (
    PIPE,
    open_kms,
    output_file,
    read_start,
    reading,
    require_one_standard_input,
    stoppable,
)
from kms_tui.cli.standard_streams import written_out
from kms_tui.kms.errors import ConfigurationError
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.signing.signing_key import SigningKey

_HANDED_ON = ("verify", "find-principals", "match-principals", "check-novalidate")
_HANDED_FLAGS = ("I", "s", "r", "O")
"""Flags of ssh-keygen that only what is handed on takes."""
SSH_KEYGEN = "ssh-keygen"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "exit codes: 0 done; 1 failed, nothing written; 2 bad usage; else those of ssh-keygen"
    parser.add_argument("-Y", dest="what", metavar="WHAT", required=True, choices=("sign", *_HANDED_ON))
    parser.add_argument("-f", dest="key_file", metavar="FILE.pub", help="the public key")
    parser.add_argument("-n", dest="namespace", metavar="NAMESPACE", help="git, file, or your own")
    parser.add_argument("-U", dest="agent", action="store_true", help="ignored: there is no agent")
    parser.add_argument("-q", dest="quiet", action="store_true", help="say nothing")
    parser.add_argument("--key", metavar="KEY", help="the KMS key, where the public key's comment names none")
    parser.add_argument(
        "files", metavar="FILE", nargs="*", help="what to sign, into FILE.sig (default: standard input)"
    )
    for name in _HANDED_FLAGS:
        parser.add_argument(
            f"-{name}", dest=f"handed_{name}", action="append", default=[], help=argparse.SUPPRESS
        )
    add_connection_flags(parser)
    parser.set_defaults(connection_from=partial(connection_from, parser), usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    """0 when every file is signed; else KmsTuiError, or 128 + the signal that stopped it."""
    if args.what in _HANDED_ON:
        return _ssh_keygen(args)
    if not args.namespace or not args.key_file:
        args.usage_error("-Y sign needs -f FILE.pub and -n NAMESPACE")
    require_one_standard_input(args, args.key_file, *(args.files or [PIPE]))
    return stoppable(lambda: _sign(args))


def _sign(args: argparse.Namespace) -> int:
    from kms_tui.signing.files.file_signatures import SignatureFormat, SigningChoice, sign_file

    key, choice = _key(args), SigningChoice(SignatureFormat.SSH, namespace=args.namespace)
    if args.files in ([], [PIPE]):
        with reading(PIPE) as (source, _):
            made = sign_file(key, source, choice)
        with written_out():
            print(made.decode(), end="")
        return 0
    for name in args.files:
        target = f"{name}.sig"
        with reading(name) as (source, _), output_file(target, overwrite=True) as file:
            file.write(sign_file(key, source, choice))
        if not args.quiet:
            print(visible(f"Write signature to {target}"), file=sys.stderr)
    return 0


def _ssh_keygen(args: argparse.Namespace) -> int:
    """Become ssh-keygen, with what it was given. ConfigurationError if it is not there."""
    command = [SSH_KEYGEN, "-Y", args.what]
    for flag, values in (
        ("-f", [args.key_file]),
        ("-n", [args.namespace]),
        *((f"-{name}", getattr(args, f"handed_{name}")) for name in _HANDED_FLAGS),
    ):
        for value in values:
            if value is not None:
                command += [flag, value]
    try:
        os.execvp(SSH_KEYGEN, [*command, *args.files])
    except OSError as error:
        raise ConfigurationError(
            f"{SSH_KEYGEN} verifies SSH signatures, and it cannot be run: {error.strerror}.",
            next_step="Install OpenSSH.",
        ) from error


def _key(args: argparse.Namespace) -> SigningKey:
    """The KMS key that the public key names, which must be the same key."""
    from kms_tui.public_key import PublicKey
    from kms_tui.signing.signing_key import SigningError, open_signing_key
    from kms_tui.signing.ssh.ssh_keys import MOST_LINE, key_named_in, read_public_line

    loaded, comment = read_public_line(read_start(args.key_file, MOST_LINE).decode("utf-8", "replace"))
    name = args.key or key_named_in(comment)
    if not name:
        raise ConfigurationError(
            f"The public key in {args.key_file} names no KMS key: its comment is no ARN.",
            next_step="Write it with kms-tui public-key --format ssh, or give --key.",
        )
    key = open_signing_key(open_kms(args), name)
    if PublicKey.of(loaded).der != key.public_key.der:
        raise SigningError(
            f"The public key in {args.key_file} is not that of {name}.",
            next_step="Write it anew with kms-tui public-key --format ssh.",
        )
    return key
