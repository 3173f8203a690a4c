"""A certificate authority from the console: issuing a certificate for a CSR, and the list of revoked ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from kms_tui.signing.certificates.certificate_fields import read_fields
from kms_tui.signing.certificates.certificate_files import (
    certificates_in,
    only_certificate,
    only_request,
    only_revocation_list,
    read_x509_file,
)
from kms_tui.signing.certificates.copied_fields import asked_for
from kms_tui.signing.certificates.field_errors import CertificateField
from kms_tui.signing.certificates.issuing import issuer_of, require_request, unsigned_issued
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
from kms_tui.signing.certificates.unsigned import Unsigned
from kms_tui.signing.certificates.validity import read_days
from kms_tui.signing.signing_key import SigningKey
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.dialogs.form import FormField, TextField, Values
from kms_tui.ui.signing.certificate_tasks import (
    command_flags,
    name_fields,
    named_file,
    output_of,
    previewed,
    shown,
    signing_fields,
    texts_of,
    usage_fields,
    validity_fields,
)
from kms_tui.ui.signing.signing_task import (
    Facts,
    SigningOutput,
    SigningTask,
    blamed_on,
    open_key,
    refuses_unless_it_signs,
)

REQUEST, AUTHORITY, EARLIER = "request", "authority", "earlier"
_CA_HINT = "a file; the CA's certificate, of this key"


def _authority(key: SigningKey, values: Values) -> tuple[x509.Certificate, str]:
    """The CA's certificate, and the name of its file."""
    with blamed_on(AUTHORITY):
        path = named_file(values[AUTHORITY], "the CA's certificate")
        return issuer_of(certificates_in(read_x509_file(path), str(path)), key, str(path)), str(path)


def _issue_fields(subject: Subject, key: SigningKey) -> Sequence[FormField]:
    return (
        FormField(REQUEST, "CSR", hint="a file in PEM or DER"),
        FormField(AUTHORITY, "Certificate of the CA", hint=_CA_HINT),
        *validity_fields(),
        *name_fields(),
        *usage_fields(),
        *signing_fields(key),
    )


def _issued(key: SigningKey, values: Values, now: datetime) -> tuple[Unsigned[Any], x509.Certificate, str]:
    with blamed_on(REQUEST):
        path = named_file(values[REQUEST], "the CSR")
        request = only_request(read_x509_file(path), str(path))
        public = require_request(request, str(path))
    ca, ca_name = _authority(key, values)
    fields = read_fields(texts_of(values), now, asked_for(request, public, str(path)))
    algorithm = values[CertificateField.ALGORITHM]
    names = {"ca_name": ca_name, "request_name": str(path)}
    return unsigned_issued(key, ca, request, fields, now, algorithm, **names), ca, ca_name


def _preview_issue(key: SigningKey, values: Values, now: datetime) -> Facts:
    ready, _, _ = _issued(key, values, now)
    return (("CSR", "✓ its signature verifies"), *previewed(ready, values))


def _issue(key: SigningKey, values: Values, now: datetime) -> SigningOutput:
    ready, ca, ca_name = _issued(key, values, now)
    file_name = str(Path(values[REQUEST].strip()).with_suffix(".pem"))
    return output_of("Certificate", ready, file_name, now, ca, ca_name)


def _issue_command(subject: Subject, values: Values) -> Sequence[str]:
    request, ca = values[REQUEST].strip() or "CSR", values[AUTHORITY].strip() or "CERT"
    command = ["cert", "issue", request, "--key", subject.arn, "--ca", ca]
    return [*command, *command_flags(values), "-o", str(Path(request).with_suffix(".pem"))]


def _list_fields(subject: Subject, key: SigningKey) -> Sequence[FormField]:
    return (
        FormField(AUTHORITY, "Certificate of the CA", hint=_CA_HINT),
        TextField(
            CertificateField.REVOKE, "Revoked: a serial or a certificate's file a line, then ,REASON,DATE"
        ),
        FormField(EARLIER, "Go on from the CRL before", hint="a file"),
        FormField(CertificateField.NUMBER, "Number", hint="one more than the CRL before"),
        FormField(CertificateField.DAYS, "Days until the next one", "30"),
        *signing_fields(key),
    )


def _listed(key: SigningKey, values: Values, now: datetime) -> tuple[Unsigned[Any], x509.Certificate, str]:
    days = read_days(values[CertificateField.DAYS].strip() or "30")
    assert days is not None
    ca, ca_name = _authority(key, values)
    before: Sequence[Revocation] = ()
    previous = None
    if values[EARLIER].strip():
        with blamed_on(EARLIER):
            path = named_file(values[EARLIER], "the CRL before")
            earlier = only_revocation_list(read_x509_file(path), str(path))
            before, previous = carried_on(earlier, ca, str(path))
    lines = [line.strip() for line in values[CertificateField.REVOKE].splitlines() if line.strip()]
    ready = unsigned_revocation_list(
        key,
        ca,
        merged(before, [_revocation(line, ca, now) for line in lines]),
        days=days,
        number=read_number(values[CertificateField.NUMBER], previous),
        now=now,
        algorithm=values[CertificateField.ALGORITHM],
        ca_name=ca_name,
    )
    return ready, ca, ca_name


def _revocation(text: str, ca: x509.Certificate, now: datetime) -> Revocation:
    what, reason, date = split_revocation(text)
    path = named_file(what, "the certificate")
    if path.is_file():
        return revocation(
            serial_of(only_certificate(read_x509_file(path), what), ca, what), reason, date, now
        )
    return revocation(read_serial(what, CertificateField.REVOKE) or 0, reason, date, now)


def _preview_list(key: SigningKey, values: Values, now: datetime) -> Facts:
    ready, _, _ = _listed(key, values, now)
    return shown(ready)


def _list(key: SigningKey, values: Values, now: datetime) -> SigningOutput:
    ready, ca, ca_name = _listed(key, values, now)
    return output_of("Revocation list", ready, "ca.crl", now, ca, ca_name)


def _list_command(subject: Subject, values: Values) -> Sequence[str]:
    command = ["cert", "crl", "--key", subject.arn, "--ca", values[AUTHORITY].strip() or "CERT"]
    for line in values[CertificateField.REVOKE].splitlines():
        if line.strip():
            command += ["--revoke", line.strip()]
    for name, flag in ((EARLIER, "--from"), (CertificateField.NUMBER, "--number")):
        if values[name].strip():
            command += [flag, values[name].strip()]
    days = values[CertificateField.DAYS].strip() or "30"
    algorithm = values[CertificateField.ALGORITHM]
    return [*command, "--days", days, *(["--algorithm", algorithm] if algorithm else []), "-o", "ca.crl"]


AUTHORITY_TASKS = (
    SigningTask(
        id="issue",
        title="Issue a certificate",
        words="as a CA, for a CSR",
        confirm="Sign",
        open=open_key,
        fields=_issue_fields,
        preview=_preview_issue,
        make=_issue,
        command=_issue_command,
        refuses=refuses_unless_it_signs,
        blame={"CertificateFileError": AUTHORITY},
    ),
    SigningTask(
        id="crl",
        title="Revocation list",
        words="the CRL of a CA",
        confirm="Sign",
        open=open_key,
        fields=_list_fields,
        preview=_preview_list,
        make=_list,
        command=_list_command,
        refuses=refuses_unless_it_signs,
        blame={"CertificateFileError": AUTHORITY},
    ),
)
