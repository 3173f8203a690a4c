"""Certificates are read from what people have, and everything else is named for what it is."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
    pkcs12,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.atomic import FileError
from kms_tui.backend.kms_facade import Kms
from kms_tui.signing.certificates.certificate_files import (
    MOST_CRL_BYTES,
    CertificateFileError,
    certificates_in,
    only_certificate,
    only_request,
    parse_x509,
    read_x509_file,
    read_x509_stream,
)
from kms_tui.signing.certificates.descriptions import describe_all
from kms_tui.signing.signing_key import open_signing_key
from tests.unit.signing.certificates.test_matrix import Signed, sign_all
from tests.unit.signing.judges import NOW


@pytest.fixture(scope="module")
def made(signing_account: Kms) -> Signed:
    return sign_all(open_signing_key(signing_account, "alias/ECC_NIST_P256"))


def pem(made: x509.Certificate | x509.CertificateSigningRequest | x509.CertificateRevocationList) -> bytes:
    return made.public_bytes(Encoding.PEM)


@pytest.mark.parametrize("form", ["request", "root", "revoked"])
def test_forms_that_are_read(made: Signed, form: str) -> None:
    one = getattr(made, form)
    text, der = pem(one), one.public_bytes(Encoding.DER)
    variants = {
        "PEM": text,
        "DER": der,
        "CRLF": text.replace(b"\n", b"\r\n"),
        "CR": text.replace(b"\n", b"\r"),
        "text in front": b"Bag Attributes\n  friendlyName: x\nsubject=CN=x\n" + text + b"\nthe end\n",
        "indented": b"".join(b"    " + line + b"\n" for line in text.splitlines()),
        "UTF-8 with a mark": b"\xef\xbb\xbf" + text,
        "UTF-16": text.decode().encode("utf-16"),
        "one line": b" ".join(text.splitlines())
        .replace(b"----- ", b"-----\n")
        .replace(b" -----", b"\n-----"),
        "base64 alone": base64.encodebytes(der),
        "with EC parameters": b"-----BEGIN EC PARAMETERS-----\nBggq\n-----END EC PARAMETERS-----\n" + text,
    }
    for name, content in variants.items():
        assert parse_x509(content, "x.pem") == (one,), name


def test_a_chain_keeps_its_order(made: Signed) -> None:
    found = parse_x509(pem(made.issued) + b"\n" + pem(made.root), "chain.pem")
    assert certificates_in(found, "chain.pem") == (made.issued, made.root)
    with pytest.raises(CertificateFileError, match=r"chain.pem holds 2 certificates, and one is needed"):
        only_certificate(found, "chain.pem")
    with pytest.raises(CertificateFileError, match=r"holds a CSR, and a certificate is needed"):
        certificates_in(parse_x509(pem(made.request), "x"), "x")
    with pytest.raises(CertificateFileError, match=r"holds a certificate, and a CSR is needed"):
        only_request(found, "chain.pem")


PRIVATE = ec.generate_private_key(ec.SECP256R1())
_PKCS8, _OLD = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL
PRIVATE_FORMS = {
    "PKCS #8": PRIVATE.private_bytes(Encoding.PEM, _PKCS8, NoEncryption()),
    "SEC 1": PRIVATE.private_bytes(Encoding.PEM, _OLD, NoEncryption()),
    "encrypted": PRIVATE.private_bytes(Encoding.PEM, _PKCS8, BestAvailableEncryption(b"x")),
    "DER": PRIVATE.private_bytes(Encoding.DER, _PKCS8, NoEncryption()),
    "encrypted DER": PRIVATE.private_bytes(Encoding.DER, _PKCS8, BestAvailableEncryption(b"x")),
    "old DER": PRIVATE.private_bytes(Encoding.DER, _OLD, NoEncryption()),
    "base64 alone": base64.encodebytes(PRIVATE.private_bytes(Encoding.DER, _PKCS8, NoEncryption())),
    "OpenSSH": PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
    "PKCS #12": pkcs12.serialize_key_and_certificates(
        b"x", PRIVATE, None, None, BestAvailableEncryption(b"x")
    ),
    "RSA": rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, _OLD, NoEncryption()),
}


@pytest.mark.parametrize("form", PRIVATE_FORMS)
def test_a_private_key_is_named_and_never_repeated(made: Signed, form: str) -> None:
    content = PRIVATE_FORMS[form]
    pasted = (
        [content]
        if content[:1] != b"-"
        else [content, content[: len(content) // 2], content + pem(made.root)]
    )
    for each in pasted:
        with pytest.raises(CertificateFileError, match=r"key.pem holds a private key") as raised:
            parse_x509(each, "key.pem")
        said = f"{raised.value} {raised.value.next_step}"
        assert not any(line.decode("latin-1") in said for line in content.splitlines() if len(line) > 8)


def pkcs7_bundle(made: Signed) -> bytes:
    return pkcs7.serialize_certificates([made.root], Encoding.PEM)


def test_what_is_something_else_is_named(made: Signed, tmp_path: Path) -> None:
    public = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = pem(made.root)
    damaged = made.root.public_bytes(Encoding.DER)
    cases = {
        b"": "x is empty",
        b" \n": "x is empty",
        b"hello": "no certificate, CSR or CRL in PEM or DER",
        bytes(100): "no certificate, CSR or CRL in PEM or DER",
        b"ssh-ed25519 AAAA me": "no certificate",
        public: "holds a public key",
        der: "holds a public key",
        pkcs7_bundle(made): "PKCS #7 bundle; `openssl pkcs7",
        b"-----BEGIN FOO-----\nAA==\n-----END FOO-----": "a PEM block “FOO”",
        b"-----BEGIN EC PARAMETERS-----\nAA==\n-----END EC PARAMETERS-----": "EC parameters only",
        text[:-30]: "is not whole: it has “-----BEGIN CERTIFICATE-----” without its END",
        text[:-30] + text: "is not whole",
        text.replace(b"MI", b"M!", 1): "damaged: it is not base64",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----": "it is damaged, or not whole",
        damaged[:-9]: "no certificate",
        b"x" * ((1 << 20) + 1): "more than 1 MiB: it is larger than any certificate",
        b"\x30" * (10 << 20): "more than 1 MiB",
        text * 3000: "more than 1 MiB",
        b"x" * (MOST_CRL_BYTES + 1): "more than 32 MiB",
    }
    for content, sentence in cases.items():
        with pytest.raises(CertificateFileError) as raised:
            parse_x509(content, "x")
        assert sentence in str(raised.value)
        assert len(str(raised.value)) < 200


def test_a_crl_may_be_large(made: Signed) -> None:
    content = b"text in front\n" * 100_000 + pem(made.revoked)
    assert len(content) > 1 << 20
    assert parse_x509(content, "x") == (made.revoked,)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(FileError, match="could not be read"):
            read_x509_file(path)

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(FileError, match="standard input could not be read: Input/output error"):
        read_x509_stream(Broken(), "standard input")
    with pytest.raises(CertificateFileError, match="more than 32 MiB"):
        read_x509_file(Path("/dev/zero"))


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=200)
@given(st.data())
def test_damaged_bytes_end_in_a_sentence_or_are_described(made: Signed, data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(["request", "root", "issued", "revoked"]))
    content = bytearray(getattr(made, form).public_bytes(Encoding.DER))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.sampled_from([0, 1, 0x0C, 0x13, 0x1E, 0x30, 0x80, 0xFF]))
    if data.draw(st.booleans()):
        content = bytearray(base64.encodebytes(content))
    try:
        found = parse_x509(bytes(content), "x")
    except CertificateFileError:
        return
    for described in describe_all(found, NOW, [made.root]):
        assert all(label and text is not None for label, text in described.lines())
        assert described.as_dict()["kind"] in ("certificate", "CSR", "CRL")


def test_a_version_that_there_is_not(made: Signed) -> None:
    der = made.root.public_bytes(Encoding.DER).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x0c", 1)
    with pytest.raises(CertificateFileError, match="no certificate, CSR or CRL"):
        parse_x509(der, "x")


def test_a_name_that_cannot_be_read(made: Signed) -> None:
    """The library reads a name when it is asked for it first."""
    der = made.root.public_bytes(Encoding.DER).replace(b"Example Root", b"\xff\xfeample Root")
    text = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"
    with pytest.raises(CertificateFileError, match="it is damaged, or not whole"):
        parse_x509(text, "x")
