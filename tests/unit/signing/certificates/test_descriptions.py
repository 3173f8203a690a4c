"""What is told about certificates, CSRs and CRLs, and whether their signatures verify."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from kms_tui.backend.kms_facade import Kms
from kms_tui.signing.certificates.descriptions import X509Description, describe_all
from kms_tui.signing.signing_key import open_signing_key
from tests.unit.signing.certificates.test_issuing import KEY, X400
from tests.unit.signing.certificates.test_matrix import Signed, sign_all
from tests.unit.signing.judges import NOW


@pytest.fixture(scope="module")
def made(signing_account: Kms) -> Signed:
    return sign_all(open_signing_key(signing_account, "alias/ECC_NIST_P256"))


def told(description: X509Description) -> dict[str, str]:
    return dict(description.lines())


def test_a_certificate(made: Signed) -> None:
    (described,) = describe_all([made.issued], NOW + timedelta(1), [made.root])
    text = told(described)
    assert text["subject"] == "CN=db.example.com"
    assert text["issuer"] == "CN=Example Root,O=Example"
    assert text["name"] == "DNS db.example.com"
    assert text["ends"].endswith("UTC: 8 d left")
    assert text["key"] == "P-256"
    assert text["SHA-256"] == made.issued.fingerprint(hashes.SHA256()).hex()
    assert text["signature"] == "ecdsa-with-SHA256: verified with the key of CN=Example Root,O=Example"
    assert text["basicConstraints (critical)"] == "CA:false"
    assert text["keyUsage (critical)"] == "digitalSignature"
    assert text["extendedKeyUsage"] == "serverAuth"
    assert described.days_left == 8
    assert described.as_dict()["signature"]["verified"] is True


def test_a_csr_and_a_crl(made: Signed) -> None:
    request, listed = describe_all([made.request, made.revoked], NOW, [made.root])
    assert told(request)["signature"].endswith("verified with its own key")
    assert request.names[0] == ("DNS", "*.example.com")
    assert "not_after" not in request.as_dict()
    text = told(listed)
    assert text["revoked"] == "1"
    assert text["next"].endswith("7 d left")
    assert text["cRLNumber"] == "1"
    assert text["signature"].endswith("verified with the key of CN=Example Root,O=Example")
    assert listed.as_dict()["next_update"] == f"{made.revoked.next_update_utc:%Y-%m-%dT%H:%M:%SZ}"
    (entry,) = listed.as_dict()["revoked"]
    assert entry["reason"] == "superseded"


def test_a_chain_is_checked_with_itself(made: Signed) -> None:
    issued, root = describe_all([made.issued, made.root], NOW)
    assert (issued.signature.is_good, root.signature.is_good) == (True, True)
    assert root.signature.words == "verified with its own key (self-signed)"


def test_signatures_that_are_not_good_or_not_checked(made: Signed, signing_account: Kms) -> None:
    (alone,) = describe_all([made.issued], NOW)
    assert alone.signature.is_good is None
    assert alone.as_dict()["signature"]["verified"] is None
    other = sign_all(open_signing_key(signing_account, "alias/RSA_2048"))
    for found in (made.issued, made.revoked):
        (wrong,) = describe_all([found], NOW, [other.root])
        assert wrong.signature.is_good is False
        assert "DOES NOT VERIFY" in told(wrong)["signature"]
    der = made.request.public_bytes(Encoding.DER).replace(b"Example", b"Exemple")
    (changed,) = describe_all([x509.load_der_x509_csr(der)], NOW)
    assert changed.signature.is_good is False


def test_pss_is_told_with_its_hash(signing_account: Kms) -> None:
    made = sign_all(open_signing_key(signing_account, "alias/RSA_2048"), "RSASSA_PSS_SHA_384")
    (described,) = describe_all([made.root], NOW)
    assert described.signature.algorithm == "RSASSA-PSS with SHA384"
    assert described.key == "RSA, 2,048 bits"


def test_every_kind_of_extension_has_words() -> None:
    oid = x509.ObjectIdentifier("1.2.3")
    host = x509.DNSName("a.example")
    extensions: list[x509.ExtensionType] = [
        x509.BasicConstraints(True, 2),
        x509.IssuerAlternativeName([host]),
        x509.CRLDistributionPoints([x509.DistributionPoint([host], None, None, None)]),
        x509.AuthorityInformationAccess([x509.AccessDescription(x509.OID_OCSP, host)]),
        x509.CertificatePolicies([x509.PolicyInformation(oid, None)]),
        x509.NameConstraints([host], [x509.DNSName("b.example")]),
        x509.SubjectAlternativeName(
            [x509.DirectoryName(x509.Name([])), x509.RegisteredID(oid), x509.OtherName(oid, b"\x0c\x01x")]
        ),
        x509.AuthorityKeyIdentifier(b"\1\2", [host], 3),
        x509.OCSPNoCheck(),
        x509.UnrecognizedExtension(oid, b"\x04" * 100),
    ]
    name = x509.Name([])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(KEY.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(1))
    for extension in extensions:
        builder = builder.add_extension(extension, False)
    (described,) = describe_all([builder.sign(KEY, hashes.SHA256())], NOW)
    text = told(described)
    assert text["subject"] == "none"
    assert text["basicConstraints"] == "CA:true, path length 2"
    assert text["cRLDistributionPoints"] == "DNS a.example"
    assert text["authorityInfoAccess"] == "OCSP DNS a.example"
    assert text["certificatePolicies"] == "1.2.3"
    assert text["nameConstraints"] == "only DNS a.example; never DNS b.example"
    assert text["authorityKeyIdentifier"] == "01:02, DNS a.example"
    assert text["1.2.3"].endswith("… (100 bytes)")
    assert ("other name", "1.2.3 0c0178") in described.names
    json.dumps(described.as_dict())


def test_extensions_that_cannot_be_read(made: Signed) -> None:
    """The basic constraints have a BOOLEAN of the wrong length."""
    der = made.root.public_bytes(Encoding.DER)
    at = der.index(bytes.fromhex("0603551d13"))
    damaged: Any = x509.load_der_x509_certificate(der[: at + 10] + b"\x31" + der[at + 11 :])
    (described,) = describe_all([damaged], NOW)
    assert told(described)["extensions"] == "they cannot be read"
    assert described.signature.is_good is False


def test_alternative_names_of_a_kind_that_is_not_read() -> None:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    (described,) = describe_all([builder.add_extension(X400, critical=False).sign(KEY, hashes.SHA256())], NOW)
    assert told(described)["extensions"] == "they cannot be read"
    assert described.names == ()


def test_a_crl_with_many_entries_is_cut_for_people() -> None:
    key = rsa.generate_private_key(65537, 2048)
    builder = x509.CertificateRevocationListBuilder().issuer_name(x509.Name([])).last_update(NOW)
    builder = builder.next_update(NOW + timedelta(1))
    for serial in range(1, 31):
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW).build()
        builder = builder.add_revoked_certificate(entry)
    (described,) = describe_all([builder.sign(key, hashes.SHA256())], NOW)
    assert told(described)["…"] == "10 more; --format json has them all"
    assert len(described.as_dict()["revoked"]) == 30
