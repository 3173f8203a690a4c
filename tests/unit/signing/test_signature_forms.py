"""ECDSA signatures are read and written as DER and as r‖s."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.signing import signature_forms
from kms_tui.signing.signature_forms import EcdsaSignature, SignatureForm, number_size, read_signature

CURVES: dict[str, ec.EllipticCurve] = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
    "ECC_SECG_P256K1": ec.SECP256K1(),
}


@pytest.mark.parametrize("spec", CURVES)
def test_the_other_s_is_as_good(spec: str) -> None:
    """So the orders in the table are right."""
    key = ec.generate_private_key(CURVES[spec])
    read = read_signature(key.sign(b"m", ec.ECDSA(hashes.SHA256())), spec)
    assert read is not None
    assert read.form is SignatureForm.DER
    order = signature_forms._ORDERS[spec]
    for s in (read.s, order - read.s):
        other = EcdsaSignature(spec, read.r, s, SignatureForm.DER)
        key.public_key().verify(other.write(SignatureForm.DER), b"m", ec.ECDSA(hashes.SHA256()))
    low = read.with_low_s()
    assert low.is_low_s
    assert low.s in (read.s, order - read.s)


@settings(max_examples=40)
@given(st.sampled_from(list(CURVES)), st.integers(1, 2**256 - 2**130), st.integers(1, 2**256 - 2**130))
def test_what_is_written_is_read_again(spec: str, r: int, s: int) -> None:
    for form in SignatureForm:
        signature = EcdsaSignature(spec, r, s, form)
        assert read_signature(signature.write(form), spec) == signature


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 70])
def test_other_bytes_are_neither(size: int) -> None:
    assert read_signature(bytes(size), "ECC_NIST_P256") is None
    assert read_signature(b"\xff" * size, "ECC_NIST_P256") is None


def test_der_with_bytes_behind_it_is_not_taken() -> None:
    signature = EcdsaSignature("ECC_NIST_P256", 5, 7, SignatureForm.DER).write(SignatureForm.DER)
    assert read_signature(signature, "ECC_NIST_P256") is not None
    assert read_signature(signature + b"\0", "ECC_NIST_P256") is None


def test_keys_without_the_two_forms() -> None:
    assert not signature_forms.has_two_forms("ECC_NIST_EDWARDS25519")
    assert read_signature(bytes(range(64)), "RSA_2048") is None
    assert [number_size(spec) for spec in CURVES] == [32, 48, 66, 32]
