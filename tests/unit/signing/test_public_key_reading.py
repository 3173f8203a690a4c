"""A public key is read in each form that people have it in; private keys are refused unseen."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    SSHCertificateBuilder,
    SSHCertificateType,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.public_key import PublicKey, PublicKeyError
from kms_tui.signing.pasted_kinds import kind_of
from kms_tui.signing.public_key_reading import MAX_BYTES, read_public_key

KEYS: dict[str, Any] = {
    "RSA_2048": rsa.generate_private_key(65537, 2048),
    "ECC_NIST_P256": ec.generate_private_key(ec.SECP256R1()),
    "ECC_NIST_P384": ec.generate_private_key(ec.SECP384R1()),
    "ECC_NIST_P521": ec.generate_private_key(ec.SECP521R1()),
    "ECC_SECG_P256K1": ec.generate_private_key(ec.SECP256K1()),
    "ECC_NIST_EDWARDS25519": ed25519.Ed25519PrivateKey.generate(),
    "ML_DSA_44": mldsa.MLDSA44PrivateKey.generate(),
    "ML_DSA_65": mldsa.MLDSA65PrivateKey.generate(),
    "ML_DSA_87": mldsa.MLDSA87PrivateKey.generate(),
}
OTHER_KEYS = {"ML_KEM_768": mlkem.MLKEM768PrivateKey.generate(), "": x25519.X25519PrivateKey.generate()}
SSH = ("RSA_2048", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_NIST_EDWARDS25519")
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "orders")])
P256 = PublicKey.of(KEYS["ECC_NIST_P256"].public_key())


def certificate(spec: str) -> x509.Certificate:
    key = KEYS[spec]
    hashed = None if spec.startswith("ML_DSA") or "EDWARDS" in spec else hashes.SHA256()
    return (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
        .sign(key, hashed)
    )


def request(spec: str) -> x509.CertificateSigningRequest:
    return x509.CertificateSigningRequestBuilder().subject_name(NAME).sign(KEYS[spec], hashes.SHA256())


@pytest.mark.parametrize("spec", [*KEYS, *OTHER_KEYS])
def test_pem_der_and_their_encodings(spec: str) -> None:
    key = PublicKey.of({**KEYS, **OTHER_KEYS}[spec].public_key())
    assert key.spec == spec
    in_base64 = base64.b64encode(key.der).decode()
    wrapped = "\r\n".join(in_base64[at : at + 64] for at in range(0, len(in_base64), 64))
    for text, form in (
        (key.pem, "PEM"),
        (f"\ufeff  Leading text\r\n{key.pem}".replace("\n", "\r\n"), "PEM"),
        (key.pem.encode("utf-16"), "PEM"),
        (json.dumps(key.pem), "PEM"),
        (key.pem.replace("\n", "\\n"), "PEM"),
        (base64.b64encode(key.pem.encode()).decode(), "PEM"),
        (key.der, "DER"),
        (in_base64, "DER in base64"),
        (f'"{in_base64}"', "DER in base64"),
        (f"'{in_base64}'\n", "DER in base64"),
        (wrapped.encode(), "DER in base64"),
        (key.der.hex(), "DER in hex"),
    ):
        read = read_public_key(text)
        assert (read.key, read.form) == (key, form)
    answer = {"KeyId": "arn:aws:kms:x", "PublicKey": in_base64, "KeyUsage": "SIGN_VERIFY"}
    read = read_public_key(json.dumps(answer, indent=4))
    assert (read.key, read.key_id, read.form) == (key, "arn:aws:kms:x", "answer of GetPublicKey")


@pytest.mark.parametrize("spec", KEYS)
def test_certificates_and_jwk(spec: str) -> None:
    key, made = PublicKey.of(KEYS[spec].public_key()), certificate(spec)
    for text in (made.public_bytes(Encoding.PEM), made.public_bytes(Encoding.DER)):
        read = read_public_key(text)
        assert (read.key, read.form) == (key, "certificate")
    jwk = {**key.jwk(), "kid": "one", "use": "sig"}
    for document in (jwk, {"keys": [jwk]}, {"keys": [{"kty": "oct", "k": "AA", "kid": "two"}, jwk]}):
        read = read_public_key(json.dumps(document), kid="one")
        assert (read.key, read.form, read.key_id) == (key, "JWK", "one")
    assert read_public_key(json.dumps(jwk)).algorithm == key.jwk().get("alg", "")


def test_requests() -> None:
    for encoding in (Encoding.PEM, Encoding.DER):
        read = read_public_key(request("ECC_NIST_P256").public_bytes(encoding))
        assert (read.key, read.form) == (P256, "certificate signing request")


def test_pkcs1_goes_both_ways() -> None:
    key = PublicKey.of(KEYS["RSA_2048"].public_key())
    assert key.pkcs1_pem().startswith("-----BEGIN RSA PUBLIC KEY-----")
    read = read_public_key(key.pkcs1_pem())
    assert (read.key, read.form) == (key, "PKCS #1 PEM")
    assert (
        read_public_key(KEYS["RSA_2048"].public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)).key
        == key
    )
    with pytest.raises(PublicKeyError, match="Only RSA keys"):
        P256.pkcs1_pem()


@pytest.mark.parametrize("spec", SSH)
def test_ssh_lines(spec: str) -> None:
    key = PublicKey.of(KEYS[spec].public_key())
    line = key.ssh_line("me@host, laptop")
    assert line.endswith(" me@host, laptop")
    blob = line.split()[1]
    lines = ["---- BEGIN SSH2 PUBLIC KEY ----", 'Comment: "a \\', 'b"', blob[:70], blob[70:]]
    ssh2 = "\n".join([*lines, "---- END SSH2 PUBLIC KEY ----"])
    for text in (line, f'restrict,command="ls" {line}\r\n', f"# a comment\n{line}\n"):
        read = read_public_key(text)
        assert (read.key, read.form, read.key_id) == (key, "OpenSSH line", "me@host, laptop")
    assert read_public_key(f"github.com {key.ssh_line()}").key == key
    assert read_public_key(ssh2).key == key
    built = SSHCertificateBuilder(
        KEYS[spec].public_key(), 1, SSHCertificateType.USER, b"id", [b"me"], False, 2**40, 0
    )
    signed = built.sign(KEYS["ECC_NIST_EDWARDS25519"]).public_bytes()
    read = read_public_key(signed)
    assert (read.key, read.form) == (key, "OpenSSH certificate")


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")
def test_ssh_keygen_reads_the_line_and_agrees_on_the_fingerprint(tmp_path: Path) -> None:
    for spec in SSH:
        key = PublicKey.of(KEYS[spec].public_key())
        file = tmp_path / "key.pub"
        file.write_text(key.ssh_line("x") + "\n")
        said = subprocess.run(["ssh-keygen", "-lf", file], capture_output=True, text=True, check=True).stdout
        assert said.split()[1] == key.ssh_fingerprint
        for form in ("RFC4716", "PKCS8", "PEM"):
            exported = subprocess.run(["ssh-keygen", "-e", "-m", form, "-f", file], capture_output=True)
            if exported.returncode == 0:
                assert read_public_key(exported.stdout).key == key


def test_kinds_that_openssh_does_not_have() -> None:
    for spec in ("ECC_SECG_P256K1", "ML_DSA_44"):
        with pytest.raises(PublicKeyError, match=f"OpenSSH has no form for {spec}"):
            PublicKey.of(KEYS[spec].public_key()).ssh_line()


def test_thumbprints_are_those_of_the_rfcs() -> None:
    """RFC 7638, section 3.1, and RFC 8037, appendix A.3."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi"
        "FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb"
        "9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls"
        "1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    jwk = {"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    read = read_public_key(json.dumps(jwk))
    assert read.key.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert (read.key_id, read.algorithm) == ("2011-04-29", "RS256")
    okp = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert read_public_key(json.dumps(okp)).key.thumbprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def pem(spec: str, form: PrivateFormat, password: bytes = b"") -> str:
    protected = BestAvailableEncryption(password) if password else NoEncryption()
    return str(KEYS[spec].private_bytes(Encoding.PEM, form, protected).decode())


PRIVATE = [
    pem("RSA_2048", PrivateFormat.TraditionalOpenSSL),
    pem("ECC_NIST_P256", PrivateFormat.PKCS8),
    pem("ECC_NIST_P256", PrivateFormat.PKCS8, b"password"),
    pem("ECC_NIST_EDWARDS25519", PrivateFormat.OpenSSH),
    pem("ECC_NIST_P256", PrivateFormat.PKCS8) + P256.pem,
    json.dumps({**P256.jwk(), "d": "c2VjcmV0c2VjcmV0"}),
    json.dumps({"kty": "oct", "k": "c2VjcmV0c2VjcmV0"}),
    json.dumps({"keys": [{"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA", "priv": "c2VjcmV0"}]}),
    KEYS["RSA_2048"].private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    KEYS["RSA_2048"].private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")),
    base64.b64encode(
        KEYS["ECC_NIST_P256"].private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    ).decode(),
    "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\nc2VjcmV0",
    "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQ",
]


@pytest.mark.parametrize("content", PRIVATE, ids=map(str, range(len(PRIVATE))))
def test_private_keys_are_refused_unseen(content: str | bytes) -> None:
    with pytest.raises(PublicKeyError, match=r"private key|symmetric key") as caught:
        read_public_key(content)
    said = f"{caught.value} {caught.value.next_step}"
    assert "ecret" in said  # "Keep it secret"
    assert "c2VjcmV0" not in said


JWK = P256.jwk()
V3 = bytes.fromhex("a003020102")
"""The version of a certificate."""
NO_VERSION = certificate("ECC_NIST_P256").public_bytes(Encoding.DER).replace(V3, V3[:-1] + b"\5")
_POINT = base64.b64decode(P256.ssh_line().split()[1])
_SHORT = _POINT[:-69] + (33).to_bytes(4) + b"\2" + _POINT[-64:-32]
COMPRESSED = f"ecdsa-sha2-nistp256 {base64.b64encode(_SHORT).decode()}"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "the text is empty"),
        (b"", "the text is empty"),
        (" \r\n\t", "the text is empty"),
        ("x" * (MAX_BYTES + 1), "none has over"),
        ("hello", "This text is no public key"),
        (b"\x30\x82\x01\x00\x00", "cut, damaged or something else"),
        (b"\xff\xfe\xfd\x00\x01", "These bytes are no public key"),
        (P256.der[:-4], "cut, damaged or something else"),
        ("\ud800", "This text is no public key"),
        (P256.pem[:100], "not whole"),
        (P256.pem.replace("M", "*", 1), "damaged"),
        (P256.pem.replace("M", "é", 1), "damaged"),
        (P256.pem * 2, "Here are 2 PEM blocks"),
        (
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ==\n-----END PGP PUBLIC KEY BLOCK-----",
            "a PGP public key",
        ),
        ("-----BEGIN X-----\nAA==\n-----END X-----", r"a PEM block of another kind \(X\)"),
        ("age1" + "q" * 58, "an age recipient"),
        ("alias/orders", "the name of a KMS key"),
        ("arn:aws:kms:eu-west-1:111122223333:key/x", "the name of a KMS key"),
        ("eyJhbGciOiJub25lIn0.e30.", "a token"),
        ("{", "not JSON: line 1"),
        ("{}", "neither a JWK"),
        ("[]", "neither a JWK"),
        ("[" * 100_000, "nests too deep"),
        ('{"kty":' * 50_000, "nests too deep"),
        ('{"kty": "EC", "kty": "RSA"}', "given twice"),
        ('{"kty": NaN}', "NaN is no JSON number"),
        ('{"kty": 5}', "not one of RSA, EC, OKP and AKP"),
        ('{"kty": "EC"}', "The crv of this EC JWK is not one of P-256"),
        (json.dumps({**JWK, "crv": ["P-256"]}), "The crv of this EC JWK"),
        (json.dumps({**JWK, "x": 5}), "lacks its x"),
        (json.dumps({**JWK, "x": "A+/="}), "The x of this EC JWK is not base64url"),
        (json.dumps({**JWK, "x": JWK["y"]}), "are no public key"),
        (json.dumps({"kty": "RSA", "n": "AA", "e": "AQAB"}), "are no public key"),
        (json.dumps({"kty": "OKP", "crv": "Ed25519", "x": "AA"}), "are no public key"),
        (json.dumps({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}), "are no public key"),
        (json.dumps({"keys": 5}), "a list of objects"),
        (json.dumps({"keys": [5]}), "a list of objects"),
        (json.dumps({"keys": []}), "has no keys"),
        (json.dumps({"keys": [JWK, JWK]}), "which one"),
        (json.dumps({"KeyMetadata": {}}), "another answer of KMS"),
        (json.dumps({"PublicKey": "***"}), "is not base64"),
        (json.dumps({"PublicKey": "AAAA"}), "no public key"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP", "cut, damaged"),
        ("ssh-rsa AAAA", "cut, damaged"),
        (COMPRESSED, "cut, damaged"),
        (P256.pem.replace("M", "ä", 1), "is not base64"),
        (NO_VERSION, "No public key can be read"),
        (f"{P256.ssh_line()}\n{P256.ssh_line()}", "Here are 2 SSH keys"),
    ],
    ids=map(str, count()),  # the keys are other ones in each process
)
def test_everything_else_gets_one_sentence(content: str | bytes, sentence: str) -> None:
    with pytest.raises(PublicKeyError, match=sentence):
        read_public_key(content)


def test_a_jwks_without_the_kid_lists_those_that_it_has() -> None:
    keys = {"keys": [{**JWK, "kid": f"k{number}"} for number in range(12)] + [JWK]}
    with pytest.raises(PublicKeyError, match="no key with the kid other") as caught:
        read_public_key(json.dumps(keys), kid="other")
    assert caught.value.next_step == "It has k0, k1, k2, k3, k4, k5, k6, k7 and 5 more."
    with pytest.raises(PublicKeyError, match="has 2 keys with the kid a"):
        read_public_key(json.dumps({"keys": [{**JWK, "kid": "a"}] * 2}), kid="a")


@settings(max_examples=60)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200), st.integers(0, len(P256.der))))
def test_any_content_is_read_or_refused(content: bytes | str | int) -> None:
    if isinstance(content, int):
        content = P256.der[:content] + bytes([P256.der[content - 1] ^ 1]) + P256.der[content + 1 :]
    with contextlib.suppress(PublicKeyError):
        assert read_public_key(content).key.der


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("-----BEGIN SSH SIGNATURE-----\nU1NI", "an SSH signature"),
        ("-----BEGIN CMS-----\nMII", "a CMS structure"),
        ("-----BEGIN AGE ENCRYPTED FILE-----", "an age file"),
        (b"age-encryption.org/v1\n-> X25519", "an age file"),
        ("$ANSIBLE_VAULT;1.1;AES256\n62", "an ansible-vault file"),
        (
            "vault:v1:8SDd3WHDOjf7mq69CyCqYjBXAiQQAVZRkFM13ok481zoCmHnSeDX9vyf7w==",
            "a ciphertext of HashiCorp Vault",
        ),
        ("eyJhbGciOiJkaXIifQ..MTIz.NDU2.Nzg5", "an encrypted token (JWE)"),
    ],
)
def test_what_is_something_else_is_named(text: str | bytes, name: str) -> None:
    kind = kind_of(text)
    assert kind is not None
    assert kind.name == name
    assert kind_of("plain words") is None
