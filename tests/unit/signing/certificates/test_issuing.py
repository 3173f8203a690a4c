"""A KMS key issues as a CA: what is safe is copied, and what stands against it is found before signing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.errors import KmsTuiError
from kms_tui.signing.certificates.alternative_names import name_text
from kms_tui.signing.certificates.certificate_builders import unsigned_request, unsigned_self_signed
from kms_tui.signing.certificates.certificate_fields import FieldTexts, read_fields
from kms_tui.signing.certificates.certificate_files import CertificateFileError
from kms_tui.signing.certificates.copied_fields import asked_for, copied_from
from kms_tui.signing.certificates.field_errors import CertificateField, FieldError
from kms_tui.signing.certificates.issuing import issuer_of, require_request, unsigned_issued
from kms_tui.signing.certificates.unsigned import Unsigned
from kms_tui.signing.certificates.usages import EXTENDED_KEY_USAGES, extended_name, key_usage_names
from kms_tui.signing.signing_key import SigningError, SigningKey, open_signing_key
from tests.unit.signing.judges import NOW

KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
ROOT = FieldTexts(subject="CN=Root,O=Example", is_ca=True, days="100")
X400 = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, bytes.fromhex("3002a300"))
"""An alternative name of a kind (x400Address) that the library does not read."""


@pytest.fixture
def ca_key(signing_account: Kms) -> SigningKey:
    return open_signing_key(signing_account, "alias/ECC_NIST_P384")


def root(ca_key: SigningKey, **changes: Any) -> x509.Certificate:
    return unsigned_self_signed(ca_key, read_fields(replace(ROOT, **changes), NOW)).sign()


def csr(
    *extensions: x509.ExtensionType, subject: str = "db", key: Any = KEY
) -> x509.CertificateSigningRequest:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    for extension in extensions:
        builder = builder.add_extension(extension, False)
    return builder.sign(key, hashes.SHA256())


def issue(
    ca_key: SigningKey,
    ca: x509.Certificate,
    request: x509.CertificateSigningRequest,
    texts: FieldTexts | None = None,
) -> Unsigned[x509.Certificate]:
    copied = asked_for(request, require_request(request, "db.csr"), "db.csr")
    fields = read_fields(texts or FieldTexts(days="5"), NOW, copied)
    return unsigned_issued(ca_key, ca, request, fields, NOW, ca_name="ca.pem", request_name="db.csr")


def value(certificate: x509.Certificate, kind: type[Any]) -> Any:
    return certificate.extensions.get_extension_for_class(kind).value


def names_of(certificate: x509.Certificate) -> list[str]:
    return [name_text(name) for name in value(certificate, x509.SubjectAlternativeName)]


def usage(*names: str) -> x509.KeyUsage:
    every = [
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ]
    return x509.KeyUsage(**{name: name in names for name in every})


def test_names_and_modest_usages_are_copied_from_a_csr(ca_key: SigningKey) -> None:
    request = csr(
        x509.SubjectAlternativeName(
            [x509.DNSName("DB.example.com"), x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))]
        ),
        usage("digital_signature", "key_encipherment", "key_cert_sign"),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.CODE_SIGNING]),
        x509.BasicConstraints(True, 3),
        x509.TLSFeature([x509.TLSFeatureType.status_request]),
    )
    ready = issue(ca_key, root(ca_key), request)
    made = ready.sign()
    assert names_of(made) == ["DNS DB.example.com"]
    assert key_usage_names(value(made, x509.KeyUsage)) == ("digitalSignature",)
    assert list(map(extended_name, value(made, x509.ExtendedKeyUsage))) == ["clientAuth"]
    assert value(made, x509.BasicConstraints) == x509.BasicConstraints(False, None)
    assert ready.notes == (
        "Not copied from db.csr: the registered id 1.2.3.",
        "Not copied from db.csr: the key usage keyEncipherment.",
        "Not copied from db.csr: the key usage keyCertSign.",
        "Not copied from db.csr: the extended key usage codeSigning; --extended-key-usage gives it.",
        "Not copied from db.csr: that it is a CA's (CA:true); --purpose ca gives it.",
        "Not copied from db.csr: the extension TLSFeature.",
    )


def test_what_the_issuer_wants_replaces_what_is_asked_for(ca_key: SigningKey) -> None:
    request = csr(x509.SubjectAlternativeName([x509.DNSName("a.example")]), key=RSA_KEY)
    texts = FieldTexts(subject="CN=x", dns="b.example", ip="::1", purpose="server", serial="0x11", days="3")
    made = issue(ca_key, root(ca_key), request, texts).sign()
    assert names_of(made) == ["DNS b.example", "IP ::1"]
    assert made.subject.rfc4514_string() == "CN=x"
    assert made.serial_number == 0x11
    assert key_usage_names(value(made, x509.KeyUsage)) == ("digitalSignature", "keyEncipherment")
    assert made.not_valid_after_utc - made.not_valid_before_utc == timedelta(3)
    assert made.public_key() == RSA_KEY.public_key()


def test_issuer_and_identifiers_are_those_of_the_ca(ca_key: SigningKey) -> None:
    ca = root(ca_key)
    made = issue(ca_key, ca, csr()).sign()
    assert made.issuer == ca.subject
    assert (
        value(made, x509.AuthorityKeyIdentifier).key_identifier == value(ca, x509.SubjectKeyIdentifier).digest
    )
    assert made.serial_number.bit_length() <= 159
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).critical
    assert made.extensions.get_extension_for_class(x509.KeyUsage).critical


def test_alternative_names_are_critical_without_a_subject(ca_key: SigningKey) -> None:
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(KEY, hashes.SHA256())
    made = issue(ca_key, root(ca_key), request, FieldTexts(dns="a.example")).sign()
    assert made.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical


def test_a_ca_under_a_ca(ca_key: SigningKey) -> None:
    asks = csr(x509.BasicConstraints(True, None))
    below = FieldTexts(purpose="ca", days="9")
    made = issue(ca_key, root(ca_key), asks, below).sign()
    assert value(made, x509.BasicConstraints) == x509.BasicConstraints(True, None)
    assert key_usage_names(value(made, x509.KeyUsage)) == ("keyCertSign", "cRLSign")
    made = issue(ca_key, root(ca_key, path_length="2"), asks, below).sign()
    assert value(made, x509.BasicConstraints).path_length == 1
    for length, field in (("2", CertificateField.PATH_LENGTH), ("0", CertificateField.CA)):
        limited = root(ca_key, path_length=length)
        with pytest.raises(FieldError, match="path length") as raised:
            issue(ca_key, limited, asks, replace(below, path_length="2"))
        assert raised.value.field is field
    own = unsigned_request(ca_key, read_fields(FieldTexts(subject="CN=x"), NOW)).sign()
    with pytest.raises(SigningError, match="of the CA's own key"):
        issue(ca_key, root(ca_key), own, below)


@pytest.mark.parametrize(
    ("texts", "field", "sentence"),
    [
        (FieldTexts(days="101"), CertificateField.DAYS, "It would outlive the CA"),
        (FieldTexts(not_after="2090-01-01"), CertificateField.NOT_AFTER, "It would outlive the CA"),
        (
            FieldTexts(not_before="2090-01-01"),
            CertificateField.NOT_BEFORE,
            "when the CA's certificate has ended",
        ),
        (
            FieldTexts(not_before="2020-01-01"),
            CertificateField.NOT_BEFORE,
            "before the CA's certificate does",
        ),
        (FieldTexts(key_usage="keyEncipherment"), CertificateField.KEY_USAGE, "nothing for a P-256 key"),
        (FieldTexts(key_usage="keyCertSign"), CertificateField.KEY_USAGE, "keyCertSign is for CAs"),
    ],
)
def test_fields_that_the_ca_cannot_grant(
    ca_key: SigningKey, calls: list[str], texts: FieldTexts, field: CertificateField, sentence: str
) -> None:
    ca = root(ca_key)
    calls.clear()
    with pytest.raises(FieldError, match=sentence) as raised:
        issue(ca_key, ca, csr(), texts)
    assert raised.value.field is field
    assert calls == []
    if "outlive" in sentence:
        last = ca.not_valid_after_utc
        assert raised.value.next_step == (
            f"The latest end is {last:%Y-%m-%dT%H:%M:%SZ} (--not-after), and the most days are 100."
        )


def test_the_usual_end_is_at_most_the_cas(ca_key: SigningKey) -> None:
    ca = root(ca_key, days="30")
    ready = issue(ca_key, ca, csr(), FieldTexts())
    assert ready.sign().not_valid_after_utc == ca.not_valid_after_utc
    assert ready.notes[-1].startswith("It ends with the CA's certificate, at ")


def test_a_server_that_lives_long_is_noted(ca_key: SigningKey) -> None:
    ca = root(ca_key, days="9999")
    notes = issue(ca_key, ca, csr(), FieldTexts(dns="a.example", days="399")).notes
    assert notes == ("It lives 399 days: many clients refuse a server's certificate of more than 398 days.",)
    assert issue(ca_key, ca, csr(), FieldTexts(dns="a.example", days="398")).notes == ()
    assert issue(ca_key, ca, csr(), FieldTexts(days="399")).notes == ()


def own_root(
    ca_key: SigningKey, *extensions: x509.ExtensionType, name: str = "Root", ends: timedelta = timedelta(9)
) -> x509.Certificate:
    """A certificate of the CA's key that our own builders would not make."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)] if name else [])
    public: Any = ca_key.public_key.loaded()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(1)
        .not_valid_before(NOW - timedelta(50))
        .not_valid_after(NOW + ends)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, True)
    return builder.sign(KEY, hashes.SHA256())


CA = x509.BasicConstraints(True, None)


@pytest.mark.parametrize(
    ("extensions", "options", "sentence"),
    [
        ((), {}, "is not that of a CA"),
        ((x509.BasicConstraints(False, None),), {}, "is not that of a CA"),
        ((CA, usage("digital_signature", "crl_sign")), {}, "its key usage lacks keyCertSign"),
        ((CA,), {"name": ""}, "has no subject"),
        ((CA, X400), {}, "has extensions that cannot be read"),
        ((CA,), {"ends": timedelta(-1)}, "The certificate ca.pem expired at"),
    ],
)
def test_an_issuer_that_may_not_issue(
    ca_key: SigningKey,
    calls: list[str],
    extensions: tuple[x509.ExtensionType, ...],
    options: Any,
    sentence: str,
) -> None:
    with pytest.raises(CertificateFileError, match=sentence):
        issue(ca_key, own_root(ca_key, *extensions, **options), csr(), FieldTexts())
    assert calls == []


def test_a_ca_that_is_for_other_uses_is_pointed_out(ca_key: SigningKey) -> None:
    """openssl verify -purpose sslserver says: unsuitable certificate purpose."""
    note = "The CA's certificate is not for serverAuth: clients refuse it there."
    client, server = EXTENDED_KEY_USAGES["clientAuth"], EXTENDED_KEY_USAGES["serverAuth"]
    any_use = EXTENDED_KEY_USAGES["anyExtendedKeyUsage"]
    for usages, notes in (([client], (note,)), ([client, server], ()), ([any_use], ())):
        ca = own_root(ca_key, CA, x509.ExtendedKeyUsage(usages))
        assert issue(ca_key, ca, csr(), FieldTexts(purpose="server", days="1")).notes == notes


def test_a_ca_without_key_usage_may_issue(ca_key: SigningKey) -> None:
    constrained = x509.NameConstraints([x509.DNSName("example.com")], None)
    ready = issue(ca_key, own_root(ca_key, CA, constrained), csr())
    ready.sign()
    assert ready.notes == (
        "The CA has name constraints, which are not compared with the names here; clients do that.",
    )


def test_the_certificate_has_to_be_of_the_key(signing_account: Kms, ca_key: SigningKey) -> None:
    other = open_signing_key(signing_account, "alias/ECC_NIST_P256")
    ca, another = root(ca_key), root(other)
    with pytest.raises(CertificateFileError, match=r"ca.pem is of another key, not of alias/ECC_NIST_P256"):
        issue(other, ca, csr())
    assert issuer_of((another, ca), ca_key, "ca.pem") == ca
    with pytest.raises(CertificateFileError, match=r"Each certificate in ca.pem is of another key"):
        issuer_of((another, another), ca_key, "ca.pem")


def test_a_csr_has_to_be_signed_by_its_key() -> None:
    der = bytearray(csr().public_bytes(Encoding.DER))
    der[-1] ^= 1
    changed = csr(subject="db").public_bytes(Encoding.DER).replace(b"db", b"pc")
    for damaged in (bytes(der), changed):
        with pytest.raises(CertificateFileError, match=r"The signature of db.csr does not verify"):
            require_request(x509.load_der_x509_csr(damaged), "db.csr")
    with pytest.raises(CertificateFileError, match="RSA key of 1,024 bits, which is too short"):
        require_request(csr(key=rsa.generate_private_key(65537, 1024)), "db.csr")
    with pytest.raises(CertificateFileError, match="of a DSA key"):
        require_request(csr(key=dsa.generate_private_key(2048)), "db.csr")


@pytest.mark.parametrize(
    ("request_of", "sentence"),
    [
        (lambda: csr(x509.SubjectAlternativeName([x509.DNSName("a.*.example")])), "“a.*.example” has a *"),
        (lambda: csr(x509.SubjectAlternativeName([x509.DNSName("a b")])), "“a b” has a character"),
        (lambda: csr(x509.SubjectAlternativeName([x509.DNSName("a\0.example")])), "“a␀.example”"),
        (lambda: csr(subject="a\0b"), "control or invisible character"),
        (lambda: csr(subject="a\x1b]0;b"), "control or invisible character"),
    ],
)
def test_names_that_nobody_should_certify(ca_key: SigningKey, request_of: Any, sentence: str) -> None:
    with pytest.raises(KmsTuiError) as raised:
        issue(ca_key, root(ca_key), request_of())
    assert sentence in str(raised.value)
    assert "db.csr" in str(raised.value)


def test_like_takes_all_that_fits_the_key(signing_account: Kms) -> None:
    key = open_signing_key(signing_account, "alias/ECC_NIST_P256")
    old = csr(
        x509.SubjectAlternativeName([x509.DNSName("a.example"), x509.RFC822Name("a@b.example")]),
        usage("digital_signature", "key_encipherment"),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]),
        key=RSA_KEY,
    )
    public: Any = key.public_key.loaded()
    copied = copied_from(old, public, "old.csr")
    assert copied.notes == ("Not copied from old.csr: the key usage keyEncipherment.",)
    made = unsigned_request(key, read_fields(FieldTexts(), NOW, copied)).sign()
    assert made.subject == old.subject
    found = {type(each.value): each.value for each in made.extensions}
    assert found[x509.ExtendedKeyUsage] == x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
    assert found[x509.KeyUsage] == usage("digital_signature")
    again = read_fields(FieldTexts(purpose="client", dns="b.example", subject="CN=new"), NOW, copied)
    assert [name_text(name) for name in again.names] == ["DNS b.example"]
    assert again.key_usage is None
    assert list(map(extended_name, again.extended)) == ["clientAuth"]


def test_a_csr_asks_for_no_more_than_was_said(signing_account: Kms) -> None:
    key = open_signing_key(signing_account, "alias/RSA_2048")
    made = unsigned_request(key, read_fields(FieldTexts(subject="CN=x"), NOW)).sign()
    assert len(made.extensions) == 0
    made = unsigned_request(key, read_fields(replace(ROOT, days="", path_length="0"), NOW)).sign()
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    ready = unsigned_request(key, read_fields(FieldTexts(subject="CN=x", key_usage="keyEncipherment"), NOW))
    assert ready.notes == (
        "keyEncipherment is certified, and KMS decrypts nothing with a key of usage SIGN_VERIFY.",
    )


def test_the_preview_says_what_will_be_signed(ca_key: SigningKey, calls: list[str]) -> None:
    ready = unsigned_self_signed(ca_key, read_fields(replace(ROOT, path_length="0", serial="0x01ab"), NOW))
    assert calls == []
    made = ready.sign()
    told = dict(ready.lines)
    assert told["subject"] == told["issuer"] == "CN=Root,O=Example"
    assert told["begins"] == f"{NOW:%Y-%m-%d %H:%M:%S} UTC"
    assert told["ends"].endswith("UTC, after 100 days")
    assert told["CA"] == "yes; no more CAs may follow in a chain"
    assert told["key usage"] == "keyCertSign, cRLSign"
    assert told["serial"] == "01:ab"
    assert made.serial_number == 0x1AB
    assert (told["signed by"], told["algorithm"]) == (ca_key.arn, "ECDSA_SHA_384")


def test_a_self_signed_certificate_has_a_subject(ca_key: SigningKey) -> None:
    with pytest.raises(FieldError) as raised:
        unsigned_self_signed(ca_key, read_fields(FieldTexts(dns="a.example"), NOW))
    assert raised.value.field is CertificateField.SUBJECT


def test_time_stamping_alone_is_critical(ca_key: SigningKey) -> None:
    texts = FieldTexts(subject="CN=tsa", extended_key_usage="timeStamping")
    made = unsigned_self_signed(ca_key, read_fields(texts, NOW)).sign()
    assert made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).critical
