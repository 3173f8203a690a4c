"""Encrypt a file of any size under a KMS key, in the AWS Encryption SDK's format.

The format is the same for small files, so that decrypt, the Encryption SDK and its command line need
neither key nor context to open whatever this wrote. --raw writes the ciphertext of KMS's Encrypt instead.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kms_tui.cli.file_streams import (
    add_stream_arguments,
    context_of,
    is_stream,
    is_terminal,
    open_kms,
    output_file,
    reading,
    require_output,
    say_done,
    stoppable,
    watched,
)
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.keyspecs import MAX_PLAINTEXT
from kms_tui.kms.model import Secret

_EXAMPLES = """\
  kms-tui encrypt dump.sql -o dump.sql.sealed --key alias/orders-db --context table=orders
  tar c data | kms-tui encrypt - --key alias/a --key arn:aws:kms:eu-west-1:444455556666:key/ID -o data.sealed
  kms-tui encrypt secret.txt --raw --key alias/orders-db | base64"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--key",
        metavar="KEY",
        action="append",
        required=True,
        help="key id, ARN or alias; given again, each of the keys can open the file",
    )
    parser.add_argument(
        "--signed", action="store_true", help="also sign it, for openers who may not seal (slower)"
    )
    parser.add_argument("--raw", action="store_true", help="a plain KMS ciphertext, up to 4,096 bytes")
    parser.add_argument("--algorithm", metavar="A", help="with --raw: the encryption algorithm of an RSA key")
    add_stream_arguments(parser, _EXAMPLES)


def run(args: argparse.Namespace) -> int:
    """0 when the whole output is written; else there is no file OUT, and KmsTuiError or 130."""
    if args.raw and (len(args.key) > 1 or args.signed):
        args.usage_error("--raw takes one --key, and no --signed")
    require_output(args)
    if args.algorithm and not args.raw:
        args.usage_error("--algorithm goes with --raw")
    if is_terminal(args.output):
        args.usage_error("the result is binary and would go to the terminal: name a file with -o")
    context = context_of(args)
    return stoppable(lambda: _encrypt(args, context))


def _encrypt(args: argparse.Namespace, context: dict[str, str]) -> int:
    from kms_tui.atomic import SHARED
    from kms_tui.envelope.files import file_target
    from kms_tui.envelope.message import seal

    output = (
        output_file(args.output, overwrite=args.overwrite)
        if is_stream(args.output)
        else file_target(Path(args.output), overwrite=args.overwrite, mode=SHARED)
    )
    with (
        watched("Encrypted", verbose=args.verbose) as progress,
        reading(args.file) as (source, total),
        output as target,
    ):
        kms = open_kms(args)
        if args.raw:
            plaintext = Secret(source.read(MAX_PLAINTEXT + 1))
            if len(plaintext) > MAX_PLAINTEXT:
                raise KmsTuiError(
                    f"The input has more than {MAX_PLAINTEXT:,} bytes, the most that KMS encrypts itself.",
                    next_step="Leave out --raw: then it is envelope encryption, for any size.",
                )
            made = kms.encrypt(args.key[0], plaintext, context=context or None, algorithm=args.algorithm)
            target.write(made.ciphertext)
            progress.progress(len(plaintext), None)
            keys, algorithm, sizes = [made.key_arn], made.algorithm, (len(plaintext), len(made.ciphertext))
        else:
            sealed = seal(
                source,
                target,
                backend=kms.backend,
                keys=args.key,
                context=context,
                total=total,
                signed=args.signed,
                progress=progress,
            )
            keys, algorithm = [key.name for key in sealed.info.keys], sealed.info.suite
            sizes = sealed.plaintext_size, sealed.message_size
    say_done(args, keys=keys, context=context, algorithm=algorithm, sizes=sizes)
    return 0
