"""Certificates of KMS keys: requests, self-signed ones, a small CA, and what is in a file.

The key signs inside KMS and never leaves it; each act is one call of Sign. Nothing is signed, and no file is
left, where a field, a file or the CA is not right.
"""

from __future__ import annotations

import argparse
from functools import partial

from kms_tui.cli.connection import add_connection_flags, connection_from
from kms_tui.cli.file_streams import add_output_flag, is_terminal, require_one_standard_input, stoppable

_CODES = (
    "exit codes: 0 done; 1 failed or not agreed to, nothing written; 2 bad usage; 130 stopped with Ctrl+C"
)
_EXAMPLES = {
    "all": """\
  kms-tui cert csr --key alias/web --subject "CN=www.example.com,O=Example" --dns www.example.com -o web.csr
  kms-tui cert self-sign --key alias/ca --subject "CN=Example CA,O=Example" --ca --days 3650 -o ca.pem
  kms-tui cert issue web.csr --key alias/ca --ca ca.pem --days 90 -o web.pem
  kms-tui cert show web.pem --ca ca.pem
  kms-tui cert crl --key alias/ca --ca ca.pem --revoke web.pem --number 1 --days 30 -o ca.crl""",
    "csr": """\
  kms-tui cert csr --key alias/web --subject "CN=www.example.com,O=Example" --dns www.example.com -o web.csr
  kms-tui cert csr --key alias/web --like old.pem -o web.csr
  kms-tui cert csr --key alias/web --subject /CN=www.example.com | openssl req -noout -text""",
    "self-sign": """\
  kms-tui cert self-sign --key alias/ca --subject "CN=Example CA,O=Example" --ca --days 3650 -o ca.pem
  kms-tui cert self-sign --key alias/web --subject /CN=localhost --dns localhost --ip 127.0.0.1 -o web.pem""",
    "issue": """\
  kms-tui cert issue web.csr --key alias/ca --ca ca.pem --days 90 -o web.pem
  kms-tui cert issue web.csr --key alias/ca --ca ca.pem --dns www.example.com --yes -o web.pem
  kms-tui cert issue sub.csr --key alias/ca --ca ca.pem --purpose ca --path-length 0 -o sub.pem""",
    "show": """\
  kms-tui cert show web.pem --ca ca.pem
  openssl s_client -connect www.example.com:443 -showcerts </dev/null | kms-tui cert show -
  kms-tui cert show web.pem --format json | jq '.[0].names'""",
    "crl": """\
  kms-tui cert crl --key alias/ca --ca ca.pem --number 1 --days 30 -o ca.crl
  kms-tui cert crl --key alias/ca --ca ca.pem --from old.crl --revoke web.pem --days 30 -o new.crl
  kms-tui cert crl --key alias/ca --ca ca.pem --number 2 --revoke 0x1a2b,superseded,2026-11-20 --days 30""",
}


_NAMES = (
    ("dns", "a host, as www.example.com or *.example.com"),
    ("ip", "an address"),
    ("email", "a mailbox"),
    ("uri", "a URI, as spiffe://example.com/web"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = f"examples:\n{_EXAMPLES['all']}\n\n{_CODES}"
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    request = _action(actions, "csr", "make a certificate signing request (CSR) for a CA")
    _add_fields(request)
    _add_ca_flag(request, "ask for the certificate of a CA")
    request.add_argument("--like", metavar="FILE", help="take what is not given from a certificate or CSR")
    _add_making(request, "the key that the certificate is for")

    own = _action(actions, "self-sign", "make a self-signed certificate, of a root CA too")
    _add_fields(own)
    _add_ca_flag(own, "the certificate of a CA")
    _add_validity(own, "90 days, of a CA 3,650")
    own.add_argument("--like", metavar="FILE", help="take what is not given from a certificate or CSR")
    _add_making(own, "the key that the certificate is of, and that signs it")

    issuing = _action(actions, "issue", "issue a certificate for a CSR, as a CA")
    issuing.add_argument("file", metavar="CSR", help="the CSR, PEM or DER; - is standard input")
    issuing.add_argument("--ca", metavar="CERT", required=True, help="the CA's certificate, of the key")
    issuing.add_argument("--path-length", metavar="N", type=_given, help="of a CA: how many may follow it")
    _add_fields(issuing)
    _add_validity(issuing, "90 days, of a CA 3,650, and never longer than the CA")
    issuing.add_argument("--yes", action="store_true", help="sign without asking; pipelines need it")
    _add_making(issuing, "the CA's key")

    showing = _action(actions, "show", "say what is in a certificate, CSR or CRL, and check its signature")
    showing.epilog = (
        f"examples:\n{_EXAMPLES['show']}\n\n"
        "exit codes: 0 shown; 1 a signature does not verify, or the file cannot be read; 2 bad usage"
    )
    showing.add_argument("file", metavar="FILE", help="PEM (a chain too) or DER; - is standard input")
    showing.add_argument("--ca", metavar="CERT", help="certificates that the signatures are checked with")
    showing.add_argument("--format", choices=("text", "json"), default="text", help="default: text")

    listing = _action(actions, "crl", "make the list of revoked certificates (CRL) of a CA")
    listing.add_argument("--ca", metavar="CERT", required=True, help="the CA's certificate, of the key")
    listing.add_argument(
        "--revoke",
        metavar="SERIAL|CERT[,REASON[,DATE]]",
        action="append",
        default=[],
        type=_given,
        help="a certificate, by its file or serial number; may be given again",
    )
    listing.add_argument("--from", dest="old", metavar="CRL", help="go on from the CRL before")
    listing.add_argument("--days", metavar="N", required=True, type=_given, help="until the next one is due")
    listing.add_argument("--number", metavar="N", type=_given, help="default: one more than that of --from")
    _add_making(listing, "the CA's key")


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = actions.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}."
    )
    made.epilog = f"examples:\n{_EXAMPLES[name]}\n\n{_CODES}"
    made.set_defaults(usage_error=made.error)
    return made


def _given(text: str) -> str:
    """A text that is not empty: "" is a shell's unset variable rather than a wish."""
    if not text.strip():
        raise argparse.ArgumentTypeError("nothing is given")
    return text


def _add_fields(parser: argparse.ArgumentParser) -> None:
    fields = parser.add_argument_group("what it says")
    add = partial(fields.add_argument, type=_given)
    add("--subject", metavar="NAME", help="CN=www.example.com,O=Example (RFC 4514) or /O=Example/CN=…")
    for flag, what in _NAMES:
        add(f"--{flag}", metavar="NAME", action="append", default=[], help=f"{what}; may be given again")
    add("--purpose", metavar="P", help="server, client, code, email, ca, general: the usages follow from it")
    add("--key-usage", metavar="U,…", help="digitalSignature, keyAgreement, …")
    add("--extended-key-usage", metavar="U,…", help="serverAuth, clientAuth, codeSigning, …, or dotted OIDs")


def _add_ca_flag(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--ca", dest="is_ca", action="store_true", help=text)
    parser.add_argument(
        "--path-length", metavar="N", type=_given, help="with --ca: how many CAs may follow it"
    )


def _add_validity(parser: argparse.ArgumentParser, usual: str) -> None:
    validity = parser.add_argument_group("how long")
    add = partial(validity.add_argument, type=_given)
    add("--days", metavar="N", help=f"default: {usual}")
    add("--not-before", metavar="TIME", help="2027-01-31 or 2027-01-31T12:00:00Z (default: now)")
    add("--not-after", metavar="TIME", help="instead of --days")
    add("--serial", metavar="N", help="decimal, 0x… or 01:ab:… (default: 159 random bits)")


def _add_making(parser: argparse.ArgumentParser, key: str) -> None:
    parser.add_argument("--key", metavar="KEY", required=True, type=_given, help=f"{key}: id, ARN or alias")
    parser.add_argument("--algorithm", metavar="A", type=_given, help="of an RSA key: RSASSA_PSS_SHA_256, …")
    parser.add_argument("--format", choices=("pem", "der"), default="pem", help="default: pem")
    add_output_flag(parser, "where to write (default: -, standard output)", metavar="FILE")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    add_connection_flags(parser)
    parser.set_defaults(connection_from=partial(connection_from, parser))


def run(args: argparse.Namespace) -> int:
    """See ``--help`` for the exit codes; KmsTuiError where nothing was made."""
    from kms_tui.cli.certificate_acts import ACTS
    from kms_tui.signing.certificates.field_errors import FieldError

    if args.action != "show" and args.format == "der" and is_terminal(args.output):
        args.usage_error("the result is binary and would go to the terminal: name a file with -o")
    require_one_standard_input(args, *(args.__dict__.get(name) for name in ("file", "ca", "like", "old")))
    try:
        return stoppable(partial(ACTS[args.action], args))
    except FieldError as error:
        args.usage_error(" ".join(part for part in (f"--{error.field}: {error}", error.next_step) if part))
        raise  # usage_error has ended the program
