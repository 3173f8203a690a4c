"""How strong the algorithm of a key spec is: in bits against today's computers, and by NIST's categories
against a quantum computer.

Source: for the bits NIST SP 800-57 Part 1 Rev. 5 (tables 2 and 3) and SP 800-56B Rev. 2 (RSA with 4,096
bits); 256 is the most that they tell apart. For the categories of ML-KEM and ML-DSA FIPS 203 and 204; their
bits are those of the category's reference: a key search of AES-128, -192 or -256 (1, 3, 5), a collision of
SHA-256 (2). A symmetric or HMAC key is in the category of the longest AES key that is no longer than it. RSA
and elliptic curves are in none: Shor's algorithm breaks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kms_tui.kms.keyspecs import KEY_SPECS, Family

BROKEN = 0
"""The category of what a quantum computer breaks: it is in none of NIST's."""


class Strength(NamedTuple):
    """``quantum_category`` is NIST's category, 1 to 5, or ``BROKEN``."""

    bits: int
    quantum_category: int

    @property
    def is_broken_by_quantum_computers(self) -> bool:
        return self.quantum_category == BROKEN


_STRENGTHS: Mapping[str, Strength] = {
    "SYMMETRIC_DEFAULT": Strength(256, 5),
    "RSA_2048": Strength(112, BROKEN),
    "RSA_3072": Strength(128, BROKEN),
    "RSA_4096": Strength(152, BROKEN),
    "ECC_NIST_P256": Strength(128, BROKEN),
    "ECC_NIST_P384": Strength(192, BROKEN),
    "ECC_NIST_P521": Strength(256, BROKEN),
    "ECC_SECG_P256K1": Strength(128, BROKEN),
    "ECC_NIST_EDWARDS25519": Strength(128, BROKEN),
    "SM2": Strength(128, BROKEN),
    "HMAC_224": Strength(192, 3),
    "HMAC_256": Strength(256, 5),
    "HMAC_384": Strength(256, 5),
    "HMAC_512": Strength(256, 5),
    "ML_DSA_44": Strength(128, 2),
    "ML_DSA_65": Strength(192, 3),
    "ML_DSA_87": Strength(256, 5),
    "ML_KEM_512": Strength(128, 1),
    "ML_KEM_768": Strength(192, 3),
    "ML_KEM_1024": Strength(256, 5),
}


def strength_of(spec: str) -> Strength | None:
    """The strength of a key spec; None for one that this table does not know."""
    return _STRENGTHS.get(spec)


def family_of(spec: str) -> Family | None:
    known = KEY_SPECS.get(spec)
    return known.family if known else None
