"""What a certificate or a CSR is to say: from the texts of a form, or of flags, to checked values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from kms_tui.signing.certificates.alternative_names import (
    MOST_NAMES,
    NAME_FIELDS,
    looks_like_host,
    read_names,
)
from kms_tui.signing.certificates.field_errors import CertificateField, FieldError
from kms_tui.signing.certificates.serials import read_serial
from kms_tui.signing.certificates.subjects import common_name, parse_subject
from kms_tui.signing.certificates.usages import (
    PURPOSES,
    CertificatePurpose,
    read_extended_key_usage,
    read_key_usage,
    read_purpose,
)
from kms_tui.signing.certificates.validity import days_after, read_days, read_time
from kms_tui.signing.times import utc_text

_NO_NAME = x509.Name([])


@dataclass(frozen=True, slots=True)
class FieldTexts:
    """What a person typed, field by field; "" takes the default, or what was copied."""

    subject: str = ""
    dns: str = ""
    """Names are separated by spaces, line ends or commas; so are the next two."""
    ip: str = ""
    email: str = ""
    uri: str = ""
    """Separated by spaces or line ends."""
    purpose: str = ""
    key_usage: str = ""
    extended_key_usage: str = ""
    is_ca: bool = False
    path_length: str = ""
    days: str = ""
    not_before: str = ""
    not_after: str = ""
    serial: str = ""

    def of(self, field: CertificateField) -> str:
        """The text of a field that has one."""
        return str(getattr(self, field.replace("-", "_")))


@dataclass(frozen=True, slots=True)
class CopiedFields:
    """What a certificate or a CSR says, for another one."""

    subject: x509.Name = _NO_NAME
    names: tuple[x509.GeneralName, ...] = ()
    key_usage: frozenset[str] | None = None
    extended_key_usage: tuple[x509.ObjectIdentifier, ...] | None = None
    notes: tuple[str, ...] = ()
    """Sentences about what was not copied; untrusted text."""


NOTHING_COPIED = CopiedFields()


@dataclass(frozen=True, slots=True)
class CertificateFields:
    """What is to be signed, as far as it does not depend on the key or the CA."""

    subject: x509.Name
    names: tuple[x509.GeneralName, ...]
    purpose: CertificatePurpose
    is_purpose_given: bool
    """Whether somebody chose the purpose; a CSR asks for no usage otherwise."""
    key_usage: frozenset[str] | None
    """Names of ``usages.KEY_USAGES``; None: what is usual for the purpose and the key."""
    extended_key_usage: tuple[x509.ObjectIdentifier, ...] | None
    """None: what is usual for the purpose."""
    path_length: int | None
    serial: int | None
    """None: 159 random bits."""
    begins: datetime
    ends: datetime | None
    """None: as long as is usual for the purpose, and not longer than the CA."""
    end_field: CertificateField
    """The field that says when it ends, for errors."""
    notes: tuple[str, ...]
    """Sentences about what was decided for the person; untrusted text."""

    @property
    def is_ca(self) -> bool:
        return self.purpose is CertificatePurpose.CA

    @property
    def extended(self) -> tuple[x509.ObjectIdentifier, ...]:
        """The extended key usage of a certificate."""
        usual = PURPOSES[self.purpose].extended
        return usual if self.extended_key_usage is None else self.extended_key_usage


def read_fields(texts: FieldTexts, now: datetime, copied: CopiedFields = NOTHING_COPIED) -> CertificateFields:
    """The fields that the texts mean; what is not typed is taken from ``copied``.

    Any typed alternative name replaces all copied ones. FieldError names the first field that is wrong.
    """
    given = _purpose(texts)
    is_ca = given is CertificatePurpose.CA
    subject = parse_subject(texts.subject) if texts.subject.strip() else copied.subject
    typed = [name for field in NAME_FIELDS for name in read_names(field, texts.of(field))]
    names, notes = tuple(dict.fromkeys(typed)) or copied.names, list(copied.notes)
    key_usage = read_key_usage(texts.key_usage)
    extended = read_extended_key_usage(texts.extended_key_usage)
    if given is None:
        key_usage = copied.key_usage if key_usage is None else key_usage
        extended = copied.extended_key_usage if extended is None else extended
    if given in (None, CertificatePurpose.SERVER) and _is_host_by_its_name(subject, names, extended):
        names = (x509.DNSName(common_name(subject)), *names)
        notes.append(f"The common name is taken as DNS name too: {common_name(subject)}.")
    _require_a_name(subject, names, is_ca=is_ca)
    begins, ends = _validity(texts, now)
    if ends is not None and ends < now:
        notes.append(f"The certificate is expired already: it ends at {utc_text(ends)}.")
    return CertificateFields(
        subject,
        names,
        given or _purpose_of(names),
        given is not None,
        key_usage,
        extended,
        _path_length(texts.path_length, is_ca=is_ca),
        read_serial(texts.serial),
        begins,
        ends,
        CertificateField.DAYS if texts.days.strip() else CertificateField.NOT_AFTER,
        (*notes, *_remarks(subject, names)),
    )


def _purpose(texts: FieldTexts) -> CertificatePurpose | None:
    given = read_purpose(texts.purpose)
    if not texts.is_ca:
        return given
    if given not in (None, CertificatePurpose.CA):
        raise FieldError(CertificateField.PURPOSE, f"A CA's certificate has the purpose ca, not {given}.")
    return CertificatePurpose.CA


def _purpose_of(names: tuple[x509.GeneralName, ...]) -> CertificatePurpose:
    """The purpose that the names suggest: hosts are those of servers."""
    kinds = {type(name) for name in names}
    if kinds & {x509.DNSName, x509.IPAddress}:
        return CertificatePurpose.SERVER
    return CertificatePurpose.EMAIL if kinds == {x509.RFC822Name} else CertificatePurpose.GENERAL


def _is_host_by_its_name(
    subject: x509.Name,
    names: tuple[x509.GeneralName, ...],
    extended: tuple[x509.ObjectIdentifier, ...] | None,
) -> bool:
    """Whether the common name stands for a DNS name: clients have not read common names since 2017."""
    kinds = {type(name) for name in names}
    serves = extended is None or ExtendedKeyUsageOID.SERVER_AUTH in extended
    return serves and not kinds & {x509.DNSName, x509.RFC822Name} and looks_like_host(common_name(subject))


def _remarks(subject: x509.Name, names: tuple[x509.GeneralName, ...]) -> list[str]:
    named = common_name(subject)
    hosts = [str(name.value).lower() for name in names if isinstance(name, x509.DNSName)]
    if hosts and looks_like_host(named) and named.lower() not in hosts:
        return [f"The common name {named} is not among the DNS names: clients do not look at it."]
    return []


def _require_a_name(subject: x509.Name, names: tuple[x509.GeneralName, ...], *, is_ca: bool) -> None:
    if is_ca and not list(subject):
        raise FieldError(CertificateField.SUBJECT, "A CA needs a subject: what it issues names it.")
    if not list(subject) and not names:
        raise FieldError(
            CertificateField.SUBJECT,
            "There is neither a subject nor an alternative name.",
            next_step="Write it as CN=www.example.com,O=Example.",
        )
    if len(names) > MOST_NAMES:
        raise FieldError(
            CertificateField.DNS, f"{len(names):,} names are too many: {MOST_NAMES:,} are the most."
        )


def _path_length(text: str, *, is_ca: bool) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not is_ca:
        raise FieldError(CertificateField.PATH_LENGTH, "A path length is for the certificate of a CA.")
    if not (text.isascii() and text.isdigit() and len(text) <= 2):
        raise FieldError(
            CertificateField.PATH_LENGTH,
            "A path length is a number from 0 to 99: how many CAs may follow this one in a chain.",
        )
    return int(text)


def _validity(texts: FieldTexts, now: datetime) -> tuple[datetime, datetime | None]:
    begins = read_time(CertificateField.NOT_BEFORE, texts.not_before) or now.replace(microsecond=0)
    days = read_days(texts.days)
    ends = read_time(CertificateField.NOT_AFTER, texts.not_after)
    if days is not None and ends is not None:
        raise FieldError(CertificateField.DAYS, "Give the number of days or the end, not both.")
    if days is not None:
        ends = days_after(begins, days)
    if ends is not None and ends <= begins:
        raise FieldError(
            CertificateField.NOT_AFTER,
            f"The validity ends before it begins: it begins at {utc_text(begins)}, "
            f"and ends at {utc_text(ends)}.",
        )
    return begins, ends
