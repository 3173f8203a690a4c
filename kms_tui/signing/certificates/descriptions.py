"""What certificates, CSRs and CRLs say, and whether their signatures verify: for people and for programs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import SignatureAlgorithmOID

from kms_tui.signing.certificates.alternative_names import name_kind, name_value
from kms_tui.signing.certificates.certificate_files import UNREADABLE_EXTENSIONS, X509Object, kind_of
from kms_tui.signing.certificates.extension_texts import extension_name, extension_text
from kms_tui.signing.certificates.serials import serial_text
from kms_tui.signing.certificates.subjects import subject_text
from kms_tui.signing.certificates.usages import key_text
from kms_tui.signing.certificates.validity import validity_words
from kms_tui.signing.times import utc_text

_SHOWN = 20
"""Revoked certificates that are told one by one to people."""


@dataclass(frozen=True, slots=True)
class ExtensionText:
    """One extension in words; untrusted text."""

    name: str
    oid: str
    is_critical: bool
    text: str


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """Whether a signature verifies; ``is_good`` is None where the signer's certificate is not there."""

    algorithm: str
    is_good: bool | None
    words: str
    """By whose key, or why it was not checked; untrusted text."""


@dataclass(frozen=True, slots=True)
class X509Description:
    """All that is told about a certificate, CSR or CRL. Untrusted text; missing parts are "" or None."""

    kind: str
    signature: SignatureCheck
    sha256: str
    subject: str | None = None
    issuer: str | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    validity: str = ""
    days_left: int | None = None
    """Whole days; negative where it is expired."""
    serial: int | None = None
    names: tuple[tuple[str, str], ...] = ()
    key: str = ""
    key_sha256: str = ""
    """Of the SubjectPublicKeyInfo in DER, as ``PublicKey.fingerprint``."""
    revoked: tuple[tuple[int, str, datetime], ...] | None = None
    """Serial, reason and date."""
    extensions: tuple[ExtensionText, ...] = ()

    def lines(self) -> Iterator[tuple[str, str]]:
        """Pairs of a label and a text, for people."""
        rows: tuple[tuple[str, str | None], ...] = (
            ("subject", "none" if self.subject == "" else self.subject),
            ("issuer", self.issuer),
            ("begins", None if self.begins is None else utc_text(self.begins)),
            ("next" if self.kind == "CRL" else "ends", self._end()),
            *(("name", f"{kind} {value}") for kind, value in self.names),
            ("serial", None if self.serial is None else serial_text(self.serial)),
            ("key", self.key),
            ("key SHA-256", self.key_sha256),
            ("SHA-256", self.sha256),
            ("signature", f"{self.signature.algorithm}: {self.signature.words}"),
        )
        yield from ((label, text) for label, text in rows if text)
        for extension in self.extensions:
            critical = " (critical)" if extension.is_critical else ""
            yield f"{extension.name}{critical}", extension.text
        if self.revoked is not None:
            yield "revoked", f"{len(self.revoked):,}"
            for serial, reason, date in self.revoked[:_SHOWN]:
                yield serial_text(serial), f"{reason}, {utc_text(date)}"
            if len(self.revoked) > _SHOWN:
                yield "…", f"{len(self.revoked) - _SHOWN:,} more; --format json has them all"

    def _end(self) -> str | None:
        return None if self.ends is None else f"{utc_text(self.ends)}: {self.validity}"

    @property
    def _members(self) -> tuple[str, str]:
        """The names of the two times in JSON: those of a CRL are of its updates."""
        return ("this_update", "next_update") if self.kind == "CRL" else ("not_before", "not_after")

    def as_dict(self) -> Mapping[str, Any]:
        """For JSON; members that this kind has not are left out."""
        told = {
            "kind": self.kind,
            "subject": self.subject,
            "issuer": self.issuer,
            self._members[0]: _iso(self.begins),
            self._members[1]: _iso(self.ends),
            "validity": self.validity or None,
            "days_left": self.days_left,
            "serial": None if self.serial is None else serial_text(self.serial),
            "names": [{"type": kind, "value": value} for kind, value in self.names] or None,
            "key": self.key or None,
            "key_sha256": self.key_sha256 or None,
            "sha256": self.sha256,
            "signature": {
                "algorithm": self.signature.algorithm,
                "verified": self.signature.is_good,
                "explanation": self.signature.words,
            },
            "extensions": [
                {"name": each.name, "oid": each.oid, "critical": each.is_critical, "value": each.text}
                for each in self.extensions
            ],
            "revoked": None
            if self.revoked is None
            else [
                {"serial": serial_text(serial), "reason": reason, "date": _iso(date)}
                for serial, reason, date in self.revoked
            ],
        }
        return {name: value for name, value in told.items() if value is not None}


def describe_all(
    objects: Sequence[X509Object], now: datetime, authorities: Sequence[x509.Certificate] = ()
) -> tuple[X509Description, ...]:
    """Describe what a file holds; signatures are checked with its own certificates and ``authorities``."""
    chain = [each for each in objects if isinstance(each, x509.Certificate)]
    return tuple(_describe(each, now, [*authorities, *chain]) for each in objects)


def _describe(found: X509Object, now: datetime, signers: Sequence[x509.Certificate]) -> X509Description:
    common: dict[str, Any] = {
        "kind": kind_of(found),
        "signature": _signature(found, signers),
        "sha256": hashlib.sha256(found.public_bytes(Encoding.DER)).hexdigest(),
        "extensions": _extensions(found),
    }
    if isinstance(found, x509.CertificateRevocationList):
        ends = found.next_update_utc
        return X509Description(
            **common,
            issuer=subject_text(found.issuer),
            begins=found.last_update_utc,
            ends=ends,
            validity="" if ends is None else validity_words(found.last_update_utc, ends, now),
            revoked=tuple(map(_revoked, found)),
        )
    key, key_sha256 = _key(found)
    common |= {"subject": subject_text(found.subject), "key": key, "key_sha256": key_sha256}
    common["names"] = _alternative_names(found)
    if isinstance(found, x509.CertificateSigningRequest):
        return X509Description(**common)
    begins, ends = found.not_valid_before_utc, found.not_valid_after_utc
    return X509Description(
        **common,
        issuer=subject_text(found.issuer),
        begins=begins,
        ends=ends,
        validity=validity_words(begins, ends, now),
        days_left=(ends - now).days,
        serial=found.serial_number,
    )


def _signature(found: X509Object, signers: Sequence[x509.Certificate]) -> SignatureCheck:
    algorithm = _algorithm(found)
    if isinstance(found, x509.CertificateSigningRequest):
        is_good = _verifies_itself(found)
        words = "verified with its own key" if is_good else "DOES NOT VERIFY with its own key"
        return SignatureCheck(algorithm, is_good, words)
    named = [each for each in signers if each.subject == found.issuer]
    for signer in named:
        if _signed_by(found, signer):
            own = signer == found
            words = "its own key (self-signed)" if own else f"the key of {subject_text(signer.subject)}"
            return SignatureCheck(algorithm, True, f"verified with {words}")
    if named:
        return SignatureCheck(
            algorithm, False, f"DOES NOT VERIFY with the key of {subject_text(found.issuer)}"
        )
    return SignatureCheck(
        algorithm, None, "not checked: the issuer's certificate is not there (--ca gives it)"
    )


def _signed_by(found: x509.Certificate | x509.CertificateRevocationList, signer: x509.Certificate) -> bool:
    try:
        if isinstance(found, x509.CertificateRevocationList):
            return found.is_signature_valid(signer.public_key())  # type: ignore[arg-type]
        found.verify_directly_issued_by(signer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _verifies_itself(request: x509.CertificateSigningRequest) -> bool:
    try:
        return request.is_signature_valid
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False


def _algorithm(found: X509Object) -> str:
    name = extension_name(found.signature_algorithm_oid)
    try:
        digest = found.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return name
    is_pss = found.signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS
    return f"RSASSA-PSS with {digest.name.upper()}" if is_pss and digest is not None else name


def _key(found: x509.Certificate | x509.CertificateSigningRequest) -> tuple[str, str]:
    try:
        public = found.public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return "of a kind that this program does not know", ""
    return key_text(public), hashlib.sha256(der).hexdigest()


def _alternative_names(
    found: x509.Certificate | x509.CertificateSigningRequest,
) -> tuple[tuple[str, str], ...]:
    try:
        value = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, *UNREADABLE_EXTENSIONS):
        return ()
    return tuple((name_kind(name), name_value(name)) for name in value)


def _extensions(found: X509Object) -> tuple[ExtensionText, ...]:
    try:
        return tuple(
            ExtensionText(
                extension_name(each.oid), each.oid.dotted_string, each.critical, extension_text(each.value)
            )
            for each in found.extensions
            if not isinstance(each.value, x509.SubjectAlternativeName)  # told as names
        )
    except UNREADABLE_EXTENSIONS:
        return (ExtensionText("extensions", "", False, "they cannot be read"),)


def _revoked(entry: x509.RevokedCertificate) -> tuple[int, str, datetime]:
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except (x509.ExtensionNotFound, *UNREADABLE_EXTENSIONS):
        reason = "unspecified"
    return entry.serial_number, reason, entry.revocation_date_utc


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
