"""Certificates from the console: a CSR or a certificate of the key, and looking at one that there is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from kms_tui.envelope.streams import Progress
from kms_tui.signing.certificates.certificate_builders import unsigned_request, unsigned_self_signed
from kms_tui.signing.certificates.certificate_fields import (
    NOTHING_COPIED,
    CertificateFields,
    CopiedFields,
    FieldTexts,
    read_fields,
)
from kms_tui.signing.certificates.certificate_files import (
    MOST_BYTES,
    only_certificate,
    only_request,
    read_x509_file,
)
from kms_tui.signing.certificates.copied_fields import copied_from
from kms_tui.signing.certificates.descriptions import describe_all
from kms_tui.signing.certificates.field_errors import CertificateField
from kms_tui.signing.certificates.openssl_lines import openssl_lines, openssl_needed
from kms_tui.signing.certificates.unsigned import Unsigned, certified_key
from kms_tui.signing.certificates.usages import CertificatePurpose
from kms_tui.signing.signing_key import SigningKey
from kms_tui.ui.base.command_lines import file_option, file_word, option
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.base.typed_files import named_file, read_named
from kms_tui.ui.dialogs.form import ChoiceField, FormField, Values
from kms_tui.ui.dialogs.output_screen import Output
from kms_tui.ui.signing.signing_task import SigningTask, blamed_on, open_key, refuses_unless_it_signs
from kms_tui.ui.widgets.facts_table import Facts

PURPOSES = {
    CertificatePurpose.SERVER: "a TLS server",
    CertificatePurpose.CLIENT: "a TLS client",
    CertificatePurpose.CODE: "signing code",
    CertificatePurpose.EMAIL: "e-mail",
    CertificatePurpose.CA: "a certificate authority",
    CertificatePurpose.GENERAL: "anything",
}
LIKE, FORMAT, DER = "like", "format", "der"
_TEXTS = tuple(
    field
    for field in CertificateField
    if field
    not in (CertificateField.CA, CertificateField.ALGORITHM, CertificateField.REVOKE, CertificateField.NUMBER)
)
"""The fields that ``FieldTexts`` has."""
_REPEATED = (CertificateField.DNS, CertificateField.IP, CertificateField.EMAIL, CertificateField.URI)


def name_fields() -> tuple[FormField, ...]:
    """Whom a certificate is for."""
    return (
        FormField(CertificateField.SUBJECT, "Subject", hint="CN=www.example.com,O=Example"),
        FormField(CertificateField.DNS, "DNS names", hint="www.example.com *.example.com"),
        FormField(CertificateField.IP, "IP addresses", hint="192.0.2.7 2001:db8::7"),
        FormField(CertificateField.EMAIL, "E-mail addresses"),
        FormField(CertificateField.URI, "URIs", hint="spiffe://example.com/web"),
    )


def usage_fields() -> tuple[FormField, ...]:
    """What a certificate is for."""
    purposes = [(words, purpose) for purpose, words in PURPOSES.items()]
    return (
        ChoiceField(CertificateField.PURPOSE, "For", choices=purposes, prompt="what the names suggest"),
        FormField(CertificateField.KEY_USAGE, "Key usage", hint="as usual: digitalSignature …"),
        FormField(CertificateField.EXTENDED_KEY_USAGE, "Extended key usage", hint="as usual: serverAuth …"),
    )


def validity_fields() -> tuple[FormField, ...]:
    """How long a certificate is good, and its serial."""
    return (
        FormField(CertificateField.DAYS, "Days", hint="as usual: 90, for a CA 3650"),
        FormField(CertificateField.NOT_BEFORE, "Begins", hint="now; or 2027-01-31"),
        FormField(CertificateField.NOT_AFTER, "Ends, instead of days"),
        FormField(CertificateField.PATH_LENGTH, "For a CA: how many CAs may follow it"),
        FormField(CertificateField.SERIAL, "Serial", hint="random"),
    )


def signing_fields(key: SigningKey) -> tuple[FormField, ...]:
    """How it is signed."""
    algorithms = [(name, name) for name in key.algorithms if name != "ED25519_PH_SHA_512"]
    encodings = [("PEM", "pem"), ("DER", DER)]
    return (
        ChoiceField(CertificateField.ALGORITHM, "Algorithm", choices=algorithms, prompt="as is usual"),
        ChoiceField(FORMAT, "File", "pem", choices=encodings),
    )


def texts_of(values: Values) -> FieldTexts:
    """What was typed, for ``read_fields``."""
    texts: dict[str, Any] = {name.replace("-", "_"): values.get(name, "") for name in _TEXTS}
    return FieldTexts(**texts)


def command_flags(values: Values) -> list[str]:
    """The flags of ``kms-tui cert`` for what was typed."""
    flags: list[str] = []
    for name in (*_TEXTS, CertificateField.ALGORITHM):
        text = values.get(name, "")
        for part in text.replace(",", " ").split() if name in _REPEATED else [text]:
            flags += option(f"--{name}", part)
    return [*flags, *format_flags(values)]


def format_flags(values: Values) -> list[str]:
    """The flag for the encoding of the file; PEM is the default."""
    return [f"--{FORMAT}", DER] if values[FORMAT] == DER else []


def file_for(values: Values, name: str) -> str:
    """The name of the file that is made: certificate.der for certificate.pem, where it is DER."""
    stem, suffix = os.path.splitext(name)
    return f"{stem}.der" if values[FORMAT] == DER and suffix in (".pem", ".crt") else name


def output_of(
    title: str,
    ready: Unsigned[Any],
    values: Values,
    file_name: str,
    now: datetime,
    ca: x509.Certificate | None = None,
    ca_path: str = "",
) -> Output:
    """Sign, with one call, and say what was made."""
    is_ca_pem = b"-----BEGIN" in read_named(ca_path, "of the CA", MOST_BYTES) if ca_path else False
    encoding = Encoding.DER if values[FORMAT] == DER else Encoding.PEM
    made = ready.sign()
    needed = openssl_needed(made, ready.key)

    def checks(name: str) -> Sequence[str]:
        lines = openssl_lines(made, name, encoding, now, ca=ca, ca_path=ca_path, is_ca_pem=is_ca_pem)
        return (*lines, *([f"# with {needed}"] if needed else ()))

    name = file_for(values, file_name)
    return Output(title, made.public_bytes(encoding), name, shown(ready), checks)


def shown(ready: Unsigned[Any]) -> Facts:
    """What will be signed, and what was decided."""
    return (*capitalized(ready.lines), *(("Note", note) for note in ready.notes))


def previewed(ready: Unsigned[Any], values: Values) -> Facts:
    """What will be signed; a random serial is drawn again when that is done."""
    is_random = not values[CertificateField.SERIAL].strip() if CertificateField.SERIAL in values else False
    return [(name, "random" if is_random and name == "Serial" else text) for name, text in shown(ready)]


def capitalized(lines: Iterable[tuple[str, str]]) -> Facts:
    """The labels with a capital letter."""
    return [(label[:1].upper() + label[1:], text) for label, text in lines]


def _read(key: SigningKey, values: Values, now: datetime) -> CertificateFields:
    return read_fields(texts_of(values), now, _copied(key, values.get(LIKE, "").strip()))


def _copied(key: SigningKey, name: str) -> CopiedFields:
    if not name:
        return NOTHING_COPIED
    path = named_file(name, "of the certificate or CSR")
    found = read_x509_file(path)
    source = (
        only_request(found, str(path))
        if isinstance(found[0], x509.CertificateSigningRequest)
        else only_certificate(found, str(path))
    )
    return copied_from(source, certified_key(key), str(path))


Builder = Callable[[SigningKey, CertificateFields, str], Unsigned[Any]]


def _task(
    task_id: str, title: str, words: str, builder: Builder, file_name: str, *more: FormField
) -> SigningTask:
    """A CSR or a certificate of the key itself."""

    def fields(subject: Subject, key: SigningKey) -> Sequence[FormField]:
        like = FormField(LIKE, "What is empty is taken from", hint="a certificate or CSR, in PEM or DER")
        return (*name_fields(), *usage_fields(), *more, *signing_fields(key), like)

    def ready(key: SigningKey, values: Values, now: datetime) -> Unsigned[Any]:
        return builder(key, _read(key, values, now), values[CertificateField.ALGORITHM])

    def command(subject: Subject, values: Values) -> Sequence[str]:
        like = file_option("--like", values[LIKE])
        target = ["-o", file_for(values, file_name)]
        return ["cert", task_id, "--key", subject.arn, *command_flags(values), *like, *target]

    return SigningTask(
        id=task_id,
        title=title,
        words=words,
        confirm="Sign",
        open=open_key,
        fields=fields,
        preview=lambda key, values, now: previewed(ready(key, values, now), values),
        make=lambda key, values, now, _: output_of(title, ready(key, values, now), values, file_name, now),
        command=command,
        refuses=refuses_unless_it_signs,
        blame={"FileError": LIKE, "CertificateFileError": LIKE},
    )


def _look_fields(subject: Subject, key: SigningKey) -> Sequence[FormField]:
    return (
        FormField("file", "Certificate, CSR or CRL", hint="a file in PEM or DER; a chain, too"),
        FormField("ca", "Certificates that its signature is checked with", hint="a file"),
    )


def _look(key: SigningKey, values: Values, now: datetime) -> tuple[Facts, bool]:
    """What the file says, and whether a signature in it does not verify."""
    found = read_x509_file(named_file(values["file"], "of the certificate"))
    authorities: Sequence[Any] = ()
    if values["ca"].strip():
        with blamed_on("ca"):
            authorities = read_x509_file(named_file(values["ca"], "of the CA"))
    facts: list[tuple[str, str]] = []
    is_bad = False
    for each, described in zip(found, describe_all(found, now, authorities), strict=True):
        is_bad |= described.signature.is_good is False
        public = getattr(each, "public_key", None)
        is_own = public is not None and public() == key.public_key.loaded()
        facts += [
            ("Kind", described.kind),
            *((label[:1].upper() + label[1:], text) for label, text in described.lines()),
        ]
        if public is not None:
            facts.append(("This key", "It is of this key." if is_own else "It is of another key."))
    return facts, is_bad


def _preview_look(key: SigningKey, values: Values, now: datetime) -> Facts:
    return _look(key, values, now)[0]


def _look_output(key: SigningKey, values: Values, now: datetime, progress: Progress) -> Output:
    facts, is_bad = _look(key, values, now)
    title = f"{'✗ A signature does not verify: ' if is_bad else ''}{Path(values['file'].strip()).name}"
    return Output(title, b"", "", facts, is_bad=is_bad)


def _look_command(subject: Subject, values: Values) -> Sequence[str]:
    return ["cert", "show", file_word(values["file"]), *file_option("--ca", values["ca"])]


CERTIFICATE_TASKS = (
    _task("csr", "Certificate request (CSR)", "for a CA of others", unsigned_request, "request.csr"),
    _task(
        "self-sign",
        "Self-signed certificate",
        "or the root of a CA of your own",
        unsigned_self_signed,
        "certificate.pem",
        *validity_fields(),
    ),
)
LOOK_TASK = SigningTask(
    id="show-certificate",
    title="Look at a certificate",
    words="what it says, and whether it is of this key",
    confirm="Show",
    open=open_key,
    fields=_look_fields,
    preview=_preview_look,
    make=_look_output,
    command=_look_command,
    refuses=refuses_unless_it_signs,
    preview_title="What it says",
    blame={"FileError": "file", "CertificateFileError": "file"},
)
