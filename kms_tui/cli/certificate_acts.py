"""What ``kms-tui cert`` does: its modules are imported when one of its commands runs."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from kms_tui.cli.file_streams import PIPE, open_kms, output_file
from kms_tui.cli.standard_streams import say
from kms_tui.signing.certificates.alternative_names import name_text
from kms_tui.signing.certificates.certificate_builders import unsigned_request, unsigned_self_signed
from kms_tui.signing.certificates.certificate_fields import CertificateFields, FieldTexts, read_fields
from kms_tui.signing.certificates.certificate_files import (
    X509Object,
    certificates_in,
    only_certificate,
    only_request,
    only_revocation_list,
    read_x509_file,
    read_x509_stream,
)
from kms_tui.signing.certificates.copied_fields import asked_for, copied_from
from kms_tui.signing.certificates.descriptions import describe_all
from kms_tui.signing.certificates.field_errors import CertificateField
from kms_tui.signing.certificates.issuing import issuer_of, require_request, unsigned_issued
from kms_tui.signing.certificates.openssl_lines import openssl_lines, openssl_needed
from kms_tui.signing.certificates.revocation_lists import (
    Revocation,
    carried_on,
    merged,
    read_number,
    revocation,
    serial_of,
    split_revocation,
    unsigned_revocation_list,
)
from kms_tui.signing.certificates.serials import read_serial
from kms_tui.signing.certificates.subjects import subject_text
from kms_tui.signing.certificates.unsigned import Made, Unsigned, certified_key
from kms_tui.signing.certificates.validity import read_days
from kms_tui.signing.signing_key import SigningError, open_signing_key
from kms_tui.visible import visible

_REPEATED_FLAGS = ("dns", "ip", "email", "uri")
_SINGLE_FLAGS = (
    "subject",
    "purpose",
    "key_usage",
    "extended_key_usage",
    "path_length",
    "days",
    "not_before",
    "not_after",
    "serial",
)
"""Not each command has all of them."""


def _csr(args: argparse.Namespace) -> int:
    return _make_own(args, unsigned_request, "CSR")


def _self_sign(args: argparse.Namespace) -> int:
    return _make_own(args, unsigned_self_signed, "CA certificate" if args.is_ca else "certificate")


def _make_own(args: argparse.Namespace, unsigned: Callable[..., Unsigned[Made]], what: str) -> int:
    """A CSR or a self-signed certificate of the key."""
    now, texts = datetime.now(UTC), _texts(args)
    model = _model(args.like)
    if model is None:
        read_fields(texts, now)  # what is wrong is said before anything is connected to
    with output_file(args.output, overwrite=args.overwrite) as target:
        key = open_signing_key(open_kms(args), args.key)
        if model is None:
            fields = read_fields(texts, now)
        else:
            fields = read_fields(texts, now, copied_from(model, certified_key(key), _name(args.like), texts))
        ready = unsigned(key, fields, args.algorithm or "")
        _say_notes(ready.notes)
        made = ready.sign()
        target.write(made.public_bytes(_encoding(args)))
    _say_made(args, f"a {what} for {_whom(fields)}", ready, made, now)
    return 0


def _issue(args: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    request = only_request(_read(args.file), _name(args.file))
    authorities = certificates_in(_read(args.ca), _name(args.ca))
    public = require_request(request, _name(args.file))
    texts = _texts(args)
    fields = read_fields(texts, now, asked_for(request, public, _name(args.file), texts))
    with output_file(args.output, overwrite=args.overwrite) as target:
        key = open_signing_key(open_kms(args), args.key)
        ca = issuer_of(authorities, key, _name(args.ca))
        ready = unsigned_issued(
            key,
            ca,
            request,
            fields,
            now,
            args.algorithm or "",
            ca_name=_name(args.ca),
            request_name=_name(args.file),
        )
        print(f"The CSR's signature verifies. To be signed with {visible(args.key)}:", file=sys.stderr)
        print(*_pairs(ready.lines), sep="\n", file=sys.stderr)
        _say_notes(ready.notes)
        if not _agreed(args):
            raise SigningError("Nothing was signed.", next_step="Add --yes to sign it without being asked.")
        made = ready.sign()
        target.write(made.public_bytes(_encoding(args)))
    _say_made(args, f"a certificate for {_whom(fields)}", ready, made, now, ca)
    return 0


def _crl(args: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    days = read_days(args.days)
    assert days is not None
    if args.old is None:
        read_number(args.number or "", None)
    authorities = certificates_in(_read(args.ca), _name(args.ca))
    old = only_revocation_list(_read(args.old), _name(args.old)) if args.old else None
    with output_file(args.output, overwrite=args.overwrite) as target:
        key = open_signing_key(open_kms(args), args.key)
        ca = issuer_of(authorities, key, _name(args.ca))
        before, previous = carried_on(old, ca, _name(args.old)) if old is not None else ((), None)
        ready = unsigned_revocation_list(
            key,
            ca,
            merged(before, [_revocation(each, ca, now) for each in args.revoke]),
            days=days,
            number=read_number(args.number or "", previous),
            now=now,
            algorithm=args.algorithm or "",
            ca_name=_name(args.ca),
        )
        _say_notes(ready.notes)
        made = ready.sign()
        target.write(made.public_bytes(_encoding(args)))
    count = len(made)
    _say_made(args, f"a CRL of {count:,} certificate{'' if count == 1 else 's'}", ready, made, now, ca)
    return 0


def _revocation(text: str, ca: x509.Certificate, now: datetime) -> Revocation:
    what, reason, date = (text, "", "") if os.path.isfile(text) else split_revocation(text)
    if os.path.isfile(what):
        serial = serial_of(only_certificate(_read(what), what), ca, what)
    else:
        serial = read_serial(what, CertificateField.REVOKE) or 0
    return revocation(serial, reason, date, now)


def _show(args: argparse.Namespace) -> int:
    found = _read(args.file)
    authorities = certificates_in(_read(args.ca), _name(args.ca)) if args.ca else ()
    described = describe_all(found, datetime.now(UTC), authorities)
    if args.format == "json":
        print(json.dumps([each.as_dict() for each in described], indent=2))
    else:
        for number, each in enumerate(described, 1):
            place = f" {number} of {len(described)}" if len(described) > 1 else ""
            say(f"{_name(args.file)}: {each.kind}{place}")
            print(*_pairs(each.lines()), sep="\n")
    return int(any(each.signature.is_good is False for each in described))


ACTS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "csr": _csr,
    "self-sign": _self_sign,
    "issue": _issue,
    "show": _show,
    "crl": _crl,
}


def _texts(args: argparse.Namespace) -> FieldTexts:
    given = args.__dict__
    return FieldTexts(
        **{name: given.get(name) or "" for name in _SINGLE_FLAGS},
        **{name: "\n".join(given[name]) for name in _REPEATED_FLAGS},
        is_ca=given.get("is_ca", False),
    )


def _model(name: str | None) -> x509.Certificate | x509.CertificateSigningRequest | None:
    """The certificate or CSR of --like."""
    if name is None:
        return None
    found = _read(name)
    if isinstance(found[0], x509.CertificateSigningRequest):
        return only_request(found, _name(name))
    return only_certificate(found, _name(name))


def _read(name: str) -> tuple[X509Object, ...]:
    return read_x509_stream(sys.stdin.buffer, _name(name)) if name == PIPE else read_x509_file(Path(name))


def _name(name: str) -> str:
    return "standard input" if name == PIPE else name


def _agreed(args: argparse.Namespace) -> bool:
    """Whether to sign: by --yes, or by an answer in a terminal."""
    if args.yes:
        return True
    if not sys.stdin.isatty():
        return False
    print("Sign it? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _encoding(args: argparse.Namespace) -> Encoding:
    return Encoding.DER if args.format == "der" else Encoding.PEM


def _whom(fields: CertificateFields) -> str:
    """The subject, or the first name where there is none."""
    return subject_text(fields.subject) or name_text(fields.names[0])


def _pairs(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Labels in a column, texts beside them."""
    rows = [(visible(label), visible(text)) for label, text in pairs]
    width = min(max((len(label) for label, _ in rows), default=0), 30)
    for label, text in rows:
        yield f"  {label:<{width}}  {text}"


def _say_notes(notes: Iterable[str]) -> None:
    for note in notes:
        print(f"note: {visible(note)}", file=sys.stderr)


def _say_made(
    args: argparse.Namespace,
    what: str,
    ready: Unsigned[Made],
    made: X509Object,
    now: datetime,
    ca: x509.Certificate | None = None,
) -> None:
    """What was made, and the openssl commands that check it; on standard error."""
    where = "" if args.output == PIPE else f" {args.output}:"
    print(visible(f"Made{where} {what}, with {ready.algorithm} of {ready.key.asked_as}."), file=sys.stderr)
    if args.output == PIPE:
        return
    ca_path = "" if ca is None or args.ca == PIPE else args.ca
    needed = openssl_needed(made, ready.key)
    print(f"To check it{f', with {needed}' if needed else ''}:", file=sys.stderr)
    for line in openssl_lines(
        made, args.output, _encoding(args), now, ca=ca, ca_path=ca_path, is_ca_pem=_is_pem(ca_path)
    ):
        print(visible(f"  {line}"), file=sys.stderr)


def _is_pem(path: str) -> bool:
    if not path:
        return False
    with contextlib.suppress(OSError), Path(path).open("rb") as file:
        return b"-----BEGIN" in file.read(1 << 20)
    return False
