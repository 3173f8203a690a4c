"""CRLs of a KMS key that is a CA: who is revoked, why and since when; complete ones, no deltas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from kms_tui.signing.certificates.certificate_files import UNREADABLE_EXTENSIONS, CertificateFileError
from kms_tui.signing.certificates.field_errors import CertificateField, FieldError
from kms_tui.signing.certificates.issuing import issuer_of, key_identifier, require_issuer
from kms_tui.signing.certificates.serials import serial_text
from kms_tui.signing.certificates.subjects import subject_text
from kms_tui.signing.certificates.unsigned import Unsigned, algorithm_for, certified_key
from kms_tui.signing.certificates.usages import CRL_SIGN
from kms_tui.signing.certificates.validity import days_after, days_words, read_time
from kms_tui.signing.signing_key import SigningKey
from kms_tui.signing.times import utc_text
from kms_tui.visible import visible

REASONS = {reason.value: reason for reason in x509.ReasonFlags}
"""The names of RFC 5280, 5.3.1."""
_BY_LOWER = {name.lower(): reason for name, reason in REASONS.items()}
_MOST_NUMBER = 1 << 159
"""Twenty bytes with a sign (RFC 5280, 5.2.3)."""
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Revocation:
    """One certificate that is revoked."""

    serial: int
    reason: x509.ReasonFlags
    date: datetime


def split_revocation(text: str) -> tuple[str, str, str]:
    """WHAT[,REASON[,DATE]] as its three parts, "" where one is missing; WHAT may have commas itself."""
    parts = text.split(",")
    if len(parts) > 2 and parts[-2].strip().lower() in _BY_LOWER:
        return ",".join(parts[:-2]), parts[-2], parts[-1]
    if len(parts) > 1 and parts[-1].strip().lower() in _BY_LOWER:
        return ",".join(parts[:-1]), parts[-1], ""
    if len(parts) > 1:
        raise FieldError(
            CertificateField.REVOKE,
            f"“{visible(parts[1].strip()[:60])}” is no reason.",
            next_step=f"There are {', '.join(REASONS)}.",
        )
    return text, "", ""


def revocation(serial: int, reason: str, date: str, now: datetime) -> Revocation:
    """A revocation of these texts; "" is no reason (unspecified), and now. FieldError."""
    since = read_time(CertificateField.REVOKE, date) or now.replace(microsecond=0)
    if since > now:
        raise FieldError(
            CertificateField.REVOKE,
            f"The revocation of {serial_text(serial)} is in the future: {utc_text(since)}.",
        )
    return Revocation(serial, _BY_LOWER[reason.strip().lower() or "unspecified"], since)


def serial_of(certificate: x509.Certificate, ca: x509.Certificate, name: str) -> int:
    """The serial of a certificate that the CA issued. CertificateFileError where it did not."""
    try:
        certificate.verify_directly_issued_by(ca)
    except Exception as error:  # the library raises four kinds, for names, keys, algorithms and signatures
        raise CertificateFileError(
            f"The certificate {name} was not issued by this CA ({subject_text(ca.subject)}), so its CRL says "
            "nothing about it."
        ) from error
    return certificate.serial_number


def read_number(text: str, previous: int | None) -> int:
    """The CRL's number; "" is the one after ``previous``. FieldError."""
    text = text.strip()
    if not text and previous is not None:
        return previous + 1
    if not (text.isascii() and text.isdigit() and len(text) < 49):
        raise FieldError(
            CertificateField.NUMBER,
            f"“{visible(text[:60])}” is no number." if text else "A CRL has a number, which grows with each.",
            next_step="The first CRL of a CA has the number 1; --from takes the next one of its own.",
        )
    number = int(text)
    if previous is not None and number <= previous:
        raise FieldError(
            CertificateField.NUMBER,
            f"The CRL before has the number {previous:,}: this one needs a higher one.",
        )
    return number


def carried_on(
    old: x509.CertificateRevocationList, ca: x509.Certificate, name: str
) -> tuple[tuple[Revocation, ...], int | None]:
    """The revocations of an earlier CRL of the same CA, and its number. CertificateFileError."""
    try:
        is_own = old.issuer == ca.subject and old.is_signature_valid(ca.public_key())  # type: ignore[arg-type]
        extensions = {type(each.value): each.value for each in old.extensions}
        entries = tuple(map(_entry, old))
    except UNREADABLE_EXTENSIONS:
        raise CertificateFileError(f"The CRL {name} cannot be read, or not be checked.") from None
    if not is_own:
        raise CertificateFileError(f"The CRL {name} was not signed by this CA ({subject_text(ca.subject)}).")
    if extensions.keys() & {x509.DeltaCRLIndicator, x509.IssuingDistributionPoint}:
        raise CertificateFileError(
            f"The CRL {name} is a part of one (a delta, or of one distribution point), not a whole one."
        )
    number = extensions.get(x509.CRLNumber)
    return entries, number.crl_number if isinstance(number, x509.CRLNumber) else None


def _entry(revoked: x509.RevokedCertificate) -> Revocation:
    found = {type(each.value): each.value for each in revoked.extensions}
    reason = found.get(x509.CRLReason)
    return Revocation(
        revoked.serial_number,
        reason.reason if isinstance(reason, x509.CRLReason) else x509.ReasonFlags.unspecified,
        revoked.revocation_date_utc,
    )


def merged(old: Iterable[Revocation], new: Sequence[Revocation]) -> tuple[Revocation, ...]:
    """The revocations of the next CRL: a later one of a certificate on hold replaces it.

    ``removeFromCRL`` takes a certificate off hold. FieldError for it otherwise, and for a certificate that is
    revoked for good already, or named twice.
    """
    kept = {each.serial: each for each in old}
    named: set[int] = set()
    for each in new:
        before = kept.get(each.serial)
        on_hold = before is not None and before.reason is x509.ReasonFlags.certificate_hold
        shown = serial_text(each.serial)
        if each.serial in named:
            raise _refused(f"{shown} is named twice.")
        named.add(each.serial)
        if each.reason is x509.ReasonFlags.remove_from_crl:
            if not on_hold:
                raise _refused(f"{shown} is not on hold (certificateHold) in the CRL before.")
            del kept[each.serial]
            continue
        if before is not None and not on_hold:
            raise _refused(
                f"{shown} is revoked already, since {utc_text(before.date)} ({before.reason.value})."
            )
        kept[each.serial] = each
    return tuple(kept.values())


def _refused(sentence: str) -> FieldError:
    return FieldError(CertificateField.REVOKE, sentence)


def unsigned_revocation_list(
    key: SigningKey,
    ca: x509.Certificate,
    revocations: Sequence[Revocation],
    *,
    days: int,
    number: int,
    now: datetime,
    algorithm: str = "",
    ca_name: str = "of the CA",
) -> Unsigned[x509.CertificateRevocationList]:
    """The CRL of a CA, from ``now`` on. CertificateFileError, FieldError, SigningError."""
    if number >= _MOST_NUMBER:
        raise FieldError(CertificateField.NUMBER, "A CRL's number has at most 20 bytes (RFC 5280).")
    issuer_of((ca,), key, ca_name)
    require_issuer(ca, CRL_SIGN, ca_name)
    algorithm = algorithm_for(key, algorithm)
    certified_key(key)
    begins = now.replace(microsecond=0)
    ends = days_after(begins, days)
    # add_revoked_certificate copies the list each time: 40,000 entries would take 4 s.
    builder = (
        x509.CertificateRevocationListBuilder(revoked_certificates=list(map(_revoked, revocations)))
        .issuer_name(ca.subject)
        .last_update(begins)
        .next_update(ends)
        .add_extension(key_identifier(ca, key), False)
        .add_extension(x509.CRLNumber(number), False)
    )
    notes: tuple[str, ...] = ()
    if ca.not_valid_after_utc < ends:
        notes = (
            f"The CA's certificate ends before the next CRL is due, at {utc_text(ca.not_valid_after_utc)}.",
        )
    lines = (
        ("issuer", subject_text(ca.subject)),
        ("begins", utc_text(begins)),
        ("next", f"{utc_text(ends)}, after {days_words(ends - begins)}"),
        ("number", f"{number:,}"),
        ("revoked", f"{len(revocations):,} certificates" if len(revocations) != 1 else "1 certificate"),
        *((serial_text(each.serial), _words(each)) for each in revocations[:_SHOWN]),
        *((("…", f"{len(revocations) - _SHOWN:,} more"),) if len(revocations) > _SHOWN else ()),
        ("signed by", key.arn),
        ("algorithm", algorithm),
    )
    return Unsigned(key, algorithm, lines, notes, builder)


def _words(each: Revocation) -> str:
    return f"{each.reason.value}, {utc_text(each.date)}"


def _revoked(each: Revocation) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder().serial_number(each.serial).revocation_date(each.date)
    if each.reason is not x509.ReasonFlags.unspecified:  # which is said by leaving it out (RFC 5280, 5.3.1)
        builder = builder.add_extension(x509.CRLReason(each.reason), False)
    return builder.build()
