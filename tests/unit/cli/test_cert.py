"""``kms-tui cert``: files in, files out; what is wrong is a sentence, and leaves nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kms_tui.backend.base import Backend
from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.session import Connection
from tests.unit.cli.conftest import Ended, Run
from tests.unit.signing.conftest import CountedBackend
from tests.unit.signing.judges import NEEDS_OPENSSL, openssl_agrees

REGION, OTHER_REGION = "eu-west-1", "us-east-1"
KEYS = {
    "alias/ca": ("ECC_NIST_P384", "SIGN_VERIFY"),
    "alias/web": ("ECC_NIST_P256", "SIGN_VERIFY"),
    "alias/rsa": ("RSA_2048", "SIGN_VERIFY"),
    "alias/quantum": ("ML_DSA_44", "SIGN_VERIFY"),
    "alias/disabled": ("ECC_NIST_P256", "SIGN_VERIFY"),
    "alias/encrypts": ("RSA_2048", "ENCRYPT_DECRYPT"),
    "alias/symmetric": ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
}
NAME = ("--subject", "CN=www.example.com,O=Example", "--dns", "www.example.com")


@pytest.fixture(scope="module")
def account() -> Iterator[LocalBackend]:
    with open_store() as store:
        backend = LocalBackend(store, account_id="111122223333", region=REGION)
        for alias, (spec, usage) in KEYS.items():
            made = backend.call("CreateKey", {"KeySpec": spec, "KeyUsage": usage})["KeyMetadata"]
            backend.call("CreateAlias", {"AliasName": alias, "TargetKeyId": made["KeyId"]})
            if alias == "alias/disabled":
                backend.call("DisableKey", {"KeyId": made["KeyId"]})
        yield backend


@pytest.fixture
def kms(account: LocalBackend, monkeypatch: pytest.MonkeyPatch) -> CountedBackend:
    """The account, and the calls that a command made; it takes the place of the other commands' fake."""
    counted = CountedBackend(account)

    def open_backend(connection: Connection) -> Backend:
        counted.called.clear()
        return counted

    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_backend)
    return counted


@pytest.fixture
def here(run: Run, tmp_path: Path) -> Path:
    """The folder of the test, with ca.pem, made of alias/ca."""
    arguments = ("--key", "alias/ca", "--subject", "/O=Example/CN=Root", "--ca", "--days", "100")
    assert run("cert", "self-sign", *arguments, "-o", "ca.pem").code == 0
    return tmp_path


def lines_of(ended: Ended) -> list[str]:
    """The openssl lines that were shown."""
    return [line.strip() for line in ended.err.splitlines() if line.startswith("  openssl ")]


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def stranger_csr(path: Path, *names: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "db")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(map(x509.DNSName, names)), False)
    path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))


def test_a_csr(run: Run, kms: CountedBackend, tmp_path: Path) -> None:
    done = run("cert", "csr", "--key", "alias/web", *NAME, "-o", "web.csr")
    assert (done.code, done.out) == (0, b"")
    assert done.err == (
        "Made web.csr: a CSR for CN=www.example.com,O=Example, with ECDSA_SHA_256 of alias/web.\n"
        "To check it:\n  openssl req -in web.csr -noout -verify -text\n"
    )
    assert kms.called == ["GetPublicKey", "Sign"]
    request = x509.load_pem_x509_csr((tmp_path / "web.csr").read_bytes())
    assert request.is_signature_valid
    shown = run("cert", "show", "web.csr")
    assert shown.code == 0
    assert b"  name         DNS www.example.com\n" in shown.out


@NEEDS_OPENSSL
def test_a_small_ca_from_beginning_to_end(run: Run, kms: CountedBackend, here: Path) -> None:
    """Each command is one call of Sign, and openssl agrees with each line that is shown."""
    stranger_csr(here / "db.csr", "db.example.com")
    ca = ("--key", "alias/ca", "--ca", "ca.pem")
    commands = [
        ("csr", "--key", "alias/web", *NAME, "-o", "web.csr"),
        ("issue", "web.csr", *ca, "--yes", "-o", "web.pem"),
        ("issue", "db.csr", *ca, "--days", "9", "--yes", "--format", "der", "-o", "db.der"),
        ("csr", "--key", "alias/web", "--like", "web.pem", "-o", "again.csr"),
        ("self-sign", "--key", "alias/rsa", "--algorithm", "RSASSA_PSS_SHA_256", *NAME, "-o", "own cert.pem"),
        ("crl", *ca, "--number", "1", "--days", "9", "--revoke", "db.der,superseded", "-o", "1.crl"),
        ("crl", *ca, "--from", "1.crl", "--days", "9", "--revoke", "0x7", "--format", "der", "-o", "2.crl"),
    ]
    for command in commands:
        done = run("cert", *command)
        assert (done.code, done.out) == (0, b""), done.err
        assert kms.called == ["GetPublicKey", "Sign"]
        assert len(lines_of(done)) == (2 if command[0] in ("issue", "self-sign") else 1)
        for line in lines_of(done):
            openssl_agrees(line, here)
    listed = x509.load_der_x509_crl((here / "2.crl").read_bytes())
    assert [entry.serial_number for entry in listed][1] == 7
    assert listed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 2
    for name in ("web.pem", "db.der", "2.crl"):
        shown = run("cert", "show", name, "--ca", "ca.pem")
        assert shown.code == 0
        assert b"verified with the key of CN=Root,O=Example" in shown.out


def test_standard_output_and_input(run: Run, here: Path) -> None:
    made = run("cert", "csr", "--key", "alias/web", *NAME)
    assert made.out.startswith(b"-----BEGIN CERTIFICATE REQUEST-----\n")
    assert lines_of(made) == []
    issuing = ("cert", "issue", "-", "--key", "alias/ca", "--ca", "ca.pem", "--yes")
    issued = run(*issuing, stdin=made.out)
    assert issued.out.startswith(b"-----BEGIN CERTIFICATE-----\n")
    shown = run("cert", "show", "-", "--format", "json", stdin=issued.out)
    (told,) = json.loads(shown.out)
    assert told["subject"] == "CN=www.example.com,O=Example"
    assert told["names"] == [{"type": "DNS", "value": "www.example.com"}]
    assert told["signature"]["verified"] is None
    assert told["days_left"] in (89, 90)


def test_a_chain_is_shown(run: Run, here: Path) -> None:
    run("cert", "csr", "--key", "alias/web", *NAME, "-o", "web.csr")
    run("cert", "issue", "web.csr", "--key", "alias/ca", "--ca", "ca.pem", "--yes", "-o", "web.pem")
    (here / "chain").write_bytes((here / "web.pem").read_bytes() + (here / "ca.pem").read_bytes())
    shown = run("cert", "show", "chain")
    assert b"chain: certificate 1 of 2\n" in shown.out
    assert shown.out.count(b"verified with") == 2


def test_issuing_shows_what_is_asked_for_and_asks(run: Run, kms: CountedBackend, here: Path) -> None:
    stranger_csr(here / "db.csr", "db.example.com", "evil.example.com")
    issuing = ("cert", "issue", "db.csr", "--key", "alias/ca", "--ca", "ca.pem", "-o", "db.pem")
    done = run(*issuing)
    assert done.code == 1
    assert "The CSR's signature verifies. To be signed with alias/ca:\n" in done.err
    assert "  name       DNS evil.example.com\n" in done.err
    assert done.err.endswith("Nothing was signed.\nAdd --yes to sign it without being asked.\n")
    assert kms.called == ["GetPublicKey"]
    assert files(here) == {"ca.pem", "db.csr"}
    assert run(*issuing, "--dns", "db.example.com", "--yes").code == 0
    names = certificate(here / "db.pem").extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert list(names.value) == [x509.DNSName("db.example.com")]


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"YES\n", 0), (b"\n", 1), (b"n\n", 1), (b"", 1)])
def test_in_a_terminal_it_asks(run: Run, here: Path, answer: bytes, code: int) -> None:
    stranger_csr(here / "db.csr")
    issuing = ("cert", "issue", "db.csr", "--key", "alias/ca", "--ca", "ca.pem", "-o", "db.pem")
    done = run(*issuing, stdin=answer, terminal=("stdin",))
    assert done.code == code
    assert "Sign it? [y/N] " in done.err
    assert (here / "db.pem").exists() is (code == 0)


BAD_USAGE = [
    (("csr", "--subject", "x"), "--subject: The part “x” is no TYPE=VALUE."),
    (
        ("csr", "--subject", "CN=x", "--dns", "10.0.0.1"),
        "--dns: “10.0.0.1” is an IP address, not a DNS name.",
    ),
    (("csr", "--subject", "CN=x", "--dns", ""), "argument --dns: nothing is given"),
    (("csr",), "--subject: There is neither a subject nor an alternative name."),
    (("csr", "--subject", "CN=x", "--algorithm", "SHA1"), "--algorithm: alias/web is an ECC_NIST_P256 key"),
    (("csr", "--subject", "CN=x\x1b[2J"), "--subject: The value of CN, “x␛[2J”, has a control"),
    (("csr", "--subject", "CN=x", "--path-length", "1"), "--path-length: A path length is for"),
    (("csr", "--subject", "CN=x", "--key-usage", "keyEncipherment"), "--key-usage: keyEncipherment is"),
    (("self-sign", "--subject", "CN=x", "--days", "0"), "--days: “0” is no number of days"),
    (("self-sign", "--subject", "CN=x", "--not-after", "2020-01-01"), "--not-after: The validity ends"),
    (("self-sign", "--subject", "CN=x", "--serial", "0"), "--serial: A serial number is greater than 0"),
    (("self-sign", "--dns", "a.example"), "--subject: A self-signed certificate needs a subject."),
]


@pytest.mark.parametrize(("arguments", "sentence"), BAD_USAGE)
def test_bad_usage_names_the_flag(
    run: Run, kms: CountedBackend, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    done = run("cert", *arguments, "--key", "alias/web", "-o", "made")
    assert (done.code, done.out) == (2, b"")
    assert sentence in done.err
    assert done.err.count("\n") == 2
    assert "Sign" not in kms.called
    assert files(tmp_path) == set()


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("alias/encrypts", "is a key of usage ENCRYPT_DECRYPT: it encrypts; it signs nothing."),
        ("alias/symmetric", "is a symmetric key: it has no public key"),
        ("alias/disabled", "is disabled"),
        ("alias/missing", "NotFoundException"),
    ],
)
def test_a_key_that_cannot_sign(run: Run, tmp_path: Path, key: str, sentence: str) -> None:
    for command in ("csr", "self-sign"):
        done = run("cert", command, "--key", key, "--subject", "CN=x", "-o", "made")
        assert (done.code, done.out) == (1, b"")
        assert sentence in done.err
        assert files(tmp_path) == set()


def test_an_arn_is_asked_in_its_region(run: Run, account: LocalBackend, tmp_path: Path) -> None:
    there = account.in_region(OTHER_REGION)
    key = there.call("CreateKey", {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"})["KeyMetadata"]
    assert run("cert", "csr", "--key", key["Arn"], "--subject", "CN=x", "-o", "made").code == 0
    assert run("cert", "csr", "--key", key["KeyId"], "--subject", "CN=x", "-o", "other").code == 1
    assert files(tmp_path) == {"made"}


def test_a_file_is_not_overwritten_unasked(run: Run, kms: CountedBackend, tmp_path: Path) -> None:
    (tmp_path / "web.csr").write_text("mine")
    making = ("cert", "csr", "--key", "alias/web", *NAME, "-o", "web.csr")
    done = run(*making)
    assert done.code == 1
    assert "web.csr exists already; it was not touched." in done.err
    assert "Sign" not in kms.called
    assert (tmp_path / "web.csr").read_text() == "mine"
    assert run(*making, "--overwrite").code == 0
    assert (tmp_path / "web.csr").read_text().startswith("-----BEGIN")


def test_a_ca_that_is_not_right_signs_nothing(run: Run, kms: CountedBackend, here: Path) -> None:
    stranger_csr(here / "db.csr")
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (here / "key.pem").write_bytes(private)
    run("cert", "self-sign", "--key", "alias/ca", "--subject", "CN=leaf", "-o", "leaf.pem")
    (here / "half.pem").write_bytes((here / "ca.pem").read_bytes()[:200])
    (here / "big.pem").write_bytes(b"x" * (10 << 20))
    (here / "many.csr").write_bytes((here / "db.csr").read_bytes() * 2)
    (here / "bad.csr").write_bytes(tampered((here / "db.csr").read_bytes()))
    before = files(here)
    cases = [
        ("db.csr", "ca.pem", "alias/web", "The certificate ca.pem is of another key, not of alias/web."),
        ("db.csr", "leaf.pem", "alias/ca", "The certificate leaf.pem is not that of a CA (CA:false)"),
        ("db.csr", "key.pem", "alias/ca", "key.pem holds a private key"),
        ("key.pem", "ca.pem", "alias/ca", "key.pem holds a private key"),
        ("db.csr", "half.pem", "alias/ca", "half.pem is not whole"),
        ("db.csr", "big.pem", "alias/ca", "big.pem has more than 1 MiB: it is larger than any certificate."),
        ("many.csr", "ca.pem", "alias/ca", "many.csr holds 2 CSRs, and one is needed."),
        ("bad.csr", "ca.pem", "alias/ca", "The signature of bad.csr does not verify"),
        ("ca.pem", "ca.pem", "alias/ca", "ca.pem holds a certificate, and a CSR is needed."),
        ("missing", "ca.pem", "alias/ca", "missing could not be read: No such file or directory."),
        ("a\x1bb", "ca.pem", "alias/ca", "a␛b could not be read"),
    ]
    for request, ca, key_name, sentence in cases:
        done = run("cert", "issue", request, "--key", key_name, "--ca", ca, "--yes", "-o", "made.pem")
        assert (done.code, done.out) == (1, b"")
        assert sentence in done.err
        assert private.decode().splitlines()[1] not in done.err
        assert "Sign" not in kms.called
        assert files(here) == before


def tampered(pem: bytes) -> bytes:
    der = bytearray(x509.load_pem_x509_csr(pem).public_bytes(Encoding.DER))
    der[-1] ^= 1
    return x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--number", "1", "--days", "x"), 2, "--days: “x” is no number of days"),
        (("--days", "1"), 2, "--number: A CRL has a number"),
        (("--number", "1", "--days", "1", "--revoke", "nobody.pem"), 2, "--revoke: “nobody.pem” is no"),
        (("--number", "1", "--days", "1", "--revoke", "7,stolen"), 2, "--revoke: “stolen” is no reason."),
        (("--number", "1", "--days", "1", "--revoke", "."), 2, "--revoke: “.” is no serial number."),
        (("--from", "ca.pem", "--days", "1"), 1, "ca.pem holds a certificate, and a CRL is needed."),
        (("--number", "1", "--days", "1", "--revoke", "7", "--revoke", "7"), 2, "--revoke: 07 is named"),
    ],
)
def test_bad_crls(run: Run, here: Path, arguments: tuple[str, ...], code: int, sentence: str) -> None:
    before = files(here)
    done = run("cert", "crl", "--key", "alias/ca", "--ca", "ca.pem", *arguments, "-o", "made.crl")
    assert (done.code, done.out) == (code, b"")
    assert sentence in done.err
    assert files(here) == before


def test_ml_dsa_says_which_openssl_knows_it(run: Run, tmp_path: Path) -> None:
    done = run("cert", "self-sign", "--key", "alias/quantum", *NAME, "-o", "q.pem")
    assert "To check it, with OpenSSL 3.5 or newer:\n" in done.err
    made = certificate(tmp_path / "q.pem")
    made.verify_directly_issued_by(made)
    run("cert", "csr", "--key", "alias/quantum", *NAME, "-o", "q.csr")
    run("cert", "self-sign", "--key", "alias/ca", "--subject", "CN=x", "--ca", "-o", "ca.pem")
    issuing = ("cert", "issue", "q.csr", "--key", "alias/ca", "--ca", "ca.pem", "--yes", "-o", "issued.pem")
    assert "with OpenSSL 3.5 or newer:\n" in run(*issuing).err


def test_notes_are_told(run: Run, tmp_path: Path) -> None:
    done = run(
        "cert", "self-sign", "--key", "alias/web", "--subject", "CN=a.example", "--days", "500", "-o", "x"
    )
    assert "note: The common name is taken as DNS name too: a.example.\n" in done.err
    assert "note: It lives 500 days: many clients refuse" in done.err


def test_show_fails_where_a_signature_does_not_verify(run: Run, here: Path) -> None:
    run("cert", "self-sign", "--key", "alias/web", "--subject", "/O=Example/CN=Root", "-o", "other.pem")
    stranger_csr(here / "db.csr")
    run("cert", "issue", "db.csr", "--key", "alias/ca", "--ca", "ca.pem", "--yes", "-o", "db.pem")
    done = run("cert", "show", "db.pem", "--ca", "other.pem")
    assert done.code == 1
    assert b"DOES NOT VERIFY with the key of CN=Root,O=Example" in done.out
    gone = run("cert", "show", "missing")
    assert (gone.code, gone.out) == (1, b"")


def test_names_of_strangers_are_made_visible(run: Run, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a\x1b[2J\u202eb")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
    builder = (
        builder.public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(1))
    )
    made = builder.sign(key, hashes.SHA256())
    (tmp_path / "x.pem").write_bytes(made.public_bytes(Encoding.PEM))
    for arguments in ((), ("--format", "json")):
        done = run("cert", "show", "x.pem", *arguments)
        assert b"\x1b" not in done.out
        assert "\u202e" not in done.out.decode()
    issuing = ("cert", "csr", "--key", "alias/web", "--like", "x.pem", "-o", "made")
    assert run(*issuing).code == 1
    assert run(*issuing, "--subject", "CN=x").code == 0


def test_der_does_not_go_to_a_terminal(run: Run) -> None:
    done = run("cert", "csr", "--key", "alias/web", *NAME, "--format", "der", terminal=("stdout",))
    assert done.code == 2
    assert "the result is binary" in done.err
    twice = run("cert", "issue", "-", "--key", "alias/ca", "--ca", "-")
    assert twice.code == 2
    assert "standard input can be read once only" in twice.err


def test_the_help_has_examples(run: Run) -> None:
    for action in ("csr", "self-sign", "issue", "show", "crl"):
        done = run("cert", action, "--help")
        assert (done.code, done.err) == (0, "")
        assert b"examples:\n  kms-tui cert " in done.out
        assert b"exit codes: 0 " in done.out
