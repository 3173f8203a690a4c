"""Print a public key in another form: of a key in KMS, or out of a file in any form.

PEM, DER, PKCS #1, JWK and OpenSSH, and the fingerprints by which others know the key.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from typing import TYPE_CHECKING

from kms_tui.cli.connection import add_connection_flags, connection_from
from kms_tui.cli.file_streams import add_output_flag, is_terminal, open_kms, output_file, read_start
from kms_tui.cli.standard_streams import say

if TYPE_CHECKING:
    from kms_tui.public_key import PublicKey

_EXIT_CODES = "exit codes: 0 done; 1 failed, or the key has no such form; 2 bad usage"
_EXAMPLES = """\
examples:
  kms-tui public-key --key alias/releases -o releases.pem
  kms-tui public-key --key alias/releases --format facts
  kms-tui public-key releases.pem --format ssh"""
_FORMATS = ("pem", "der", "pkcs1", "jwk", "ssh", "facts", "json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = f"{_EXAMPLES}\n\n{_EXIT_CODES}"
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help="PEM, DER, JWK, SSH line, certificate, or the answer of GetPublicKey; - is standard input",
    )
    parser.add_argument("--key", metavar="KEY", help="instead of FILE: key id, ARN or alias")
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        default="pem",
        help="facts: spec and fingerprints; json: all of it (default: pem)",
    )
    parser.add_argument("--comment", metavar="TEXT", help="with ssh (default: the key's ARN)")
    add_output_flag(parser, "default: -, standard output")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if it exists")
    add_connection_flags(parser)
    parser.set_defaults(connection_from=partial(connection_from, parser), usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    """0, or KmsTuiError."""
    if bool(args.file) == bool(args.key):
        args.usage_error("name a FILE, or --key")
    if args.format == "der" and is_terminal(args.output):
        args.usage_error("DER is binary and would go to the terminal: name a file with -o")
    key, arn = _public_key(args)
    if args.format == "facts":
        from kms_tui.signing.public_key_forms import fingerprints, forms_of

        facts = [("Key spec", key.spec or "none of KMS"), *fingerprints(key)]
        facts.append(("Forms", ", ".join(forms_of(key))))
        say(*(f"{name:<20}{value}" for name, value in facts))
        return 0
    content = _all_forms(key, arn) if args.format == "json" else _in_form(key, args, arn)
    with output_file(args.output, overwrite=args.overwrite) as output:
        output.write(content)
    return 0


def _public_key(args: argparse.Namespace) -> tuple[PublicKey, str]:
    """The key, and its ARN where KMS gave it. Keys of every usage have one, but symmetric ones."""
    from kms_tui.public_key import PublicKey
    from kms_tui.signing.public_key_reading import MAX_BYTES, read_public_key

    if args.key:
        kms = open_kms(args).in_region_of(args.key)
        answer = kms.call("GetPublicKey", KeyId=args.key)
        return PublicKey.from_api(answer), answer["KeyId"]
    return read_public_key(read_start(args.file, MAX_BYTES)).key, ""


def _in_form(key: PublicKey, args: argparse.Namespace, arn: str) -> bytes:
    from kms_tui.signing.public_key_forms import PublicKeyForm, written

    return written(key, PublicKeyForm(args.format), arn if args.comment is None else args.comment)


def _all_forms(key: PublicKey, arn: str) -> bytes:
    from kms_tui.signing.public_key_forms import PublicKeyForm, forms_of, written

    found: dict[str, object] = {"key": arn or None, "key_spec": key.spec or None}
    forms = set(forms_of(key))
    for form in (PublicKeyForm.PEM, PublicKeyForm.PKCS1, PublicKeyForm.SSH):
        if form in forms:
            found[form.value] = written(key, form, arn).decode()
    if PublicKeyForm.JWK in forms:
        found |= {"jwk": key.jwk(), "thumbprint": key.thumbprint}
    if PublicKeyForm.SSH in forms:
        found["ssh_fingerprint"] = key.ssh_fingerprint
    return f"{json.dumps(found | {'sha256': key.fingerprint}, indent=2)}\n".encode()
