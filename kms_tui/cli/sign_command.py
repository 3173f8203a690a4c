"""Sign files of any size with a KMS key, in the form that openssl, ssh-keygen or cosign reads.

Each file is digested here and costs one call of Sign; --digests makes one signature for all of them.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kms_tui.cli.connection import add_connection_flags, connection_from
from kms_tui.cli.file_streams import (
    PIPE,
    add_output_flag,
    is_terminal,
    open_kms,
    output_file,
    read_start,
    reading,
    require_one_standard_input,
    stoppable,
    watched,
)
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.envelope.streams import Progress
    from kms_tui.signing.files.file_signatures import SignatureFormat, SigningChoice
    from kms_tui.signing.signing_key import SigningKey

_EXIT_CODES = "exit codes: 0 done; 1 failed, no signature of this file written; 2 bad usage; 130 stopped"
_EXAMPLES = """\
examples:
  kms-tui sign app.tar.gz --key alias/releases -o app.tar.gz.sig
  kms-tui sign dist/* --key alias/releases --digests SHA256SUMS
  kms-tui sign app.tar.gz --key alias/releases --format cms --certificate releases.pem
  kms-tui sign notes.txt --key alias/ann --format ssh"""
_FORMATS = ("raw", "base64", "r-s", "cms", "cms-pem", "ssh", "cosign")
"""``SignatureFormat``, whose module takes longer to import than a help text may."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = f"{_EXAMPLES}\n\n{_EXIT_CODES}"
    parser.add_argument("files", metavar="FILE", nargs="+", help="what to sign; - is standard input")
    parser.add_argument("--key", metavar="KEY", required=True, help="key id, ARN or alias of a signing key")
    add_output_flag(
        parser,
        "where the signature of one file goes (default: beside it, as FILE.sig, .p7s or .pem); "
        "- is standard output",
        default=None,
        metavar="SIG",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a file that exists")
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        default="raw",
        help="raw: the bytes that KMS makes, DER for ECDSA (openssl dgst -verify; default); base64: the same "
        "as text; r-s: the two numbers of ECDSA side by side; cms, cms-pem: detached CMS (openssl cms "
        "-verify); ssh: ssh-keygen -Y verify; cosign: cosign verify-blob --key",
    )
    parser.add_argument("--algorithm", metavar="A", default="", help="KMS's signing algorithm")
    parser.add_argument("--low-s", action="store_true", help="the smaller s of ECDSA, as blockchains want it")
    parser.add_argument("--certificate", metavar="CERT", help="with cms: the key's certificate")
    parser.add_argument("--namespace", metavar="N", default="file", help="with ssh (default: file)")
    parser.add_argument(
        "--digests",
        metavar="LIST",
        type=Path,
        help="write the files' SHA-256 digests to LIST, as sha256sum does, and sign LIST",
    )
    add_connection_flags(parser)
    parser.set_defaults(connection_from=partial(connection_from, parser), usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    """0 when every signature is written; else KmsTuiError or 130."""
    if args.output is not None and len(args.files) > 1 and not args.digests:
        args.usage_error("-o names one signature: leave it out, and each file gets one beside it")
    if PIPE in args.files and (args.output is None or args.digests or len(args.files) > 1):
        args.usage_error("standard input is signed alone, and -o says where the signature goes")
    require_one_standard_input(args, *args.files, args.certificate)
    signed = args.digests or args.files[0]
    if args.output not in (None, PIPE) and os.path.realpath(args.output) == os.path.realpath(signed):
        args.usage_error("-o names the file that is signed: its signature would take its place")
    if args.certificate and not args.format.startswith("cms"):
        args.usage_error("--certificate goes with --format cms and cms-pem")
    if args.namespace != "file" and args.format != "ssh":
        args.usage_error("--namespace goes with --format ssh")
    if args.output and args.format in ("raw", "r-s", "cms") and is_terminal(args.output):
        args.usage_error("the signature is binary and would go to the terminal: name a file with -o")
    return stoppable(lambda: _sign(args))


def _sign(args: argparse.Namespace) -> int:
    from kms_tui.signing.files.file_signatures import FORMATS, SignatureFormat, checked_choice, openssl_note
    from kms_tui.signing.signing_key import open_signing_key

    key = open_signing_key(open_kms(args), args.key)
    choice = _choice(args, SignatureFormat(args.format))
    checked_choice(key, choice)
    suffix = FORMATS[choice.format].suffix
    with watched("Signed", verbose=False) as progress:
        if args.digests:
            _sign_digests(args, key, choice, args.output or f"{args.digests}{suffix}", progress)
        for name in () if args.digests else args.files:
            _sign_one(args, key, choice, name, args.output or f"{name}{suffix}", progress)
    if note := openssl_note(key, choice):
        print(f"note: {note}", file=sys.stderr)
    return 0


def _choice(args: argparse.Namespace, name: SignatureFormat) -> SigningChoice:
    from datetime import UTC, datetime

    from kms_tui.signing.certificates.certificate_files import MOST_BYTES, read_certificate
    from kms_tui.signing.files.file_signatures import SigningChoice

    certificate = None
    if args.certificate:
        certificate = read_certificate(read_start(args.certificate, MOST_BYTES), args.certificate)
    return SigningChoice(
        name, args.algorithm, args.low_s, certificate, args.namespace, signed_at=datetime.now(UTC)
    )


def _sign_digests(
    args: argparse.Namespace, key: SigningKey, choice: SigningChoice, target_name: str, progress: Progress
) -> None:
    """Write the list and its signature, both or neither."""
    from kms_tui.signing.files.digest_list import listed, name_beside, written
    from kms_tui.signing.files.file_signatures import sign_file

    written_to = {os.path.realpath(args.digests), os.path.realpath(target_name)}
    for name in args.files:
        if os.path.realpath(name) in written_to:
            args.usage_error(f"{name} is what --digests writes, so it cannot be in the list: leave it out")
    with (
        output_file(target_name, overwrite=args.overwrite) as target,
        output_file(str(args.digests), overwrite=args.overwrite) as list_file,
    ):
        made = [
            listed(Path(name), name_beside(args.digests, name), lambda done: progress.tick(done, None))
            for name in args.files
        ]
        content = written(made)
        list_file.write(content)
        target.write(sign_file(key, io.BytesIO(content), choice))
    of = "digest of 1 file" if len(made) == 1 else f"digests of {len(made):,} files"
    print(visible(f"{args.digests}: the {of}"), file=sys.stderr)
    if target_name != PIPE:
        print(visible(f"{target_name}: signature of {args.digests}, {choice.format}"), file=sys.stderr)


def _sign_one(
    args: argparse.Namespace,
    key: SigningKey,
    choice: SigningChoice,
    name: str,
    target_name: str,
    progress: Progress,
) -> None:
    from kms_tui.signing.files.file_signatures import sign_file

    with reading(name) as (source, total), output_file(target_name, overwrite=args.overwrite) as target:
        target.write(sign_file(key, source, choice, lambda done: progress.tick(done, total)))
    if target_name != PIPE:
        print(visible(f"{target_name}: signature of {name}, {choice.format}"), file=sys.stderr)
