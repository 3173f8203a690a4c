"""Decrypt a file, whether the AWS Encryption SDK's format or a plain KMS ciphertext.

Key, region and encryption context are read from the file; a plain KMS ciphertext names its symmetric key,
and needs the context that it was encrypted with. Either may be base64 or hex text, wrapped or quoted, of any
size; a plain one may be in the JSON that "aws kms encrypt" prints. Nothing is written before all of it has
verified.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kms_tui.cli.file_streams import (
    PIPE,
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
from kms_tui.kms.keyspecs import MAX_CIPHERTEXT
from kms_tui.visible import visible

if TYPE_CHECKING:
    from kms_tui.envelope.streams import Progress, Readable, Writable
    from kms_tui.signing.pasted_kinds import PastedKind

_MAX_SHOWN = 1 << 20

_EXAMPLES = """\
  kms-tui decrypt dump.sql.sealed -o dump.sql
  base64 -d cipher.b64 | kms-tui decrypt - --context table=orders --show
  kms-tui decrypt data.sealed | tar x"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--show", action="store_true", help="write the plaintext to a terminal, too (a hex dump if not text)"
    )
    parser.add_argument(
        "--allow-uncommitted",
        action="store_true",
        help="open files of Encryption SDKs before 2.0, which lack key commitment",
    )
    parser.add_argument(
        "--key",
        metavar="KEY",
        help="open it with this key (id, ARN or alias) or not at all; a ciphertext of an RSA key needs it",
    )
    parser.add_argument("--algorithm", metavar="A", help="with --key: the encryption algorithm")
    add_stream_arguments(parser, _EXAMPLES)


def run(args: argparse.Namespace) -> int:
    """0 when the whole plaintext is verified and written; else nothing is written, and KmsTuiError or 130."""
    if is_terminal(args.output) and not (args.show and args.output == PIPE):
        args.usage_error(
            "the plaintext would be seen on the terminal: name a file with -o, or add --show, without -o"
        )
    require_output(args)
    context = context_of(args)
    return stoppable(lambda: _decrypt(args, context))


def _decrypt(args: argparse.Namespace, context: dict[str, str]) -> int:
    from kms_tui.atomic import PRIVATE
    from kms_tui.envelope.files import file_target

    output = (
        _verified_output(args.output)
        if is_stream(args.output)
        else file_target(Path(args.output), overwrite=args.overwrite, mode=PRIVATE)
    )
    with (
        watched("Decrypted", verbose=args.verbose) as progress,
        reading(args.file) as (source, total),
        output as target,
    ):
        done = _open(args, context, source, total, target, progress)
    say_done(args, **done)
    return 0


def _open(
    args: argparse.Namespace,
    context: dict[str, str],
    source: Readable,
    total: int | None,
    target: Writable,
    progress: Progress,
) -> dict[str, Any]:
    """Decrypt into ``target``; what was done, as ``say_done`` takes it."""
    from kms_tui.envelope.header import DecodedText, message_in
    from kms_tui.envelope.message import unseal

    message, start = message_in(source)
    if message is not None:
        if args.algorithm:
            raise KmsTuiError(
                "--algorithm is for a plain ciphertext; this Encryption SDK message names its own.",
                next_step="Leave it out.",
            )
        kms = open_kms(args)
        unsealed = unseal(
            message,
            target,
            backend=kms.backend,
            context=context,
            key=args.key,
            total=None if isinstance(message, DecodedText) else total,
            allow_uncommitted=args.allow_uncommitted,
            progress=progress,
        )
        return {
            "keys": [unsealed.key_arn],
            "context": unsealed.info.context,
            "algorithm": unsealed.info.suite,
            "sizes": (unsealed.plaintext_size, unsealed.message_size),
        }
    ciphertext = _ciphertext(start)
    opened = open_kms(args).decrypt(
        ciphertext, key=args.key, context=context or None, algorithm=args.algorithm
    )
    target.write(opened.plaintext.reveal())
    progress.progress(len(ciphertext), len(ciphertext))
    return {
        "keys": [opened.key_arn],
        "context": context,
        "algorithm": opened.algorithm,
        "sizes": (len(opened.plaintext), len(ciphertext)),
    }


def _ciphertext(content: bytes) -> bytes:
    """A KMS ciphertext, as bytes, as text, or in KMS's answer as the AWS CLI prints it."""
    from kms_tui.envelope.errors import NotAMessageError
    from kms_tui.formats import Format, FormatError, decode, detect
    from kms_tui.signing.pasted_kinds import kind_of, kind_of_bytes

    if not content:
        raise KmsTuiError(
            "There is nothing to decrypt: the input is empty.",
            next_step="Look whether what wrote it has failed.",
        )
    content = _out_of_json(content)
    # Dashes are digits of base64url, so that a short PEM block could be taken for that.
    form = Format.TEXT if b"-----BEGIN" in content else detect(content, expect_binary=True)
    with contextlib.suppress(FormatError):
        content = decode(content, form)
    _refuse(kind_of(content) if form is Format.TEXT else kind_of_bytes(content))
    if form is Format.TEXT or len(content) > MAX_CIPHERTEXT:
        raise NotAMessageError("it begins differently")
    return content


def _refuse(kind: PastedKind | None) -> None:
    """KmsTuiError for an input that is something else, by its name."""
    if kind is not None:
        raise KmsTuiError(f"This is {kind.name}, not a ciphertext of KMS.", next_step=kind.next_step)


def _out_of_json(content: bytes) -> bytes:
    """The CiphertextBlob of a JSON object; other text unchanged. KmsTuiError for JSON without one."""
    if not content.startswith(b"{"):
        return content
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return content
    blob = answer.get("CiphertextBlob")
    if not isinstance(blob, str):
        from kms_tui.signing.pasted_kinds import kind_of

        _refuse(kind_of(content))
        raise KmsTuiError(
            "This is JSON without a CiphertextBlob, so there is no ciphertext in it.",
            next_step="Give the answer of Encrypt, or the base64 text of a ciphertext alone.",
        )
    return blob.encode()


@contextlib.contextmanager
def _verified_output(name: str) -> Iterator[Writable]:
    """A stream through a spool: it is written only if the block succeeds."""
    from kms_tui.envelope.files import spooled

    on_screen = name == PIPE and sys.stdout.isatty()
    with output_file(name, overwrite=True) as output, spooled(_Screen() if on_screen else output) as spool:
        yield spool


class _Screen:
    """A terminal: text with control characters made visible, anything else as a hex dump."""

    def __init__(self) -> None:
        self._content = bytearray()

    def write(self, data: bytes) -> None:
        self._content += data
        if len(self._content) > _MAX_SHOWN:
            raise KmsTuiError(
                f"The plaintext has more than {_MAX_SHOWN:,} bytes, too many to show.",
                next_step="Name a file with -o.",
            )

    def flush(self) -> None:
        from kms_tui.formats import hex_dump, is_text

        content = bytes(self._content)
        if is_text(content):
            print(visible(content.decode(), newlines=True).removesuffix("\n"))
        else:
            print(*hex_dump(content), sep="\n")
