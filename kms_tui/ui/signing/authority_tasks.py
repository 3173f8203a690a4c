"""A certificate authority from the console: issuing a certificate for a CSR, and the list of revoked ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography import x509

from kms_tui.atomic import typed_path
from kms_tui.envelope.streams import Progress
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
from kms_tui.ui.base.command_lines import file_option, file_word, option
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.base.typed_files import named_file
from kms_tui.ui.dialogs.form import FormField, TextField, Values
from kms_tui.ui.dialogs.output_screen import Output
from kms_tui.ui.signing.certificate_tasks import (
    command_flags,
    file_for,
    format_flags,
    name_fields,
    output_of,
    previewed,
    shown,
    signing_fields,
    texts_of,
    usage_fields,
    validity_fields,
)
from kms_tui.ui.signing.signing_task import (
    SigningTask,
    TaskFieldError,
    blamed_on,
    open_key,
    refuses_unless_it_signs,
)
from kms_tui.ui.widgets.facts_table import Facts

REQUEST, AUTHORITY, EARLIER = "request", "authority", "earlier"
_MOST_LINES = 10_000
"""Of revoked certificates: the preview looks whether each names a file."""
_CA_HINT = "a file; the CA's certificate, of this key"


def _authority(key: SigningKey, values: Values) -> tuple[x509.Certificate, str]:
    """The CA's certificate, and the name of its file."""
    with blamed_on(AUTHORITY):
        path = named_file(values[AUTHORITY], "of the CA's certificate")
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
        path = named_file(values[REQUEST], "of the CSR")
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


def _issue(key: SigningKey, values: Values, now: datetime, progress: Progress) -> Output:
    ready, ca, ca_name = _issued(key, values, now)
    return output_of("Certificate", ready, values, _beside(values[REQUEST]), now, ca, ca_name)


def _beside(request: str) -> str:
    """The file of the certificate for a CSR: web.pem for web.csr."""
    name, suffix = os.path.splitext(file_word(request, "CSR"))
    return f"{name}.crt" if suffix == ".pem" else f"{name}.pem"


def _issue_command(subject: Subject, values: Values) -> Sequence[str]:
    request, ca = file_word(values[REQUEST], "CSR"), file_word(values[AUTHORITY], "CERT")
    command = ["cert", "issue", request, "--key", subject.arn, "--ca", ca]
    return [*command, *command_flags(values), "-o", file_for(values, _beside(values[REQUEST]))]


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
            path = named_file(values[EARLIER], "of the CRL before")
            earlier = only_revocation_list(read_x509_file(path), str(path))
            before, previous = carried_on(earlier, ca, str(path))
    lines = [line.strip() for line in values[CertificateField.REVOKE].splitlines() if line.strip()]
    if len(lines) > _MOST_LINES:
        raise TaskFieldError(
            CertificateField.REVOKE,
            f"These are {len(lines):,} lines; at most {_MOST_LINES:,} are taken here.",
            next_step="Make several lists, each going on from the one before.",
        )
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
    what, reason, date = (text, "", "") if _is_file(text) else split_revocation(text)
    if not _is_file(what):
        return revocation(read_serial(what, CertificateField.REVOKE) or 0, reason, date, now)
    with blamed_on(CertificateField.REVOKE):
        found = only_certificate(read_x509_file(named_file(what, "of the certificate")), what)
        return revocation(serial_of(found, ca, what), reason, date, now)


def _is_file(text: str) -> bool:
    return os.path.isfile(typed_path(text))


def _preview_list(key: SigningKey, values: Values, now: datetime) -> Facts:
    ready, _, _ = _listed(key, values, now)
    return shown(ready)


def _list(key: SigningKey, values: Values, now: datetime, progress: Progress) -> Output:
    ready, ca, ca_name = _listed(key, values, now)
    return output_of("Revocation list", ready, values, "ca.crl", now, ca, ca_name)


def _list_command(subject: Subject, values: Values) -> Sequence[str]:
    command = ["cert", "crl", "--key", subject.arn, "--ca", file_word(values[AUTHORITY], "CERT")]
    for line in values[CertificateField.REVOKE].splitlines():
        command += option("--revoke", os.path.expanduser(line.strip()))
    command += file_option("--from", values[EARLIER])
    for name in (CertificateField.NUMBER, CertificateField.ALGORITHM):
        command += option(f"--{name}", values[name])
    days = option("--days", values[CertificateField.DAYS] or "30")
    return [*command, *days, *format_flags(values), "-o", "ca.crl"]


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
        title="Revocation list (CRL)",
        words="what a CA has revoked",
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
