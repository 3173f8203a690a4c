"""Each kind of key makes a CSR, a self-signed certificate, an issued one and a CRL; two judges agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding

from kms_tui.backend.kms_facade import Kms
from kms_tui.signing.certificates.certificate_builders import unsigned_request, unsigned_self_signed
from kms_tui.signing.certificates.certificate_fields import FieldTexts, read_fields
from kms_tui.signing.certificates.copied_fields import asked_for
from kms_tui.signing.certificates.field_errors import CertificateField, FieldError
from kms_tui.signing.certificates.issuing import unsigned_issued
from kms_tui.signing.certificates.openssl_lines import openssl_lines
from kms_tui.signing.certificates.revocation_lists import Revocation, unsigned_revocation_list
from kms_tui.signing.signing_key import SigningError, SigningKey, open_signing_key
from tests.unit.signing.judges import NEEDS_OPENSSL, NOW, openssl_agrees, openssl_knows_ml_dsa

ROOT = FieldTexts(subject="CN=Example Root,O=Example", is_ca=True, days="30")
WEB = FieldTexts(subject="CN=www.example.com,O=Example", dns="*.example.com www.example.com", ip="::1")


@dataclass(frozen=True)
class Signed:
    """One of each, of one key."""

    request: x509.CertificateSigningRequest
    root: x509.Certificate
    issued: x509.Certificate
    revoked: x509.CertificateRevocationList


def stranger_request() -> x509.CertificateSigningRequest:
    """A CSR of somebody's own P-256 key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "db.example.com")])
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())


def sign_all(key: SigningKey, algorithm: str = "") -> Signed:
    request = unsigned_request(key, read_fields(WEB, NOW), algorithm).sign()
    root = unsigned_self_signed(key, read_fields(ROOT, NOW), algorithm).sign()
    asking = stranger_request()
    fields = read_fields(FieldTexts(days="9"), NOW, asked_for(asking, asking.public_key(), "db.csr"))
    issued = unsigned_issued(key, root, asking, fields, NOW, algorithm).sign()
    entry = Revocation(issued.serial_number, x509.ReasonFlags.superseded, NOW)
    listed = unsigned_revocation_list(key, root, [entry], days=7, number=1, now=NOW, algorithm=algorithm)
    return Signed(request, root, issued, listed.sign())


@pytest.fixture(scope="module")
def signed() -> dict[str, Signed]:
    return {}


@pytest.fixture
def all_of(signing_key: SigningKey, signed: dict[str, Signed]) -> Signed:
    """Made once for each key, and judged by several."""
    if signing_key.spec not in signed:
        signed[signing_key.spec] = sign_all(signing_key)
    return signed[signing_key.spec]


def test_the_library_agrees(all_of: Signed, signing_key: SigningKey) -> None:
    assert all_of.request.is_signature_valid
    all_of.root.verify_directly_issued_by(all_of.root)
    all_of.issued.verify_directly_issued_by(all_of.root)
    public: Any = signing_key.public_key.loaded()
    assert all_of.revoked.is_signature_valid(public)
    assert all_of.revoked.get_revoked_certificate_by_serial_number(all_of.issued.serial_number) is not None
    assert all_of.request.public_key() == all_of.root.public_key() == public


FORMS = ("request", "root", "issued", "revoked")


@NEEDS_OPENSSL
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("form", FORMS)
def test_openssl_agrees_with_the_lines_that_are_shown(
    all_of: Signed, signing_key: SigningKey, form: str, encoding: Encoding, tmp_path: Path
) -> None:
    if signing_key.spec.startswith("ML_DSA") and not openssl_knows_ml_dsa():
        pytest.skip("this openssl is older than 3.5, and lacks ML-DSA")
    made = getattr(all_of, form)
    name = f"my {form}"
    (tmp_path / name).write_bytes(made.public_bytes(encoding))
    (tmp_path / "root.pem").write_bytes(all_of.root.public_bytes(Encoding.PEM))
    ca: Mapping[str, Any] = (
        {"ca": all_of.root, "ca_path": "root.pem"} if form in ("issued", "revoked") else {}
    )
    lines = openssl_lines(made, name, encoding, NOW, **ca)
    assert len(lines) == (2 if form in ("root", "issued") else 1)
    for line in lines:
        openssl_agrees(line, tmp_path)


@pytest.mark.parametrize("bits", [256, 384, 512])
@pytest.mark.parametrize("scheme", ["PKCS1_V1_5", "PSS"])
def test_an_rsa_key_signs_with_each_of_its_algorithms(
    signing_account: Kms, scheme: str, bits: int, tmp_path: Path
) -> None:
    key = open_signing_key(signing_account, "alias/RSA_2048")
    made = sign_all(key, f"rsassa_{scheme}_SHA_{bits}")
    made.issued.verify_directly_issued_by(made.root)
    for each in (made.request, made.root, made.issued, made.revoked):
        digest = each.signature_hash_algorithm
        assert digest is not None
        assert digest.name == f"sha{bits}"
    parameters = made.root.signature_algorithm_parameters
    assert isinstance(parameters, padding.PSS if scheme == "PSS" else padding.PKCS1v15)


@NEEDS_OPENSSL
def test_openssl_agrees_with_pss(signing_account: Kms, tmp_path: Path) -> None:
    made = sign_all(open_signing_key(signing_account, "alias/RSA_2048"), "RSASSA_PSS_SHA_384")
    for name in FORMS:
        (tmp_path / name).write_bytes(getattr(made, name).public_bytes(Encoding.PEM))
        ca = {"ca": made.root, "ca_path": "root"} if name in ("issued", "revoked") else {}
        for line in openssl_lines(getattr(made, name), name, Encoding.PEM, NOW, **ca):  # type: ignore[arg-type]
            openssl_agrees(line, tmp_path)


@NEEDS_OPENSSL
def test_openssl_agrees_with_what_begins_later_and_with_a_ca_under_a_ca(
    signing_account: Kms, tmp_path: Path
) -> None:
    root_key = open_signing_key(signing_account, "alias/ECC_NIST_P384")
    key = open_signing_key(signing_account, "alias/ECC_NIST_P256")
    root = unsigned_self_signed(root_key, read_fields(ROOT, NOW)).sign()
    asking = unsigned_request(key, read_fields(ROOT, NOW)).sign()
    ca_fields = FieldTexts(is_ca=True, subject="CN=Under,O=Example")
    under = unsigned_issued(root_key, root, asking, read_fields(ca_fields, NOW), NOW).sign()
    web = stranger_request()
    later = FieldTexts(subject="CN=x", not_before=(NOW + timedelta(2)).isoformat(), days="3")
    leaf = unsigned_issued(key, under, web, read_fields(later, NOW), NOW).sign()
    (tmp_path / "under").write_bytes(under.public_bytes(Encoding.DER))
    (tmp_path / "-leaf").write_bytes(leaf.public_bytes(Encoding.PEM))
    lines = openssl_lines(leaf, "-leaf", Encoding.PEM, NOW, ca=under, ca_path="under", is_ca_pem=False)
    assert lines[0] == "openssl verify -no_check_time -partial_chain -trusted under ./-leaf"
    for line in lines:
        openssl_agrees(line, tmp_path)


@NEEDS_OPENSSL
def test_openssl_finds_a_bad_signature(signing_account: Kms, tmp_path: Path) -> None:
    """So the judge can say no."""
    made = sign_all(open_signing_key(signing_account, "alias/ECC_NIST_P256"))
    other = sign_all(open_signing_key(signing_account, "alias/ECC_NIST_P384"))
    (tmp_path / "crl").write_bytes(made.revoked.public_bytes(Encoding.PEM))
    (tmp_path / "ca").write_bytes(other.root.public_bytes(Encoding.PEM))
    (line,) = openssl_lines(made.revoked, "crl", Encoding.PEM, NOW, ca=other.root, ca_path="ca")
    with pytest.raises(AssertionError):
        openssl_agrees(line, tmp_path)


def test_one_call_of_sign_for_each(signing_account: Kms, calls: list[str]) -> None:
    key = open_signing_key(signing_account, "alias/ECC_NIST_P256")
    ready = unsigned_self_signed(key, read_fields(ROOT, NOW))
    assert calls == ["GetPublicKey"]
    root = ready.sign()
    assert calls == ["GetPublicKey", "Sign"]
    calls.clear()
    unsigned_request(key, read_fields(WEB, NOW)).sign()
    fields = read_fields(FieldTexts(subject="CN=x"), NOW)
    unsigned_issued(key, root, stranger_request(), fields, NOW).sign()
    unsigned_revocation_list(key, root, [], days=1, number=1, now=NOW).sign()
    assert calls == ["Sign"] * 3


def test_ed25519_signs_at_most_4096_bytes(signing_account: Kms, calls: list[str]) -> None:
    key = open_signing_key(signing_account, "alias/ECC_NIST_EDWARDS25519")
    many = FieldTexts(subject="CN=x", dns=" ".join(f"host-{number}.example.com" for number in range(300)))
    with pytest.raises(SigningError, match=r"at most 4,096 bytes; here are [5-9],"):
        unsigned_request(key, read_fields(many, NOW)).sign()
    assert calls == ["GetPublicKey"]
    unsigned_request(open_signing_key(signing_account, "alias/RSA_2048"), read_fields(many, NOW)).sign()


@pytest.mark.parametrize(
    ("alias", "algorithm", "sentence"),
    [
        ("RSA_2048", "ECDSA_SHA_256", "does not sign with ECDSA_SHA_256"),
        ("ECC_NIST_P384", "ECDSA_SHA_256", "is an ECC_NIST_P384 key: it does not sign with"),
        (
            "ECC_NIST_EDWARDS25519",
            "ED25519_PH_SHA_512",
            "Certificates are not signed with ED25519_PH_SHA_512",
        ),
        ("RSA_2048", "sha1", "does not sign with sha1"),
    ],
)
def test_an_algorithm_that_the_key_lacks_is_named(
    signing_account: Kms, alias: str, algorithm: str, sentence: str
) -> None:
    key = open_signing_key(signing_account, f"alias/{alias}")
    with pytest.raises(FieldError, match=sentence) as raised:
        unsigned_request(key, read_fields(WEB, NOW), algorithm)
    assert raised.value.field is CertificateField.ALGORITHM
