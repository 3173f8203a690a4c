"""Files are signed in the forms that stock tools read, and those of stock tools are checked."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kms_tui.backend.kms_facade import Kms
from kms_tui.public_key import PublicKey
from kms_tui.signing.certificates.unsigned import digest_of
from kms_tui.signing.files.cms import CmsError
from kms_tui.signing.files.file_signatures import SignatureFormat, SigningChoice, sign_file
from kms_tui.signing.files.file_verification import read_signature_file, verify_file
from kms_tui.signing.kms_private_keys import private_key
from kms_tui.signing.signing_key import SigningError, SigningKey, default_algorithm, open_signing_key
from kms_tui.signing.ssh.ssh_keys import SSH_KINDS, SshError
from kms_tui.signing.ssh.ssh_signatures import SshSignature
from tests.unit.signing.judges import NEEDS_OPENSSL, NEEDS_SSH, judged

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CONTENT = b"release 1.0\n" * 300
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "releases")])


def certificate_of(key: SigningKey) -> x509.Certificate:
    made: Any = private_key(key)
    builder = x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).public_key(made.public_key())
    builder = builder.serial_number(7).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=3650))
    return builder.sign(made, digest_of(default_algorithm(key)))


def choice(key: SigningKey, form: SignatureFormat, **more: Any) -> SigningChoice:
    certificate = certificate_of(key) if form in (SignatureFormat.CMS, SignatureFormat.CMS_PEM) else None
    return SigningChoice(form, certificate=certificate, signed_at=NOW, **more)


@pytest.mark.parametrize("form", SignatureFormat)
def test_every_form_of_every_key_is_read_again(signing_key: SigningKey, form: SignatureFormat) -> None:
    """Or the key does not have the form, in words."""
    chosen = choice(signing_key, form)
    if not _has(signing_key.spec, form):
        with pytest.raises(SigningError):
            sign_file(signing_key, io.BytesIO(CONTENT), chosen)
        return
    made = sign_file(signing_key, io.BytesIO(CONTENT), chosen)
    for content, good in ((CONTENT, True), (CONTENT + b"!", False)):
        verdict = verify_file(io.BytesIO(content), read_signature_file(made), signing_key.public_key)
        assert verdict.good is good, verdict
    other = PublicKey(_other_key(signing_key.spec), signing_key.spec)
    assert not verify_file(io.BytesIO(CONTENT), read_signature_file(made), other).good


def _has(spec: str, form: SignatureFormat) -> bool:
    match form:
        case SignatureFormat.SSH:
            return spec in SSH_KINDS
        case SignatureFormat.R_S:
            return spec.startswith("ECC") and "EDWARDS" not in spec
        case SignatureFormat.COSIGN:
            return spec in ("RSA_2048", "ECC_NIST_P256", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519")
    return True


_GENERATED: dict[str, Callable[[], Any]] = {
    "RSA_2048": lambda: rsa.generate_private_key(65537, 2048),
    "ECC_NIST_P256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ECC_NIST_P384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ECC_NIST_P521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ECC_SECG_P256K1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "ECC_NIST_EDWARDS25519": ed25519.Ed25519PrivateKey.generate,
    "ML_DSA_44": mldsa.MLDSA44PrivateKey.generate,
    "ML_DSA_65": mldsa.MLDSA65PrivateKey.generate,
    "ML_DSA_87": mldsa.MLDSA87PrivateKey.generate,
}


@cache
def _other_key(spec: str) -> bytes:
    public = _GENERATED[spec]().public_key()
    made: bytes = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return made


@NEEDS_OPENSSL
@pytest.mark.parametrize(
    ("alias", "algorithm", "options"),
    [
        ("RSA_2048", "", ["-sha256"]),
        ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_512", ["-sha512"]),
        ("RSA_2048", "RSASSA_PSS_SHA_384", ["-sha384", "-sigopt", "rsa_padding_mode:pss"]),
        ("ECC_NIST_P256", "", ["-sha256"]),
        ("ECC_NIST_P384", "", ["-sha384"]),
        ("ECC_NIST_P521", "", ["-sha512"]),
        ("ECC_SECG_P256K1", "", ["-sha256"]),
    ],
)
def test_openssl_dgst_verifies_the_raw_form(
    signing_account: Kms, tmp_path: Path, alias: str, algorithm: str, options: list[str]
) -> None:
    key = open_signing_key(signing_account, f"alias/{alias}")
    (tmp_path / "file").write_bytes(CONTENT)
    (tmp_path / "key.pem").write_text(key.public_key.pem)
    made = sign_file(key, io.BytesIO(CONTENT), SigningChoice(algorithm=algorithm))
    (tmp_path / "sig").write_bytes(made)
    command = ("openssl", "dgst", *options, "-verify", "key.pem", "-signature", "sig", "file")
    assert judged(tmp_path, *command) == (0, "Verified OK\n")


@NEEDS_OPENSSL
@pytest.mark.parametrize(
    ("alias", "algorithm"),
    [("RSA_2048", ""), ("RSA_2048", "RSASSA_PSS_SHA_256"), ("ECC_NIST_P256", ""), ("ECC_NIST_P521", "")],
)
@pytest.mark.parametrize("form", [SignatureFormat.CMS, SignatureFormat.CMS_PEM])
def test_openssl_cms_verifies(
    signing_account: Kms, tmp_path: Path, alias: str, algorithm: str, form: SignatureFormat
) -> None:
    """Up to 3.6 it reads no CMS of Ed25519 (openssl#32248), and before 3.5 none of ML-DSA."""
    key = open_signing_key(signing_account, f"alias/{alias}")
    (tmp_path / "file").write_bytes(CONTENT)
    chosen = choice(key, form, algorithm=algorithm)
    assert chosen.certificate
    (tmp_path / "cert.pem").write_bytes(chosen.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "sig").write_bytes(sign_file(key, io.BytesIO(CONTENT), chosen))
    inform = "DER" if form is SignatureFormat.CMS else "PEM"
    command = ["openssl", "cms", "-verify", "-inform", inform, "-in", "sig", "-content", "file", "-binary"]
    command += ["-CAfile", "cert.pem", "-purpose", "any", "-out", "out", "-no_check_time"]
    code, said = judged(tmp_path, *command)
    assert (code, (tmp_path / "out").read_bytes()) == (0, CONTENT), said
    (tmp_path / "file").write_bytes(CONTENT + b"!")
    assert judged(tmp_path, *command)[0] != 0


@NEEDS_SSH
@pytest.mark.parametrize("alias", ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_P521", "ECC_NIST_EDWARDS25519"])
def test_ssh_keygen_verifies_the_ssh_form(signing_account: Kms, tmp_path: Path, alias: str) -> None:
    key = open_signing_key(signing_account, f"alias/{alias}")
    (tmp_path / "sig").write_bytes(sign_file(key, io.BytesIO(CONTENT), SigningChoice(SignatureFormat.SSH)))
    (tmp_path / "allowed").write_text(f"ann@example.com {key.public_key.ssh_line()}\n")
    command = (
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        "allowed",
        "-I",
        "ann@example.com",
        "-n",
        "file",
        "-s",
        "sig",
    )
    code, said = judged(tmp_path, *command, given=CONTENT)
    assert (code, "Good" in said) == (0, True), said
    assert judged(tmp_path, *command, given=CONTENT + b"!")[0] != 0


@NEEDS_OPENSSL
def test_signatures_of_openssl_are_checked(tmp_path: Path) -> None:
    judged(tmp_path, "openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key")
    judged(tmp_path, "openssl", "ec", "-in", "key", "-pubout", "-outform", "DER", "-out", "public")
    judged(tmp_path, *("openssl", "req", "-x509", "-key", "key", "-subj", "/CN=a", "-out", "cert"))
    (tmp_path / "file").write_bytes(CONTENT)
    judged(tmp_path, *["openssl", "dgst", "-sha256", "-sign", "key", "-out", "raw", "file"])
    sign = [
        "openssl",
        "cms",
        "-sign",
        "-binary",
        "-signer",
        "cert",
        "-inkey",
        "key",
        "-in",
        "file",
        "-outform",
        "DER",
        "-out",
    ]
    judged(tmp_path, *sign, "cms")
    judged(tmp_path, *sign, "noattr", "-noattr")
    public = PublicKey((tmp_path / "public").read_bytes(), "ECC_NIST_P256")
    (tmp_path / "base64").write_bytes(base64.encodebytes((tmp_path / "cms").read_bytes()))
    for name in ("raw", "cms", "noattr", "base64"):
        given = read_signature_file((tmp_path / name).read_bytes())
        assert verify_file(io.BytesIO(CONTENT), given, public).good, name
        assert not verify_file(io.BytesIO(CONTENT + b"!"), given, public).good, name
    judged(tmp_path, *("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key2"))
    judged(tmp_path, *("openssl", "req", "-x509", "-key", "key2", "-subj", "/CN=b", "-out", "cert2"))
    for options, sentence in (
        (["-nodetach"], "holds its content"),
        (["-stream"], "no CMS SignedData in DER"),
        (["-md", "sha1"], "digests its content with 1.3.14.3.2.26; KMS signs SHA-2"),
        (["-signer", "cert2", "-inkey", "key2"], "has 2 signers; one is expected"),
    ):
        code, said = judged(tmp_path, *sign, "refused", *options)
        assert code == 0, said
        with pytest.raises(CmsError, match=sentence):
            read_signature_file((tmp_path / "refused").read_bytes())


def test_cms_with_a_wrong_attribute_is_refused(signing_account: Kms) -> None:
    key = open_signing_key(signing_account, "alias/ECC_NIST_P256")
    made = sign_file(key, io.BytesIO(CONTENT), choice(key, SignatureFormat.CMS))
    of_data = bytes.fromhex("06092a864886f70d010701")
    assert made.count(of_data) == 2  # of the content, and what is signed of it
    other_type = made[: made.rindex(of_data)] + made[made.rindex(of_data) :].replace(
        of_data, bytes.fromhex("06092a864886f70d010702")
    )
    with pytest.raises(CmsError, match="signed as content of another type"):
        read_signature_file(other_type)
    time, digest = bytes.fromhex("06092a864886f70d010905"), bytes.fromhex("06092a864886f70d010904")
    with pytest.raises(CmsError, match="a signed attribute twice"):
        read_signature_file(made.replace(time, digest))


def _armoured(signature: SshSignature, kind: str, tail: bytes = b"", inner_tail: bytes = b"") -> bytes:
    def string(data: bytes) -> bytes:
        return len(data).to_bytes(4) + data

    parts = (
        signature.public_blob,
        signature.namespace.encode(),
        b"",
        signature.hash_name.encode(),
        string(kind.encode()) + string(signature.signature) + inner_tail,
    )
    blob = b"SSHSIG" + (1).to_bytes(4) + b"".join(map(string, parts)) + tail
    return b"-----BEGIN SSH SIGNATURE-----\n%s-----END SSH SIGNATURE-----\n" % base64.encodebytes(blob)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("rsa-sha2-512", "Good SSH signature"),
        ("rsa-sha2-256", "is of another content, or was altered"),
        ("ssh-ed25519", "says that it is ssh-ed25519, which this key does not make"),
    ],
)
def test_an_ssh_signature_may_claim_any_kind(signing_account: Kms, kind: str, sentence: str) -> None:
    key = open_signing_key(signing_account, "alias/RSA_2048")
    given = read_signature_file(sign_file(key, io.BytesIO(CONTENT), SigningChoice(SignatureFormat.SSH)))
    assert isinstance(given, SshSignature)
    verdict = verify_file(io.BytesIO(CONTENT), read_signature_file(_armoured(given, kind)), key.public_key)
    assert sentence in verdict.sentence
    assert verdict.good is (kind == "rsa-sha2-512")


def test_an_ssh_signature_with_a_compressed_point(signing_account: Kms) -> None:
    key = open_signing_key(signing_account, "alias/ECC_NIST_P256")
    given = read_signature_file(sign_file(key, io.BytesIO(CONTENT), SigningChoice(SignatureFormat.SSH)))
    assert isinstance(given, SshSignature)
    point = (33).to_bytes(4) + b"\2" + given.public_blob[-64:-32]
    with pytest.raises(SshError, match="of no known kind"):
        verify_file(
            io.BytesIO(CONTENT),
            replace(given, public_blob=given.public_blob[: -65 - 4] + point),
            key.public_key,
        )


def test_bytes_behind_an_ssh_signature_are_refused_as_by_ssh_keygen(signing_account: Kms) -> None:
    key = open_signing_key(signing_account, "alias/RSA_2048")
    given = read_signature_file(sign_file(key, io.BytesIO(CONTENT), SigningChoice(SignatureFormat.SSH)))
    assert isinstance(given, SshSignature)
    for tails in ((b"xx", b""), (b"", b"xx")):
        with pytest.raises(SshError, match="has 2 bytes too many"):
            read_signature_file(_armoured(given, given.kind, *tails))
    with pytest.raises(SshError, match="of the kind ssh-rsa, which is not known"):
        verify_file(io.BytesIO(CONTENT), read_signature_file(_armoured(given, "ssh-rsa")), key.public_key)


def test_one_call_signs_a_file(signing_account: Kms, calls: list[str]) -> None:
    key = open_signing_key(signing_account, "alias/ECC_NIST_EDWARDS25519")
    sign_file(key, io.BytesIO(bytes(1 << 20)), SigningChoice(SignatureFormat.SSH))
    assert calls == ["GetPublicKey", "Sign"]


def test_low_s_and_numbers_side_by_side(signing_account: Kms) -> None:
    key = open_signing_key(signing_account, "alias/ECC_SECG_P256K1")
    half = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 // 2
    for number in range(8):
        made = sign_file(key, io.BytesIO(b"m%d" % number), SigningChoice(SignatureFormat.R_S, low_s=True))
        assert len(made) == 64
        assert int.from_bytes(made[32:]) <= half
        verdict = verify_file(io.BytesIO(b"m%d" % number), read_signature_file(made), key.public_key)
        assert verdict.sentence == "Good signature, written as r‖s."


@pytest.mark.parametrize(
    ("alias", "chosen", "sentence"),
    [
        ("RSA_2048", SigningChoice(SignatureFormat.R_S), "only ECDSA signatures have the form"),
        ("RSA_2048", SigningChoice(low_s=True), "only ECDSA signatures have a low s"),
        ("RSA_2048", SigningChoice(algorithm="ECDSA_SHA_256"), "does not sign with ECDSA_SHA_256"),
        ("ECC_NIST_P384", SigningChoice(SignatureFormat.COSIGN), "cosign verify-blob reads no signature"),
        ("RSA_2048", SigningChoice(SignatureFormat.CMS), "names its signer by a certificate"),
        ("ECC_NIST_EDWARDS25519", SigningChoice(algorithm="ED25519_PH_SHA_512"), "nothing but KMS"),
        ("ECC_SECG_P256K1", SigningChoice(SignatureFormat.SSH), "a kind that OpenSSH does not know"),
        ("RSA_2048", SigningChoice(SignatureFormat.SSH, algorithm="RSASSA_PSS_SHA_256"), "OpenSSH signs"),
    ],
)
def test_a_form_that_the_key_lacks_is_refused_before_the_call(
    signing_account: Kms, calls: list[str], alias: str, chosen: SigningChoice, sentence: str
) -> None:
    key = open_signing_key(signing_account, f"alias/{alias}")
    with pytest.raises(SigningError, match=sentence):
        sign_file(key, io.BytesIO(CONTENT), chosen)
    assert calls == ["GetPublicKey"]


def test_the_certificate_of_another_key_is_refused(signing_account: Kms, calls: list[str]) -> None:
    certificate = certificate_of(open_signing_key(signing_account, "alias/ECC_NIST_P256"))
    calls.clear()
    key = open_signing_key(signing_account, "alias/ECC_NIST_P384")
    with pytest.raises(SigningError, match="is not of the key alias/ECC_NIST_P384"):
        sign_file(key, io.BytesIO(CONTENT), SigningChoice(SignatureFormat.CMS, certificate=certificate))
    assert calls == ["GetPublicKey"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (bytes(2 << 20), "No signature has more than"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "PEM of a PRIVATE KEY"),
        (b"-----BEGIN CMS-----\nAAAA\n", "is cut"),
        (b"-----BEGIN CMS-----\n????\n-----END CMS-----\n", "no base64"),
        (b"-----BEGIN CMS-----\nAAAA\n-----END CMS-----\n", "no CMS SignedData"),
        (b"-----BEGIN CMS-----\nAA\xc3\xa4=\n-----END CMS-----\n", "no base64"),
        (b"-----BEGIN SSH SIGNATURE-----\nAA\x84=\n-----END SSH SIGNATURE-----", "no base64"),
        (b"-----BEGIN SSH SIGNATURE-----\nAAAA\n", "cut"),
        (b"-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----", "cut, or none"),
    ],
)
def test_what_is_no_signature(data: bytes, sentence: str) -> None:
    from kms_tui.kms.errors import KmsTuiError

    with pytest.raises(KmsTuiError, match=sentence):
        read_signature_file(data)


@pytest.mark.parametrize("wrapped", [base64.b64encode, base64.encodebytes, bytes.hex])
def test_text_forms_are_decoded(signing_account: Kms, wrapped: Any) -> None:
    key = open_signing_key(signing_account, "alias/RSA_2048")
    made = wrapped(sign_file(key, io.BytesIO(CONTENT), SigningChoice()))
    given = read_signature_file(made.encode() if isinstance(made, str) else made)
    assert verify_file(io.BytesIO(CONTENT), given, key.public_key).good
