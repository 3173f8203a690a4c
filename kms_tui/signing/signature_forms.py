"""ECDSA signatures in their two forms: DER, which KMS, X.509 and openssl write, and r‖s of JWS and wallets.

DER is SEQUENCE { r, s } (RFC 3279). r‖s is both numbers side by side, each as long as the curve's order
(IEEE P1363, RFC 7518). A signature (r, s) is as good as (r, n - s); "low s" is the smaller of the two, which
Bitcoin and Ethereum ask for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

_ORDERS = {
    "ECC_NIST_P256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "ECC_NIST_P384": int("F" * 48 + "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16),
    "ECC_NIST_P521": int(
        "01FF" + "F" * 62 + "FA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409", 16
    ),
    "ECC_SECG_P256K1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
}
"""Key spec -> order n of the curve's base point: FIPS 186-5 (SP 800-186), SEC 2."""


class SignatureForm(StrEnum):
    """How the two numbers of an ECDSA signature are written."""

    DER = "DER"
    R_S = "r‖s"


@dataclass(frozen=True, slots=True)
class EcdsaSignature:
    """One ECDSA signature, and the form that it was written in."""

    spec: str
    """The KMS key spec of the curve."""
    r: int
    s: int
    form: SignatureForm

    @property
    def is_low_s(self) -> bool:
        return self.s <= _ORDERS[self.spec] // 2

    def with_low_s(self) -> EcdsaSignature:
        """The same signature with the smaller s."""
        low = self.s if self.is_low_s else _ORDERS[self.spec] - self.s
        return EcdsaSignature(self.spec, self.r, low, self.form)

    def write(self, form: SignatureForm) -> bytes:
        if form is SignatureForm.DER:
            return encode_dss_signature(self.r, self.s)
        size = number_size(self.spec)
        return self.r.to_bytes(size) + self.s.to_bytes(size)


def has_two_forms(spec: str) -> bool:
    """Whether the signatures of a key spec are pairs of numbers: of ECDSA, not of Ed25519."""
    return spec in _ORDERS


def number_size(spec: str) -> int:
    """How many bytes each number of r‖s has: 32, 48 or 66."""
    return (_ORDERS[spec].bit_length() + 7) // 8


def read_signature(data: bytes, spec: str) -> EcdsaSignature | None:
    """The signature in either form; None for bytes that are neither, or for a curve without the two forms."""
    order = _ORDERS.get(spec)
    if order is None:
        return None
    for form in SignatureForm:
        numbers = _der(data) if form is SignatureForm.DER else _side_by_side(data, number_size(spec))
        if numbers is not None and all(0 < number < order for number in numbers):
            return EcdsaSignature(spec, *numbers, form)
    return None


def _der(data: bytes) -> tuple[int, int] | None:
    try:
        r, s = decode_dss_signature(data)
    except ValueError:
        return None
    return (r, s) if encode_dss_signature(r, s) == data else None


def _side_by_side(data: bytes, size: int) -> tuple[int, int] | None:
    if len(data) != 2 * size:
        return None
    return int.from_bytes(data[:size]), int.from_bytes(data[size:])
