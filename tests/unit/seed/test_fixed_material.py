"""Fixed key material: what is taken for each key spec, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from kms_tui.backend.local.store.key_material import SECRET_SIZES, SUPPORTED, generate_material
from kms_tui.seed.fixed_material import MaterialError, given_bytes, material_of, spec_of_pem
from tests.unit.seed.seeds import SEEDS

_SIGNING = (SEEDS / "signing.pem").read_bytes()


@pytest.mark.parametrize("spec", sorted(SUPPORTED - {"RSA_3072", "RSA_4096"}))
def test_material_that_the_store_made_is_taken_back(spec: str) -> None:
    material = generate_material(spec)
    assert material_of(spec, material) == material


@pytest.mark.parametrize("spec", SECRET_SIZES)
def test_a_secret_has_the_bytes_of_its_spec(spec: str) -> None:
    size = SECRET_SIZES[spec]
    with pytest.raises(MaterialError, match=f"has {size - 1} bytes, and a key of {spec} has {size}"):
        material_of(spec, b"x" * (size - 1))


def test_pem_in_every_form() -> None:
    private_key = ec.generate_private_key(ec.SECP384R1())
    for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        pem = private_key.private_bytes(Encoding.PEM, form, NoEncryption())
        assert spec_of_pem(given_bytes("pem", f"\n{pem.decode()}  ", None)) == "ECC_NIST_P384"
    sealed = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    with pytest.raises(MaterialError, match="under a passphrase"):
        material_of("ECC_NIST_P384", sealed)


def test_a_key_pair_of_another_spec_or_none() -> None:
    with pytest.raises(MaterialError, match="is a private key of RSA_2048, and the key is of RSA_3072"):
        material_of("RSA_3072", _SIGNING)
    with pytest.raises(MaterialError, match="is PEM, and a key of HMAC_256 has bytes"):
        material_of("HMAC_256", _SIGNING)
    with pytest.raises(MaterialError, match="is no private key"):
        material_of("RSA_2048", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----")
    odd = rsa.generate_private_key(3, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    other = dsa.generate_private_key(1024).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for pem in (odd, other):
        with pytest.raises(MaterialError, match="of no key spec"):
            spec_of_pem(pem)


def test_rsa_numbers_that_do_not_belong_together() -> None:
    numbers = rsa.generate_private_key(65537, 2048).private_numbers()
    wrong = rsa.RSAPrivateNumbers(
        numbers.p, numbers.q, numbers.d, numbers.dmp1, numbers.dmq1 ^ 2, numbers.iqmp, numbers.public_numbers
    )
    der = wrong.private_key(unsafe_skip_rsa_key_validation=True).private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
    )
    with pytest.raises(MaterialError, match="do not belong together"):
        material_of("RSA_2048", der)


@pytest.mark.parametrize(
    ("form", "text", "problem"),
    [
        ("hex", "0", "is no even number"),
        ("hex", "0g", "is no even number"),
        ("base64", "A", "is no base64"),
        ("base64", "Ä===", "is no base64"),
        ("pem", "MII", "does not begin with -----BEGIN"),
        ("file", "none.pem", "none.pem could not be read: No such file"),
        ("file", "a\0b", "no file has such a name"),
        ("file", "app-policy.json", "names a file that is no PEM"),
        ("file", ".", "could not be read: Is a directory"),
    ],
)
def test_text_that_is_no_key_material(form: str, text: str, problem: str) -> None:
    with pytest.raises(MaterialError, match=problem):
        given_bytes(form, text, SEEDS)


def test_a_file_that_is_too_long(tmp_path: Path) -> None:
    (tmp_path / "long.pem").write_bytes(_SIGNING * 100)
    with pytest.raises(MaterialError, match=r"longer than 65,536 bytes"):
        given_bytes("file", "long.pem", tmp_path)
