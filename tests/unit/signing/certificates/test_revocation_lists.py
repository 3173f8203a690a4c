"""CRLs: who is revoked, carried on from the CRL before, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.backend.kms_facade import Kms
from kms_tui.signing.certificates.certificate_files import CertificateFileError
from kms_tui.signing.certificates.field_errors import CertificateField, FieldError
from kms_tui.signing.certificates.revocation_lists import (
    REASONS,
    Revocation,
    carried_on,
    merged,
    read_number,
    revocation,
    serial_of,
    split_revocation,
    unsigned_revocation_list,
)
from kms_tui.signing.signing_key import SigningError, SigningKey, open_signing_key
from tests.unit.signing.certificates.test_issuing import CA, KEY, own_root, root, usage
from tests.unit.signing.certificates.test_matrix import sign_all
from tests.unit.signing.judges import NOW

HOLD, GOOD = x509.ReasonFlags.certificate_hold, x509.ReasonFlags.key_compromise


@pytest.fixture
def ca_key(signing_account: Kms) -> SigningKey:
    return open_signing_key(signing_account, "alias/ECC_NIST_P384")


def entry(serial: int, reason: x509.ReasonFlags = GOOD) -> Revocation:
    return Revocation(serial, reason, NOW - timedelta(1))


def test_entries_are_carried_on(ca_key: SigningKey) -> None:
    ca = root(ca_key)
    entries = (entry(7), entry(8, HOLD), entry(9, x509.ReasonFlags.unspecified))
    made = unsigned_revocation_list(ca_key, ca, entries, days=3, number=41, now=NOW).sign()
    assert carried_on(made, ca, "ca.crl") == (entries, 41)
    assert made.next_update_utc == NOW + timedelta(3)
    found = made.get_revoked_certificate_by_serial_number(9)
    assert found is not None
    assert len(found.extensions) == 0
    identifier = made.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert (
        identifier.key_identifier
        == ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    )


def test_a_certificate_is_revoked_once_and_comes_off_hold() -> None:
    old = (entry(7), entry(8, HOLD))
    assert merged(old, [entry(9)]) == (*old, entry(9))
    assert merged(old, [entry(8, x509.ReasonFlags.remove_from_crl)]) == (entry(7),)
    assert merged(old, [entry(8, GOOD)]) == (entry(7), entry(8, GOOD))
    refused = [
        ([entry(7)], "07 is revoked already, since "),
        ([entry(7, x509.ReasonFlags.remove_from_crl)], "07 is not on hold"),
        ([entry(6, x509.ReasonFlags.remove_from_crl)], "06 is not on hold"),
        ([entry(9), entry(9)], "09 is named twice"),
    ]
    for new, sentence in refused:
        with pytest.raises(FieldError, match=sentence) as raised:
            merged(old, new)
        assert raised.value.field is CertificateField.REVOKE


@settings(max_examples=40)
@given(st.sets(st.integers(1, 30)), st.sets(st.integers(31, 60)))
def test_nobody_is_lost(old: set[int], new: set[int]) -> None:
    all_of = merged(map(entry, old), [entry(serial) for serial in new])
    assert {each.serial for each in all_of} == old | new


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("0x1f", ("0x1f", "", "")),
        ("web.pem,keyCompromise", ("web.pem", "keyCompromise", "")),
        ("a,b.pem,superseded,2026-11-20", ("a,b.pem", "superseded", "2026-11-20")),
    ],
)
def test_a_revocation_is_split(text: str, parts: tuple[str, str, str]) -> None:
    assert split_revocation(text) == parts


def test_reasons_and_dates() -> None:
    for name, reason in REASONS.items():
        assert revocation(1, name.upper(), "", NOW).reason is reason
    assert revocation(1, "", "2026-11-20", NOW).date == datetime(2026, 11, 20, tzinfo=UTC)
    assert revocation(1, "", "", NOW) == Revocation(1, x509.ReasonFlags.unspecified, NOW)
    with pytest.raises(FieldError, match=r"“stolen” is no reason."):
        split_revocation("7,stolen")
    with pytest.raises(FieldError, match="“soon” is no time"):
        revocation(1, "", "soon", NOW)
    with pytest.raises(FieldError, match="is in the future"):
        revocation(1, "", "2199-01-01", NOW)


def test_numbers_grow() -> None:
    assert read_number("", 4) == 5
    assert read_number("7", 4) == read_number("7", None) == 7
    for text, previous, sentence in (
        ("", None, "A CRL has a number"),
        ("x", None, "“x” is no number"),
        ("4", 4, "The CRL before has the number 4"),
        ("9" * 60, None, "is no number"),
    ):
        with pytest.raises(FieldError, match=sentence):
            read_number(text, previous)


def test_only_what_the_ca_issued_is_revoked(signing_account: Kms, ca_key: SigningKey) -> None:
    made = sign_all(open_signing_key(signing_account, "alias/ECC_NIST_P256"))
    assert serial_of(made.issued, made.root, "web.pem") == made.issued.serial_number
    with pytest.raises(CertificateFileError, match=r"web.pem was not issued by this CA \(CN=Root"):
        serial_of(made.issued, root(ca_key), "web.pem")


def stranger_crl(
    ca: x509.Certificate, key: Any, *extensions: x509.ExtensionType
) -> x509.CertificateRevocationList:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.subject)
        .last_update(NOW)
        .next_update(NOW + timedelta(1))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, True)
    return builder.sign(key, hashes.SHA256())


def test_another_crl_is_not_carried_on(signing_account: Kms, ca_key: SigningKey) -> None:
    ca = root(ca_key)
    other = sign_all(open_signing_key(signing_account, "alias/ECC_NIST_P256"))
    for crl in (stranger_crl(ca, KEY), other.revoked):
        with pytest.raises(CertificateFileError, match=r"The CRL old.crl was not signed by this CA"):
            carried_on(crl, ca, "old.crl")
    own = (
        x509.CertificateBuilder()
        .subject_name(ca.subject)
        .issuer_name(ca.subject)
        .public_key(KEY.public_key())
    )
    own_ca = own.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(1))
    partial = stranger_crl(ca, KEY, x509.DeltaCRLIndicator(1))
    with pytest.raises(CertificateFileError, match="is a part of one"):
        carried_on(partial, own_ca.sign(KEY, hashes.SHA256()), "old.crl")


def test_a_ca_that_may_not_sign_crls(ca_key: SigningKey, calls: list[str]) -> None:
    ca = own_root(ca_key, CA, usage("key_cert_sign"))
    with pytest.raises(CertificateFileError, match="its key usage lacks cRLSign"):
        unsigned_revocation_list(ca_key, ca, [], days=1, number=1, now=NOW)
    assert calls == []


def test_a_crl_that_outlives_its_ca_is_noted(ca_key: SigningKey) -> None:
    ready = unsigned_revocation_list(ca_key, root(ca_key), [], days=101, number=1, now=NOW)
    assert ready.notes[0].startswith("The CA's certificate ends before the next CRL is due, at ")
    with pytest.raises(FieldError, match="20 bytes"):
        unsigned_revocation_list(ca_key, root(ca_key), [], days=1, number=1 << 159, now=NOW)


def test_the_preview_tells_the_first_entries(signing_account: Kms) -> None:
    key = open_signing_key(signing_account, "alias/ECC_NIST_EDWARDS25519")
    entries = [entry(serial) for serial in range(1, 301)]
    ready = unsigned_revocation_list(key, root(key), entries, days=1, number=1, now=NOW)
    told = dict(ready.lines)
    assert told["revoked"] == "300 certificates"
    assert told["14"].startswith("keyCompromise, ")
    assert told["…"] == "280 more"
    with pytest.raises(SigningError, match="at most 4,096 bytes"):
        ready.sign()
