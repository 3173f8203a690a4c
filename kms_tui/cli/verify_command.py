"""Verify signatures of files, whatever form they have, with a KMS key, a public key or a certificate.

Raw, base64, hex, DER or r‖s, CMS, SSH: the form is recognised, and the algorithm found. The public key does
it here; with --key KMS is asked for that key alone.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kms_tui.cli.connection import add_connection_flags, connection_from
from kms_tui.cli.file_streams import (
    PIPE,
    open_kms,
    read_start,
    reading,
    require_one_standard_input,
    stoppable,
    watched,
)
from kms_tui.cli.standard_streams import say
from kms_tui.kms.errors import KmsTuiError

if TYPE_CHECKING:
    from kms_tui.envelope.streams import Progress, Readable
    from kms_tui.public_key import PublicKey
    from kms_tui.signing.files.digest_list import ListedFile
    from kms_tui.signing.files.file_verification import FileVerdict

_SUFFIXES = (".sig", ".p7s", ".pem")
_EXIT_CODES = "exit codes: 0 every signature is good; 1 one is not, or it failed; 2 bad usage; 130 stopped"
_EXAMPLES = """\
examples:
  kms-tui verify app.tar.gz --signature app.tar.gz.sig --key alias/releases
  kms-tui verify app.tar.gz --public-key releases.pub.pem
  kms-tui verify --digests SHA256SUMS --public-key releases.pub.pem"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = f"{_EXAMPLES}\n\n{_EXIT_CODES}"
    parser.add_argument("files", metavar="FILE", nargs="*", help="what was signed; - is standard input")
    parser.add_argument(
        "--signature",
        metavar="SIG",
        type=Path,
        help="the signature (default: FILE.sig, FILE.p7s or FILE.pem)",
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--key", metavar="KEY", help="key id, ARN or alias of the key that signed")
    which.add_argument(
        "--public-key",
        metavar="FILE",
        help="its public key: PEM, DER, JWK, SSH line, certificate, or the answer of GetPublicKey",
    )
    parser.add_argument("--algorithm", metavar="A", default="", help="only KMS's signing algorithm A")
    parser.add_argument("--namespace", metavar="N", help="only an SSH signature in this namespace")
    parser.add_argument(
        "--digests",
        metavar="LIST",
        type=Path,
        help="verify the signature of LIST, then the files that it lists, as sha256sum -c does",
    )
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    add_connection_flags(parser)
    parser.set_defaults(connection_from=partial(connection_from, parser), usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    """0 when every signature is good, 1 when one is not; else KmsTuiError or 130."""
    if bool(args.files) == bool(args.digests):
        args.usage_error("name what to verify: FILE, or --digests LIST")
    if args.signature and len(args.files) > 1:
        args.usage_error("--signature is of one file: leave it out, and each file's is looked for beside it")
    if PIPE in args.files and (len(args.files) > 1 or not args.signature):
        args.usage_error("standard input is verified alone, with --signature")
    require_one_standard_input(args, *args.files, args.signature, args.public_key, args.digests)
    return stoppable(lambda: _verify(args))


def _verify(args: argparse.Namespace) -> int:
    from kms_tui.signing.files.digest_list import MOST_BYTES, read_list, require_size

    public_key = _public_key(args)
    results: list[dict[str, object]] = []
    with watched("Verified", verbose=False) as progress:
        if args.digests:
            content = read_start(str(args.digests), MOST_BYTES)
            require_size(content)
            verdict = _verdict(args, str(args.digests), public_key, progress, io.BytesIO(content))
            results.append(_result(str(args.digests), verdict))
            if verdict.good:
                results += _listed(read_list(content), args.digests.parent, progress)
        for name in args.files:
            results.append(_result(name, _verdict_or_error(args, name, public_key, progress)))
    if args.format == "json":
        print(json.dumps({"good": all(each["good"] for each in results), "files": results}, indent=2))
    else:
        for each in results:
            word = "GOOD" if each["good"] else "NOT GOOD"
            how = f" ({each['algorithm']})" if each["algorithm"] else ""
            say(f"{word}: {each['file']}: {each['sentence']}{how}")
    return 0 if all(each["good"] for each in results) else 1


def _public_key(args: argparse.Namespace) -> PublicKey:
    from kms_tui.signing.public_key_reading import MAX_BYTES, read_public_key
    from kms_tui.signing.signing_key import open_signing_key

    if args.key:
        return open_signing_key(open_kms(args), args.key).public_key
    return read_public_key(read_start(args.public_key, MAX_BYTES)).key


def _result(name: str, verdict: FileVerdict) -> dict[str, object]:
    return {
        "file": name,
        "good": verdict.good,
        "algorithm": verdict.algorithm or None,
        "sentence": verdict.sentence,
    }


def _verdict_or_error(
    args: argparse.Namespace, name: str, public_key: PublicKey, progress: Progress
) -> FileVerdict:
    """The verdict on one file; of several, what is wrong with one of them does not hide the others."""
    from kms_tui.signing.files.file_verification import FileVerdict

    try:
        return _verdict(args, name, public_key, progress)
    except KmsTuiError as error:
        if len(args.files) == 1:
            raise
        return FileVerdict(False, " ".join(filter(None, (str(error), error.next_step))))


def _verdict(
    args: argparse.Namespace,
    name: str,
    public_key: PublicKey,
    progress: Progress,
    content: Readable | None = None,
) -> FileVerdict:
    """The verdict on a file, or on the ``content`` that was read of it already."""
    from kms_tui.atomic import FileError
    from kms_tui.signing.files.file_verification import (
        MOST_SIGNATURE_BYTES,
        FileVerdict,
        read_signature_file,
        verify_file,
    )
    from kms_tui.signing.ssh.ssh_signatures import SshSignature

    beside = [Path(f"{name}{suffix}") for suffix in _SUFFIXES]
    path = args.signature or next((each for each in beside if each.is_file()), None)
    if path is None:
        raise FileError(
            f"There is no signature beside {name}: none of {', '.join(map(str, beside))}.",
            next_step="Name it with --signature.",
        )
    given = read_signature_file(read_start(str(path), MOST_SIGNATURE_BYTES))
    if args.namespace is not None and not (
        isinstance(given, SshSignature) and given.namespace == args.namespace
    ):
        return FileVerdict(False, f"It is no SSH signature in the namespace {args.namespace}.")
    if content is not None:
        return verify_file(content, given, public_key, args.algorithm)
    with reading(name) as (source, total):
        return verify_file(source, given, public_key, args.algorithm, lambda done: progress.tick(done, total))


def _listed(files: Iterable[ListedFile], folder: Path, progress: Progress) -> list[dict[str, object]]:
    from kms_tui.signing.files.digest_list import FileState, check

    words = {
        FileState.SAME: "Its digest is the one listed.",
        FileState.CHANGED: "Its digest differs from the one listed.",
        FileState.MISSING: "There is no such file.",
        FileState.UNREADABLE: "It cannot be read.",
    }
    return [
        {"file": name, "good": state is FileState.SAME, "algorithm": None, "sentence": words[state]}
        for name, state in check(files, folder, lambda done: progress.tick(done, None))
    ]
