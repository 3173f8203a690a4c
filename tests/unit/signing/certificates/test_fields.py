"""The texts of a form become checked fields, or an error that names the field."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.signing.certificates.alternative_names import host_name, name_text
from kms_tui.signing.certificates.certificate_fields import FieldTexts, read_fields
from kms_tui.signing.certificates.field_errors import CertificateField, FieldError
from kms_tui.signing.certificates.serials import read_serial, serial_text
from kms_tui.signing.certificates.usages import CertificatePurpose, require_fitting, usual_key_usage
from kms_tui.signing.certificates.validity import validity_words

NOW = datetime(2026, 11, 20, 10, 30, 15, 99, tzinfo=UTC)
SOUND = FieldTexts(subject="CN=web,O=Example")


def names(**texts: str) -> list[str]:
    return [name_text(name) for name in read_fields(replace(SOUND, **texts), NOW).names]  # type: ignore[arg-type]


def test_names_of_each_kind_in_one_text_each() -> None:
    assert names(
        dns="*.example.com, Bücher.example\nlocalhost example.org.",
        ip="10.0.0.1 [::1]",
        email="ann@example.com",
        uri="spiffe://example.com/a,b urn:x:y",
    ) == [
        "DNS *.example.com",
        "DNS xn--bcher-kva.example",
        "DNS localhost",
        "DNS example.org",
        "IP 10.0.0.1",
        "IP ::1",
        "e-mail ann@example.com",
        "URI spiffe://example.com/a,b",
        "URI urn:x:y",
    ]


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("dns", "10.0.0.1", "is an IP address, not a DNS name"),
        ("dns", "::1", "is an IP address"),
        ("dns", "ann@example.com", "is an e-mail address, not"),
        ("dns", "https://example.com", "is a URI, not"),
        ("dns", "example.com:443", "has a port"),
        ("dns", "*", "not the whole leftmost label"),
        ("dns", "w*.example.com", "not the whole leftmost label"),
        ("dns", "www.*.com", "not the whole leftmost label"),
        ("dns", "*.*.com", "not the whole leftmost label"),
        ("dns", "a_b.example.com", "“a_b” is not 1 to 63"),
        ("dns", "-a.example.com", "“-a” is not"),
        ("dns", "a..b", "“” is not"),
        ("dns", "a" * 64 + ".com", "is not 1 to 63"),
        ("dns", ".".join(["a" * 60] * 5), "has 304 characters"),
        ("dns", "10.0.0.256", "its last part is a number"),
        ("dns", "a\0b.com", "has a character that no DNS name has"),
        ("dns", "☃\u202e.com", "has a character that no DNS name has"),
        ("dns", "xn--\u00fc.example", "nor an internationalized one"),
        ("dns", "\u2488com.example", "nor an internationalized one"),
        ("ip", "example.com", "is no IP address"),
        ("ip", "10.0.0.0/8", "is a network"),
        ("ip", "fe80::1%eth0", "has a zone"),
        ("ip", "010.0.0.1", "is no IP address"),
        ("email", "ann", "it has no @"),
        ("email", "@example.com", "no mailbox"),
        ("email", "a..b@example.com", "no mailbox"),
        ("email", "jürgen@example.com", "no mailbox in ASCII"),
        ("email", "ann@10.0.0.1", "is an IP address"),
        ("email", "ann@*.example.com", "leftmost label"),
        ("uri", "example.com", "is no URI"),
        ("uri", "https://", "is no URI"),
        ("uri", "https:///x", "its host is empty"),
        ("uri", "https://[x", "its host cannot be read"),
        ("uri", "https://é.example", "is no URI of ASCII"),
        ("uri", "urn:" + "x" * 3000, "2,048 are the most"),
        ("dns", " ".join(f"h{number}.example" for number in range(1001)), "1,001 names are too many"),
        ("purpose", "web", "“web” is no purpose"),
        ("key_usage", "signing", "“signing” is no key usage"),
        ("extended_key_usage", "web", "“web” is no extended key usage"),
        ("extended_key_usage", "9.1", "is no extended key usage"),
        ("path_length", "0", "for the certificate of a CA"),
        ("days", "0", "no number of days from 1 on"),
        ("days", "-3", "no number of days"),
        ("days", "1.5", "no number of days"),
        ("days", "٣", "no number of days"),
        ("days", "9" * 50, "after 9999-12-31"),
        ("not_before", "tomorrow", "“tomorrow” is no time"),
        ("not_before", "1949-01-01", "before 1950"),
        ("not_before", "0001-01-01T00:00:00+14:00", "is no time"),
        ("not_after", "2026-11-20", "ends before it begins"),
        ("not_after", "2026-11-20T10:30:15Z", "ends before it begins"),
        ("serial", "0", "greater than 0"),
        ("serial", "1" * 55, "at most 20 bytes"),
        ("serial", "80" + ":00" * 19, "at most 20 bytes"),
        ("serial", "xyz", "is no serial number"),
        ("serial", "-1", "is no serial number"),
    ],
)
def test_each_error_names_its_field(field: str, text: str, sentence: str) -> None:
    texts = replace(SOUND, **{field: text})  # type: ignore[arg-type]
    with pytest.raises(FieldError) as raised:
        read_fields(texts, NOW)
    assert sentence in str(raised.value)
    assert raised.value.field == field.replace("_", "-")
    assert len(str(raised.value)) < 250


def test_fields_that_contradict_each_other() -> None:
    for texts, field in (
        (replace(SOUND, days="3", not_after="2027-01-01"), CertificateField.DAYS),
        (replace(SOUND, is_ca=True, purpose="server"), CertificateField.PURPOSE),
        (replace(SOUND, is_ca=True, path_length="x"), CertificateField.PATH_LENGTH),
        (FieldTexts(), CertificateField.SUBJECT),
        (FieldTexts(dns="ca.example", is_ca=True), CertificateField.SUBJECT),
    ):
        with pytest.raises(FieldError) as raised:
            read_fields(texts, NOW)
        assert raised.value.field is field


def test_a_host_as_common_name_becomes_a_dns_name() -> None:
    fields = read_fields(FieldTexts(subject="CN=www.example.com", ip="10.0.0.1"), NOW)
    assert [name_text(name) for name in fields.names] == ["DNS www.example.com", "IP 10.0.0.1"]
    assert fields.notes == ("The common name is taken as DNS name too: www.example.com.",)
    for texts in (
        FieldTexts(subject="CN=web"),
        FieldTexts(subject="CN=Example Root 1.0"),
        FieldTexts(subject="CN=www.example.com", purpose="client"),
        FieldTexts(subject="CN=www.example.com", is_ca=True),
        FieldTexts(subject="CN=www.example.com", extended_key_usage="codeSigning"),
        FieldTexts(subject="CN=ann.example", email="ann@example.com"),
    ):
        assert not any(isinstance(name, x509.DNSName) for name in read_fields(texts, NOW).names)


def test_a_common_name_that_no_client_looks_at_is_noted() -> None:
    fields = read_fields(FieldTexts(subject="CN=a.example", dns="b.example"), NOW)
    assert fields.notes == (
        "The common name a.example is not among the DNS names: clients do not look at it.",
    )
    assert read_fields(FieldTexts(subject="CN=A.example", dns="a.example"), NOW).notes == ()


@pytest.mark.parametrize(
    ("texts", "purpose"),
    [
        (FieldTexts(subject="CN=x", dns="a.example"), CertificatePurpose.SERVER),
        (FieldTexts(subject="CN=x", ip="::1"), CertificatePurpose.SERVER),
        (FieldTexts(subject="CN=x", email="a@b.example"), CertificatePurpose.EMAIL),
        (FieldTexts(subject="CN=x", uri="spiffe://a/b"), CertificatePurpose.GENERAL),
        (FieldTexts(subject="CN=x"), CertificatePurpose.GENERAL),
        (FieldTexts(subject="CN=x", is_ca=True), CertificatePurpose.CA),
        (FieldTexts(subject="CN=x", purpose=" CODE "), CertificatePurpose.CODE),
    ],
)
def test_the_purpose_follows_from_the_names(texts: FieldTexts, purpose: CertificatePurpose) -> None:
    assert read_fields(texts, NOW).purpose is purpose


def test_usages_are_given_by_name_or_oid() -> None:
    texts = replace(
        SOUND, key_usage="digitalsignature, contentCommitment", extended_key_usage="clientAuth 1.2.3.4"
    )
    fields = read_fields(texts, NOW)
    assert fields.key_usage == frozenset({"digitalSignature", "nonRepudiation"})
    assert fields.extended == (ExtendedKeyUsageOID.CLIENT_AUTH, x509.ObjectIdentifier("1.2.3.4"))


def test_validity_from_days_and_from_times() -> None:
    fields = read_fields(replace(SOUND, days="90"), NOW)
    assert (fields.begins, fields.ends) == (
        NOW.replace(microsecond=0),
        NOW.replace(microsecond=0) + timedelta(90),
    )
    fields = read_fields(replace(SOUND, not_before="2027-01-31", not_after="2027-02-01T01:00:00+02:00"), NOW)
    assert fields.begins == datetime(2027, 1, 31, tzinfo=UTC)
    assert fields.ends == datetime(2027, 1, 31, 23, tzinfo=UTC)
    past = read_fields(replace(SOUND, not_before="2020-01-01", days="1"), NOW)
    assert past.notes == ("The certificate is expired already: it ends at 2020-01-02 00:00:00 UTC.",)


@pytest.mark.parametrize(
    ("text", "serial"),
    [("4711", 4711), ("0x1A", 26), ("1a2b", 0x1A2B), ("01:ab", 0x1AB), ("7f" + ":ff" * 19, 2**159 - 1)],
)
def test_serials_in_decimal_and_hex(text: str, serial: int) -> None:
    assert read_serial(text) == serial


@settings(max_examples=50)
@given(st.integers(1, 2**159 - 1))
def test_a_serial_that_is_written_is_read_again(serial: int) -> None:
    written = serial_text(serial)
    assert read_serial(written if ":" in written else f"0x{written}") == serial
    assert read_serial(str(serial)) == serial


@settings(max_examples=100)
@given(st.sampled_from(list(CertificateField)), st.text(max_size=30))
def test_any_text_is_taken_or_named(field: CertificateField, text: str) -> None:
    attribute = field.replace("-", "_")
    if attribute not in FieldTexts.__dataclass_fields__:
        return
    wrong = {field}
    try:
        read_fields(replace(SOUND, **{attribute: text}), NOW)  # type: ignore[arg-type]
    except FieldError as error:
        wrong.add(error.field)
    assert wrong <= {field, CertificateField.NOT_AFTER}


@settings(max_examples=100)
@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_a_host_name_is_ascii_and_stays_what_it_is(text: str) -> None:
    try:
        name = host_name(text)
    except ValueError:
        return
    assert name.isascii()
    assert host_name(name) == name


RSA, P256, ED25519 = (
    rsa.generate_private_key(65537, 2048).public_key(),
    ec.generate_private_key(ec.SECP256R1()).public_key(),
    ed25519.Ed25519PrivateKey.generate().public_key(),
)


def test_key_usages_fit_the_kind_of_key() -> None:
    server = CertificatePurpose.SERVER
    assert usual_key_usage(server, RSA, signs_only=False) == {"digitalSignature", "keyEncipherment"}
    assert usual_key_usage(server, RSA, signs_only=True) == {"digitalSignature"}
    assert usual_key_usage(server, P256, signs_only=False) == {"digitalSignature"}
    refused: list[tuple[Any, set[str], str]] = [
        (P256, {"keyEncipherment"}, "keyEncipherment is nothing for a P-256 key"),
        (ED25519, {"keyAgreement"}, "keyAgreement is nothing for an Ed25519 key"),
        (RSA, {"keyAgreement"}, "keyAgreement is nothing for an RSA key"),
        (RSA, {"keyCertSign"}, "keyCertSign is for CAs"),
        (P256, {"digitalSignature", "encipherOnly"}, "with keyAgreement only"),
    ]
    for key, usages, sentence in refused:
        with pytest.raises(FieldError, match=sentence):
            require_fitting(frozenset(usages), key, is_ca=False)
    with pytest.raises(FieldError, match="could not issue"):
        require_fitting(frozenset({"digitalSignature"}), P256, is_ca=True)
    require_fitting(frozenset({"keyAgreement", "digitalSignature"}), P256, is_ca=False)


@pytest.mark.parametrize(
    ("begins", "ends", "words"),
    [
        (-1, 89, "89 d left"),
        (-1, 1.5, "1 d left"),
        (-1, 1 / 1440, "1 min left"),
        (-9, -3, "expired 3 d ago"),
        (2, 9, "begins in 2 d"),
    ],
)
def test_validity_in_words(begins: float, ends: float, words: str) -> None:
    assert validity_words(NOW + timedelta(begins), NOW + timedelta(ends), NOW) == words
